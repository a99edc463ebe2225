#!/usr/bin/env python3
"""Another kernel, for real: boot.py TCPWHY SNAPSHOT|- PACKAGE...

Boots the kernel of Debian's or Ubuntu's packages (linux-image, with Ubuntu's linux-modules) in an emulator,
with nothing but busybox and a static tcpwhy, and there runs `tcpwhy lab --all`. Then it makes the host that
seen.py knows and writes its snapshot to SNAPSHOT. Takes minutes, so no test runs it; the packages it needs are
qemu-system-x86, busybox-static, kmod and cpio. Exit status: 0 when every scenario that is possible there came
out as expected.
"""

import base64
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TIMEOUT_S = 1800
PATHS = ('kernel/net', 'kernel/lib', 'kernel/crypto', 'kernel/arch', 'kernel/drivers/net/veth.ko*')
BEGIN, END = '@@snapshot', '@@end'
INIT = f'''#!/bin/sh
/bin/busybox --install -s /bin 2>/dev/null
export PATH=/bin:/sbin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
ip link set lo up
for module in inet_diag tcp_diag mptcp_diag nf_conntrack; do modprobe $module 2>/dev/null; done
export TERM=dumb COLUMNS=80
echo "Linux $(uname -r)"
tcpwhy lab --all
echo "status $?"

# A server that reads nothing and clients that have finished; one of them is killed.
printf '#!/bin/sh\\nexec sleep 1000\\n' >/tmp/serve; chmod +x /tmp/serve
for port in 8080 8081; do
	nc -l -p $port -e /tmp/serve & sleep 1
	echo hello | nc 127.0.0.1 $port &
	client=$!; sleep 1
done
kill -9 $client
nc -l -p 8082 -e /tmp/serve & sleep 1
sleep 1000 | nc 127.0.0.1 8082 &
nc -ll -p 8083 -e /tmp/serve &
sleep 15
tcpwhy snapshot -o /tmp/snapshot
echo {BEGIN}; base64 /tmp/snapshot; echo {END}
poweroff -f
'''


def run(*argv, **more):
    return subprocess.run([str(arg) for arg in argv], check=True, **more)


def modules_of(unpacked):
    for folder in ('lib/modules', 'usr/lib/modules'):
        for found in sorted((unpacked / folder).glob('*')):
            return found
    sys.exit('boot.py: these packages hold no modules')


def make_root(root, unpacked, tool):
    modules = modules_of(unpacked)
    here = root / 'lib/modules' / modules.name
    for folder in ('bin', 'sbin', 'proc', 'sys', 'dev', 'tmp', 'run', 'etc'):
        (root / folder).mkdir(parents=True)
    here.mkdir(parents=True)
    for pattern in ('modules.*', *PATHS):
        for found in modules.glob(pattern):
            to = here / found.relative_to(modules)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(found, to) if found.is_dir() else shutil.copy(found, to)
    for packed in here.rglob('*.ko.xz'):
        run('xz', '-d', packed)
    run('depmod', '-b', root, modules.name, stderr=subprocess.DEVNULL)
    shutil.copy(shutil.which('busybox', path='/bin:/usr/bin'), root / 'bin/busybox')
    shutil.copy(tool, root / 'bin/tcpwhy')
    (root / 'bin/sh').symlink_to('busybox')
    (root / 'sbin/modprobe').symlink_to('/bin/busybox')  # what the kernel calls for modules it lacks
    (root / 'etc/passwd').write_text('root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n')
    (root / 'init').write_text(INIT)
    (root / 'init').chmod(0o755)


def boot(tool, packages):
    with tempfile.TemporaryDirectory() as tmp:
        unpacked, root, archive = (pathlib.Path(tmp, name) for name in ('unpacked', 'root', 'initrd'))
        for package in packages:
            run('dpkg-deb', '-x', package, unpacked)
        make_root(root, unpacked, tool)
        names = subprocess.run(['find', '.'], cwd=root, check=True, stdout=subprocess.PIPE).stdout
        with archive.open('wb') as out:
            run('cpio', '-o', '-H', 'newc', '--quiet', cwd=root, input=names, stdout=out)
        image = next((unpacked / 'boot').glob('vmlinuz-*'))
        done = run('qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'max', '-m', '2048', '-nographic', '-no-reboot',
                   '-net', 'none', '-kernel', image, '-initrd', archive,
                   '-append', 'console=ttyS0 quiet panic=1 loglevel=3', stdin=subprocess.DEVNULL,
                   stdout=subprocess.PIPE, timeout=TIMEOUT_S)
        return done.stdout.decode(errors='replace').replace('\r', '')


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    said = boot(sys.argv[1], sys.argv[3:])
    report, _, rest = said.partition(BEGIN)
    print(report)
    packed, end, _ = rest.partition(END)
    if sys.argv[2] != '-' and end:
        pathlib.Path(sys.argv[2]).write_bytes(base64.b64decode(packed))
    return 0 if re.search('^status 0$', report, re.M) and end else 1


sys.exit(main())

"""systemd as process 1 of a machine of its own: everything of this one's /usr, and units that are given.

Namespaces of their own, a cgroup of its own, and folders that end with the test.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

PATIENCE_S = 30
SYSTEMD = '/lib/systemd/systemd'
FIRST = 'tested.target'

# $1: the root. Its cgroup is a new one, which then passes for all there is.
SCRIPT = '''
set -e
mkdir -p "$1/cgroup" && mount -t cgroup2 cgroup2 "$1/cgroup"
mkdir "$1/cgroup/tcpwhy-test-$2" && echo 0 >"$1/cgroup/tcpwhy-test-$2/cgroup.procs"
exec unshare --cgroup sh -ec '
cd "$0"
umount cgroup
mount --bind . . && cd "$PWD"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for folder in bin sbin lib lib64 usr; do
	test ! -d $folder || test -L $folder || mount --rbind -o ro /$folder $folder
done
mount -t tmpfs -o mode=755 run run
for node in null zero full random urandom; do : >dev/$node; mount --bind /dev/$node dev/$node; done
pivot_root . old
umount -l /old
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin %(systemd)s --log-target=null --show-status=no --unit=%(first)s
' "$1"
''' % {'systemd': SYSTEMD, 'first': FIRST}


def furnish(root, units):
    """The folders, and /etc with nothing but the units and what /usr needs to be found."""
    for name in 'cgroup', 'dev', 'etc/systemd/system', 'old', 'opt', 'proc', 'run', 'sys', 'tmp', 'var/lib', 'usr':
        (root / name).mkdir(parents=True)
    for name in 'bin', 'sbin', 'lib', 'lib64':
        place = pathlib.Path('/', name)
        if place.is_symlink():
            (root / name).symlink_to(os.readlink(place))
        elif place.is_dir():
            (root / name).mkdir()
    for name in 'ld.so.cache', 'alternatives':
        if os.path.isdir(f'/etc/{name}'):
            shutil.copytree(f'/etc/{name}', root / 'etc' / name, symlinks=True)
        elif os.path.exists(f'/etc/{name}'):
            shutil.copy(f'/etc/{name}', root / 'etc' / name)
    (root / 'etc/passwd').write_text('root:x:0:0:root:/:/bin/sh\n')
    (root / 'etc/group').write_text('root:x:0:\n')
    (root / 'etc/machine-id').write_text('00000000000000000000000000000001\n')
    for name, text in units.items():
        path = root / 'etc/systemd/system' / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def remove_cgroup(tag):
    """What systemd has made in it is empty once the last process has ended."""
    way = ['unshare', '-m', '--propagation', 'private', 'sh', '-c',
           'mount -t cgroup2 cgroup2 /mnt && cd /mnt && find "$0" -depth -type d -exec rmdir {} + && ! test -e "$0"', f'tcpwhy-test-{tag}']
    deadline = time.monotonic() + PATIENCE_S
    while subprocess.run(way, check=False, stderr=subprocess.DEVNULL).returncode != 0 and time.monotonic() < deadline:
        time.sleep(0.05)


def can_boot():
    return os.geteuid() == 0 and os.path.exists(SYSTEMD) and subprocess.run(
        ['unshare', '-mC', '--propagation', 'private', 'mount', '-t', 'cgroup2', 'cgroup2', '/mnt'],
        stderr=subprocess.DEVNULL, check=False).returncode == 0


@contextlib.contextmanager
def booted(root, units):
    """Yields a function that runs a command in there. Only where can_boot()."""
    root, tag = pathlib.Path(root), str(os.getpid())
    furnish(root, units)
    with subprocess.Popen(['unshare', '--fork', '--kill-child', '--pid', '--mount', '--uts', '--ipc', '--propagation', 'private',
                           'sh', '-c', SCRIPT, 'boot', str(root), tag], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
        def call(*command):
            child = pathlib.Path(f'/proc/{p.pid}/task/{p.pid}/children').read_text(encoding='ascii').split()
            return subprocess.run(['nsenter', '-t', child[0], '-m', '-p', '-u', '-i', f'--root=/proc/{child[0]}/root', '--wd=/', *command],
                                  capture_output=True, text=True, check=False, timeout=60) if child else None
        try:
            yield call
        finally:
            p.send_signal(signal.SIGKILL)
    remove_cgroup(tag)

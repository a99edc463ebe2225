"""A hundred network namespaces in one run: namespaces.py TCPWHY. Prints TAP; nothing where none may be made.

Each has a process of its own with a CLOSE-WAIT, all with the same addresses; some have a name, some are
empty. Mounts and namespaces are private and die with the script.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

import stage

N, N_NAMED = 100, 5
CLONE_NEWNET = 0x40000000
NO_NETLINK = '--without-netlink'


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack('16sh14x', b'lo', 0x49))  # SIOCSIFFLAGS: up, loopback, running


def live_in(i, namespace, ready, with_socket):
    """A process of its own: in a new namespace, or in that of a file. It ends with its parent."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if namespace:
        with open(namespace, 'rb') as f:
            assert libc.setns(f.fileno(), CLONE_NEWNET) == 0
    else:
        assert libc.unshare(CLONE_NEWNET) == 0
    loopback_up()
    pathlib.Path('/proc/self/comm').write_text(f'ns-{i}')
    kept = stage.close_wait(8080) if with_socket else ()
    os.write(ready, b'x')
    signal.pause()
    return kept


@contextlib.contextmanager
def inhabited(names, with_socket=True):
    """The processes' ids, when all are ready."""
    asks, ready = os.pipe()
    pids = []
    for i in range(N):
        pid = os.fork()
        if pid == 0:
            try:
                live_in(i, f'/run/netns/{names[i]}' if i < len(names) else None, ready, with_socket)
            finally:
                os._exit(1)
        pids.append(pid)
    for _ in pids:
        assert select.select([asks], [], [], 60)[0], 'a process did not get ready'
        os.read(asks, 1)
    try:
        yield pids
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(asks)
        os.close(ready)


def run(tool, *args, **more):
    return subprocess.run([tool, *args], capture_output=True, text=True, timeout=100, check=False, **more)


def few_descriptors():
    """One left open in each namespace would be too many."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def children():
    return pathlib.Path('/proc/thread-self/children').read_text().split()


def test_all(tool, pids, names):
    before = children(), pathlib.Path('/proc/self/mountinfo').read_text()
    p = run(tool, 'list', '-A', '--json', preexec_fn=few_descriptors)
    stage.check('nothing is left behind: no process, no mount',
                before == (children(), pathlib.Path('/proc/self/mountinfo').read_text()), children())
    report = json.loads(p.stdout)
    stage.check('complete', p.returncode == 0 and report['complete'] is True and not report['gaps'], p.stderr)
    found = {}
    for s in report['sockets']:
        if s['state'] == 'CLOSE-WAIT':
            found.setdefault(s['netns_name'] or str(s['netns']), []).append(s)
    want = {}
    for i, pid in enumerate(pids):
        want[names[i] if i < len(names) else str(os.stat(f'/proc/{pid}/ns/net').st_ino)] = i
    stage.check('each namespace by its label', set(found) == set(want), sorted(set(want) ^ set(found)))
    stage.check('one socket in each', all(len(v) == 1 for v in found.values()), found)
    owners = {k: [(o['pid'], o['comm']) for o in v[0]['owner']['processes']] for k, v in found.items()}
    stage.check('and its owner', owners == {k: [(pids[i], f'ns-{i}')] for k, i in want.items()}, owners)
    counts = json.loads(run(tool, 'list', '-A', '--json', '--by', 'netns', 'state', 'close-wait').stdout)
    stage.check('counted by namespace', {g['key']: g['count'] for g in counts['groups']} ==
                {k: 1 for k in want}, counts)


def test_one(tool, pids, names):
    for name, which, i in ('by name', names[0], 0), ('by pid', str(pids[-1]), N - 1), \
            ('by path', f'/proc/{pids[7]}/ns/net', 7):
        report = json.loads(run(tool, 'list', '-N', which, '--json', 'state', 'close-wait').stdout)
        stage.check(f'one of them, {name}', [s['owner']['processes'][0]['pid'] for s in report['sockets']] ==
                    [pids[i]], report)


def test_refused(tool, named):
    p = run(tool, 'list', '-A', '--json', **stage.AS_NOBODY)
    report = json.loads(p.stdout)
    stage.check('a namespace that refuses is a gap', p.returncode == 1 and report['complete'] is False and
                any(g['what'] == 'netns' for g in report['gaps']), p.stdout[-1000:])
    p = run(tool, 'list', '-N', named, **stage.AS_NOBODY)
    stage.check('the only one that is asked for: an error', p.returncode == 1 and
                p.stderr.startswith(f'tcpwhy: {named}: Operation not permitted') and 'needs root' in p.stderr, p.stderr)
    p = run(tool, 'list', '-N', '/dev/null')
    stage.check('what is no namespace', p.returncode == 1 and 'not a network namespace' in p.stderr, p.stderr)


def test_gone(tool):
    """They end while they are looked at: what is gone is no gap."""
    with inhabited([]) as pids:
        with subprocess.Popen([tool, 'list', '-A', '--json'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as p:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            out, err = p.communicate(timeout=100)
        report = json.loads(out)
        stage.check('namespaces that end meanwhile', not any(g['what'] == 'netns' for g in report['gaps']), err)


def test_empty(tool):
    """A dump of an empty namespace walks the whole machine's table: nobody asks where sockstat says none."""
    with inhabited([], with_socket=False):
        p = run(sys.executable, '-B', __file__, NO_NETLINK, tool, 'list', '-A', '--json')
        stage.check('empty namespaces are not asked', p.returncode == 0 and
                    json.loads(p.stdout)['complete'] is True, f'{p.stdout}\n{p.stderr}')


def main():
    if sys.argv[1] == NO_NETLINK:
        stage.without_netlink(13, sys.argv[2:])
    if os.geteuid() != 0:
        print('1..0 # SKIP needs root')
        return 0
    stage.enter('--mount', '--pid', '--fork', '--kill-child', '--mount-proc')
    subprocess.run(['mount', '-t', 'tmpfs', 'tcpwhy-test', '/run'], check=True)
    with tempfile.TemporaryDirectory() as tmp:
        os.chmod(tmp, 0o755)
        tool = shutil.copy(sys.argv[1], tmp)  # where every user may run it
        names = [f'blue-{i}' for i in range(N_NAMED)]
        for name in names:
            subprocess.run(['ip', 'netns', 'add', name], check=True)
        with inhabited(names) as pids:
            test_all(tool, pids, names)
            test_one(tool, pids, names)
            test_refused(tool, names[0])
        for name in names:
            subprocess.run(['ip', 'netns', 'del', name], check=True)
        test_empty(tool)
        test_gone(tool)
    return stage.end()


sys.exit(main())

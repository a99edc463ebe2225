"""A hundred network namespaces in one run: namespaces.py TCPWHY. Prints TAP; nothing where none may be made.

Each has a process of its own with a CLOSE-WAIT, all with the same addresses; some have a name, some are
empty. Then those that no process shows for long, or at all: its number is given to another one while namespaces
are read, its main thread has ended, only another thread is there. Mounts and namespaces are private and die with
the script.
"""

import collections
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
import threading
import time

import stage

N, N_NAMED = 100, 5
# The script's own pid namespace is not the machine's: that is said, and nothing else.
OUTSIDE = ('netns', 'processes outside this container are not visible')
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


def gaps_of(report):
    return [(g['what'], g['reason']) for g in report['gaps']]


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
    stage.check('all of the container, and that there is more', p.returncode == 1 and report['complete'] is False and
                gaps_of(report) == [OUTSIDE], [report['gaps'], p.stderr])
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
        stage.check('namespaces that end meanwhile', [g for g in gaps_of(report) if g[0] == 'netns'] == [OUTSIDE],
                    [report['gaps'], err])


def test_empty(tool):
    """A dump of an empty namespace walks the whole machine's table: nobody asks where sockstat says none."""
    with inhabited([], with_socket=False):
        p = run(sys.executable, '-B', __file__, NO_NETLINK, tool, 'list', '-A', '--json')
        stage.check('empty namespaces are not asked', p.returncode == 1 and
                    gaps_of(json.loads(p.stdout)) == [OUTSIDE], f'{p.stdout}\n{p.stderr}')


# Namespaces that are hard to find.

def enter(pid):
    """The namespace of that process; 0: a new one."""
    if pid:
        stage.join_netns(pid)
    else:
        stage.leave_netns()
        loopback_up()


def live_with(say, pid, n):
    enter(pid)
    kept = [stage.close_wait() for _ in range(n)]
    say()
    return kept


def live_in_thread(say, n):
    """One thread is in a new namespace, and leaves a TIME-WAIT there as well; another one is where the process is."""
    kept = []

    def live():
        enter(0)
        kept.extend(stage.close_wait() for _ in range(n))
        with socket.create_server(('127.0.0.1', 0)) as listener:
            with socket.create_connection(listener.getsockname()) as client, listener.accept()[0] as accepted:
                accepted.shutdown(socket.SHUT_WR)
                client.recv(1)
        say()
        signal.pause()

    for target in signal.pause, live:
        threading.Thread(target=target, daemon=True).start()
    return kept


def live_without_main_thread(say, n):
    enter(0)
    kept = [stage.close_wait() for _ in range(n)]
    stat = pathlib.Path(f'/proc/self/task/{os.getpid()}/stat')

    def live():
        while ') Z ' not in stat.read_text():
            time.sleep(0.001)
        say()
        signal.pause()

    threading.Thread(target=live, daemon=True).start()
    ctypes.CDLL(None).syscall(stage.CALLS[os.uname().machine]['exit'], 0)
    return kept


def in_state(tool, state):
    """How many, by namespace, and the gaps."""
    report = json.loads(run(tool, 'list', '-A', '--json', 'state', state).stdout)
    return collections.Counter(s['netns'] for s in report['sockets']), gaps_of(report)


def inode_of(task):
    return os.stat(f'/proc/{task}/ns/net').st_ino


def test_threads(tool):
    pid = stage.start_process(live_in_thread, 3)
    there = {inode_of(f'{pid}/task/{tid}') for tid in os.listdir(f'/proc/{pid}/task')} - {inode_of(pid)}
    seen = in_state(tool, 'close-wait')
    stage.check('a thread alone: its sockets, once', len(there) == 1 and
                seen == (dict.fromkeys(there, 3), [OUTSIDE]), [there, seen])
    seen = in_state(tool, 'time-wait')
    stage.check('a thread alone: its TIME-WAIT, which comes in another walk', seen[0] == dict.fromkeys(there, 1), seen)
    stage.end_process(pid)
    pid = stage.start_process(live_without_main_thread, 3)
    seen = in_state(tool, 'close-wait')
    stage.check('the main thread has ended', list(seen[0].values()) == [3], seen)
    stage.end_process(pid)


@contextlib.contextmanager
def stopped(tool, among):
    """Stopped while it stands in one of these namespaces: by then it has listed all."""
    for _ in range(50):
        with subprocess.Popen([tool, 'list', '-A', '--json', 'state', 'close-wait'], stdout=subprocess.PIPE,
                              text=True) as p:
            while p.poll() is None and inode_of(p.pid) not in among:
                pass
            if p.returncode is None:
                p.send_signal(signal.SIGSTOP)
                os.waitid(os.P_PID, p.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
                if p.poll() is None and inode_of(p.pid) in among:
                    yield p
                    return
                p.send_signal(signal.SIGCONT)
            p.communicate(timeout=100)
    raise AssertionError('it was never met there')


def test_ended(tool, pids, is_reused):
    """The process that was listed ends before its namespace is entered; another one there has a CLOSE-WAIT."""
    first = stage.start_process(live_with, 0, 0)
    here, other = stage.start_process(live_with, first, 1), stage.start_process(live_with, 0, 4)
    want = {inode_of(pid): 1 for pid in [*pids, here]} | {inode_of(other): 4}
    with stopped(tool, {inode_of(pid) for pid in pids}) as p:
        stage.end_process(first)
        if is_reused:
            pathlib.Path('/proc/sys/kernel/ns_last_pid').write_text(str(first - 1))
            assert stage.start_process(live_with, other, 0) == first, 'the number was not given again'
        p.send_signal(signal.SIGCONT)
        report = json.loads(p.communicate(timeout=100)[0])
    seen = collections.Counter(s['netns'] for s in report['sockets'])
    stage.check(f'a process ends meanwhile, {"and its number is used again" if is_reused else "others are there"}',
                seen == want and gaps_of(report) == [OUTSIDE],
                [inode_of(here), inode_of(other), seen, report['gaps']])
    for pid in [here, other] + [first] * is_reused:
        stage.end_process(pid)


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
        with inhabited([]) as pids:
            test_ended(tool, pids, False)
            test_ended(tool, pids, True)
        test_empty(tool)
        test_gone(tool)
        test_threads(tool)
    return stage.end()


sys.exit(main())

"""`why --sockopts` on sockets that this script made: sockopts.py TCPWHY. Prints TAP; nothing where no
namespace may be made, or where the kernel has no pidfd_getfd(2).

What it reads must be what was set, what it must not touch it must leave alone, and a socket it has
touched must still close as its owner says.
"""

import contextlib
import ctypes
import errno
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

PORT, DEADLINE_S = 8080, 20
FIN_WAIT_2, CLOSE = 5, 7  # include/net/tcp_states.h
SO_ATTACH_FILTER, TCP_LINGER2, TCP_USER_TIMEOUT = 26, 8, 18
INSIDE = 'TCPWHY_TEST_NETNS'
PIDFD_GETFD = 438  # on every architecture

results = []


def check(name, is_good, seen=None):
    results.append(is_good)
    print(f'{"ok" if is_good else "not ok"} {len(results)} - {name}', flush=True)
    if not is_good and seen is not None:
        for line in json.dumps(seen, indent=1).splitlines()[:60]:
            print('#', line)


def until(is_so, what):
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.003)


def state(s):
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def keepalive(s, idle, interval, probes):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, probes)


def linger(s, on, seconds):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', on, seconds))


def hold(n, lingers):
    """n connections in CLOSE-WAIT, all read; a byte on standard input closes them."""
    listener = socket.create_server(('127.0.0.1', PORT), backlog=n)
    peers = [socket.create_connection(('127.0.0.1', PORT)) for _ in range(n)]
    socks = [listener.accept()[0] for _ in range(n)]
    for s in socks:
        keepalive(s, 61, 7, 5)
        if lingers:
            linger(s, 1, 3)
        s.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 45000)
        s.setsockopt(socket.IPPROTO_TCP, TCP_LINGER2, 9)
    for p in peers:
        p.shutdown(socket.SHUT_WR)
    for s in socks:
        assert s.recv(1) == b''
    return listener, peers, socks


def play(n, lingers):
    listener, peers, socks = hold(n, lingers)
    print(os.getpid(), flush=True)
    sys.stdin.read(1)
    for s in socks:
        linger(s, 0, 0)
        s.close()
    # Every peer gets its FIN although somebody else has had the descriptor in his hands.
    for p in peers:
        p.settimeout(DEADLINE_S)
        assert p.recv(1) == b''
    print('closed', flush=True)
    listener.close()


@contextlib.contextmanager
def sockets(n, lingers=True):
    with subprocess.Popen([sys.executable, '-B', __file__, '--play', str(n), str(int(lingers))],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        pid = int(p.stdout.readline())
        yield pid
        p.stdin.write('x')
        p.stdin.close()
        check(f'{n} sockets closed with a FIN afterwards', p.stdout.readline() == 'closed\n' and
              p.wait(DEADLINE_S) == 0)
    subprocess.run(['ss', '-K', '-Hnt', 'state', 'connected'], stdout=subprocess.DEVNULL, check=True)


def why(tool, *args):
    p = subprocess.run([*tool, 'why', '--json', '--min-age', '0', *args], stdout=subprocess.PIPE, timeout=60,
                       check=False)
    return json.loads(p.stdout)


def leak(report):
    return next((f for f in report['findings'] if f['rule'] == 'close-wait-leaked-fd'), {'facts': {}})


def test_values(tool, tmp):
    wanted = {'keepalive_on': None, 'keepalive_idle_ms': 61000, 'keepalive_interval_ms': 7000,
              'keepalive_probes': 5, 'keepalive_total_ms': 96000, 'linger_on': None, 'linger_ms': 3000,
              'user_timeout_ms': 45000, 'linger2_ms': 9000, 'reuseaddr_on': None}
    with sockets(20) as pid:
        silent = leak(why([tool]))
        check('not asked for, not read', silent.get('count') == 20 and 'options_read' not in silent['facts'],
              silent)
        folder = os.path.join(tmp, 'look')
        report = why([tool], '--sockopts', '--record', folder)
        f = leak(report)
        facts = f['facts']
        # Both ends are the same process's: the sample is of all its connections.
        n_read = [g['facts'].get('options_read', 0) for g in report['findings']]
        check('a sample of 16', f.get('count') == 20 and f['subject']['pid'] == pid and
              sum(n_read) == 16, report)
        check('keepalive and linger of all', facts.get('options_read') == facts.get('keepalive_on') ==
              facts.get('linger_on'), f)
        for name, value in wanted.items():
            if value is not None:
                check(f'{name} is {value}', facts.get(name) == value, facts)
        g = leak(why([tool], '--from', folder))
        check('recorded and read again', {k: g['facts'].get(k) for k in ['options_read', *wanted]} ==
              {k: facts.get(k) for k in ['options_read', *wanted]}, g)
        links = os.listdir('/proc/self/fd')
        check('nothing is left open here', len(links) < 10, links)


def test_plain(tool):
    with sockets(3, lingers=False):
        facts = leak(why([tool], '--sockopts'))['facts']
        check('without linger: one helper is enough, and none is said', facts.get('options_read') == 3 and
              facts.get('linger_on') == 0 and 'linger_ms' not in facts, facts)


def refusing(error, argv):
    """Runs the tool where pidfd_getfd(2) fails: no right to trace, or a kernel without it."""
    libc = ctypes.CDLL(None, use_errno=True)
    program = b''.join(struct.pack('HBBI', *step) for step in (
        (0x20, 0, 0, 0), (0x15, 0, 1, PIDFD_GETFD),
        (0x06, 0, 0, 0x00050000 | error), (0x06, 0, 0, 0x7fff0000)))
    steps = ctypes.create_string_buffer(program)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, struct.pack('@HP', 4, ctypes.addressof(steps)), 0, 0) == 0
    os.execvp(argv[0], argv)


def test_refusals(tool):
    with sockets(2):
        for error, words in (errno.EPERM, 'not permitted'), (errno.ENOSYS, '5.6'):
            report = why([sys.executable, '-B', __file__, '--refuse', str(error), tool], '--sockopts')
            gaps = [g for g in report['gaps'] if g['what'] == 'sockopts']
            check(f'{errno.errorcode[error]} is a gap', len(gaps) == 1 and words in gaps[0]['reason'] and
                  leak(report).get('count') == 2 and 'options_read' not in leak(report)['facts'], report)


def test_init(tool):
    """Process 1 of a pid namespace is left alone; another one there is not."""
    unshare = ['unshare', '--pid', '--fork', '--mount-proc']
    if subprocess.run([*unshare, 'true'], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return
    for name, is_first in ('process 1', True), ('process 2', False):
        command = [sys.executable, '-B', __file__, '--init', tool]
        if not is_first:
            command = ['sh', '-c', '"$@"; exit $?', 'sh', *command]
        p = subprocess.run([*unshare, *command], stdout=subprocess.PIPE, timeout=60, check=False)
        f = leak(json.loads(p.stdout))
        check(f'{name} of a pid namespace', f.get('count') == 2 and
              ('options_read' in f['facts']) != is_first, f)
        subprocess.run(['ss', '-K', '-Hnt', 'state', 'connected'], stdout=subprocess.DEVNULL, check=True)


def held_ends(report):
    held = next((f for f in report['findings'] if f['rule'] == 'fin-wait-2-held'), None)
    return held['examples'][0]['ends'] if held and held['examples'] else {}, held


def test_keepalive_end(tool):
    """A held FIN-WAIT-2 whose peer takes no segment any more: the forecast holds."""
    listener = socket.create_server(('127.0.0.1', PORT))
    ours = socket.create_connection(('127.0.0.1', PORT))
    peer = listener.accept()[0]
    keepalive(ours, 1, 1, 4)
    ours.shutdown(socket.SHUT_WR)
    until(lambda: state(ours) == FIN_WAIT_2, 'FIN-WAIT-2')
    drop = ctypes.create_string_buffer(struct.pack('HBBI', 0x06, 0, 0, 0))
    peer.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack('@HP', 1, ctypes.addressof(drop)))
    probes = lambda: ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 4)[3]
    until(lambda: probes() >= 1, 'a probe')
    unasked, _ = held_ends(why([tool]))
    before = time.monotonic()
    report = why([tool], '--sockopts')
    after = time.monotonic()
    ends, held = held_ends(report)
    until(lambda: state(ours) == CLOSE, 'the end')
    ended = time.monotonic()
    check('keepalive: the end is foretold', ends.get('by') == 'keepalive' and
          ended - after - 0.3 <= ends['in_ms'] / 1000 <= ended - before + 0.3,
          [ends, ended - before, held])
    check('keepalive: without the options it is not', unasked.get('by') == 'keepalive' and
          unasked['in_ms'] is None, unasked)
    for s in ours, peer, listener:
        s.close()


def as_init(tool):
    kept = hold(2, True)
    sys.stdout.write(subprocess.run([tool, 'why', '--json', '--min-age', '0', '--sockopts'],
                                    stdout=subprocess.PIPE, text=True, timeout=60, check=False).stdout)
    return kept


def has_getfd():
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(PIDFD_GETFD, -1, 0, 0) < 0 and ctypes.get_errno() != errno.ENOSYS


def main():
    if sys.argv[1] == '--play':
        play(int(sys.argv[2]), sys.argv[3] == '1')
        return 0
    if sys.argv[1] == '--refuse':
        refusing(int(sys.argv[2]), sys.argv[3:])
    if sys.argv[1] == '--init':
        as_init(sys.argv[2])
        return 0
    if not has_getfd():
        print('1..0 # SKIP this kernel has no pidfd_getfd(2)')
        return 0
    if INSIDE not in os.environ:
        os.environ[INSIDE] = '1'
        unshare = ['unshare', '-n'] if os.geteuid() == 0 else ['unshare', '-rn']
        if subprocess.run([*unshare, 'true'], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            print('1..0 # SKIP no network namespace may be made here')
            return 0
        os.execvp('unshare', [*unshare, sys.executable, '-B', *sys.argv])
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    with tempfile.TemporaryDirectory() as tmp:
        tool = shutil.copy(sys.argv[1], tmp)
        test_values(tool, tmp)
        test_plain(tool)
        test_refusals(tool)
        test_init(tool)
        test_keepalive_end(tool)
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


sys.exit(main())

"""Connections that the kernel has ended, held by a process that has no others: dead.py TCPWHY. Prints TAP.

No socket of the look has an owner then, so only --dead-sockets finds them, in every namespace that is
looked at and in no other. Living connections of another namespace, which a process may hold, are none of them.
"""

import contextlib
import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import stage

CLONE_NEWNET = 0x40000000
CONTAINER = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
ELSEWHERE = ['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
N, RULE = 20, 'dead-socket-leaked-fd'
RESET = struct.pack('ii', 1, 0)  # struct linger: on, no time


def living(n):
    with socket.create_server(('127.0.0.1', 0), backlog=n) as listener:
        return [end for _ in range(n)
                for end in (socket.create_connection(listener.getsockname()), listener.accept()[0])]


def hold_elsewhere(pid, n):
    """n living connections in the namespace of that process, as a proxy of many networks has them."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open('/proc/thread-self/ns/net', 'rb') as home, open(f'/proc/{pid}/ns/net', 'rb') as there:
        assert libc.setns(there.fileno(), CLONE_NEWNET) == 0
        kept = living(n)
        assert libc.setns(home.fileno(), CLONE_NEWNET) == 0
    return kept


def hold_in_thread(n):
    """The same in a namespace where one thread alone is."""
    is_ready, kept = threading.Event(), []

    def live():
        assert ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) == 0
        stage.ip('link', 'set', 'lo', 'up')
        kept.extend(living(n))
        is_ready.set()
        threading.Event().wait()

    threading.Thread(target=live, daemon=True).start()
    assert is_ready.wait(20)
    return kept


def hold(n, n_living, there):
    """n connections whose clients reset them; the error is read, nothing is closed. And living ones."""
    kept = []
    if there:
        kept = hold_in_thread(n_living) if there == 'thread' else hold_elsewhere(there, n_living)
    with socket.create_server(('127.0.0.1', 0), backlog=n) as listener:
        held = []
        for _ in range(n):
            with socket.create_connection(listener.getsockname()) as client:
                held.append(listener.accept()[0])
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            with contextlib.suppress(ConnectionResetError):
                held[-1].recv(1)
    print('ready', flush=True)
    sys.stdin.read()
    del kept


@contextlib.contextmanager
def holder(n, *before, there=''):
    with subprocess.Popen([*before, sys.executable, '-B', __file__, '--hold', str(n), str(N), str(there)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == 'ready\n', 'the sockets were not made'
        yield p.pid
        p.stdin.close()


def findings(tool, pid, *args):
    p = subprocess.run([tool, 'why', '--json', *args], capture_output=True, text=True, timeout=60, check=False)
    return [f for f in json.loads(p.stdout)['findings'] if f['rule'] == RULE and f['subject']['pid'] == pid]


def found(tool, pid, *args):
    """The counts of what is said of that process: [20]."""
    return [f['count'] for f in findings(tool, pid, *args)]


def sees_all():
    """May this process look at the namespace of every other?"""
    def is_refused(pid):
        try:
            os.readlink(f'/proc/{pid}/ns/net')
        except PermissionError:
            return True
        except OSError:
            pass
        return False

    return os.readlink('/proc/self/ns/pid') == 'pid:[4026531836]' and \
        not any(is_refused(pid) for pid in os.listdir('/proc') if pid.isdigit())


def contained(tool, folder):
    """In a pid namespace of its own. The network namespaces of others may be where the sockets are."""
    with holder(N) as pid:
        for name, args in ('asked', ['--dead-sockets', '--record', folder]), ('recorded', ['--from', folder]), \
                ('in all namespaces', ['--dead-sockets', '-A']):
            f = findings(tool, pid, *args)
            stage.check(f'container: {name}', [x['count'] for x in f] == [N] and f[0]['certainty'] == 'possible' and
                        'could not be listed' in f[0]['says'], f)


def test_elsewhere(tool):
    """A process of the look holds living sockets of a namespace that is none of it."""
    with holder(0, *ELSEWHERE) as other, holder(0, there=other) as pid:
        stage.check('alive elsewhere', found(tool, pid, '--dead-sockets') == [])
        stage.check('alive elsewhere, looked at', found(tool, pid, '--dead-sockets', '-A') == [])
    with holder(N, *ELSEWHERE) as other, holder(N, there=other) as pid:
        stage.check('alive elsewhere, dead here', found(tool, pid, '--dead-sockets') == [N])
    with holder(N, there='thread') as pid:
        stage.check('alive where a thread is, dead here', found(tool, pid, '--dead-sockets') == [N])
        stage.check('the same, in all namespaces', found(tool, pid, '--dead-sockets', '-A') == [N])


def test(tool, folder):
    with holder(N) as pid:
        f = findings(tool, pid, '--dead-sockets')
        stage.check('as sure as all namespaces could be listed', [x['certainty'] for x in f] == [
            'likely' if sees_all() else 'possible'], f)
        stage.check('nobody asked', found(tool, pid) == [])
        stage.check('asked', found(tool, pid, '--dead-sockets', '--record', folder) == [N])
        stage.check('recorded', found(tool, pid, '--from', folder) == [N])
        stage.check('in all namespaces', found(tool, pid, '--dead-sockets', '-A') == [N])
    with holder(9) as pid:
        stage.check('few', found(tool, pid, '--dead-sockets') == [])
    with holder(N, *ELSEWHERE) as pid:
        stage.check('elsewhere', found(tool, pid, '--dead-sockets') == [])
        stage.check('elsewhere, looked at', found(tool, pid, '--dead-sockets', '-A') == [N])
        stage.check('elsewhere, named', found(tool, pid, '--dead-sockets', '-N', str(pid)) == [N])


def main():
    if sys.argv[1] == '--hold':
        hold(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
        return 0
    if sys.argv[1] == '--contained':
        contained(*sys.argv[2:])
        return 0
    stage.enter()
    with tempfile.TemporaryDirectory() as tmp:
        test(sys.argv[1], os.path.join(tmp, 'look'))
        test_elsewhere(sys.argv[1])
        if subprocess.run([*CONTAINER, 'true'], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            p = subprocess.run([*CONTAINER, sys.executable, '-B', __file__, '--contained', sys.argv[1],
                                os.path.join(tmp, 'contained')], capture_output=True, text=True, check=False)
            stage.check('in a container', p.stdout.count('\nok') == 2 and 'not ok' not in p.stdout, p.stdout + p.stderr)
    return stage.end()


sys.exit(main())

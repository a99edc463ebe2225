"""Connections that the kernel has ended, held by a process that has no others: dead.py TCPWHY. Prints TAP.

No socket of the look has an owner then, so only --dead-sockets finds them, in every namespace that is
looked at and in no other.
"""

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile

import stage

N, RULE = 20, 'dead-socket-leaked-fd'
RESET = struct.pack('ii', 1, 0)  # struct linger: on, no time


def hold(n):
    """n connections whose clients reset them; the error is read, nothing is closed."""
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


@contextlib.contextmanager
def holder(n, *before):
    with subprocess.Popen([*before, sys.executable, '-B', __file__, '--hold', str(n)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == 'ready\n', 'the sockets were not made'
        yield p.pid
        p.stdin.close()


def found(tool, pid, *args):
    """The counts of what is said of that process: [20]."""
    p = subprocess.run([tool, 'why', '--json', *args], capture_output=True, text=True, timeout=60, check=False)
    return [f['count'] for f in json.loads(p.stdout)['findings']
            if f['rule'] == RULE and f['subject']['pid'] == pid]


def test(tool, folder):
    with holder(N) as pid:
        stage.check('nobody asked', found(tool, pid) == [])
        stage.check('asked', found(tool, pid, '--dead-sockets', '--record', folder) == [N])
        stage.check('recorded', found(tool, pid, '--from', folder) == [N])
        stage.check('in all namespaces', found(tool, pid, '--dead-sockets', '-A') == [N])
    with holder(9) as pid:
        stage.check('few', found(tool, pid, '--dead-sockets') == [])
    elsewhere = ['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
    with holder(N, *elsewhere) as pid:
        stage.check('elsewhere', found(tool, pid, '--dead-sockets') == [])
        stage.check('elsewhere, looked at', found(tool, pid, '--dead-sockets', '-A') == [N])
        stage.check('elsewhere, named', found(tool, pid, '--dead-sockets', '-N', str(pid)) == [N])


def main():
    if sys.argv[1] == '--hold':
        hold(int(sys.argv[2]))
        return 0
    stage.enter()
    with tempfile.TemporaryDirectory() as tmp:
        test(sys.argv[1], os.path.join(tmp, 'look'))
    return stage.end()


sys.exit(main())

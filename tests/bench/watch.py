"""What `tcpwhy watch` costs with ten thousand sockets and a look every two seconds: watch.py TCPWHY.

Half of them are CLOSE-WAITs of some processes, half their peers' FIN-WAIT-2s.

At most 2 % of one processor, user and system, over 20 seconds. In a network namespace of its own.
"""

import os
import resource
import socket
import subprocess
import sys
import time

SOCKETS, HOLDERS, LOOKS, DELAY_S = 10_000, 20, 10, 2
MOST = 0.02


def hold(n):
    """n connections that the peer has closed."""
    listener = socket.create_server(('127.0.0.1', 0), backlog=1)
    held = []
    for _ in range(n):
        peer = socket.create_connection(listener.getsockname())
        held.append(listener.accept()[0])
        peer.close()
    os.write(1, b'.')
    os.read(0, 1)


def main():
    if sys.argv[1] == '--hold':
        return hold(int(sys.argv[2]))
    if 'INSIDE' not in os.environ:
        os.environ['INSIDE'] = '1'
        os.execvp('unshare', ['unshare', '-rn', sys.executable, '-B', *sys.argv])
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    holders = [subprocess.Popen([sys.executable, '-B', __file__, '--hold', str(SOCKETS // 2 // HOLDERS)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(HOLDERS)]
    for p in holders:
        p.stdout.read(1)
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([sys.argv[1], 'watch', '-d', f'{DELAY_S}s', '-c', str(LOOKS)], stdout=subprocess.DEVNULL, check=True)
    after, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begin
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    for p in holders:
        p.kill()
    print(f'{SOCKETS} sockets, {LOOKS} looks, {DELAY_S} s: {used:.2f} s CPU of {took:.0f} s, {used / took:.1%} (at most {MOST:.0%})')
    return used / took > MOST


sys.exit(main())

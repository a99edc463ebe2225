"""What `tcpwhy watch` costs with many sockets and a look every two seconds: watch.py TCPWHY.

Half of them are CLOSE-WAITs of some processes, half their peers' FIN-WAIT-2s; nothing changes while it looks.

At most 2 % of one processor, user and system, over a minute. In a network namespace of its own.
"""

import os
import resource
import socket
import subprocess
import sys
import time

SOCKETS, HOLDERS, LOOKS, DELAY_S = (10_000, 20_000), 20, 30, 2
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


def cost(tool, sockets):
    """The share of one processor."""
    holders = [subprocess.Popen([sys.executable, '-B', __file__, '--hold', str(sockets // 2 // HOLDERS)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(HOLDERS)]
    for p in holders:
        p.stdout.read(1)
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([tool, 'watch', '-d', f'{DELAY_S}s', '-c', str(LOOKS)], stdout=subprocess.DEVNULL, check=True)
    after, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begin
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    for p in holders:
        p.kill()
        p.wait()
    share = (user + system) / took
    print(f'{sockets} sockets, {LOOKS} looks, {DELAY_S} s: {user:.2f} s user, {system:.2f} s system of {took:.0f} s, '
          f'{share:.1%} (at most {MOST:.0%})', flush=True)
    return share


def main():
    if sys.argv[1] == '--hold':
        return hold(int(sys.argv[2]))
    if 'INSIDE' not in os.environ:
        os.environ['INSIDE'] = '1'
        os.execvp('unshare', ['unshare', '-rn', sys.executable, '-B', *sys.argv])
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    return max(cost(sys.argv[1], n) for n in SOCKETS) > MOST


sys.exit(main())

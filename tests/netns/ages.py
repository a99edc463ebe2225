"""How long a connection has been in its state, and when it ends: ages.py TCPWHY. Prints TAP.

What is said to be exact must be what the clock says, and what is a bound must hold.
"""

import json
import os
import socket
import subprocess
import sys
import time

import stage

SLACK_MS = 400  # a delayed ACK, jiffies and the start of the program
PAUSE_S = 1.5


def run(tool, *args):
    p = subprocess.run([tool, *args], capture_output=True, text=True, timeout=60, check=False)
    return json.loads(p.stdout)


def listed(tool, sock):
    port = str(sock.getsockname()[1])
    return run(tool, 'list', '--json', 'sport', '=', f':{port}', 'and', 'state', 'close-wait')['sockets'][0]


def half_closed(listener, request=b'x' * 100):
    """A client that sends its request and its FIN at once, and reads on; the request and the end are taken by one recv()."""
    client = socket.create_connection(listener.getsockname())
    accepted = listener.accept()[0]
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    if request:
        client.send(request)
    client.shutdown(socket.SHUT_WR)
    stage.wait_for_fin(accepted)
    accepted.recv(1000)
    return client, accepted


def test_close_wait(tool):
    names = 'silent', 'silent, no request', 'answered', 'probed'
    listeners = [socket.create_server(('127.0.0.1', 0)) for _ in names]
    kept = [half_closed(listener, b'' if 'no request' in name else b'x' * 100) for name, listener in zip(names, listeners)]
    ours = {name: accepted for name, (_, accepted) in zip(names, kept)}
    began = time.monotonic()
    for option, value in (socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1):
        ours['probed'].setsockopt(socket.IPPROTO_TCP, option, value)
    ours['probed'].setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    time.sleep(PAUSE_S)
    ours['answered'].send(b'y' * 100)
    time.sleep(.5)
    for name, sock in ours.items():
        true_ms = int((time.monotonic() - began) * 1000)
        age = listed(tool, sock)['age_ms']
        if name.startswith('silent'):
            stage.check(f'CLOSE-WAIT, {name}: exact', age['bound'] == 'exact' and
                        abs(age['value'] - true_ms) < SLACK_MS, (age, true_ms))
        else:
            stage.check(f'CLOSE-WAIT, {name}: its ACK of that came last', age['bound'] == 'at-least' and
                        age['value'] < true_ms - 500, (age, true_ms))
    # One recv() took the data and the FIN behind it: the program was never told the end.
    facts = [f['facts'] for f in run(tool, 'why', '--json', '--min-age', '0', 'state', 'close-wait')['findings']]
    stage.check('nobody knows whether the end was read', facts and not any('read' in key for f in facts for key in f), facts)


def main():
    stage.enter()
    test_close_wait(os.path.abspath(sys.argv[1]))
    return stage.end()


if __name__ == '__main__':
    sys.exit(main())

"""How long a connection has been in its state, and when it ends: ages.py TCPWHY. Prints TAP.

What is said to be exact must be what the clock says, and what is a bound must hold.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time

import stage

JIFFIES_MS = 20
PAUSE_S = 1.5
HERE, THERE, PORT = '192.0.2.1', '192.0.2.2', 9000


def run(tool, *args):
    p = subprocess.run([tool, *args], capture_output=True, text=True, timeout=60, check=False)
    return json.loads(p.stdout)


def listed(tool, sock):
    port = str(sock.getsockname()[1])
    return run(tool, 'list', '--json', 'sport', '=', f':{port}', 'and', 'state', 'close-wait')['sockets'][0]


def half_closed(listener, request=b'x' * 100):
    """A client that sends its request and its FIN at once, and reads on; one recv() takes both."""
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
    first = time.monotonic()
    listeners = [socket.create_server(('127.0.0.1', 0)) for _ in names]
    kept = [half_closed(listener, b'' if 'no request' in name else b'x' * 100)
            for name, listener in zip(names, listeners)]
    ours = {name: accepted for name, (_, accepted) in zip(names, kept)}
    last = time.monotonic()
    for option, value in (socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1):
        ours['probed'].setsockopt(socket.IPPROTO_TCP, option, value)
    ours['probed'].setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    time.sleep(PAUSE_S)
    ours['answered'].send(b'y' * 100)
    time.sleep(.5)
    for name, sock in ours.items():
        least_ms = (time.monotonic() - last) * 1000 - JIFFIES_MS
        age = listed(tool, sock)['age_ms']
        most_ms = (time.monotonic() - first) * 1000 + JIFFIES_MS
        if name.startswith('silent'):
            stage.check(f'CLOSE-WAIT, {name}: exact', age['bound'] == 'exact' and
                        least_ms <= age['value'] <= most_ms, (least_ms, age, most_ms))
        else:
            stage.check(f'CLOSE-WAIT, {name}: its ACK of that came last', age['bound'] == 'at-least' and
                        age['value'] <= most_ms, (age, most_ms))
    # One recv() took the data and the FIN behind it: the program was never told the end.
    report = run(tool, 'why', '--json', '--min-age', '0', 'state', 'close-wait')
    facts = [f['facts'] for f in report['findings']]
    stage.check('nobody knows whether the end was read', facts and not any('read' in key for f in facts for key in f),
                facts)


def play_peer(n):
    """In a namespace of its own, which the test finds by its process."""
    print('ready', flush=True)
    sys.stdin.readline()
    with socket.create_server((THERE, PORT), backlog=n) as listener:
        print('ready', flush=True)
        kept = [listener.accept() for _ in range(n)]
        print('ready', flush=True)
        sys.stdin.readline()
        return kept


@contextlib.contextmanager
def lost_connections(n):
    """Connections to a peer that vanishes when they are there: what is sent to it goes nowhere."""
    with subprocess.Popen([*stage.unshare_command(), sys.executable, '-B', __file__, '--play', str(n)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        try:
            peer.stdout.readline()
            stage.connect_netns(peer.pid, HERE, THERE)
            print(file=peer.stdin, flush=True)
            peer.stdout.readline()
            socks = [socket.create_connection((THERE, PORT), timeout=20) for _ in range(n)]
            peer.stdout.readline()
            stage.ip('neigh', 'replace', THERE, 'lladdr', '02:00:00:00:00:99', 'dev', 'near', 'nud', 'permanent')
            yield socks
        finally:
            peer.kill()
            stage.ip('link', 'del', 'near')


def by_port(tool):
    return {s['local']['port']: s for s in run(tool, 'list', '--json', 'state', 'fin-wait-1')['sockets']}


def eventually(true, patience_s=20):
    deadline = time.monotonic() + patience_s
    while not true() and time.monotonic() < deadline:
        time.sleep(.05)
    return true()


def test_data_before_the_fin(tool):
    with lost_connections(2) as (with_data, alone):
        ports = [s.getsockname()[1] for s in (with_data, alone)]
        with_data.send(b'x' * 1000)
        time.sleep(PAUSE_S)
        began = time.monotonic()
        with_data.close()
        alone.close()
        eventually(lambda: all(s['timer']['retrans'] >= 2 for s in by_port(tool).values()))
        seen = by_port(tool)
        most_ms = (time.monotonic() - began) * 1000 + JIFFIES_MS
        stage.check('FIN-WAIT-1, data repeated long before close(): no age', seen[ports[0]]['age_ms'] is None and
                    seen[ports[0]]['wqueue'] == 1001, seen[ports[0]])
        age = seen[ports[1]]['age_ms']
        stage.check('FIN-WAIT-1, the FIN alone: at least', age['bound'] == 'at-least' and
                    0 < age['value'] <= most_ms, (age, most_ms))


def set_sysctl(name, value):
    try:
        with open(f'/proc/sys/net/ipv4/{name}', 'w', encoding='ascii') as f:
            f.write(str(value))
    except FileNotFoundError:
        return False
    return True


def test_giving_up(tool):
    """An orphan, one with TCP_USER_TIMEOUT, and one that is held: how long each lasts, and what was said."""
    with lost_connections(3) as (orphan, impatient, held):
        names = {s.getsockname()[1]: name for s, name in ((orphan, 'orphan'), (impatient, 'TCP_USER_TIMEOUT'),
                                                           (held, 'held'))}
        impatient.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 800)
        orphan.close()
        impatient.close()
        held.shutdown(socket.SHUT_WR)
        seen, at = by_port(tool), time.monotonic()
        text = subprocess.run([tool, 'why', '--min-age', '0', 'state', 'fin-wait-1'], capture_output=True,
                              text=True, timeout=60, check=False).stdout
        stage.check('what the retries give is called the most', 'ends last at most ' in ' '.join(text.split()), text)
        left, gone_ms = dict(names), {}
        while left and time.monotonic() < at + 60:
            now = by_port(tool)
            for port in [p for p in left if p not in now]:
                gone_ms[left.pop(port)] = int((time.monotonic() - at) * 1000)
            time.sleep(.05)
        said_ms = {name: seen[port]['ends']['in_ms'] for port, name in names.items()}
        # The timers are late by up to an eighth, the program is slow.
        stage.check('each ends by then', not left and all(gone_ms[n] < said_ms[n] * 9 / 8 + 500 for n in said_ms),
                    (said_ms, gone_ms))
        stage.check('those without TCP_USER_TIMEOUT not much earlier', not left and
                    all(gone_ms[n] > said_ms[n] / 2 for n in ('orphan', 'held')), (said_ms, gone_ms))
        stage.check('the one with it does', not left and gone_ms['TCP_USER_TIMEOUT'] < gone_ms['orphan'], gone_ms)


def test_ends(tool):
    """2 repetitions take 1.4 s by the model, 4 take 6.2 s; with pauses of a second at most, less."""
    set_sysctl('tcp_orphan_retries', 2)
    set_sysctl('tcp_retries2', 4)
    test_giving_up(tool)
    if not set_sysctl('tcp_rto_max_ms', 1000):
        print('# no tcp_rto_max_ms here')
        return
    set_sysctl('tcp_orphan_retries', 0)
    set_sysctl('tcp_retries2', 6)
    test_giving_up(tool)


def main():
    if sys.argv[1] == '--play':
        return play_peer(int(sys.argv[2])) and 0
    stage.enter()
    tool = os.path.abspath(sys.argv[1])
    test_close_wait(tool)
    test_data_before_the_fin(tool)
    test_ends(tool)
    return stage.end()


if __name__ == '__main__':
    sys.exit(main())

"""A firewall that forgets half-closed connections: conntrack.py TCPWHY. TAP; nothing where no network namespace
may be made."""

import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import time

import stage

TIMEOUT = pathlib.Path('/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close_wait')
FIREWALL = '''
add table inet t
add chain inet t c { type filter hook input priority 0; policy drop; }
add rule inet t c ct state established,related accept
add rule inet t c tcp flags & (fin|syn|rst|ack) == syn ct state new accept
'''


def findings(tool, *args):
    run = subprocess.run([tool, 'why', '--json', '--min-age', '0', *args], capture_output=True, text=True,
                         timeout=60, check=False)
    return {f['rule']: f for f in json.loads(run.stdout)['findings']}


def wait_for(tool, rules, client):
    """Until one of them is found; three retransmissions take some 1.5 s."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = findings(tool, f'dport = :{client.getsockname()[1]}')
        if found.keys() & set(rules):
            return found
        time.sleep(0.1)
    return {}


@contextlib.contextmanager
def half_closed(listener):
    client = socket.create_connection(listener.getsockname())
    server = listener.accept()[0]
    with client, server:
        client.shutdown(socket.SHUT_WR)
        server.recv(1)
        yield client, server


def test_forgotten(tool, listener):
    with half_closed(listener) as (client, server):
        time.sleep(int(TIMEOUT.read_text()) + 2)
        server.close()
        found = wait_for(tool, ['half-close-conntrack', 'last-ack-peer-gone'], client)
        f = found.get('half-close-conntrack', {})
        stage.check('forgotten: half-close-conntrack, likely', f.get('certainty') == 'likely', found)
        stage.check('how long it was half-closed', f and 2900 <= f['facts']['half_closed_ms'] <= 20000, f)
        stage.check('not last-ack-peer-gone', 'last-ack-peer-gone' not in found, found)


def test_remembered(tool, listener):
    """The same with an answer in time: it is over at once."""
    with half_closed(listener) as (client, server):
        for _ in range(4):
            server.sendall(b'.')
            time.sleep(0.4)
        server.close()
        end = b''
        while chunk := client.recv(100):
            end += chunk
        found = findings(tool, f'dport = :{client.getsockname()[1]}')
        stage.check('renewed in time: everything arrived', end == b'....', end)
        stage.check('renewed in time: nothing to say', not found, found)


def test_gone_at_once(tool, listener):
    """The firewall is closed right after the FIN: nothing was half-closed for long."""
    with half_closed(listener) as (client, server):
        subprocess.run(['nft', 'insert rule inet t c drop'], check=True)
        server.close()
        found = wait_for(tool, ['half-close-conntrack', 'last-ack-peer-gone'], client)
        stage.check('lost at once: last-ack-peer-gone', 'last-ack-peer-gone' in found and
                    'half-close-conntrack' not in found, found)


def main():
    stage.enter()
    subprocess.run(['nft', '-f', '-'], input=FIREWALL, text=True, check=True)
    TIMEOUT.write_text('1')
    with socket.create_server(('127.0.0.1', 8080)) as listener:
        for test in test_forgotten, test_remembered:
            test(sys.argv[1], listener)
        TIMEOUT.write_text('60')
        test_gone_at_once(sys.argv[1], listener)
    return stage.end()


sys.exit(main())

"""A capture from the other side of a NAT: nat.py TCPWHY. TAP; nothing where no network namespace may be made.

client 10.0.0.2 - 10.0.0.1 masquerade 192.0.2.1 - 192.0.2.2 server, which does not close. Packets are kept at
both ends; only those of the server's end are about its sockets.
"""

import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import routed
import stage

PORT, N = 8080, 3
NAT = '''
add table ip nat
add chain ip nat out { type nat hook postrouting priority 100; }
add rule ip nat out oifname "outside" masquerade
'''


def be_client(path):
    """Connects, says something, finishes, and stays half-closed until it is told to go."""
    tap = routed.Tap('inside')
    clients = [socket.create_connection((routed.SERVER, PORT)) for _ in range(N)]
    for client in clients:
        client.sendall(b'hello')
        client.shutdown(socket.SHUT_WR)
    routed.wait_for('the FINs', lambda: tap.count(1) >= N)
    tap.write(path)
    print('ready', flush=True)
    sys.stdin.readline()


def why(tool, path):
    run = subprocess.run([tool, 'why', '--json', '--min-age', '0', '-r', path], capture_output=True, text=True,
                         timeout=60, check=False)
    document = json.loads(run.stdout)
    found = [f for f in document['findings'] if f['rule'].startswith('close-wait')]
    return found[0] if len(found) == 1 else {'facts': {}, 'count': 0}, [g['what'] for g in document['gaps']], document


def judge_filter(tool, ours):
    """They are here, in another state than was asked for: nothing says that they are of another host."""
    run = subprocess.run([tool, 'list', 'state', 'last-ack', '--json', '-r', ours], capture_output=True, text=True,
                         timeout=60, check=False)
    gaps = {g['what']: g for g in json.loads(run.stdout)['gaps']}
    gap = gaps.get('capture-elsewhere', {})
    stage.check('a filter that asks for others: none of those that were looked at, no word of all here',
                gap.get('reason', '').endswith(' of a socket that was looked at') and
                'not asked for' in gap['effect'], gaps)


def judge_nothing(tool, ours):
    """Of no connection nothing can be said, of one that was refused while all was watched not that it is elsewhere."""
    empty = pathlib.Path(ours).with_name('empty.pcap')
    empty.write_bytes(pathlib.Path(ours).read_bytes()[:24])
    leaked, gaps, document = why(tool, empty)
    stage.check('a capture of no connection is of nobody else', leaked['count'] == N and
                'capture-elsewhere' not in gaps, document)
    with subprocess.Popen([tool, 'why', '--json', '-i', 'lo', '--for', '2s'], stdout=subprocess.PIPE,
                          text=True) as p:
        while p.poll() is None:
            with socket.socket() as knock:
                knock.connect_ex(('127.0.0.1', PORT + 1))
            time.sleep(0.05)
        document = json.loads(p.stdout.read())
    stage.check('what was captured just now is of this host, though nothing of it is left',
                'rst-refused' in [f['rule'] for f in document['findings']] and
                'capture-elsewhere' not in [g['what'] for g in document['gaps']], document)


def judge(tool, theirs, ours):
    leaked, gaps, document = why(tool, ours)
    stage.check('our side of the NAT: every FIN was seen', leaked['count'] == N and
                leaked['facts'].get('fins_seen') == N and 'capture-elsewhere' not in gaps, document)
    leaked, gaps, document = why(tool, theirs)
    stage.check('the other side: it says nothing of our sockets', leaked['count'] == N and
                not leaked['facts'].keys() & {'fins_seen', 'fin_at', 'closed_first'}, document)
    stage.check('and that is said', 'capture-elsewhere' in gaps, document['gaps'])


def main():
    if sys.argv[1] == '--client':
        be_client(sys.argv[2])
        return 0
    stage.enter()
    with tempfile.TemporaryDirectory() as tmp, routed.namespace() as client, routed.namespace() as nat:
        routed.build(client, nat, NAT)
        theirs, ours = (str(pathlib.Path(tmp, name)) for name in ('client.pcap', 'server.pcap'))
        tap = routed.Tap('world')
        with socket.create_server((routed.SERVER, PORT)) as listener, \
                subprocess.Popen(['nsenter', '-t', str(client), '-n', sys.executable, '-B', __file__, '--client',
                                  theirs], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
            held = [listener.accept() for _ in range(N)]
            for fd, peer in held:
                stage.check(f'the server sees the NAT: {peer[0]}', peer[0] == '192.0.2.1')
                while fd.recv(100):
                    pass
            p.stdout.readline()
            routed.wait_for('the FINs', lambda: tap.count(1) >= N)
            tap.write(ours)
            judge(sys.argv[1], theirs, ours)
            judge_filter(sys.argv[1], ours)
            judge_nothing(sys.argv[1], ours)
            p.stdin.close()
    return stage.end()


sys.exit(main())

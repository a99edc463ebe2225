"""A firewall that forgets idle connections and drops what comes later: forgotten.py TCPWHY. TAP; nothing where no
network namespace may be made.

All connections pause at the same time, so that the test takes little longer than the longest pause. Packets are kept
at the client's end.
"""

import contextlib
import json
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import routed
import stage

TIMEOUT_S, SHORT_S, LONG_S, LONGER_S = 36, 31, 42, 44
PROBING_S = 15        # sends a keepalive probe after so long, which keeps the firewall's entry
COPIES = 3
EXEMPT = 50000        # the client's port that the firewall always lets through
SETTINGS = pathlib.Path('/proc/sys/net/netfilter')
FIREWALL = f'''
add table ip wall
add chain ip wall forward {{ type filter hook forward priority 0; policy drop; }}
add rule ip wall forward tcp sport {EXEMPT} accept
add rule ip wall forward tcp dport {EXEMPT} accept
add rule ip wall forward ct state established accept
add rule ip wall forward tcp flags & (fin|syn|rst|ack) == syn ct state new accept
'''
# The server's port: how long each of its connections pauses.
SPLIT, TWO, OUTLIVED, KEPT = 8080, 8081, 8082, 8083
PAUSES = {
    SPLIT: [SHORT_S, LONG_S, LONG_S, SHORT_S, LONG_S],
    TWO: [SHORT_S, LONG_S, LONG_S],
    OUTLIVED: [SHORT_S, LONG_S, LONG_S, LONG_S, LONGER_S],
    KEPT: [LONG_S] * 3,
}


def in_background(what, *args):
    threading.Thread(target=what, args=args, daemon=True).start()


def answer(connection):
    with contextlib.suppress(OSError):
        while said := connection.recv(100):
            connection.sendall(said)


def serve(listener):
    while True:
        in_background(answer, listener.accept()[0])


def connect(port, pause_s, is_probing):
    s = socket.socket()
    if pause_s == LONGER_S:
        s.bind((routed.CLIENT, EXEMPT))
    s.settimeout(30)
    s.connect((routed.SERVER, port))
    if is_probing:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, PROBING_S)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    s.sendall(b'hello')
    s.recv(100)
    s.setblocking(False)
    return s


def is_settled(s):
    """Answered, or enough copies went out for nothing."""
    n_copies = struct.unpack_from('I', s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 96)[0]
    try:
        return bool(s.recv(100, socket.MSG_PEEK))
    except BlockingIOError:
        return n_copies > COPIES


def be_client(path):
    tap = routed.Tap('inside')
    all_of_them = [(pause_s, connect(port, pause_s, port == KEPT)) for port in PAUSES for pause_s in PAUSES[port]]
    # For the one that splits: one without a word for as long, but with probes.
    all_of_them.append((LONG_S, connect(SPLIT, LONG_S, True)))
    start = time.monotonic() + 0.5  # for acknowledgements that are delayed
    for pause_s, s in sorted(all_of_them, key=lambda one: one[0]):
        time.sleep(max(0, start + pause_s - time.monotonic()))
        s.sendall(b'after the pause')
    routed.wait_for('answers, or copies of what was said', lambda: all(is_settled(s) for _, s in all_of_them))
    tap.write(path)


def set_firewall(router):
    """Its conntrack exists once there are rules that ask it."""
    for name, value in ('timeout_established', TIMEOUT_S), ('loose', 0):
        routed.sh(f'nsenter -t {router} -n sh -c "echo {value} >{SETTINGS}/nf_conntrack_tcp_{name}"')


def pcap(tool, path, *more):
    return subprocess.run([tool, 'pcap', path, *more], capture_output=True, text=True, timeout=60, check=False).stdout


def is_about(facts, name, seconds):
    """A loaded machine speaks later than it should, never earlier."""
    return seconds * 1000 <= facts.get(name, 0) < seconds * 1000 + 4000


def judge(tool, path):
    document = json.loads(pcap(tool, path, '--json'))
    found = {f['subject']['peer']['port']: f for f in document['findings'] if f['rule'] == 'idle-timeout-middlebox'}
    split, two, outlived = (found.get(port, {'facts': {}}) for port in (SPLIT, TWO, OUTLIVED))
    stage.check('three above, two below, one that probed: likely', split.get('certainty') == 'likely' and
                split['severity'] == 'warning' and split['count'] == 3 and split['facts']['survivors'] == 2, document)
    stage.check('the times on both sides of it', is_about(split['facts'], 'pause_ms', LONG_S) and
                is_about(split['facts'], 'survived_ms', SHORT_S), split)
    stage.check('keepalive at half of it', f'{split["facts"]["pause_ms"] // 2000}/10/6' in [fix['proposed'] for fix in split['fixes']], split)
    lower, upper = (split['facts'][name] // 1000 for name in ('survived_ms', 'pause_ms'))
    text = ' '.join(pcap(tool, path).split())
    stage.check('in words', f'Something on the way forgets them between {lower} s and {upper} s.' in text, text)
    stage.check('two above: possible', two.get('certainty') == 'possible' and two['severity'] == 'note' and
                two['count'] == 2 and two['facts']['survivors'] == 1, two)
    stage.check('a longer pause did no harm: possible', outlived.get('certainty') == 'possible' and
                outlived['count'] == 3 and is_about(outlived['facts'], 'survived_ms', LONGER_S) and
                'no fixed time' in outlived['says'], outlived)
    stage.check('keepalive: nothing was forgotten', KEPT not in found, found)


def main():
    if sys.argv[1] == '--client':
        be_client(sys.argv[2])
        return 0
    stage.enter()
    with tempfile.TemporaryDirectory() as tmp, routed.namespace() as client, routed.namespace() as router:
        routed.build(client, router, FIREWALL)
        set_firewall(router)
        path = str(pathlib.Path(tmp, 'client.pcap'))
        for port in PAUSES:
            in_background(serve, socket.create_server((routed.SERVER, port), backlog=16))
        subprocess.run(['nsenter', '-t', str(client), '-n', sys.executable, '-B', __file__, '--client', path],
                       check=True)
        judge(sys.argv[1], path)
    return stage.end()


sys.exit(main())

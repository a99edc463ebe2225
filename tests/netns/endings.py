"""Connections that end badly, made for real and captured whole, and what tcpwhy makes of them:
endings.py TCPWHY. TAP; nothing where no network namespace may be made.

Each scenario is one capture of lo in a private namespace. Segments that no socket sends (a forged
reset, an old one) are written to a raw socket.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import stage

PORT = 8080
ALONE = 8081  # nobody listens there
TCP_REPAIR, SO_ATTACH_FILTER, SO_DETACH_FILTER = 19, 26, 27
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
DEADLINE_S = 20

class Capture:
    """All packets of lo, each once, and the last segment of each end."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind(('lo', 0))
        self.socket.settimeout(0.02)
        self.file = open(path, 'wb')
        self.file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        self.last = {}
        self.n_by_flags = {}
        self.is_over = False
        self.later_s = 0  # added to every time stamp from now on: nobody waits a minute for a minute
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while True:
            try:
                frame, address = self.socket.recvfrom(65535)
            except TimeoutError:
                if self.is_over:
                    return
                continue
            now = time.time() + self.later_s
            if address[2] == socket.PACKET_OUTGOING:
                self.keep(frame, now)

    def keep(self, frame, now):
        self.file.write(struct.pack('<IIII', int(now), int(now % 1 * 1e6), len(frame), len(frame)))
        self.file.write(frame)
        if frame[12:14] == b'\x08\x00' and frame[23] == 6:
            at = 14 + (frame[14] & 15) * 4
            sport, dport, seq, ack, offset, flags, window = struct.unpack('!HHIIBBH', frame[at:at + 16])
            length = struct.unpack('!H', frame[16:18])[0] - (at - 14) - (offset >> 4) * 4
            end = seq + length + bool(flags & SYN) + bool(flags & FIN) & 0xffffffff
            if not flags & RST:
                self.last[sport, dport] = (end, ack, window)
            self.n_by_flags[flags] = self.n_by_flags.get(flags, 0) + 1

    def wait(self, what):
        end = time.monotonic() + DEADLINE_S
        while not what():
            if time.monotonic() > end:
                raise TimeoutError('the packets did not come')
            time.sleep(0.005)

    def acknowledged(self, of, by, n_data):
        """Has everything that port `of` sent been acknowledged by port `by`, after n_data with payload?"""
        sent, heard = self.last.get((of, by)), self.last.get((by, of))
        return self.n_by_flags.get(PSH | ACK, 0) == n_data and sent and heard and sent[0] == heard[1]

    def resets(self):
        return sum(n for flags, n in self.n_by_flags.items() if flags & RST)

    def close(self):
        self.is_over = True
        self.thread.join()
        self.socket.close()
        self.file.close()


def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def segment(sport, dport, seq, ack, flags, window=0, ttl=64, ip_id=0):
    """Sends one that no socket here would."""
    tcp = struct.pack('!HHIIBBHHH', sport, dport, seq & 0xffffffff, ack & 0xffffffff, 5 << 4, flags, window, 0, 0)
    here = socket.inet_aton('127.0.0.1')
    total = checksum(here + here + struct.pack('!BBH', 0, 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack('!H', total) + tcp[18:]
    ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(tcp), ip_id, 0, ttl, 6, 0, here, here)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(ip + tcp, ('127.0.0.1', 0))


def connect(from_port=0):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if from_port:
        s.bind(('127.0.0.1', from_port))
    s.connect(('127.0.0.1', PORT))
    return s


def abort(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()


def vanish(s):
    """As if its host had lost its power: closed without a packet."""
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    s.close()


def go_deaf(s):
    """Takes nothing any more: a filter whose only instruction says 0 bytes."""
    drop = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0))
    s.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack('@HP', 1, ctypes.addressof(drop)))


@contextlib.contextmanager
def pair(from_port=0):
    with socket.create_server(('127.0.0.1', PORT), backlog=8) as listener:
        client = connect(from_port)
        server = listener.accept()[0]
        yield client, server


# The scenarios: each returns when its reset has been sent.

def unread_data(c):
    with pair() as (client, server):
        client.sendall(b'request')
        c.wait(lambda: server.recv(1, socket.MSG_PEEK))
        server.close()
        client.close()


def linger_zero(c):
    with pair() as (client, server):
        client.sendall(b'request')
        server.recv(100)
        server.sendall(b'answer')
        client.recv(100)
        c.wait(lambda: c.acknowledged(PORT, client.getsockname()[1], 2))
        abort(server)
        client.close()


def listener_closed(c):
    listener = socket.create_server(('127.0.0.1', PORT), backlog=8)
    clients = [connect() for _ in range(3)]
    listener.close()
    for s in clients:
        s.close()


def after_close(c):
    with pair() as (client, server):
        client.sendall(b'request')
        server.recv(100)
        server.close()
        client.recv(100)
        client.sendall(b'more')
        c.wait(c.resets)
        client.close()


def after_close_with_its_fin(c):
    """The last data and the FIN of whoever closes second: one segment."""
    with pair() as (client, server):
        client.sendall(b'request')
        server.recv(100)
        server.close()
        client.recv(100)
        c.wait(lambda: c.acknowledged(PORT, client.getsockname()[1], 1))
        client.send(b'more', socket.MSG_MORE)
        client.close()
        c.wait(c.resets)


def no_such_connection(c):
    with pair() as (client, server):
        client.sendall(b'request')
        server.recv(100)
        server.sendall(b'answer')
        client.recv(100)
        vanish(server)
        client.sendall(b'more')
        c.wait(c.resets)
        client.close()


def keepalive_timeout(c, asks_at_client=True):
    with pair() as (client, server):
        client.sendall(b'request')
        server.recv(100)
        c.wait(lambda: c.n_by_flags.get(ACK, 0) >= 2)
        prober, deaf = (client, server) if asks_at_client else (server, client)
        for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
            prober.setsockopt(socket.IPPROTO_TCP, option, value)
        go_deaf(deaf)
        prober.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        c.wait(c.resets)
        client.close()
        server.close()


def keepalive_of_who_never_spoke(c):
    """A server that only takes: below its next number there is nothing but its SYN."""
    keepalive_timeout(c, asks_at_client=False)


def abort_before_a_closed_window(c):
    """Its probes are asked by the window: that their answers are rare ends nothing."""
    with pair() as (client, server):
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                client.send(bytes(4096))
        port = client.getsockname()[1]
        c.wait(lambda: c.last.get((PORT, port), (0, 0, 1))[2] == 0)
        go_deaf(server)
        before = c.n_by_flags.get(ACK, 0)
        c.wait(lambda: c.n_by_flags[ACK] >= before + 3)
        abort(client)
        c.wait(c.resets)
        vanish(server)


def backlog_overflow(c):
    knob = pathlib.Path('/proc/sys/net/ipv4/tcp_abort_on_overflow')
    knob.write_text('1')
    with socket.create_server(('127.0.0.1', PORT), backlog=1) as listener:
        # A full queue drops SYNs: the late one must have asked before, and hear the answer after.
        late = socket.socket()
        late.setblocking(False)
        go_deaf(late)
        late.connect_ex(('127.0.0.1', PORT))
        others = [connect() for _ in range(2)]
        late.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        c.wait(c.resets)
        for s in others + [listener.accept()[0] for _ in others]:
            vanish(s)
        late.close()
    knob.write_text('0')


def half_open(c):
    with socket.create_server(('127.0.0.1', PORT), backlog=8) as listener:
        client, server = connect(40001), listener.accept()[0]
        client.sendall(b'request')
        server.recv(100)
        vanish(client)
        for s in (connect(40001), listener.accept()[0], server):
            vanish(s)


def connect_abandoned(c):
    with socket.create_server(('127.0.0.1', PORT), backlog=8):
        segment(40002, PORT, 1000, 0, SYN, window=1000)
        c.wait(c.resets)


def orderly(server, client):
    server.close()
    client.recv(1)
    client.close()


def time_wait_reuse(c):
    with pair(40003) as (client, server):
        client.sendall(b'request')
        server.recv(100)
        orderly(server, client)
        c.wait(lambda: c.n_by_flags.get(FIN | ACK, 0) >= 2)
        isn = c.last[40003, PORT][0] - 100000
        segment(40003, PORT, isn, 0, SYN, window=1000)
        c.wait(c.resets)


def after_fin_complete(c):
    with pair(40004) as (client, server):
        client.sendall(b'request')
        server.recv(100)
        orderly(server, client)
        c.wait(lambda: c.n_by_flags.get(FIN | ACK, 0) >= 2)
        end, ack, _ = c.last[40004, PORT]
        segment(40004, PORT, end - 5, ack, ACK, window=1000)
        c.wait(c.resets)


def injected(c):
    with pair(40005) as (client, server):
        client.sendall(b'request')
        server.recv(100)
        server.sendall(b'answer')
        client.recv(100)
        c.wait(lambda: c.acknowledged(PORT, 40005, 2))
        end, ack, _ = c.last[PORT, 40005]
        segment(PORT, 40005, end, ack, RST | ACK, window=0, ttl=255, ip_id=0x3039)
        c.wait(c.resets)
        vanish(server)
        client.close()


def challenge(c):
    with pair(40006) as (client, server):
        client.sendall(b'request')
        server.recv(100)
        c.wait(lambda: c.acknowledged(40006, PORT, 1))
        vanish(client)
        segment(40006, PORT, c.last[40006, PORT][0] + 10, 0, RST)
        c.wait(lambda: c.resets() == 2)
        server.close()


def refused(c):
    for _ in range(2):
        try:
            socket.create_connection(('127.0.0.1', ALONE))
        except ConnectionRefusedError:
            pass


def fin_not_acked(c):
    with pair() as (client, server):
        go_deaf(server)
        client.close()
        c.wait(lambda: c.n_by_flags.get(FIN | ACK, 0) >= 4)
        vanish(server)


def fin_retransmitted(c):
    with pair() as (client, server):
        go_deaf(server)
        client.shutdown(socket.SHUT_WR)
        c.wait(lambda: c.n_by_flags.get(FIN | ACK, 0) >= 3)
        server.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        server.recv(1)
        server.close()
        client.recv(1)
        client.close()


def silent_end(c):
    with pair() as (client, server):
        client.sendall(b'request')
        server.recv(100)
        go_deaf(server)
        client.sendall(b'more')
        c.wait(lambda: c.n_by_flags.get(PSH | ACK, 0) >= 6)
        vanish(client)
        vanish(server)


def idle_timeout(c):
    with socket.create_server(('127.0.0.1', PORT), backlog=8) as listener:
        pairs = [(connect(), listener.accept()[0]) for _ in range(3)]
        for i, (client, server) in enumerate(pairs):
            c.later_s = 10 * i  # at one moment, it could be one event
            client.sendall(b'request')
            server.recv(100)
            server.sendall(b'answer')
            client.recv(100)
            c.wait(lambda: c.n_by_flags.get(PSH | ACK, 0) == 2 * i + 2 and c.n_by_flags.get(ACK, 0) >= 2 * i + 5)
        for i, (client, server) in enumerate(pairs):
            c.later_s = 350 + 10 * i
            vanish(server)
            client.sendall(b'after the pause')
            c.wait(lambda: c.resets() == i + 1)
        for client, _ in pairs:
            client.close()


def user_timeout(c):
    with pair() as (client, server):
        client.sendall(b'request')
        server.recv(100)
        go_deaf(server)
        client.sendall(b'more')
        c.wait(lambda: c.n_by_flags.get(PSH | ACK, 0) >= 5)
        abort(client)
        c.wait(c.resets)
        vanish(server)


def idle_middlebox(c):
    with pair() as (client, server):
        client.sendall(b'request')
        server.recv(100)
        server.sendall(b'answer')
        client.recv(100)
        c.wait(lambda: c.acknowledged(PORT, client.getsockname()[1], 2))
        go_deaf(server)
        c.later_s = 400
        client.sendall(b'after the pause')
        c.wait(lambda: c.n_by_flags.get(PSH | ACK, 0) >= 7)
        vanish(client)
        vanish(server)


def nothing_wrong(c):
    """Near misses: each looks like one of the above to whoever only counts."""
    with pair() as (client, server):  # keepalive that is answered
        for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
            client.setsockopt(socket.IPPROTO_TCP, option, value)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        c.wait(lambda: c.n_by_flags.get(ACK, 0) >= 5)  # the handshake's, and two probes with their answers
        orderly(server, client)
    with pair() as (client, server):  # everything read, then closed
        client.sendall(b'request')
        server.recv(100)
        orderly(server, client)
    with pair() as (client, server):  # half-closed, answered
        client.shutdown(socket.SHUT_WR)
        server.sendall(b'answer')
        server.close()
        client.recv(100)
        client.close()


RESETS = [
    ('rst-unread-data', unread_data, 'likely'),
    ('rst-linger-zero', linger_zero, 'likely'),
    ('rst-linger-zero', abort_before_a_closed_window, 'likely'),
    ('rst-listener-closed', listener_closed, 'possible'),
    ('rst-after-close', after_close, 'certain'),
    ('rst-after-close', after_close_with_its_fin, 'likely'),
    ('rst-no-such-connection', no_such_connection, 'likely'),
    ('rst-keepalive-timeout', keepalive_timeout, 'certain'),
    ('rst-keepalive-timeout', keepalive_of_who_never_spoke, 'certain'),
    ('rst-user-timeout', user_timeout, 'possible'),
    ('rst-backlog-overflow', backlog_overflow, 'likely'),
    ('rst-half-open', half_open, 'likely'),
    ('rst-connect-abandoned', connect_abandoned, 'likely'),
    ('rst-time-wait-reuse', time_wait_reuse, 'likely'),
    ('rst-after-fin-complete', after_fin_complete, 'certain'),
    ('rst-injected', injected, 'likely'),
    ('rst-challenge', challenge, 'certain'),
    ('rst-refused', refused, 'certain'),
]

ENDINGS = [
    ({'fin-not-acked'}, fin_not_acked),
    ({'fin-retransmitted'}, fin_retransmitted),
    ({'silent-end'}, silent_end),
    ({'silent-end', 'idle-timeout-middlebox'}, idle_middlebox),
    ({'rst-idle-timeout', 'rst-no-such-connection'}, idle_timeout),
    (set(), nothing_wrong),
]


def make(name, path):
    """In a namespace of its own, so that no scenario hears of the one before."""
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    capture = Capture(path)
    try:
        globals()[name](capture)
    finally:
        capture.close()


def report_on(tool, unshare, scenario, path):
    subprocess.run([*unshare, sys.executable, '-B', __file__, '--make', scenario.__name__, path], check=True)
    run = subprocess.run([tool, 'pcap', '--json', path], capture_output=True, text=True, timeout=60)
    report = json.loads(run.stdout)
    return report, {f['rule'] for f in report['findings']}


def test_resets(tool, unshare, path):
    for rule, scenario, certainty in RESETS:
        report, found = report_on(tool, unshare, scenario, path)
        causes = {(r['cause'], r['certainty']) for c in report['connections'] for r in c['rsts']}
        stage.check(f'{scenario.__name__}: its cause and no other', causes == {(rule, certainty)}, report)
        stage.check(f'{scenario.__name__}: its finding and no other',
              {f for f in found if f.startswith('rst-')} == {rule}, report['findings'])


def test_endings(tool, unshare, path):
    for rules, scenario in ENDINGS:
        report, found = report_on(tool, unshare, scenario, path)
        stage.check(f'{scenario.__name__}: its findings and no other', found == rules, report)


def main():
    if sys.argv[1] == '--make':
        make(*sys.argv[2:])
        return 0
    unshare = stage.unshare()
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, 'lo.pcap')
        test_resets(sys.argv[1], unshare, path)
        test_endings(sys.argv[1], unshare, path)
    return stage.end()


sys.exit(main())

"""Captures made of text, for tests that run the whole program, and the TAP they print.

A conversation is a list of lines `SECONDS END FLAGS SEQ ACK [LEN] [ttl=N] [id=N] [win=N]`; END is c or s,
FLAGS letters of FSRPA. frames() makes raw IPv4 packets of it, write() a capture of them.
"""

import json
import socket
import struct
import subprocess

FLAGS = {'F': 1, 'S': 2, 'R': 4, 'P': 8, 'A': 16}
RAW = 101
START = 1_700_000_000

results = []


def check(name, bad):
    results.append(not bad)
    print(f'{"not ok" if bad else "ok"} {len(results)} - {name}', flush=True)
    for line in str(bad).splitlines() if bad else []:
        print('#', line)


def done():
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


def segment(ends, flags, seq, ack, length=0, ttl=64, ip_id=0, window=501):
    """From ends[0] to ends[1], each (address, port)."""
    tcp = struct.pack('!HHIIBBHHH', ends[0][1], ends[1][1], seq & 0xffffffff, ack & 0xffffffff, 5 << 4,
                      sum(FLAGS[f] for f in flags), window, 0, 0) + b'x' * length
    return struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(tcp), ip_id & 0xffff, 0x4000, ttl, 6, 0,
                       socket.inet_aton(ends[0][0]), socket.inet_aton(ends[1][0])) + tcp


def frames(lines, client=('10.0.0.1', 40000), server=('10.0.0.2', 80)):
    """[(time, packet)]; an IP id counts up where none is given."""
    made = []
    for number, line in enumerate(lines, 1):
        at, end, flags, seq, ack, *rest = line.split()
        named = dict(word.split('=') for word in rest if '=' in word)
        length = next((int(word) for word in rest if '=' not in word), 0)
        ends = (client, server) if end == 'c' else (server, client)
        made.append((START + float(at), segment(
            ends, flags, int(seq), int(ack), length, int(named.get('ttl', 64)), int(named.get('id', number)),
            int(named.get('win', 0 if 'R' in flags else 501)))))
    return made


def shifted(made, seconds):
    return [(at + seconds, packet) for at, packet in made]


def write(path, made, snap=65535):
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, snap, RAW))
        for at, packet in made:
            micro = round(at * 1_000_000)
            kept = packet[:snap]
            f.write(struct.pack('<IIII', micro // 1_000_000, micro % 1_000_000, len(kept), len(packet)) + kept)
    return path


def run(tcpwhy, *args, **more):
    return subprocess.run([tcpwhy, 'pcap', *args], capture_output=True, text=True, check=False, timeout=120,
                          stdin=subprocess.DEVNULL, **more)


def ask(tcpwhy, *args):
    return json.loads(run(tcpwhy, '--json', *args).stdout)

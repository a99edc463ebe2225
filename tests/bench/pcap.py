"""Reading a capture against its peers: pcap.py TCPWHY MAKE_CAPTURE.

CPU seconds (user and system), the median of interleaved rounds on the same file, as a ratio: absolute
times are noise on a shared machine. The peers are tcpdump, which only copies the file or what is left
of it behind a filter for FIN and RST, and tshark, which follows connections. One that is not
installed is left out, and that is said. Fails where a ratio is above its bound, or memory above 160
bytes a connection and 24 MB.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from costs import cost

ROUNDS = 5
COPY = ('tcpdump -w', ['tcpdump', '-nr', '{}', '-w', os.devnull])
FILTER = ('tcpdump, FIN and RST', ['tcpdump', '-nr', '{}', '-w', os.devnull,
                                   'tcp[tcpflags] & (tcp-fin|tcp-rst) != 0'])
TSHARK = ('tshark -z conv,tcp', ['tshark', '-r', '{}', '-q', '-z', 'conv,tcp'])
# Connections, payload of a packet, rounds; peers and how many times their CPU at most.
LOADS = [
    (20_000, 1400, ROUNDS, [(COPY, 1.25)]),
    (10_000, 0, ROUNDS, [(COPY, 1.9), (FILTER, 4)]),
    (200_000, 0, ROUNDS, [(COPY, 2.2), (FILTER, 5)]),
    (100_000, 0, 1, [(TSHARK, 1 / 25)]),
]
TSHARK_MEMORY = 1 / 30


def medians(rounds, commands):
    """[(seconds, most kilobytes)] of each command, the commands in turn."""
    found = [[] for _ in commands]
    for _ in range(rounds):
        for costs, argv in zip(found, commands):
            costs.append(cost(argv))
    return [(statistics.median(s for s, _ in costs), max(k for _, k in costs)) for costs in found]


def compare(tool, path, flows, payload, rounds, peers):
    """Says how it went; false: a bound was not kept."""
    peers = [p for p in peers if shutil.which(p[0][1][0])]
    if not peers:
        return True
    commands = [[tool, 'pcap', '--no-progress', path, 'rule', 'unjudged']]
    commands += [[word.replace('{}', path) for word in argv] for (_, argv), _ in peers]
    (ours, memory), *others = medians(rounds, commands)
    most = 24 * 1024 + flows * 160 // 1024
    good = memory <= most
    print(f'{flows} connections, {flows * 15} packets, {payload} bytes in eight of fifteen: '
          f'{ours:.2f} s CPU, {memory} kB (at most {most})')
    for ((name, _), bound), (seconds, kilobytes) in zip(peers, others):
        ratio = ours / seconds
        good &= ratio <= bound
        print(f'  {ratio:.3f} x {name}, {seconds:.2f} s (at most {bound:.3f})')
        if name == TSHARK[0]:
            good &= memory <= kilobytes * TSHARK_MEMORY
            print(f'  {memory / kilobytes:.3f} x its memory, {kilobytes} kB (at most {TSHARK_MEMORY:.3f})')
    return good


def main():
    missing = [name for name in ('tcpdump', 'tshark') if not shutil.which(name)]
    for name in missing:
        print(f'{name} is not installed: not compared with it')
    if len(missing) == 2:
        return 77
    good = True
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, 'x.pcap')
        for flows, payload, rounds, peers in LOADS:
            subprocess.run([sys.argv[2], path, str(flows), str(payload)], check=True)
            good &= compare(sys.argv[1], path, flows, payload, rounds, peers)
    return 0 if good else 1


sys.exit(main())

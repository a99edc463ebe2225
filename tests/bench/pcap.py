"""Reading captures against peers: pcap.py TCPWHY MAKE_CAPTURE BARE_PCAP.

CPU seconds (user and system), the median of interleaved rounds on the same file, as a ratio: absolute
times are noise on a shared machine. The peers: pcap_loop() that only counts, tcpdump that only copies, or
prints what has FIN or RST set, as people look for endings, and tshark, which follows connections; one that is not installed is left out, and that is said. tcpwhy reads,
follows and judges every connection and reports the sums; on one load it also prints a row for each.

Fails where a ratio or memory is above its bound. TCPWHY_BENCH=full takes captures of a gigabyte and more,
up to five million connections, and half an hour.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from typing import NamedTuple

from costs import cost

IS_FULL = os.environ.get('TCPWHY_BENCH') == 'full'
SUMS = ['rule', 'unjudged']  # no connection is, so none is printed
LOOP, COPY, ENDS, TSHARK = 'pcap_loop', 'tcpdump -w', 'tcpdump FIN or RST', 'tshark -z conv,tcp'
FIN_OR_RST = 'tcp[tcpflags] & (tcp-fin|tcp-rst) != 0 or (ip6[6] == 6 and ip6[53] & 5 != 0)'
FIRST_AND_LAST = 7  # packets of a connection without data
# Most memory: a connection's share, and what all have in common (the interpreter that forks is in it).
BYTES, COMMON_KB = 160, 12 * 1024


class Load(NamedTuple):
    what: str
    flows: int
    payload: int
    n_data: int
    at_once: int
    peers: dict       # how many times their CPU at most
    rounds: int = 3
    memory: float = 0  # of the peer's, at most


LOADS = [
    Load('large packets', 10_000, 1400, 75 if IS_FULL else 20, 1000, {COPY: 1.25}),
    Load('few connections', 10_000, 0, 1193 if IS_FULL else 93, 10_000, {LOOP: 1.9, COPY: 1.25}),
    Load('many connections', 1_000_000 if IS_FULL else 200_000, 0, 5, 100_000, {LOOP: 3.0, COPY: 1.75, ENDS: 0.25}),
    # A fiftieth is what is reached; runs differ by a tenth.
    Load('against tshark', 100_000, 0, 5, 10_000, {TSHARK: 1 / 45}, 1, 1 / 30),
]
if IS_FULL:
    LOADS.insert(3, Load('very many', 5_000_000, 0, 1, 100_000, {COPY: 2.2}))
# A packet of many connections against one of few.
GROWTH = ('many connections', 'few connections', 2.0)


def medians(rounds, commands):
    """[(seconds, most kilobytes)] of each command, the commands in turn."""
    found = [[] for _ in commands]
    for _ in range(rounds):
        for costs, argv in zip(found, commands):
            costs.append(cost(argv))
    return [(statistics.median(s for s, _ in costs), max(k for _, k in costs)) for costs in found]


def say(good, text):
    print(text if good else f'{text}  ABOVE')
    return good


def compare(tool, load, path, peers):
    """(all bounds were kept, seconds a packet)"""
    names = [name for name in load.peers if name in peers]
    commands = [[tool, 'pcap', '--no-progress', path, *SUMS]] + [[*peers[name](path)] for name in names]
    (ours, memory), *others = medians(load.rounds, commands)
    packets = load.flows * (FIRST_AND_LAST + load.n_data)
    most = COMMON_KB + load.flows * BYTES // 1024
    good = say(memory <= most, f'{load.what}: {load.flows} connections, {packets} packets: {ours:.2f} s CPU, '
                               f'{memory} kB (at most {most})')
    for name, (seconds, kilobytes) in zip(names, others):
        bound = load.peers[name]
        good &= say(ours <= seconds * bound, f'  {ours / seconds:.3f} x {name}, {seconds:.2f} s (at most {bound:.3f})')
        if load.memory:
            good &= say(memory <= kilobytes * load.memory,
                        f'  {memory / kilobytes:.3f} x its memory, {kilobytes} kB (at most {load.memory:.3f})')
    if load.what == GROWTH[0]:
        seconds, kilobytes = medians(1, [[tool, 'pcap', '--no-progress', path]])[0]
        print(f'  with a row for each: {seconds:.2f} s, {kilobytes} kB')
    return good, ours / packets


def main():
    tool, make_capture, bare_pcap = sys.argv[1:]
    peers = {LOOP: lambda path: [bare_pcap, path]}
    if shutil.which('tcpdump'):
        # Not -w /dev/null: root's tcpdump gives a file that it writes to its own user.
        peers[COPY] = lambda path: ['tcpdump', '-nr', path, '-w', '-']
        peers[ENDS] = lambda path: ['tcpdump', '-nr', path, FIN_OR_RST]
    if shutil.which('tshark'):
        peers[TSHARK] = lambda path: ['tshark', '-r', path, '-q', '-z', 'conv,tcp']
    for name in (COPY, TSHARK):
        if name not in peers:
            print(f'{name.split()[0]} is not installed: not compared with it')
    good, each = True, {}
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, 'x.pcap')
        for load in LOADS:
            if not set(load.peers) & set(peers):
                continue
            argv = [make_capture, path, load.flows, load.payload, load.n_data, load.at_once]
            subprocess.run([str(word) for word in argv], check=True)
            is_good, each[load.what] = compare(tool, load, path, peers)
            good &= is_good
    many, few, bound = GROWTH
    growth = each[many] / each[few]
    good &= say(growth <= bound, f'a packet of {many} costs {growth:.2f} x one of {few} (at most {bound})')
    return 0 if good else 1


sys.exit(main())

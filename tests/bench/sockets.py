"""Listing sockets against ss and against the kernel's own share: sockets.py TCPWHY MAKE_SOCKETS BARE_DUMP BARE_SCAN.

CPU seconds (user and system), medians of interleaved rounds on the same sockets in a private namespace, as
ratios: absolute times are noise on a shared machine. Fails where a ratio or the memory is above its bound.

What no program can save is the kernel's: the bare dump (both families one after the other, as ss asks, or in
one walk) and the bare scan of all descriptors. Their own ratios to ss are printed with the others.
"""

import os
import statistics
import subprocess
import sys

from costs import cost

ROUNDS = 3
INSIDE = 'TCPWHY_BENCH_NETNS'
BASE_KB = 11_000  # of a process that keeps nothing: libraries, mostly

# What is made: TIME-WAITs, CLOSE-WAITs, processes that hold these; processes with files, files each, CLOSE-WAITs
# that nobody has. What is measured then; a line of it: against the sum of which others; how many times that at
# most (0: for the record); kilobytes at most.
TIME_WAITS = 400_000
LOADS = [
    ((TIME_WAITS, 1000, 10), [
        ('bare dump', ['BARE'], []),
        ('bare dump in one walk', ['BARE', '1'], [(['bare dump'], 0), (['ss -tan'], 0)]),
        ('ss -tan', ['ss', '-tan'], [(['bare dump'], 0)]),
        ('list -a', ['TCPWHY', 'list', '-a'], [(['bare dump'], 1.7), (['ss -tan'], 0.5)], 16_000),
        ('list state time-wait', ['TCPWHY', 'list', 'state', 'time-wait'], [(['bare dump'], 1.45), (['ss -tan'], 0.45)], 16_000),
        ('list --by state', ['TCPWHY', 'list', '-a', '--by', 'state'], [(['bare dump'], 0.95)], 16_000),
        ('list --by peer', ['TCPWHY', 'list', '-a', '--by', 'peer'], [(['bare dump'], 1.05)], 16_000),
        ('check', ['TCPWHY', 'check'], [(['bare dump'], 1.6)], BASE_KB + TIME_WAITS * 66 // 1024),
        ('why', ['TCPWHY', 'why'], [(['bare dump'], 1.6)], BASE_KB + TIME_WAITS * 66 // 1024),
        ('why state close-wait', ['TCPWHY', 'why', 'state', 'close-wait'], [(['bare dump'], 0.6)], 16_000),
    ]),
    ((0, 10_000, 100), [
        ('list -p, a tenth', ['TCPWHY', 'list', '-p', 'state', 'close-wait'], []),
    ]),
    ((20_000, 100_000, 100), [
        ('bare dump', ['BARE'], []),
        ('bare scan', ['SCAN'], []),
        ('ss -tanp', ['ss', '-tanp', 'state', 'close-wait'], [(['bare dump', 'bare scan'], 0)]),
        ('list -p', ['TCPWHY', 'list', '-p', 'state', 'close-wait'],
         [(['bare dump', 'bare scan'], 1.4), (['ss -tanp'], 0.3), (['list -p, a tenth'], 11)], 60_000),
        ('why', ['TCPWHY', 'why'], [(['list -p'], 2)], 80_000),
    ]),
    ((1000, 1000, 10, 25, 19_000, 0), [
        ('bare scan', ['SCAN'], []),
        ('ss -tanp', ['ss', '-tanp', 'state', 'close-wait'], [(['bare scan'], 0)]),
        ('list -p', ['TCPWHY', 'list', '-p', 'state', 'close-wait'], [(['bare scan'], 1.1)], 16_000),
        ('list --columns ...,pid', ['TCPWHY', 'list', '--columns', 'state,local,peer,pid,comm', 'state', 'close-wait'],
         [(['ss -tanp'], 0.02)], 16_000),
        ('list --by owner', ['TCPWHY', 'list', '--by', 'owner', 'state', 'close-wait'], [(['ss -tanp'], 0.02)], 16_000),
    ]),
    ((1000, 1000, 10, 25, 19_000, 1), [
        ('bare scan', ['SCAN'], []),
        ('list -p, one that nobody has', ['TCPWHY', 'list', '-p', 'state', 'close-wait'], [(['bare scan'], 1.1)], 16_000),
    ]),
]


def sockets_left():
    with open('/proc/net/sockstat', encoding='ascii') as f:
        words = next(line for line in f if line.startswith('TCP:')).split()
    return int(words[words.index('inuse') + 1]) + int(words[words.index('tw') + 1])


def measure(kinds, programs, medians):
    """TIME-WAITs go while they are listed: seconds are those of as many as there were in the beginning."""
    seconds, memory = {name: [] for name, *_ in kinds}, {}
    first = sockets_left()
    for round_ in range(ROUNDS):
        first_one = round_ * len(kinds) // ROUNDS  # who comes first finds most, and the caches of others
        for name, argv, *_rest in kinds[first_one:] + kinds[:first_one]:
            before = sockets_left()
            took, kilobytes = cost([programs.get(word, word) for word in argv])
            seconds[name].append(took * 2 * first / (before + sockets_left()))
            memory[name] = max(kilobytes, memory.get(name, 0))
    good = True
    medians.update((name, statistics.median(seconds[name])) for name, *_ in kinds)
    for name, _argv, peers, *most in kinds:
        line = f'  {name}: {medians[name] * 1000:.0f} ms CPU, {memory[name]} kB'
        for others, bound in peers:
            ratio = medians[name] / sum(medians[other] for other in others)
            good &= not bound or ratio <= bound
            line += f', {ratio:.3f} x {" + ".join(others)}' + (f' (at most {bound})' if bound else '')
        if most:
            good &= memory[name] <= most[0]
            line += f', at most {most[0]} kB'
        print(line, flush=True)
    return good


def with_load(programs, made, kinds, medians):
    words = 'TIME-WAIT', 'CLOSE-WAIT', 'processes with these', 'processes with files', 'files each', 'held by nobody'
    print(', '.join(f'{n} {what}' for n, what in zip(made, words) if n) + ':')
    with subprocess.Popen([programs['MAKE'], *map(str, made)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as load:
        assert load.stdout.readline() == 'READY\n'
        return measure(kinds, programs, medians)


def main():
    if INSIDE not in os.environ:
        way = ['unshare', '-n', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
        if os.geteuid() != 0 or subprocess.run([*way, 'true'], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            print('no namespaces may be made here')
            return 77
        os.environ[INSIDE] = '1'
        os.execvp('unshare', [*way, sys.executable, '-B', *sys.argv])
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    for name, value in ('tcp_max_tw_buckets', '1000000'), ('ip_local_port_range', '10000 65000'), ('tcp_rfc1337', '1'):
        with open(f'/proc/sys/net/ipv4/{name}', 'w', encoding='ascii') as f:
            f.write(value)
    programs, medians, good = dict(zip(('TCPWHY', 'MAKE', 'BARE', 'SCAN'), sys.argv[1:])), {}, True
    for made, kinds in LOADS:
        good &= with_load(programs, made, kinds, medians)
    return 0 if good else 1


sys.exit(main())

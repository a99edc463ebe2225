"""Listing sockets against ss and against the bare dump of the kernel: sockets.py TCPWHY MAKE_SOCKETS BARE_DUMP.

CPU seconds (user and system), medians of interleaved rounds on the same sockets in a private namespace, as
ratios: absolute times are noise on a shared machine. Fails where a ratio or the memory is above its bound.
"""

import os
import statistics
import subprocess
import sys

from costs import cost

ROUNDS = 3
INSIDE = 'TCPWHY_BENCH_NETNS'
TIME_WAITS, CLOSE_WAITS, PROCESSES = 150_000, 40_000, 100
# What is measured; against which of them; how many times that at most; kilobytes at most.
TIME_WAIT_LOAD = {
    'bare dump': (['BARE'], None, 0, 0),
    'ss -tan': (['ss', '-tan'], None, 0, 0),
    'list -a': (['TCPWHY', 'list', '-a'], 'bare dump', 2.8, 16_000),
    'list state time-wait': (['TCPWHY', 'list', 'state', 'time-wait'], 'ss -tan', 0.55, 16_000),
    'list --by state': (['TCPWHY', 'list', '-a', '--by', 'state'], 'bare dump', 1.0, 16_000),
    'list --by peer': (['TCPWHY', 'list', '-a', '--by', 'peer'], 'bare dump', 1.0, 16_000),
}
CLOSE_WAIT_LOAD = {
    'ss -tanp': (['ss', '-tanp', 'state', 'close-wait'], None, 0, 0),
    'list -p': (['TCPWHY', 'list', '-p', 'state', 'close-wait'], 'ss -tanp', 0.25, 60_000),
    'why': (['TCPWHY', 'why'], 'list -p', 3, 120_000),
}


def measure(kinds, programs):
    seconds, memory = {name: [] for name in kinds}, {}
    for _ in range(ROUNDS):
        for name, (argv, *_rest) in kinds.items():
            took, memory[name] = cost([programs.get(word, word) for word in argv])
            seconds[name].append(took)
    good = True
    for name, (_argv, peer, bound, most) in kinds.items():
        median = statistics.median(seconds[name])
        line = f'  {name}: {median * 1000:.0f} ms CPU, {memory[name]} kB'
        if peer:
            ratio = median / statistics.median(seconds[peer])
            good &= ratio <= bound and memory[name] <= most
            line += f', {ratio:.2f} x {peer} (at most {bound}, {most} kB)'
        print(line, flush=True)
    return good


def with_load(programs, n_time_wait, n_close_wait, kinds):
    print(f'{n_time_wait} TIME-WAIT, {n_close_wait} CLOSE-WAIT in {PROCESSES} processes:')
    with subprocess.Popen([programs['MAKE'], str(n_time_wait), str(n_close_wait), str(PROCESSES)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
        assert load.stdout.readline() == 'READY\n'
        return measure(kinds, programs)


def main():
    if INSIDE not in os.environ:
        if os.geteuid() != 0 or subprocess.run(['unshare', '-n', 'true'], check=False).returncode != 0:
            print('no network namespace may be made here')
            return 77
        os.environ[INSIDE] = '1'
        os.execvp('unshare', ['unshare', '-n', sys.executable, '-B', *sys.argv])
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    for name, value in ('tcp_max_tw_buckets', '1000000'), ('ip_local_port_range', '10000 65000'):
        with open(f'/proc/sys/net/ipv4/{name}', 'w', encoding='ascii') as f:
            f.write(value)
    programs = dict(zip(('TCPWHY', 'MAKE', 'BARE'), sys.argv[1:]))
    good = with_load(programs, 0, CLOSE_WAITS, CLOSE_WAIT_LOAD)
    good &= with_load(programs, TIME_WAITS, 100, TIME_WAIT_LOAD)
    return 0 if good else 1


sys.exit(main())

"""Reading a capture against tcpdump, which only copies it: pcap.py TCPWHY MAKE_CAPTURE.

CPU seconds (user and system), the median of interleaved rounds on the same file, as a ratio: absolute
times are noise on a shared machine. Fails where a ratio is above its bound, or memory above
160 bytes a connection and 24 MB.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 5
LOADS = [(10_000, 2.2), (200_000, 2.6)]  # connections, and how many times tcpdump's CPU


def cost(argv):
    """CPU seconds and kilobytes."""
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.execvp(argv[0], argv)
    _, status, used = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f'{argv}: status {status}')
    return used.ru_utime + used.ru_stime, used.ru_maxrss


def main():
    if not shutil.which('tcpdump'):
        print('tcpdump is not installed: nothing to compare with')
        return 77
    good = True
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, 'x.pcap')
        for flows, bound in LOADS:
            subprocess.run([sys.argv[2], path, str(flows)], check=True)
            ours, peers, memory = [], [], 0
            for _ in range(ROUNDS):
                seconds, kilobytes = cost([sys.argv[1], 'pcap', '--no-progress', path, 'rule', 'unjudged'])
                ours.append(seconds)
                memory = max(memory, kilobytes)
                peers.append(cost(['tcpdump', '-nr', path, '-w', os.devnull])[0])
            ratio = statistics.median(ours) / statistics.median(peers)
            most = 24 * 1024 + flows * 160 // 1024
            good &= ratio <= bound and memory <= most
            print(f'{flows} connections, {flows * 15} packets: {statistics.median(ours):.2f} s CPU, '
                  f'{ratio:.2f} x tcpdump (at most {bound}), {memory} kB (at most {most})')
    return 0 if good else 1


sys.exit(main())

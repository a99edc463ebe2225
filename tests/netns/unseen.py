"""A network namespace that only closed sockets keep: unseen.py TCPWHY. Prints TAP.

Its process ends while nobody answers: what it has not finished sending lives on, in a namespace without
process or name. The machine counts such sockets, and no listing has them.
"""

import ctypes
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys

import stage

CLONE_NEWNET = 0x40000000
N, PORT = 60, 8080
HERE, THERE = '192.0.2.1', '192.0.2.2'


def live_there(go, ready):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    assert libc.unshare(CLONE_NEWNET) == 0
    os.write(ready, b'x')
    os.read(go, 1)
    kept = [socket.create_connection((HERE, PORT)) for _ in range(N)]
    os.write(ready, b'x')
    signal.pause()
    return kept


def wait_for(fd):
    assert select.select([fd], [], [], 20)[0], 'the process did not get ready'
    os.read(fd, 1)


def unseen(tool):
    p = subprocess.run([tool, 'why', '-A', '--json'], capture_output=True, text=True, timeout=60, check=False)
    report = json.loads(p.stdout)
    counts = [int(re.match(r'(\d+) of', g['reason'])[1]) for g in report['gaps'] if g['what'] == 'orphans']
    return sum(counts), report['gaps']


def main():
    if os.geteuid() != 0 or os.readlink('/proc/self/ns/pid') != 'pid:[4026531836]':
        print("1..0 # SKIP needs root in the machine's own pid namespace")
        return 0
    stage.enter()
    (asks, ready), (waits, go) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            live_there(waits, ready)
        finally:
            os._exit(1)
    wait_for(asks)
    stage.connect_netns(pid, HERE, THERE)
    with socket.create_server((HERE, PORT), backlog=N):
        os.write(go, b'x')
        wait_for(asks)
        before, _ = unseen(sys.argv[1])
        stage.ip('addr', 'del', f'{HERE}/24', 'dev', 'near')  # nobody answers any more
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        after, gaps = unseen(sys.argv[1])
        # Others may make such namespaces on the same machine, now and then.
        stage.check('every process can be seen here', not any('visible' in g['reason'] for g in gaps), gaps)
        stage.check('orphans of a namespace that nobody can enter', after >= N and after - before >= N // 2, [before, after, gaps])
    return stage.end()


sys.exit(main())

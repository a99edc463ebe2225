"""`tcpwhy lab` where an actor may not do its part: impossible.py TCPWHY. Prints TAP.

That is neither the expected verdict nor another one: the lab says what was not possible, and why.
"""

import errno
import os
import socket
import subprocess
import sys

import stage

TCP_REPAIR = 19
MPTCP = 262
# What is denied, to scenarios that need it, and what is said then.
DENIED = (
    (('socket', 2, MPTCP, errno.EPROTONOSUPPORT), ('mptcp-close-wait', 'near-mptcp'), 'MPTCP'),
    (('setsockopt', 2, TCP_REPAIR, errno.EPERM),
     ('fin-unanswered', 'near-busy-sockets'), 'TCP_REPAIR'),
)


def run(tool, scenario, call):
    words = [str(word) for word in call]
    return subprocess.run([sys.executable, '-B', __file__, '--denied', *words, tool, 'lab', scenario],
                          capture_output=True, text=True, timeout=120, check=False)


def main():
    if sys.argv[1] == '--denied':
        stage.denied(sys.argv[2], *map(int, sys.argv[3:6]), sys.argv[6:])
    tool = os.path.abspath(sys.argv[1])
    stage.unshare()
    for call, scenarios, what in DENIED:
        for scenario in scenarios:
            p = run(tool, scenario, call)
            said = f'tcpwhy: lab: not possible here: {what}: {os.strerror(call[3])}\n'
            stage.check(f'{scenario}: not possible, and why', p.stderr == said, p.stderr)
            stage.check(f'{scenario}: no verdict', p.returncode == 1 and 'verdict' not in p.stdout, p.stdout)
    return stage.end()


sys.exit(main())

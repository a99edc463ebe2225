"""The program itself, caught between opening a capture and reading it: sandbox.py TCPWHY. TAP.

The capture is a pipe, so the program waits for its first byte where the sandbox must stand already.
A build with sanitizers has none and is skipped.
"""

import fcntl
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

DEADLINE_S = 20
EMPTY_CAPTURE = struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)

results = []


def check(name, is_good, seen=None):
    results.append(bool(is_good))
    print(f'{"ok" if is_good else "not ok"} {len(results)} - {name}', flush=True)
    if not is_good:
        print('#', seen)


def status_of(pid):
    lines = pathlib.Path(f'/proc/{pid}/status').read_text().splitlines()
    return dict(line.split(':\t', 1) for line in lines if ':\t' in line)


def lead(argv):
    """Of a session with a terminal: as a shell does, a job in the foreground, continued when it has stopped."""
    for_us = [signal.SIGTTOU, signal.SIGTTIN]
    for number in for_us:
        signal.signal(number, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        for number in for_us:
            signal.signal(number, signal.SIG_DFL)
        os.execve(argv[0], argv, {**os.environ, 'TERM': 'xterm'})
    while os.WIFSTOPPED(status := os.waitpid(job, os.WUNTRACED)[1]):
        os.write(1, b'\r\n<stopped by %d>' % os.WSTOPSIG(status))
        os.tcsetpgrp(0, job)
        os.kill(job, signal.SIGCONT)
    os.write(1, b'\r\n<status %d>' % status)
    os._exit(0)


def watch_a_screen(tool):
    """A new size, ^Z, back again and q: all that ncurses asks of a terminal, and of us, is allowed while looking."""
    leader, ours = pty.fork()
    if leader == 0:
        lead([tool, 'watch'])
    seen = b''

    def until(what, after=0, key=b''):
        nonlocal seen
        end, pressed = time.monotonic() + DEADLINE_S, 0
        while what not in seen[after:] and time.monotonic() < end:
            if key and time.monotonic() > pressed + 1: # while it draws, ncurses does not hear of ^Z
                pressed = time.monotonic()
                os.write(ours, key)
            try:
                seen += os.read(ours, 65536) if select.select([ours], [], [], 1)[0] else b''
            except OSError: # the other side is closed
                break
        return what in seen[after:]

    drawn = until(b'CLOSE-WAIT')
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack('HHHH', 30, 100, 0, 0))
    mark = b'<stopped by %d>' % signal.SIGTSTP
    stopped = until(mark, key=b'\x1a')
    again = until(b'CLOSE-WAIT', after=seen.find(mark))
    ended = until(b'<status 0>', key=b'q')
    check('the screen of watch: drawn, stopped by ^Z, drawn again and ended', drawn and stopped and again and ended,
          (drawn, stopped, again, ended, seen[-500:]))
    os.close(ours)
    os.waitpid(leader, 0)


def main():
    tool = sys.argv[1]
    if b'__asan_init' in pathlib.Path(tool).read_bytes():
        print('1..0 # SKIP a build with sanitizers has no sandbox')
        return 0
    with tempfile.TemporaryDirectory() as tmp:
        pipe = os.path.join(tmp, 'pipe')
        os.mkfifo(pipe)
        with subprocess.Popen([tool, 'pcap', '--json', pipe], stdout=subprocess.PIPE) as p:
            with open(pipe, 'wb') as to:
                end = time.monotonic() + DEADLINE_S
                while status_of(p.pid).get('Seccomp', '').strip() != '2' and time.monotonic() < end:
                    time.sleep(0.01)
                status = status_of(p.pid)
                check('seccomp filter', status.get('Seccomp', '').strip() == '2', status)
                check('no new privileges', status.get('NoNewPrivs', '').strip() == '1', status)
                check('no capabilities', all(int(status[c], 16) == 0 for c in ('CapPrm', 'CapEff', 'CapInh')),
                      status)
                if os.geteuid() == 0:
                    check('nobody', set(status['Uid'].split()) == {'65534'} and
                          set(status['Gid'].split()) == {'65534'}, status)
                    check('no capability can come back', int(status['CapBnd'], 16) == 0, status)
                to.write(EMPTY_CAPTURE)
            out = p.stdout.read()
            check('and it still reports', p.wait() == 0 and b'"complete":true' in out, out)
    loud = subprocess.run([tool, 'pcap', '--no-sandbox', '/dev/null'], capture_output=True, text=True,
                          check=False)
    check('--no-sandbox says so', 'WARNING' in loud.stderr, loud.stderr)
    watch_a_screen(tool)
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


sys.exit(main())

"""A parser that has been taken over, and what the program opens once it parses: planted.py PLANTED TCPWHY
CASES-FOLDER. TAP.

PLANTED is the program with a bug in two of its parsers (planted.c). A build with sanitizers has no sandbox.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

TIMEOUT_S = 60
N_ATTEMPTS = 16
CASE = 'close-wait-leaked-fd'
COMMANDS = {
    'capture': ['pcap', '--json', 'capture.pcap'],
    'compressed capture': ['pcap', '--json', 'capture.pcap.gz'],
    'look': ['why', '--json', '--from', 'look'],
    'look and capture': ['why', '--json', '--from', 'look', '-r', 'capture.pcap'],
    'list of a look': ['list', '-a', '--from', 'look'],
    'check of a look': ['check', '--from', 'look'],
    'check into a file': ['check', '--format=prometheus', '-o', 'out/x.prom', '--from', 'look'],
}
# What opens, connects or runs; the second argument of openat() is what the test below looks at.
DOORS = 'open,openat,openat2,creat,socket,socketpair,connect,bind,execve,execveat,clone,clone3,fork,vfork,ptrace,' \
    'setns,unshare,mount,prctl,seccomp'
results = []


def check(name, is_good, seen=None):
    results.append(bool(is_good))
    print(f'{"ok" if is_good else "not ok"} {len(results)} - {name}', flush=True)
    if not is_good:
        print('#', str(seen)[:1500].replace('\n', '\n# '))


def run(argv, where, stdin=subprocess.DEVNULL, **env):
    return subprocess.run(argv, cwd=where, env={**os.environ, **env}, capture_output=True, text=True, check=False,
                          stdin=stdin, timeout=TIMEOUT_S)


def attack(planted, where):
    for name, argv in COMMANDS.items():
        healthy, taken = run([planted, *argv], where), run([planted, *argv], where, PLANTED='1')
        attempts = [line for line in taken.stderr.splitlines() if line.startswith('planted ')]
        done = [line for line in attempts if line.endswith(': done')]
        check(f'{name}: nothing could be had', len(attempts) == N_ATTEMPTS and not done, taken.stderr)
        check(f'{name}: and it still reports', taken.returncode == healthy.returncode and
              taken.stdout == healthy.stdout, taken.stdout)
    naked = run([planted, *COMMANDS['capture'], '--no-sandbox'], where, PLANTED='1')
    check('this test can fail: without the sandbox much is done',
          naked.stderr.count(': done') > 3 and 'WARNING: --no-sandbox' in naked.stderr, naked.stderr)
    naked = run([planted, *COMMANDS['look'], '--no-sandbox'], where, PLANTED='1')
    check('and with a look', naked.stderr.count(': done') > 3 and 'WARNING: --no-sandbox' in naked.stderr,
          naked.stderr)


def attack_live(planted, where):
    """A look at this machine has to open files; what it opens it can read, and nothing else can be had."""
    may_be = {'secret', 'world-readable', 'fork', 'setuid'}
    ours, terminal = os.openpty() # into which root may type
    with socket.create_server(('127.0.0.1', 0)):
        taken = run([planted, 'list', '-a', '-p'], where, terminal, PLANTED='1')
        naked = run([planted, 'list', '-a', '-p', '--no-sandbox'], where, terminal, PLANTED='1')
    os.close(ours)
    os.close(terminal)
    attempts = re.findall(r'^planted (.*): (.*)$', taken.stderr, re.M)
    done = {what for what, answer in attempts if answer == 'done'}
    check('this machine: nothing written, run or sent', len(attempts) == N_ATTEMPTS and done <= may_be, taken.stderr)
    check('this machine: and it still reports', 'LISTEN' in taken.stdout, taken.stdout)
    check('this machine: this test can fail', naked.stderr.count(': done') > 6 and 'WARNING: --no-sandbox' in naked.stderr,
          naked.stderr)


def opened_behind(trace, may_open, n_filters=1):
    """Lines behind the last filter's installation that open, connect or run something else than may_open."""
    n_closed, found = 0, []
    for line in trace.splitlines():
        call = re.sub(r'^\[?(pid)?\s*\d*\]?\s*', '', line)
        if n_closed == n_filters and re.match(r'\w+\(', call) and not re.match(may_open, call):
            found.append(call)
        n_closed += 'PR_SET_SECCOMP' in call and '= 0' in call
    return found if n_closed == n_filters else [f'{n_closed} filters were installed']


def trace(tool, where):
    for name, argv in COMMANDS.items():
        out = where / 'trace'
        done = run(['strace', '-f', '-qq', '-o', out, '-e', f'trace={DOORS}', tool, *argv], where)
        # Names below a descriptor of the look, and of the file that is written; nothing absolute.
        may_open = r'openat\((\d+|AT_FDCWD), "(look|\./|out/)?[^/"]*(tcpwhy-)?[^/"]*"|prctl' if '--from' in argv else 'prctl'
        check(f'{name}: no open, socket or exec behind the drop',
              done.returncode == 0 and not (found := opened_behind(out.read_text(), may_open)),
              done.stderr or found)


def trace_live(tool, where):
    """A look at this machine and what follows it have a filter each."""
    # list prints some rows as it reads them, unless it sorts; check has a state where its folder is.
    may_open = r'prctl|openat\(AT_FDCWD, "(/run/tcpwhy/|/dev/urandom")'
    for argv in (['why'], ['why', '--json', '-r', 'capture.pcap'], ['list', '-a', '--sort', 'age'], ['check'], ['audit']):
        out = where / 'trace'
        done = run(['strace', '-f', '-qq', '-o', out, '-e', f'trace={DOORS}', tool, *argv], where)
        check(f'{argv[0]} of this machine: no open, socket or exec behind the look',
              'PR_SET_SECCOMP' in out.read_text() and not (found := opened_behind(out.read_text(), may_open, 2)),
              done.stderr or found)


def keep_privileges(tool, where):
    """Where root cannot give up what it may, nothing is parsed, and that is said."""
    for name, argv in COMMANDS.items():
        held = run(['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=capset:error=EPERM', tool, *argv], where)
        is_check = argv[0] == 'check'
        check(f'{name}: not with privileges that stay',
              held.returncode == (3 if is_check else 1) and
              'privileges of whoever started this cannot be given up' in (held.stdout if is_check else held.stderr) and
              (is_check or not held.stdout), held)


def main():
    planted, tool, cases = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
    if b'__asan_init' in tool.read_bytes():
        print('1..0 # SKIP a build with sanitizers has no sandbox')
        return 0
    with tempfile.TemporaryDirectory() as tmp:
        where = pathlib.Path(tmp)
        where.chmod(0o755)
        shutil.copytree(cases / CASE / 'look', where / 'look', symlinks=True)
        shutil.copy(cases / CASE / 'capture.pcap', where)
        (where / 'out').mkdir()
        subprocess.run(['gzip', '-k', 'capture.pcap'], cwd=where, check=True)
        if shutil.which('zstd'):
            subprocess.run('tar -C look -cf - . | zstd -q -o look.snap', shell=True, cwd=where, check=True)
            COMMANDS['snapshot'] = ['why', '--json', '--from', 'look.snap']
        attack(planted, where)
        attack_live(planted, where)
        if shutil.which('strace') and run(['strace', '-o', '/dev/null', 'true'], where).returncode == 0:
            trace(tool, where)
            trace_live(tool, where)
            if os.geteuid() == 0:
                keep_privileges(tool, where)
        else:
            check('strace # SKIP not here or not allowed', True)
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


sys.exit(main())

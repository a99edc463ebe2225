"""Every command with a fault injected: faults.py FAULT MALLOC TCPWHY CASES-FOLDER [--all] [--only NAME]. TAP.

How it works: a command runs once undisturbed, which tells how many calls of the kernel there are between
main() and the last byte of its report, and what the report says. Then each of them fails in turn (fault.c),
and each allocation (malloc.c; not with sanitizers, which have an allocator of their own); without --all a
sample that fits a test. What must come out is the same report, a report that says what it could not see (it is
not complete, names a gap, or answers null), or a message and a status other than 0. A crash, a leak, a
run without end and a report that silently says something else are failures.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

TIMEOUT_S = 60
SAMPLE = 6  # runs of each command and kind
SKIP = 77
READS = 'read,readv,pread64,getdents64,readlinkat,readlink'
OPENS = 'openat,open'
FOLDERS = f'openat:{os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY}'
WAITS = 'recvfrom,recvmsg,poll,ppoll'
LOOKS = 'fstat,newfstatat,lseek,ioctl,fcntl,statx'
# What fails, and how: a file that cannot be had, one that goes away, a disk, a socket, a signal.
KINDS = [
    (OPENS, 'EMFILE'), (OPENS, 'ENOENT'), (OPENS, 'EACCES'), (FOLDERS, 'EACCES'), (FOLDERS, 'EMFILE'),
    (READS, 'EIO'), (READS, 'ESRCH'),
    (READS, 'EINTR'), ('read:8', 'EIO'), ('read:8', 'EINTR'), (WAITS, 'ENOBUFS'), (WAITS, 'EINTR'), (WAITS, 'EIO'),
    ('socket,bind,sendto,sendmsg,setsockopt,getsockopt,setns', 'EPERM'),
    ('socket,bind,sendto,sendmsg,setsockopt,getsockopt,setns', 'ENOMEM'),
    ('write,writev', 'ENOSPC'), ('write,writev', 'EPIPE'), ('write,writev', 'EINTR'), (LOOKS, 'EIO'),
    ('clone,clone3,fork', 'EAGAIN'), ('pipe2,pipe', 'EMFILE'), ('unshare', 'EPERM'),
    ('prctl,capset,setgroups,setresgid,setresuid,seccomp', 'EPERM'),
    ('landlock_create_ruleset,landlock_add_rule,landlock_restrict_self', 'ENOMEM'),
    ('mkdirat,mkdir,symlinkat,renameat,rename,fsync,fchmod,unlink,unlinkat', 'EACCES'),
]
ALLOCATIONS = 'allocations'
MOVING = {'time', 'age_ms', 'oldest_ms', 'expires_ms', 'in_ms', 'file', 'inode', 'cookie', 'facts', 'says',
          'why', 'fixes', 'next', 'summary', 'boot_id', 'value', 'used', 'id', 'avoid', 'bound', 'examples', 'absent'}
# Of this machine, where ages grow while we look, and this test itself opens pipes.
JUDGED_BY_AGE = {'findings', 'rules', 'checks', 'status', 'ends', 'close_wait_per_s', 'fds', 'emfile_in_ms'}
results = []


def check(name, wrong, note=''):
    results.append(not wrong)
    print(f'{"not ok" if wrong else "ok"} {len(results)} - {name}{note}', flush=True)
    for line in wrong[:40]:
        print('#', ascii(line)[:500])


def commands(where, is_live):
    """(name, arguments): JSON wherever there is some, because it says whether it is complete."""
    look = ['--from', where / 'look', '--min-age', '0']
    yield 'why', ['why', '--json', *look, '-r', where / 'capture.pcap']
    yield 'list', ['list', '-a', '--json', *look]
    yield 'list by', ['list', '-a', '--by', 'owner', '--json', *look]
    yield 'check', ['check', '--json', *look]
    yield 'audit', ['audit', '--json', '--from', where / 'look']
    yield 'pcap', ['pcap', '--json', where / 'capture.pcap']
    yield 'pcap gz', ['pcap', '--json', where / 'capture.pcap.gz']
    yield 'pcap lines', ['pcap', '--json-lines', where / 'capture.pcap']
    yield 'explain', ['explain', '--json']
    if (where / 'look.snap').exists():
        yield 'snapshot', ['why', '--json', '--from', where / 'look.snap', '--min-age', '0']
    if is_live:
        yield 'live why', ['why', '--json', '--min-age', '0']
        yield 'live options', ['why', '--json', '-A', '--sockopts', '--min-age', '0']
        yield 'live record', ['why', '--json', '--record', where / 'new']
        yield 'live all', ['list', '-a', '-A', '--json']
        # Our own sockets grow old while all this goes on.
        ages = ['-w', 'close-wait.age=~:,close-wait.count=~:,fin-wait-2.held.age=~:']
        yield 'live check', ['check', '--json', '-A', *ages]
        yield 'live metrics', ['check', *ages, '--format=prometheus', '-o', where / 'new.prom']
        yield 'live audit', ['audit', '--json']
        yield 'live snapshot', ['snapshot', '-o', where / 'new.prom']
        yield 'live watch', ['watch', '--json-lines', '-c', '2', '-d', '100ms', '--min-age', '0']
        yield 'live lab', ['lab', '--json', 'close-wait-eof-unread']


def settle(where):
    shutil.rmtree(where / 'new', ignore_errors=True)
    (where / 'new.prom').unlink(missing_ok=True)


Run = collections.namedtuple('Run', 'status out said seen last')


class Sweep:
    def __init__(self, fault, malloc, tool, where):
        self.fault, self.malloc, self.tool, self.where = fault, malloc, tool, where
        self.kinds = KINDS + ([] if b'__asan_init' in tool.read_bytes() else [(ALLOCATIONS, 'ENOMEM')])
        self.n_runs = 0
        self.starts = {}

    def command(self, calls, at, error, argv):
        if calls == ALLOCATIONS:
            return ['env', f'LD_PRELOAD={self.malloc}', f'FAIL_ALLOCATION={at}', self.tool, *argv]
        return [self.fault, calls, str(at), error, self.tool, *argv]

    def run(self, calls, at, error, argv):
        settle(self.where)
        r, w = os.pipe()
        env = {**os.environ, 'LC_ALL': 'C.UTF-8'}
        command = self.command(calls, at, error, argv)
        # By name: a shell need not know descriptors of two digits.
        with subprocess.Popen(['sh', '-c', f'exec "$0" "$@" 3>/proc/self/fd/{w}', *command], env=env, pass_fds=(w,),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            os.close(w)
            try:
                out, said = p.communicate(timeout=TIMEOUT_S)
            except subprocess.TimeoutExpired:
                p.kill()
                out, said = p.communicate()
                return Run(-9, out, b'no end', 0, 0)
        with os.fdopen(r) as counts:
            words = counts.read().split()
        self.n_runs += 1
        seen, last = (int(words[0]), int(words[1])) if len(words) == 2 else (-1, 0)
        return Run(p.returncode, out, said, seen, last)


def differs(want, got, moving, path='$'):
    """Where a report says something else than the undisturbed one; an unknown value is an honest one."""
    if got is None or got == '?' or path.rpartition('.')[2] in moving:
        return
    if isinstance(want, dict) and isinstance(got, dict):
        for key, value in want.items():
            yield from differs(value, got.get(key), moving, f'{path}.{key}')
    elif isinstance(want, list) and isinstance(got, list):
        if len(want) != len(got):
            yield f'{path}: {len(got)} instead of {len(want)}'
        for i, (a, b) in enumerate(zip(want, got)):
            yield from differs(a, b, moving, f'{path}[{i}]')
    elif want != got:
        yield f'{path}: {got} instead of {want}'


def parse(out):
    """The document; of JSON lines the last one stands for the whole. None: not even JSON."""
    text = out.decode(errors='replace')
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        pass
    try:
        lines = [json.loads(line) for line in text.split('\n')[:-1]]
    except json.JSONDecodeError:
        return None
    return {**lines[-1], 'lines': lines[:-1]} if lines and 'complete' in lines[-1] else None


def n_gaps(document):
    """Of the whole, and of each look where there are several."""
    return sum(gap['count'] for part in (document, *document.get('lines', [])) for gap in part.get('gaps', []))


def judge(undisturbed, run, error, moving):
    """What is wrong with a disturbed run; empty: it was honest."""
    said = run.said.decode(errors='replace')
    if run.said == b'no end':
        return ['no end']
    if run.status < 0 or run.status >= 100 or 'Sanitizer' in said or 'runtime error' in said:
        return [f'crash or leak: status {run.status}: {said[-400:]}']
    if run.out == undisturbed.out and run.status == undisturbed.status:
        return []
    want, got = parse(undisturbed.out), parse(run.out)
    if run.status != undisturbed.status:
        is_unknown = b'"status":"UNKNOWN"' in run.out or b'tcpwhy_look_complete 0' in run.out
        if said.strip() or error == 'EPIPE' or is_unknown or (got and (not got['complete'] or got.get('gaps'))):
            return []
        return [f'status {run.status} without a word']
    if want is None:
        return []
    if got is None:
        return [] if run.status and (said.strip() or error == 'EPIPE') else [
            f'status {run.status}, and not a whole document']
    # What is gone is not seen, and rightly so: a process may end at any moment.
    if error in ('ENOENT', 'ESRCH') or want['complete'] > got['complete'] or n_gaps(got) > n_gaps(want):
        return []
    # A check that could not look at all has no gaps, and says why.
    if got.get('status') == 'UNKNOWN' and not got['checks'] and got['summary'] != want['summary']:
        return []
    return list(differs(want, got, moving))[:3]


def chosen(first, last, is_all):
    """Numbers of the calls that are to fail: all, or an even spread with the edges."""
    numbers = list(range(first, last + 1))
    if is_all or len(numbers) <= SAMPLE:
        return numbers
    return sorted({numbers[i * (len(numbers) - 1) // (SAMPLE - 1)] for i in range(SAMPLE)})


def sweep_command(sweep, name, argv, is_all):
    wrong, n, quiet = [], 0, {}
    moving = MOVING | JUDGED_BY_AGE | {'captures'} if name.startswith('live') else MOVING
    for calls, error in sweep.kinds:
        start = sweep.starts.get(calls) or sweep.run(calls, 0, error, ['--version'])
        sweep.starts[calls] = start
        undisturbed = quiet.get(calls) or sweep.run(calls, 0, error, argv)
        quiet[calls] = undisturbed
        if start.status != 0 or min(start.seen, undisturbed.seen) < 0:
            wrong.append(f'{calls.split(",")[0]}: undisturbed: status {undisturbed.status}: {undisturbed.said[-200:]}')
        first = start.last + (0 if 'write' in calls else 1)
        last = undisturbed.last
        if calls == ALLOCATIONS:
            first, last = 1, undisturbed.seen
        elif not undisturbed.out:
            # It wrote into a file only; what comes after --version has printed comes at every end.
            last = undisturbed.seen - (start.seen - start.last)
        for at in chosen(first, last, is_all):
            found = judge(undisturbed, sweep.run(calls, at, error, argv), error, moving)
            n += 1
            wrong += [f'{calls.split(",")[0]} {at} {error}: {line}' for line in found]
    return wrong, n


def full_disk(tool, argv):
    with open('/dev/full', 'wb') as full:
        run = subprocess.run([tool, *argv], stdout=full, stderr=subprocess.PIPE, check=False,
                             timeout=TIMEOUT_S)
    if run.returncode in (0, None) or run.returncode < 0 or b'No space left' not in run.stderr:
        yield f'{argv[0]}: status {run.returncode}: {run.stderr[-200:]}'


def closed_pipe(tool, argv):
    r, w = os.pipe()
    os.close(r)
    with os.fdopen(w, 'wb') as pipe:
        run = subprocess.run([tool, *argv], stdout=pipe, stderr=subprocess.PIPE, check=False,
                             timeout=TIMEOUT_S)
    # Nobody reads on: no message; a signal ends it as any other filter.
    if run.returncode == 0 or run.stderr.strip():
        yield f'{argv[0]}: status {run.returncode}: {run.stderr[-200:]}'


def isolate(argv):
    """Namespaces of our own, where nothing but this test moves. False: not possible here."""
    if os.geteuid() != 0 or '--inside' in argv:
        return os.geteuid() == 0
    inside = ['unshare', '--net', '--pid', '--fork', '--mount-proc', sys.executable, '-B', *argv, '--inside']
    if subprocess.run(['unshare', '--net', '--pid', '--fork', '--mount-proc', 'true'], check=False,
                      stderr=subprocess.DEVNULL).returncode == 0:
        os.execvp('unshare', inside)
    return False


def make_neighbour():
    """Another network namespace, with a CLOSE-WAIT of its own; it ends with its standard input."""
    made = subprocess.Popen(['unshare', '--net', sys.executable, '-B', __file__, '--neighbour'],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert made.stdout.readline() == b'ready\n'
    return made


def live_next_door():
    held = make_sockets()
    print('ready', flush=True)
    sys.stdin.read()
    return held


def make_sockets():
    """A listener with an unread FIN in its queue, a CLOSE-WAIT that is held, and their peers, which stay."""
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    listener = socket.create_server(('127.0.0.1', 8080))
    left, gone = socket.create_connection(('127.0.0.1', 8080)), socket.create_connection(('127.0.0.1', 8080))
    held = listener.accept()[0]
    left.shutdown(socket.SHUT_WR)
    gone.shutdown(socket.SHUT_WR)
    return listener, left, gone, held


def prepare(cases, where):
    shutil.copytree(cases / 'close-wait-leaked-fd/look', where / 'look', symlinks=True)
    shutil.copy(cases / 'close-wait-leaked-fd/capture.pcap', where)
    subprocess.run(['gzip', '-k', 'capture.pcap'], cwd=where, check=True)
    if shutil.which('zstd'):
        subprocess.run('tar -C look -cf - . | zstd -q -o look.snap', shell=True, cwd=where, check=True)


def main():
    if sys.argv[1:] == ['--neighbour']:
        return 0 if live_next_door() else 1
    is_live = isolate(sys.argv)
    sockets = (*make_sockets(), make_neighbour()) if is_live else ()
    is_all = '--all' in sys.argv
    only = re.compile(sys.argv[sys.argv.index('--only') + 1] if '--only' in sys.argv else '.')
    fault, malloc, tool, cases = (pathlib.Path(word).resolve() for word in sys.argv[1:5])
    with tempfile.TemporaryDirectory() as tmp:
        where = pathlib.Path(tmp)
        prepare(cases, where)
        sweep = Sweep(fault, malloc, tool, where)
        if sweep.run(OPENS, 0, 'EIO', ['--version']).status == SKIP:
            print('1..0 # SKIP no seccomp notifications here')
            return 0
        for name, argv in commands(where, is_live):
            if only.search(name):
                wrong, n = sweep_command(sweep, name, argv, is_all)
                check(f'{name}: {n} faults', wrong)
        for name, argv in commands(where, False):
            check(f'{name}: full disk', list(full_disk(tool, argv)))
            check(f'{name}: closed pipe', list(closed_pipe(tool, argv)))
        print(f'# {sweep.n_runs} runs, live sockets held: {bool(sockets)}')
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


sys.exit(main())

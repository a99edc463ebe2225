"""`tcpwhy check --state`: what the kernel counts is judged by what came since the last look: rising.py TCPWHY.
Prints TAP.

Each counter is far above zero before the first look, which nobody must be woken for.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import stage

PORT = 8080
PATIENCE_S = 30
QUICK = ('--min-age', '0')  # a second is then enough to compare
NAMES = ['accept-queue.overflows', 'orphans.aborts', 'tw-buckets.overflows']


def sysctl(name, value):
    pathlib.Path('/proc/sys/net/ipv4', name).write_text(str(value), encoding='ascii')


def counter(name):
    lines = [line.split() for line in pathlib.Path('/proc/net/netstat').read_text(encoding='ascii').splitlines()]
    return int(lines[1][lines[0].index(name)])


def run(tool, *args):
    tool = tool if isinstance(tool, list) else [tool]
    return subprocess.run([*tool, 'check', *QUICK, *args], capture_output=True, text=True, timeout=60, check=False)


def plain(p):
    return f'{p.returncode}\n{p.stdout}\n{p.stderr}'


def row(p, name):
    return next(c for c in json.loads(p.stdout)['checks'] if c['name'] == name)


def soon():
    """Until a look can be compared with the last one, which is not a matter of anything that happens."""
    time.sleep(1.1)


def again(state):
    """A copy, to be compared with as often as one likes: a look of some age takes its place."""
    return shutil.copy(state, state + '.copy')


def close_first(n):
    """n connections that end here, in TIME-WAIT where there is a place for it."""
    with socket.create_server(('127.0.0.1', PORT), backlog=10) as listener:
        for _ in range(n):
            with socket.create_connection(('127.0.0.1', PORT)) as peer:
                listener.accept()[0].close()
                assert peer.recv(1) == b''


def test_time_wait(tool, state):
    sysctl('tcp_max_tw_buckets', 20)
    close_first(320)
    before = counter('TCPTimeWaitOverflow')
    p = run(tool, '-v', '-w', 'tw-buckets.share=~:')
    stage.check('overflows of long ago, and no state: it is said that growth is not known',
                before >= 300 and p.returncode == 0 and not p.stderr and re.search(
                    rf'^tw-buckets.overflows: not watched - {before} since the kernel began to count; growth shows with --state$', p.stdout, re.M), plain(p))
    others = '-w', 'tw-buckets.share=~:'
    p = run(tool, *others, '--state', state)
    stage.check('the first look has nothing to compare', p.returncode == 0 and
                '; growth shows from the next look on' in p.stdout and 'overflows' not in p.stdout.split(' | ')[0], plain(p))
    soon()
    p = run(tool, *others, '--state', again(state), '-v')
    stage.check('overflows of long ago are none', p.returncode == 0 and "'tw-buckets.overflows'=0;0;;0;" in p.stdout and
                'tw-buckets.overflows: OK - no connection had to end' in p.stdout, plain(p))
    close_first(25)
    gained = counter('TCPTimeWaitOverflow') - before
    p = run(tool, *others, '--state', again(state))
    stage.check('overflows of now are', p.returncode == 1 and p.stdout.startswith(
        f'WARNING - {gained} connections ended without TIME-WAIT in ') and 'tcpwhy why state time-wait' in p.stdout and
        5 <= gained <= 25, [gained, plain(p)])
    found = row(run(tool, *others, '--state', again(state), '--json'), NAMES[2])
    stage.check('in the JSON', found['status'] == 'WARNING' and found['value'] > 0 and found['unit'] == '/min' and
                found['worst']['kind'] == 'host' and found['worst']['netns'] == os.stat('/proc/self/ns/net').st_ino, found)
    p = run(tool, '-w', 'tw-buckets.share=~:,tw-buckets.overflows=~:', '--state', again(state))
    stage.check('never, if so asked', p.returncode == 0, plain(p))
    p = run(tool, *others, '--state', again(state), '--format', 'prometheus')
    stage.check('the metric is the counter', f'\ntcpwhy_time_wait_overflows_total {before + gained}\n' in p.stdout and
                '\ntcpwhy_check_status{check="tw-buckets.overflows"} 1\n' in p.stdout and
                'tcpwhy_tw_buckets_overflows' not in p.stdout, plain(p))
    sysctl('tcp_max_tw_buckets', 10000)
    os.unlink(state)
    run(tool, *others, '--state', state)
    close_first(25)
    soon()
    p = run(tool, *others, '--state', state)
    stage.check('as many with places left are well', p.returncode == 0 and "'tw-buckets.overflows'=0;0;;0;" in p.stdout, plain(p))


@contextlib.contextmanager
def knocking(n):
    """Clients of PORT that do not wait to be let in."""
    clients = [socket.socket() for _ in range(n)]
    for s in clients:
        s.setblocking(False)
        s.connect_ex(('127.0.0.1', PORT))
    yield
    for s in clients:
        s.close()


def overflow(listener, n):
    """A full queue, and empty again before anybody looks."""
    before = counter('ListenOverflows')
    with knocking(n + 5):
        deadline = time.monotonic() + PATIENCE_S
        while counter('ListenOverflows') < before + n:
            assert time.monotonic() < deadline, 'no overflow'
            time.sleep(0.02)
    listener.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()


def test_queue(tool, state):
    with socket.create_server(('127.0.0.1', PORT), backlog=3) as listener, \
            socket.create_server(('127.0.0.1', PORT + 1), backlog=3):
        overflow(listener, 100)
        run(tool, '--state', state)
        soon()
        p = run(tool, '--state', again(state))
        stage.check('overflows of a queue, long ago', p.returncode == 0 and "'accept-queue.overflows'=0;10;60;0;" in p.stdout,
                    plain(p))
        overflow(listener, 100)
        p = run(tool, '--state', again(state))
        stage.check('overflows of a queue, now, though it is empty again', p.returncode == 2 and re.match(
            rf'CRITICAL - \d\d\d attempts to connect turned away in .*, likely by \S+\[{os.getpid()}\] at 127\.0\.0\.1:{PORT}: ',
            p.stdout) and "'accept-queue.share'=0%" in p.stdout and f'tcpwhy why pid {os.getpid()}' in p.stdout, plain(p))
    p = run(tool, '--state', again(state), '-v')
    stage.check('and a listener that is gone is not named', p.returncode == 2 and re.match(
        r'CRITICAL - \d\d\d attempts to connect turned away in .* by full accept queues: ', p.stdout) and
                '\n  to do: see what it does' in p.stdout, plain(p))


PRIVATE = ['unshare', '-m', '--propagation', 'private']


def test_aborts(tool, state, tmp):
    """tcp_max_orphans is the whole machine's, so this counter is raised in what is put over /proc/PID/net."""
    if subprocess.run([*PRIVATE, 'true'], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return
    net = pathlib.Path(tmp, 'net')
    net.mkdir()
    for name in 'netstat', 'snmp', 'sockstat':
        (net / name).write_text(pathlib.Path('/proc/net', name).read_text(encoding='ascii'), encoding='ascii')
    over = [*PRIVATE, 'sh', '-c', 'mount --bind "$0" /proc/$$/task/$$/net && exec "$@"', str(net)]

    def look(kept, aborts):
        lines = (net / 'netstat').read_text(encoding='ascii').splitlines()
        values = lines[1].split()
        values[lines[0].split().index('TCPAbortOnMemory')] = str(aborts)
        (net / 'netstat').write_text('\n'.join([lines[0], ' '.join(values), *lines[2:]]) + '\n', encoding='ascii')
        return run([*over, tool], '--state', again(kept) if os.path.exists(kept) else kept)

    look(state, 1000)
    soon()
    p = look(state, 1000)
    stage.check('resets for want of memory, long ago', p.returncode == 0 and "'orphans.aborts'=0;0;0;0;" in p.stdout, plain(p))
    p = look(state, 1003)
    stage.check('resets for want of memory, now', p.returncode == 2 and
                p.stdout.startswith('CRITICAL - 3 connections were reset for want of memory in '), plain(p))
    p = look(state, 7)
    stage.check('a counter that fell is not compared', p.returncode == 0 and "'orphans.aborts'=U" in p.stdout, plain(p))
    (net / 'netstat').unlink()
    p = run([*over, tool], '--state', again(state))
    stage.check('a counter that cannot be read is not fine', p.returncode == 3 and
                'UNKNOWN - the counters of TCP cannot be read' in p.stdout and
                all(f'{n} UNKNOWN' in p.stdout for n in NAMES[1:]), plain(p))


def main():
    stage.enter()
    with tempfile.TemporaryDirectory() as tmp:
        tool = os.path.abspath(sys.argv[1])
        test_time_wait(tool, os.path.join(tmp, 'time-wait'))
        test_queue(tool, os.path.join(tmp, 'queue'))
        test_aborts(tool, os.path.join(tmp, 'aborts'), tmp)
    return stage.end()


sys.exit(main())

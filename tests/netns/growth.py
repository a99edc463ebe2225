"""`tcpwhy check --state`: leaks are told before they are full, busy health is not: growth.py TCPWHY. Prints TAP.

The leaks are real, with a pace of their own, and the last one runs into its limit.
"""

import contextlib
import errno
import json
import os
import pathlib
import resource
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import stage

PORT = 8080
QUICK = ('--min-age', '24s')  # four seconds are then enough to compare


def paced(rate):
    """Yields 0, 1, 2 … at `rate` a second, whatever the work in between takes."""
    begin, n = time.monotonic(), 0
    while True:
        yield n
        n += 1
        time.sleep(max(0, begin + n / rate - time.monotonic()))


def is_over():
    return select.select([sys.stdin], [], [], 0)[0]


def play_leak(rate, limit):
    """Never closes what its peers have closed, until no descriptor is left."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    listener = socket.create_server(('127.0.0.1', PORT), backlog=10)
    socks = []
    print('ready', flush=True)
    for _ in paced(rate):
        try:
            peer = socket.create_connection(('127.0.0.1', PORT))
            socks.append(listener.accept()[0])
        except OSError as e:
            assert e.errno == errno.EMFILE, e
            break
        peer.close()
        if is_over():
            return
    print(f'{time.monotonic()}', flush=True)
    sys.stdin.read()


def play_proxy(rate, first):
    """Connections that are closed at once, here first; some others stay, as pools do."""
    listener = socket.create_server(('127.0.0.1', PORT), backlog=10)
    pool = [(socket.create_connection(('127.0.0.1', PORT)), listener.accept()[0]) for _ in range(20)]
    for n in paced(rate):
        if n == first:
            print('ready', flush=True)
        peer = socket.create_connection(('127.0.0.1', PORT))
        served = listener.accept()[0]
        peer.close()
        served.close()
        if is_over():
            break
    assert pool


@contextlib.contextmanager
def playing(*args):
    with subprocess.Popen([sys.executable, '-B', __file__, '--play', *map(str, args)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == 'ready\n', 'it did not begin'
        yield p
        p.stdin.close()
    subprocess.run(['ss', '-K', '-Hnt'], stdout=subprocess.DEVNULL, check=True)


def run(tool, *args, **more):
    return subprocess.run([tool, 'check', *args], capture_output=True, text=True, timeout=60, **more)


def plain(p):
    return f'{p.returncode}\n{p.stdout}\n{p.stderr}'


def row(p, name):
    return next(c for c in json.loads(p.stdout)['checks'] if c['name'] == name)


def sysctl(name, value):
    pathlib.Path('/proc/sys/net/ipv4', name).write_text(value, encoding='ascii')


def until(begin, seconds):
    time.sleep(max(0, begin + seconds - time.monotonic()))


def test_leak(tool, state):
    """The default thresholds, and none of their time is up: five a second, 1024 descriptors."""
    with playing('leak', 5, 1024) as leak:
        begin = time.monotonic()
        p = run(tool, '--state', state)
        stage.check('leak: nothing to compare yet', p.returncode == 0 and 'growth shows from the next look on' in p.stdout and
                    "'close-wait.left'=U" in p.stdout, plain(p))
        p = run(tool, '--state', state, '-v')
        stage.check('leak: too early', p.returncode == 0 and
                    'close-wait.left: not judged - the last look is too recent' in p.stdout, plain(p))
        until(begin, 13)
        p = run(tool, '--state', state)
        open_now = len(os.listdir(f'/proc/{leak.pid}/fd'))
        truth = (1024 - open_now) / 5
        stage.check('leak: critical while most is free', p.returncode == 2 and open_now < 512 and
                    p.stdout.startswith(f'CRITICAL - python3[{leak.pid}] gains ') and ': EMFILE in ' in p.stdout and
                    f'tcpwhy why pid {leak.pid}' in p.stdout, plain(p))
        p = run(tool, '--state', state, '--json')
        left = row(p, 'close-wait.left')
        stage.check('leak: within a fifth of the truth', abs(left['value'] - truth) <= truth / 5 and
                    left['worst']['pid'] == leak.pid and left['rule'].startswith('close-wait-'), [left, truth])
        p = run(tool, '--state', state, '--format', 'prometheus')
        stage.check('leak: metric', f'\ntcpwhy_close_wait_left_seconds {int(left["value"] / 100)}'[:-1] in p.stdout and
                    'HELP tcpwhy_close_wait_left_seconds Until' in p.stdout, plain(p))
        p = run(tool, '--state', state, '-c', 'close-wait.left=1m:', '-w', 'close-wait.left=~:')
        stage.check('leak: other ranges', p.returncode == 0, plain(p))
        p = run(tool)
        stage.check('leak: without a state it is not looked for', p.returncode == 0 and
                    'growth' not in p.stdout and 'none of 14 checks' not in p.stdout, plain(p))
        lines = run(tool, '-v').stdout.splitlines()[1:]
        stage.check('leak: nor called OK', 'close-wait.left: not watched - growth shows with --state' in lines and
                    'ports.left: not watched - growth shows with --state' in lines and
                    not any('--state' in line and ': not watched - ' not in line for line in lines), lines)


def is_near(value, low, high):
    """Within a fifth of the truth, of which a busy machine leaves us two bounds."""
    return value is not None and low * 0.8 <= value <= high * 1.2


def test_end(tool, state):
    """The prediction against what happens."""
    with playing('leak', 20, 300) as leak:
        run(tool, *QUICK, '--state', state)
        until(time.monotonic(), 5)
        before = time.monotonic()
        left = row(run(tool, *QUICK, '--state', state, '--json'), 'close-wait.left')
        after = time.monotonic()
        end = float(leak.stdout.readline())
        stage.check('the end comes when it was said', is_near(left['value'], end - after, end - before),
                    [left, end - after, end - before])


def test_proxy(tool, state):
    sysctl('tcp_tw_reuse', '0')
    sysctl('ip_local_port_range', '20000 32499')
    with playing('proxy', 180, 1800):
        run(tool, *QUICK, '--state', state)
        until(time.monotonic(), 5)
        p = run(tool, *QUICK, '--state', state, '-v')
        stage.check('a busy proxy is well', p.returncode == 0 and
                    'ports.left: OK - nothing grows towards its limit' in p.stdout, plain(p))
        p = run(tool, '--json')
        stage.check('and has thousands of TIME-WAITs', row(p, 'tw-buckets.share')['used'] > 2000, p.stdout)
        sysctl('ip_local_port_range', '20000 28191')  # of which a minute of that rate is too much
        os.unlink(state)
        at = [time.monotonic()]
        used = row(run(tool, *QUICK, '--state', state, '--json'), 'ports.share')['used']
        at.append(time.monotonic())
        # The pace of the last ten seconds counts as well: they must lie behind the first look, which on a busy
        # machine keeps the proxy from its work.
        until(at[1], 12)
        at.append(time.monotonic())
        p = run(tool, *QUICK, '--state', state, '--json')
        at.append(time.monotonic())
        left, now = row(p, 'ports.left'), row(p, 'ports.share')['used']
        each = (8192 - now) / (now - used)
        truth = each * (at[2] - at[1]), each * (at[3] - at[0])
        stage.check('until its ports will not do', p.returncode == 2 and left['status'] == 'CRITICAL' and
                    left['worst']['peer']['port'] == PORT and
                    is_near(left['value'], *truth), [left, truth])


def test_file(tool, tmp, state):
    checks = [subprocess.Popen([tool, 'check', '--min-age', '0', '--state', state], stdout=subprocess.DEVNULL)
              for _ in range(12)]
    stage.check('twelve at once: all well', [p.wait(60) for p in checks] == [0] * 12)
    stage.check('twelve at once: one whole file', json.loads(pathlib.Path(state).read_text())['complete'] and
                sorted(os.listdir(tmp)) == ['state', 'tcpwhy'], os.listdir(tmp))
    good = pathlib.Path(state).read_text()
    for text in '', 'tcpwhy', good[:-3], good.replace('state/1', 'state/9'), '{"a":' * 5000, 'x' * 2000000:
        pathlib.Path(state).write_text(text)
        p = run(tool, '--state', state)
        stage.check(f'damaged ({len(text)}): said and replaced', p.returncode == 0 and f'{state}: damaged' in p.stdout and
                    json.loads(pathlib.Path(state).read_text())['schema'] == 'tcpwhy.state/1', plain(p))
    other = json.loads(good)
    other['boot_id'] = 'another'
    pathlib.Path(state).write_text(json.dumps(other))
    p = run(tool, '--state', state)
    stage.check('of another boot: a new beginning', p.returncode == 0 and 'growth shows from the next look on' in p.stdout and
                json.loads(pathlib.Path(state).read_text())['boot_id'] != 'another', plain(p))
    other = json.loads(good)
    other['uptime_ms'] *= 100
    pathlib.Path(state).write_text(json.dumps(other))
    p = run(tool, '--state', state)
    stage.check('of a time to come: a new beginning', p.returncode == 0 and 'growth shows from the next look on' in p.stdout and
                json.loads(pathlib.Path(state).read_text())['uptime_ms'] < other['uptime_ms'], plain(p))
    os.unlink(state)
    target = pathlib.Path(tmp, 'target')
    target.write_text('mine')
    os.symlink(target, state)
    p = run(tool, '--state', state)
    stage.check('a link is not followed', p.returncode == 0 and 'a link' in p.stdout and target.read_text() == 'mine' and
                not os.path.islink(state), plain(p))
    os.unlink(target)
    os.unlink(state)
    os.mkfifo(state)
    p = run(tool, '--state', state)
    stage.check('a pipe is not waited for', p.returncode == 0 and 'no plain file' in p.stdout and
                os.path.isfile(state), plain(p))
    os.chown(state, stage.NOBODY, stage.NOBODY)
    p = run(tool, '--state', state)
    stage.check('of another user: not believed', p.returncode == 0 and "somebody else's" in p.stdout and
                os.stat(state).st_uid != stage.NOBODY, plain(p))
    p = run(tool, '--state', os.path.join(tmp, 'new'), **stage.AS_NOBODY)
    stage.check('not ours to write', p.returncode == 3 and p.stdout.startswith('UNKNOWN - ') and
                'ermission denied' in p.stdout, plain(p))
    p = run(tool, '--state', os.path.join(tmp, 'none', 'state'))
    stage.check('no such folder', p.returncode == 3 and 'No such file' in p.stdout, plain(p))
    prom = os.path.join(tmp, 'prom')
    for where, value in (state, 0), (os.path.join(tmp, 'none', 'state'), 3):
        os.chown(state, 0, 0)
        p = run(tool, '--format', 'prometheus', '--state', where, '-o', prom)
        text = pathlib.Path(prom).read_text()
        stage.check(f'metrics: a state that is written or not: {value}', p.returncode == 0 and not p.stdout and
                    all(f'\ntcpwhy_check_status{{check="{name}"}} {value}\n' in text
                        for name in ('close-wait.left', 'ports.left', 'tw-buckets.overflows')) and
                    '\ntcpwhy_check_status{check="close-wait.age"} 0\n' in text and
                    (f'{where}: No such file' in p.stderr) == (value == 3) and p.stderr.count('\n') <= 1, plain(p) + text)
    os.unlink(prom)
    gaps = json.loads(run(tool, '--state', tmp, '--json').stdout)['gaps']
    stage.check('a folder: in the JSON', any(g['what'] == 'state' and g['object'] == tmp for g in gaps), gaps)
    stage.check('nothing is left behind', sorted(os.listdir(tmp)) == ['state', 'tcpwhy'], os.listdir(tmp))


def main():
    if sys.argv[1] == '--play':
        {'leak': play_leak, 'proxy': play_proxy}[sys.argv[2]](*map(int, sys.argv[3:]))
        return 0
    stage.enter()
    with tempfile.TemporaryDirectory() as tmp:
        os.chmod(tmp, 0o755)
        tool = shutil.copy(sys.argv[1], pathlib.Path(tmp, 'tcpwhy'))  # where every user may run it
        state = os.path.join(tmp, 'state')
        test_file(tool, tmp, state)
        for test in test_leak, test_end, test_proxy:
            os.unlink(state)
            test(tool, state)
    return stage.end()


sys.exit(main())

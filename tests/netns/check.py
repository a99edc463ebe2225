"""`tcpwhy check` as monitoring runs it: check.py TCPWHY. Prints TAP; nothing where no namespace may be made.

Everything runs in a network namespace that this script makes and that dies with it.
"""

import contextlib
import json
import os
import pathlib
import re
import resource
import select
import shutil
import socket
import subprocess
import sys
import tempfile

import stage

PORT = 8080
NAMES = ['close-wait.left', 'close-wait.nofile', 'close-wait.count', 'close-wait.age', 'ports.left', 'ports.share', 'accept-queue.share',
         'accept-queue.overflows', 'orphans.share', 'orphans.aborts', 'conntrack.share', 'tw-buckets.share', 'tw-buckets.overflows',
         'fin-wait-2.held.age']
NUMBER = r'-?\d+(\.\d+)?'
RANGE = rf'(@?(~:|{NUMBER}:)?({NUMBER})?)?'
PERFDATA = re.compile(rf"'([^'=]+)'=(U|({NUMBER})(s|%)?;{RANGE};{RANGE};({NUMBER})?;({NUMBER})?)")
WORDS = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN']

# The sockets.

def play(name, limit, n, last):
    """Accepts n connections whose peers close, and never closes them. The limit may be another one in the end."""
    os.write(os.open('/proc/self/comm', os.O_WRONLY), name.encode())
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    listener = socket.create_server(('127.0.0.1', PORT), backlog=10)
    socks = []
    for _ in range(n):
        peer = socket.create_connection(('127.0.0.1', PORT))
        socks.append(listener.accept()[0])
        peer.close()
    poll = select.poll()
    for s in socks:
        poll.register(s, select.POLLRDHUP)
        assert poll.poll(20000)
        poll.unregister(s)
        assert s.recv(1) == b''
    resource.setrlimit(resource.RLIMIT_NOFILE, (last, last))
    print(os.getpid(), flush=True)
    sys.stdin.read()


@contextlib.contextmanager
def leak(name, limit, n, last=None):
    with subprocess.Popen([sys.executable, '-B', __file__, '--play', name, str(limit), str(n),
                           str(limit if last is None else last)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        line = p.stdout.readline()
        assert line, 'the sockets were not made'
        yield int(line)
        p.stdin.close()
    subprocess.run(['ss', '-K', '-Hnt', 'state', 'connected'], stdout=subprocess.DEVNULL, check=True)


# The tool.

def run(tool, *args, **more):
    return subprocess.run([tool, *args], capture_output=True, text=True, timeout=60, **more)


def is_plugin_output(p):
    """One line, its state word is its status, and perfdata by the grammar for every check."""
    first, _, rest = p.stdout.partition('\n')
    text, bar, perfdata = first.partition(' | ')
    found = [PERFDATA.fullmatch(x) for x in perfdata.split(' ')] if bar else []
    return p.returncode in range(4) and text.startswith(WORDS[p.returncode] + ' - ') and '|' not in rest and \
        all(found) and (not bar or [m[1] for m in found] == NAMES)


def plain(p):
    return f'{p.returncode}\n{p.stdout}\n{p.stderr}'


def expect(name, p, status, *words):
    stage.check(name, p.returncode == status and is_plugin_output(p) and all(w in p.stdout for w in words), plain(p))


def test_leak(tool, tmp):
    with leak('leaky', 1024, 900) as pid:
        p = run(tool, 'check')
        expect('leak: critical', p, 2, f'CRITICAL - leaky[{pid}] holds 900 CLOSE-WAIT', f'tcpwhy why pid {pid}')
        stage.check('leak: what matters fits into a pager', p.stdout.index(': tcpwhy why pid') < 80, plain(p))
        stage.check('leak: one line', p.stdout.count('\n') == 1 and not p.stderr, plain(p))
        p = run(tool, 'check', '-v')
        stage.check('what this namespace cannot tell is not called OK', '\norphans.share: not judged - ' in p.stdout, p.stdout)
        lines = p.stdout.splitlines()[1:]
        stage.check('leak: -v, a line a check', is_plugin_output(p) and
              all(any(line.startswith(name + ': ') for line in lines) for name in NAMES), plain(p))
        p = run(tool, 'check', '--json')
        report = json.loads(p.stdout)
        worst = report['checks'][1]
        stage.check('leak: json', p.returncode == 2 and report['schema'] == 'tcpwhy.check/1' and
              report['status'] == 'CRITICAL' and report['complete'] is True and list(report)[-1] == 'complete' and
              [c['name'] for c in report['checks']] == NAMES, p.stdout)
        stage.check('leak: json, the culprit', worst['worst']['pid'] == pid and worst['worst']['comm'] == 'leaky' and
              (worst['used'], worst['limit']) == (900, 1024) and worst['status'] == 'CRITICAL' and
              round(worst['value'], 1) == 87.9, worst)
        never = 'close-wait.nofile=~:'
        expect('leak: never, if so asked', run(tool, 'check', '-w', never, '-c', never), 0)
        expect('leak: a warning', run(tool, 'check', '-c', never), 1, f'leaky[{pid}]')
        expect('leak: old ones', run(tool, 'check', '--min-age', '0', '-w', never, '-c', never), 1,
               f'WARNING - leaky[{pid}] holds 900 CLOSE-WAIT that are old')
        expect('leak: age', run(tool, 'check', '-w', never, '-c', never + ',close-wait.age=@0:1h'), 2,
               f'CRITICAL - leaky[{pid}] holds a CLOSE-WAIT for')
        test_user(tool, pid)
    expect('nothing left', run(tool, 'check'), 0)
    with leak('a|b\n\x1b[2J=1', 100, 60) as pid:
        p = run(tool, 'check')
        test_prometheus(tool, tmp)
        expect('a hostile name', p, 2, f'CRITICAL - a\\x7cb\\x0a\\x1b[2J=1[{pid}] holds 60 ')
    for last in 0, 1:
        with leak('confined', 1024, 1, last):
            expect(f'one of {last} descriptors is no leak', run(tool, 'check'), 0)
    with leak('confined', 1024, 10, 1) as pid:
        expect('ten are', run(tool, 'check'), 2, f'CRITICAL - confined[{pid}] holds 10 CLOSE-WAIT, 1000 % of 1 descriptors')
    with leak('small', 1024, 100):
        expect('100 of 1024 are no leak yet', run(tool, 'check'), 0)


SAMPLE = re.compile(r'(tcpwhy_[a-z0-9_]+)(\{([a-z]+="([^"\\\n]|\\[\\"n])*",?)+\})? (?P<value>\d+(?:\.\d+)?)')
COMMENT = re.compile(r'# (HELP tcpwhy_[a-z0-9_]+ .+|TYPE tcpwhy_[a-z0-9_]+ (gauge|counter))')


def samples(text):
    """name and labels -> value; None where a line is neither a sample nor a comment."""
    found = {}
    for line in text.splitlines():
        m = SAMPLE.fullmatch(line)
        if m:
            found[m[1] + (m[2] or '')] = float(m['value'])
        elif not COMMENT.fullmatch(line):
            return None
    return found


# What the parsers of Prometheus' own library find: [[name and labels, value] …]; they raise on what is not right.
PARSE = '''
import importlib, json, sys
parse = importlib.import_module(sys.argv[1]).text_string_to_metric_families
print(json.dumps([[s.name, sorted(s.labels.items()), s.value] for f in parse(sys.stdin.read()) for s in f.samples]))
'''
PARSERS = {'prometheus': 'prometheus_client.parser', 'openmetrics': 'prometheus_client.openmetrics.parser'}


def parser_python():
    """One that has the library: a distribution's package is seen by its own python3 alone."""
    for python in [os.path.join(folder, 'python3') for folder in os.environ['PATH'].split(':')]:
        if os.path.exists(python) and subprocess.run([python, '-c', 'import prometheus_client'], stderr=subprocess.DEVNULL,
                                                     check=False).returncode == 0:
            return python
    return None


def test_parsers(texts):
    """Both dialects by parsers of others, which must find the same in them; and not in what is cut."""
    python, found = parser_python(), {}
    if not python:
        print('# no prometheus_client here')
        return
    for dialect, text in texts.items():
        p = subprocess.run([python, '-c', PARSE, PARSERS[dialect]], input=text, capture_output=True, text=True, check=False)
        found[dialect] = p.returncode == 0 and json.loads(p.stdout)
        stage.check(f'{dialect}: parser of prometheus_client', found[dialect] and len(found[dialect]) > 30 and
                    ['tcpwhy_owner_close_wait_connections', 60.0] in [[name, n] for name, _, n in found[dialect]], plain(p))
    # Of two looks: ages differ.
    names = [[[name, labels] for name, labels, _ in found[dialect] or []] for dialect in PARSERS]
    stage.check('both parsers find the same', names[0] == names[1], names)
    cut = texts['openmetrics'].replace('# EOF\n', '')
    stage.check('openmetrics: a cut text is refused', subprocess.run([python, '-c', PARSE, PARSERS['openmetrics']], input=cut, text=True,
                                                                     capture_output=True, check=False).returncode != 0)


def test_openmetrics(tool, text):
    """The same samples as in the other dialect, and what OpenMetrics asks for besides."""
    p = run(tool, 'check', '--format', 'openmetrics', '--top', '5')
    lines = p.stdout.splitlines()
    units = dict(line.split()[2:] for line in lines if line.startswith('# UNIT '))
    types = dict(line.split()[2:] for line in lines if line.startswith('# TYPE '))
    names = {line.split('{')[0].split(' ')[0] for line in lines if not line.startswith('#')}
    test_parsers({'prometheus': text, 'openmetrics': p.stdout})
    stage.check('openmetrics: status and end', p.returncode == 2 and lines[-1] == '# EOF' and lines.count('# EOF') == 1,
          plain(p))
    stage.check('openmetrics: units end names', units and all(n.endswith('_' + u) for n, u in units.items()) and
          all(n in types for n in units), units)
    stage.check('openmetrics: families', {n + '_total' * (t == 'counter') for n, t in types.items()} == names and
          'counter' in types.values(), [types, sorted(names)])
    bare = '\n'.join(line for line in lines if not line.startswith('# '))
    stage.check('openmetrics: the same samples', set(samples(bare)) == set(samples(text)), bare)
    p = run(tool, 'check', '--format', 'openmetrics', '-w', 'nonsense=5')
    stage.check('openmetrics: a failure is whole, too', p.returncode == 3 and p.stdout.endswith(
        'tcpwhy_look_complete 0\n# EOF\n') and p.stdout.startswith('# HELP '), plain(p))


def test_prometheus(tool, tmp):
    p = run(tool, 'check', '--format', 'prometheus')
    found = samples(p.stdout) or {}
    stage.check('prometheus: status', p.returncode == 2 and found.get('tcpwhy_check_status{check="close-wait.nofile"}') == 2,
          plain(p))
    stage.check('prometheus: value and limit', found.get('tcpwhy_close_wait_nofile_used') == 60 and
          found.get('tcpwhy_close_wait_nofile_limit') == 100 and found.get('tcpwhy_close_wait_nofile_ratio') == 0.6 and
          found.get('tcpwhy_sockets{state="CLOSE-WAIT"}') == 60 and found.get('tcpwhy_look_complete') == 1, plain(p))
    hidden = samples(run(tool, 'check', '--format', 'prometheus', **stage.AS_NOBODY).stdout) or {}
    stage.check('prometheus: what is unknown has no sample', 'tcpwhy_close_wait_nofile_ratio' not in hidden and
          hidden.get('tcpwhy_check_status{check="close-wait.nofile"}') == 3, hidden)
    top = run(tool, 'check', '--format', 'prometheus', '--top', '5')
    stage.check('prometheus: --top, and a hostile name', samples(top.stdout) and
          r'{comm="a|b\\x0a\\x1b[2J=1",unit="' in top.stdout and '"} 60\n' in top.stdout, plain(top))
    test_openmetrics(tool, top.stdout)
    if shutil.which('promtool'):
        lint = subprocess.run(['promtool', 'check', 'metrics'], input=p.stdout, capture_output=True, text=True, check=False)
        stage.check('prometheus: promtool', lint.returncode == 0 and not lint.stdout + lint.stderr, plain(lint))
    folder = pathlib.Path(tmp, 'textfiles')
    folder.mkdir()
    out = folder / 'tcpwhy.prom'
    out.write_text('old\n')
    p = run(tool, 'check', '--format', 'prometheus', '-o', str(out), umask=0o077)
    stage.check('prometheus: -o', p.returncode == 0 and not p.stdout + p.stderr and samples(out.read_text()) and
          out.stat().st_mode & 0o777 == 0o644 and list(folder.iterdir()) == [out], plain(p))
    p = run(tool, 'check', '--format', 'prometheus', '-o', str(folder))
    stage.check('prometheus: -o a folder', p.returncode == 3 and p.stderr.startswith('tcpwhy: '), plain(p))
    folder.chmod(0o755)
    p = run(tool, 'check', '--format', 'prometheus', '-o', str(out), **stage.AS_NOBODY)
    stage.check('prometheus: -o forbidden', p.returncode == 3 and 'ermi' in p.stderr, plain(p))
    stage.check('prometheus: nothing is left behind', list(folder.iterdir()) == [out] and
          not list(pathlib.Path(tmp).glob('.tcpwhy-*')), list(pathlib.Path(tmp).rglob('*')))
    p = run(tool, 'check', '--format', 'prometheus', '-o', 'tcpwhy.prom', cwd=folder)
    stage.check('prometheus: -o without a folder', p.returncode == 0 and list(folder.iterdir()) == [out], plain(p))
    device = folder / 'device'
    device.symlink_to('/dev/null')
    p = run(tool, 'check', '--format', 'prometheus', '-o', str(device))
    stage.check('prometheus: -o a link to a device', p.returncode == 3 and 'it is not replaced' in p.stderr and device.is_symlink(), plain(p))
    device.unlink()
    device.symlink_to('/proc/self/fd/1')  # as /dev/stdout is
    with open(os.path.join(tmp, 'redirected'), 'w+', encoding='utf-8') as to:
        p = subprocess.run([tool, 'check', '--format', 'prometheus', '-o', str(device)], stdout=to, stderr=subprocess.PIPE,
                           text=True, check=False)
        stage.check('prometheus: -o a link to the file behind stdout', p.returncode == 3 and 'it is not replaced' in p.stderr and
                    device.is_symlink(), plain(p))
    device.unlink()
    before = out.read_text()
    never = os.path.join(tmp, 'never')
    p = run(tool, 'check', '--format', 'prometheus', '-o', str(out), '-t', '200ms', '-N', never)
    stage.check('prometheus: the time limit leaves the old file', p.returncode == 3 and out.read_text() == before and
          list(folder.iterdir()) == [out], plain(p))


def test_user(tool, pid):
    p = run(tool, 'check', **stage.AS_NOBODY)
    expect('normal user: who holds them is unknown', p, 3, 'UNKNOWN - ', 'root')
    inside = 'close-wait.nofile=@10:90'
    expect('normal user: a range in between', run(tool, 'check', '-w', inside, '-c', inside, **stage.AS_NOBODY), 3, 'UNKNOWN - ', 'root')
    expect('root: a range in between', run(tool, 'check', '-w', inside, '-c', inside), 2, f'leaky[{pid}]')
    never = 'close-wait.nofile=~:'
    p = run(tool, 'check', '--format', 'prometheus', '-w', never, '-c', never, **stage.AS_NOBODY)
    stage.check('normal user: no value is made up where nobody asks', 'tcpwhy_close_wait_nofile_ratio' not in p.stdout and
                'status{check="close-wait.nofile"} 0\n' in p.stdout, plain(p))
    p = run(tool, 'check', '-c', 'close-wait.age=@0:1h', **stage.AS_NOBODY)
    expect('normal user: an age needs no owner', p, 2, 'CRITICAL - a process that cannot be seen')
    stage.check('normal user: no name is made up', f'[{pid}]' not in p.stdout, plain(p))
    p = run(tool, 'check', '-A', **stage.AS_NOBODY)
    stage.check('normal user: other namespaces are missing, and why', p.returncode == 3 and is_plugin_output(p) and
                re.search('not all sockets could be seen: /proc/\\S+: ', p.stdout), plain(p))
    p = run(tool, 'check', '--json', **stage.AS_NOBODY)
    report = json.loads(p.stdout)
    stage.check('normal user: json', p.returncode == 3 and report['checks'][1]['status'] == 'UNKNOWN' and
          report['checks'][1]['unknown'] and any(g['what'] == 'owners' for g in report['gaps']), p.stdout)


def test_time_wait(tool):
    """A busy and healthy server that closes first."""
    listener = socket.create_server(('127.0.0.1', PORT), backlog=10)
    for _ in range(2000):
        peer = socket.create_connection(('127.0.0.1', PORT))
        listener.accept()[0].close()
        assert peer.recv(1) == b''
        peer.close()
    p = run(tool, 'check')
    expect('2000 TIME-WAITs', p, 0)
    # Less those whose port a client of later was given again.
    left = int(re.match(r'OK - (\d+) sockets in teardown states', p.stdout)[1])
    stage.check('2000 TIME-WAITs are counted', 1000 < left <= 2000, plain(p))
    expect('2000 TIME-WAITs, normal user', run(tool, 'check', **stage.AS_NOBODY), 0)
    expect('2000 TIME-WAITs, and a limit', run(tool, 'check', '-c', 'tw-buckets.share=0'), 2, f'CRITICAL - {left} of ')
    listener.close()


def test_queue(tool):
    listener = socket.create_server(('127.0.0.1', PORT), backlog=4)
    peers = [socket.create_connection(('127.0.0.1', PORT)) for _ in range(5)]
    expect('a full accept queue', run(tool, 'check'), 2, f'[{os.getpid()}] ', '5 of 5 places')
    for s in peers + [listener]:
        s.close()


def test_nobodys(tool, tmp):
    """A descriptor that was sent and not yet received, recorded where every process could be read: none has it."""
    case = pathlib.Path(__file__).parent.parent / 'cases' / 'close-wait-kernel-held' / 'look'
    expect('what nobody holds is nobody\'s leak', run(tool, 'check', '--from', str(case)), 0, "'close-wait.nofile'=0%")
    here = shutil.copytree(case, os.path.join(tmp, 'recorded'), symlinks=True)
    look = pathlib.Path(here, 'look')
    look.write_text(look.read_text().replace('owners\tcomplete', 'owners\tpartial'))
    expect('unless somebody could not be asked', run(tool, 'check', '--from', here), 3, 'UNKNOWN - who holds', "'close-wait.nofile'=U")


def test_errors(tool, tmp):
    never = os.path.join(tmp, 'never')
    os.mkfifo(never)  # nobody ever writes: opening it waits for ever
    p = run(tool, 'check', '-t', '200ms', '-N', never)
    expect('the time limit', p, 3, 'UNKNOWN - time limit')
    p = run(tool, 'check', '-t', '200ms', '-N', never, '--json')
    stage.check('the time limit, json', p.returncode == 3 and json.loads(p.stdout)['status'] == 'UNKNOWN', plain(p))
    for text in ('close-wait.age=5x', 'ports.share=20:10', 'close-wait.age', 'ports.share=5m', ''):
        for option in '-w', '-c':
            expect(f'a wrong range: {option} {text}', run(tool, 'check', option, text), 3, 'UNKNOWN - ')
    expect('an unknown name lists the known', run(tool, 'check', '-w', 'nonsense=5'), 3, 'nonsense=5', *NAMES)
    config = pathlib.Path(tmp, 'config')
    never = ['close-wait.age=~:', 'ports.share=5%']
    config.write_text(f'# ours\n\n  warning {",".join(never)} # why\ncritical\ttw-buckets.share=@0:0\n')
    expect('a file of ranges', run(tool, 'check', '--config', str(config)), 2, "'ports.share'=0%;5;95;",
           "'close-wait.age'=0s;~:;;", "'tw-buckets.share'=0%;90;@0;")
    expect('the command line is the last word', run(tool, 'check', '--config', str(config), '-c', 'tw-buckets.share=9'), 0,
           "'ports.share'=0%;5;95;")
    for line in ('warning', 'ports.share=5', 'warn ports.share=5', 'warning ports.share=5 x', 'warning nonsense=5',
                 'warning ports.share=5x', '\x1b|'):
        config.write_text(f'# first\n{line}\n')
        expect(f'a wrong line: {line!r}', run(tool, 'check', '--config', str(config)), 3, f'UNKNOWN - {config}:2: ')
    config.write_text('warning ports.share=' + '9' * 5000)
    expect('a line without an end', run(tool, 'check', '--config', str(config)), 3, f'UNKNOWN - {config}:1: ')
    for n in range(1020, 1028):  # at a guess of where it might be cut
        config.write_text('#' + 'x' * n + 'critical tw-buckets.share=@0:0\n')
        expect(f'a comment is one to its end: {n}', run(tool, 'check', '--config', str(config)), 0, "'tw-buckets.share'=0%;90;;")
    config.write_text(f'warning {",".join(["close-wait.age=~:"] * 100)},ports.share=5\ncritical ports.share=6')
    expect('a long line is read whole, and one without an end', run(tool, 'check', '--config', str(config)), 0, "'ports.share'=0%;5;6;")
    for path in os.path.join(tmp, 'none'), tmp:
        expect('no such file of ranges', run(tool, 'check', '--config', path), 3, f'UNKNOWN - {path}: ')
    expect('no such look', run(tool, 'check', '--from', os.path.join(tmp, 'none')), 3, 'UNKNOWN - ')
    for args in (['--no-such'], ['-t', '0'], ['-t', 'soon'], ['state', 'close-wait'], ['-w'], ['--format', 'xml'],
                 ['-o', 'x'], ['--json', '-o', 'x'], ['--top', '3'], ['--format', 'prometheus', '--top', '101'], ['-h'], ['-V']):
        p = run(tool, 'check', *args)
        stage.check(f'wrong usage or help: {" ".join(args)}', p.returncode == 3, plain(p))
    for args in (['--bogus'], ['-t', '0.5'], ['-o', 'x'], ['--top', '101', '--json'], ['state', 'a|b'], ['-w'], ['--a|b\n']):
        p = run(tool, 'check', *args)
        expect(f'wrong usage is where monitoring reads: {args}', p, 3, 'UNKNOWN - wrong usage: ')
        stage.check(f'wrong usage is on stderr, too: {args}', p.stderr.startswith('tcpwhy: ') and p.stdout.count('\n') == 1, plain(p))
    for args in ['-h'], ['-V']:
        p = run(tool, 'check', *args)
        stage.check(f'help is no wrong usage: {args}', 'UNKNOWN - ' not in p.stdout and not p.stderr, plain(p))
    p = run(tool, 'list', '--bogus')
    stage.check('wrong usage of others leaves stdout alone', p.returncode == 2 and not p.stdout, plain(p))
    plugin = os.path.join(tmp, 'check_tcpwhy')
    os.symlink('tcpwhy', plugin)
    expect('by its other name', run(plugin), 0)
    expect('by its other name, with options', run(plugin, '-w', 'nonsense=5'), 3)
    stage.check('by its other name, help', run(plugin, '--help').returncode == 3)
    with open('/dev/full', 'w', encoding='utf-8') as full:
        p = subprocess.run([tool, 'check'], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        stage.check('a full disk is no OK', p.returncode == 3 and p.stderr.startswith('tcpwhy: '), p.stderr)


def main():
    if sys.argv[1] == '--play':
        play(sys.argv[2], *map(int, sys.argv[3:]))
        return 0
    stage.enter()
    with tempfile.TemporaryDirectory() as tmp:
        os.chmod(tmp, 0o755)
        tool = shutil.copy(sys.argv[1], pathlib.Path(tmp, 'tcpwhy'))  # where every user may run it
        test_errors(tool, tmp)
        test_leak(tool, tmp)
        test_queue(tool)
        test_nobodys(tool, tmp)
        test_time_wait(tool)
    return stage.end()


sys.exit(main())

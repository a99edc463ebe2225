"""`tcpwhy watch` as lines, as JSON, and on a real terminal: watch.py TCPWHY. Prints TAP.

The terminal is tmux's: keys are typed into it, and what it shows is what is checked.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

import stage

PORT = 8080
PATIENCE_S = 60
F_SETPIPE_SZ = 1031  # fcntl.F_SETPIPE_SZ of Python 3.10


def play_leak(rate):
    """Leaks so many connections a second, in a process of a name of its own."""
    os.write(os.open('/proc/self/comm', os.O_WRONLY), b'leaky')
    listener = socket.create_server(('127.0.0.1', PORT), backlog=10)
    begin, socks = time.monotonic(), []
    print('ready', flush=True)
    while True:
        peer = socket.create_connection(('127.0.0.1', PORT))
        socks.append(listener.accept()[0])
        peer.close()
        time.sleep(max(0, begin + len(socks) / rate - time.monotonic()))


def play_endings():
    """Each line of input ends a connection in another way; they are all open before."""
    os.write(os.open('/proc/self/comm', os.O_WRONLY), b'ender')
    listener = socket.create_server(('127.0.0.1', PORT + 1), backlog=10)
    pairs = [(socket.create_connection(('127.0.0.1', PORT + 1)), listener.accept()[0]) for _ in range(3)]
    print('ready', flush=True)
    sys.stdin.readline()
    for one, other in pairs[:1]:
        one.close()
        assert other.recv(1) == b''
        other.close()
    for one, other in pairs[1:2]:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        one.close()
        other.close()
    sys.stdin.readline()


def play_hand():
    """A CLOSE-WAIT that goes from one process to another, which had none, at a line of input."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    if os.fork() == 0:
        os.write(os.open('/proc/self/comm', os.O_WRONLY), b'taker')
        kept = socket.recv_fds(theirs, 1, 1)
        ours.close()
        return theirs.recv(1) or kept
    theirs.close()
    os.write(os.open('/proc/self/comm', os.O_WRONLY), b'giver')
    listener = socket.create_server(('127.0.0.1', PORT + 2), backlog=10)
    peer, sock = socket.create_connection(('127.0.0.1', PORT + 2)), listener.accept()[0]
    peer.close()
    assert sock.recv(1) == b''
    print('ready', flush=True)
    sys.stdin.readline()
    socket.send_fds(ours, [b'x'], [sock.fileno()])
    sock.close()
    return sys.stdin.readline()


def play_queue():
    """Clients that come and go, and a server that accepts none of them."""
    os.write(os.open('/proc/self/comm', os.O_WRONLY), b'stuck')
    listener = socket.create_server(('127.0.0.1', PORT + 3), backlog=1000)
    print('ready', flush=True)
    while listener:
        socket.create_connection(('127.0.0.1', PORT + 3)).close()
        time.sleep(0.1)


PLAYS = {'endings': play_endings, 'hand': play_hand, 'queue': play_queue}


@contextlib.contextmanager
def endings():
    with subprocess.Popen([sys.executable, '-B', __file__, '--play', 'endings'], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as p:
        p.stdout.readline()
        try:
            yield p
        finally:
            p.kill()


@contextlib.contextmanager
def leak(rate):
    with subprocess.Popen([sys.executable, '-B', __file__, '--play', str(rate)], stdout=subprocess.PIPE, text=True) as p:
        p.stdout.readline()
        try:
            yield p.pid
        finally:
            p.kill()


def plain(p):
    return f'{p.returncode}\n{p.stdout}\n{p.stderr}'


def run(tool, *args, **more):
    return subprocess.run([tool, 'watch', *args], capture_output=True, text=True, timeout=60, check=False, **more)


def eventually(true):
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def watch_until(tool, enough, *args):
    """All that a watch writes until a line is enough, and then after an interrupt; and its exit status."""
    with subprocess.Popen([tool, 'watch', *args], stdout=subprocess.PIPE, text=True) as watch:
        watchdog = threading.Timer(2 * PATIENCE_S, watch.kill)
        watchdog.start()
        lines = []
        for line in watch.stdout:
            lines.append(line)
            if enough(line):
                break
        watch.send_signal(signal.SIGINT)
        lines += watch.stdout.readlines()
        watchdog.cancel()
    return lines, watch.returncode


def test_lines(tool, pid):
    told = re.compile(rf'  leaky\[{pid}\]: CLOSE-WAIT \d+ \+\d+\.\d/s, oldest \d+\w+, EMFILE in [1-9]')
    lines, status = watch_until(tool, told.match, '-d', '500ms', '--min-age', '0')
    text = ''.join(lines)
    stage.check('lines: a line a look', status == 0 and len(re.findall(
        r'^\d\d:\d\d:\d\d  CLOSE-WAIT \d+.*$', text, re.M)) > 3, text)
    stage.check('lines: who, how fast, until when', any(map(told.match, lines)), text)
    stage.check('lines: a finding is said once', text.count(f' close-wait-eof-unread leaky[{pid}]: ') == 1, text)
    p = run(tool, '-c', '3', '-d', '100ms')
    stage.check('lines: so many looks', len(re.findall(r'^\d\d:\d\d:\d\d  ', p.stdout, re.M)) == 3 and not p.stderr, plain(p))
    p = run(tool, '-c', '1', 'state', 'time-wait')
    stage.check('lines: a filter', p.returncode == 0 and 'CLOSE-WAIT' not in p.stdout, plain(p))
    dumb = {**os.environ, 'TERM': 'dumb'}
    p = subprocess.run(['script', '-qec', f'{tool} watch -c 2 -d 100ms', '/dev/null'], env=dumb, capture_output=True,
                       text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    stage.check('lines: on a dumb terminal', p.returncode == 0 and '\x1b' not in p.stdout and
                len(re.findall(r'^\d\d:\d\d:\d\d  ', p.stdout, re.M)) == 2, plain(p))


def test_json(tool, pid):
    def owner_of(line):
        return next((o for o in line.get('owners', []) if o['pid'] == pid), {})

    texts, status = watch_until(tool, lambda text: owner_of(json.loads(text)).get('emfile_in_ms'),
                                '--json-lines', '-d', '500ms', '--min-age', '0')
    lines = [json.loads(text) for text in texts]
    owner = next((owner_of(line) for line in lines if owner_of(line).get('emfile_in_ms')), {})
    stage.check('json: a line a look, and an end', status == 0 and len(lines) > 3 and
                list(lines[-1])[0] == 'complete' and lines[-1]['complete'] is True and
                all(line['type'] == 'look' for line in lines[:-1]), lines)
    stage.check('json: the owner', owner and owner['comm'] == 'leaky' and owner['status'] == 'known' and
                owner['states']['CLOSE-WAIT'] > 10 and owner['close_wait_per_s'] > 0 and owner['emfile_in_ms'] > 1000 and
                owner['fd_limit'] > owner['fds'] > 10 and owner['oldest_ms'] > 1000, owner)
    stage.check('json: nothing is known of the first rates', set(lines[0]['per_s'].values()) == {None} and
                lines[0]['owners'][0]['close_wait_per_s'] is None, lines[0])
    stage.check('json: findings', any(f['rule'] == 'close-wait-eof-unread' and f['subject']['pid'] == pid
                                      for f in lines[-2]['findings']), lines[-2]['findings'])
    with subprocess.Popen([tool, 'watch', '--json-lines', '-d', '100ms'], stdout=subprocess.PIPE) as watch:
        watch.stdout.readline()
        watch.stdout.close()
        stage.check('json: nobody reads on', eventually(lambda: watch.poll() is not None), watch.pid)
        watch.kill()


def waiting_bytes(fd):
    return struct.unpack('i', fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))[0]


def is_stalled(fd):
    """Nothing more comes for the time of many looks."""
    before = waiting_bytes(fd)
    deadline = time.monotonic() + 1
    return before > 0 and eventually(lambda: time.monotonic() > deadline) and waiting_bytes(fd) == before


def test_stalled(tool):
    """A reader that does not read on: the watch waits for it, and a signal ends it all the same."""
    for end in signal.SIGTERM, signal.SIGINT:
        out, to = os.pipe()
        fcntl.fcntl(out, F_SETPIPE_SZ, 4096)
        with subprocess.Popen([tool, 'watch', '--json-lines', '-d', '100ms'], stdout=to, stderr=subprocess.PIPE, text=True) as watch, \
                open(out, encoding='utf-8') as reader:
            os.close(to)
            stage.check(f'{end.name}: stalled', eventually(lambda fd=out: is_stalled(fd)) and watch.poll() is None)
            watch.send_signal(end)
            ended = eventually(lambda p=watch: p.poll() is not None)
            watch.kill()
            text = reader.read()
            stage.check(f'{end.name}: a watch that nobody reads ends', ended and watch.returncode == 1 and
                        '"complete"' not in text.splitlines()[-1], [ended, watch.returncode, text[-200:]])


def test_handed_over(tool):
    def holders(text):
        return {o['comm'] for o in json.loads(text).get('owners', []) if o.get('states', {}).get('CLOSE-WAIT')} & {'giver', 'taker'}

    with subprocess.Popen([sys.executable, '-B', __file__, '--play', 'hand'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as p, \
            subprocess.Popen([tool, 'watch', '--json-lines', '-d', '100ms', 'sport', '=', f':{PORT + 2}'], stdout=subprocess.PIPE,
                             text=True) as watch:
        watchdog = threading.Timer(PATIENCE_S, watch.kill)
        watchdog.start()
        p.stdout.readline()
        seen = next((holders(line) for line in watch.stdout if holders(line)), None)
        stage.check('a socket is held by one process', seen == {'giver'}, seen)
        p.stdin.write('\n')
        p.stdin.flush()
        after = None
        for line in watch.stdout:
            after = holders(line)
            if after == {'taker'}:
                break
        stage.check('and soon by the one it was handed to', after == {'taker'}, after)
        watchdog.cancel()
        watch.kill()
        p.stdin.close()


def test_queue(tool):
    """What nobody accepts takes no descriptor: it grows, and fills nothing up."""
    with subprocess.Popen([sys.executable, '-B', __file__, '--play', 'queue'], stdout=subprocess.PIPE,
                          text=True) as p:
        p.stdout.readline()
        text = run(tool, '--json-lines', '-c', '7', '-d', '1s', 'sport', '=', f':{PORT + 3}').stdout
        p.kill()
    lines = [json.loads(line) for line in text.splitlines()]
    mine = [o for line in lines for o in line.get('owners', []) if o['pid'] == p.pid]
    stage.check('json: a queue that nobody accepts from', len(mine) == 7 and
                all(o['status'] == 'unaccepted' for o in mine) and mine[-1]['close_wait_per_s'] > 0 and
                mine[-1]['states']['CLOSE-WAIT'] > 20, lines)
    stage.check('json: and EMFILE is not foretold from it', not any(o['emfile_in_ms'] for o in mine), mine)


def children_of(pid):
    return subprocess.run(['pgrep', '-P', str(pid)], capture_output=True, text=True, check=False).stdout.split()


def next_event(watch, wanted):
    """The first that is wanted; looks pass by."""
    for line in watch.stdout:
        event = json.loads(line)
        if wanted(event):
            return event
    return None


def test_events(tool):
    with endings() as ender, subprocess.Popen(
            [tool, 'watch', '-i', 'lo', '-E', '-d', '300ms', '--json-lines'], stdout=subprocess.PIPE, text=True) as watch:
        watchdog = threading.Timer(PATIENCE_S, watch.kill)
        watchdog.start()
        for _ in range(3):
            watch.stdout.readline()
        ender.stdin.write('now\n')
        ender.stdin.flush()
        seen = {}
        for name, wanted in {
                'first': lambda e: e['type'] == 'fin' and e['closes_first'],
                'second': lambda e: e['type'] == 'fin' and not e['closes_first'],
                'reset': lambda e: e['type'] == 'rst'}.items():
            def mine(e, wanted=wanted):
                return (e['type'] in ('fin', 'rst', 'gone') and (e['from_owner'] or {}).get('pid') == ender.pid and
                        (e['type'] != 'gone' or gone.append(e)) and wanted(e))
            gone = seen.setdefault('gone', [])
            seen[name] = next_event(watch, mine)
        # Notices come in their own time.
        while len(gone) < 2 and next_event(watch, lambda e: e['type'] == 'gone' and (e['from_owner'] or {}).get('pid') == ender.pid and
                                           (gone.append(e) or True)):
            pass
        stage.check('events: who closed first, and who then', seen['first'] and seen['second'] and
                    seen['first']['to']['port'] == PORT + 1 and seen['second']['from']['port'] == PORT + 1 and
                    seen['first']['from'] == seen['second']['to'] and seen['first']['from_owner']['comm'] == 'ender', seen)
        stage.check('events: who reset, and why', seen['reset'] and seen['reset']['cause'] == 'rst-linger-zero' and
                    seen['reset']['certainty'] == 'possible' and seen['reset']['to']['port'] == PORT + 1, seen)
        stage.check('events: sockets that the kernel has freed', len(gone) >= 2, seen)
        children = children_of(watch.pid)
        watch.kill()
        watch.stdout.read()
        stage.check('events: kill -9 leaves no listener', len(children) == 1 and
                    eventually(lambda: not os.path.exists(f'/proc/{children[0]}')), children)
        watchdog.cancel()
    p = run(tool, '-i', 'no-such-device')
    stage.check('events: no such interface', p.returncode == 1 and 'no-such-device' in p.stderr and not p.stdout, plain(p))
    p = run(tool, '-i', 'lo', **stage.AS_NOBODY)
    stage.check('events: no packets for a normal user', p.returncode == 1 and 'CAP_NET_RAW' in p.stderr, plain(p))
    p = run(tool, '-E', '-c', '1', **stage.AS_NOBODY)
    stage.check('events: notices are for everybody', p.returncode == 0 and not p.stderr, plain(p))


def test_errors(tool):
    for args in (['-d', '0'], ['-d', '50ms'], ['-d', 'soon'], ['-c', '0'], ['--format', 'json'], ['state', 'none'], ['-N', '1', '-A']):
        p = run(tool, *args)
        stage.check(f'wrong usage: {" ".join(args)}', p.returncode == 2 and p.stderr.startswith('tcpwhy: ') and
                    not p.stdout, plain(p))
    p = run(tool, '-N', 'no-such-namespace')
    stage.check('no such namespace', p.returncode == 1 and 'no-such-namespace' in p.stderr and not p.stdout, plain(p))
    p = run(tool, '-c', '1', '-d', '100ms', **stage.AS_NOBODY)
    stage.check('as a normal user', p.returncode == 0 and '(not seen): CLOSE-WAIT' in p.stdout, plain(p))


class Terminal:
    """A tmux of our own with one window, in which a shell runs."""

    def __init__(self, tmp, width=80, height=24):
        self.tmp = tmp
        env = {**os.environ, 'LC_ALL': 'C.UTF-8', 'TMUX_TMPDIR': tmp}
        env.pop('TMUX', None)
        self.env = env
        self.tmux('-f', '/dev/null', 'new-session', '-d', '-x', str(width), '-y', str(height), 'sh')
        self.type("PS1='ready''>'; set -m; clear", 'Enter')
        assert self.shows('^ready>$'), self.screen()

    def tmux(self, *args):
        return subprocess.run(['tmux', '-L', 'tcpwhy', *args], env=self.env, capture_output=True, text=True, check=True,
                              timeout=60).stdout

    def type(self, *keys):
        self.tmux('send-keys', *keys)

    def screen(self):
        return self.tmux('capture-pane', '-p').rstrip('\n')

    def shows(self, pattern, shall=True):
        return eventually(lambda: (re.search(pattern, self.screen(), re.M) is not None) == shall)

    def expect(self, name, *patterns):
        stage.check(name, all(self.shows(p) for p in patterns), self.screen())

    def next_look(self):
        before = re.search(r'\d\d:\d\d:\d\d', self.screen())[0]
        assert eventually(lambda: before not in self.screen()), self.screen()

    def restored(self, name):
        """The prompt is back, nothing of the picture is left, and the terminal echoes and has lines."""
        fine = self.shows('^ready>$') and not re.search('C-WAIT', self.screen())
        self.type("stty -a | tr ' ;' '\\n\\n' | grep -cxE 'echo|icanon|icrnl'", 'Enter')
        stage.check(name, fine and self.shows('^3$'), self.screen())
        self.clear()

    def clear(self):
        self.type('clear', 'Enter')
        assert eventually(lambda: self.screen() == 'ready>'), self.screen()

    def end(self):
        self.tmux('kill-server')


def watch_pid(terminal):
    shell = terminal.tmux('list-panes', '-F', '#{pane_pid}').strip()
    found = subprocess.run(['pgrep', '-P', shell, 'tcpwhy'], capture_output=True, text=True, check=False).stdout.split()
    return int(found[0])


def test_screen(tool, pid, tmp):
    t = Terminal(tmp)
    t.type(f'{tool} watch -d 500ms --min-age 0', 'Enter')
    t.expect('screen: title, sums, table', r'^tcpwhy watch .*\d\d:\d\d:\d\d   every 0.5 s', r'^CLOSE-WAIT \d+ \+\d',
             r'^OWNER +C-WAIT +GAIN/S +FW1 +FW2 +CLO +LACK +T-WAIT +OLDEST +EMFILE$',
             rf'^leaky\[{pid}\] +\d+ +\+\d+\.\d +- .* \d+\w+ +\d+\w+$')
    t.expect('screen: a finding, in whole', rf'^WARNING close-wait-eof-unread leaky\[{pid}\]: ', r'^    \w')
    t.expect('screen: keys', r'^q quit  / filter ')
    t.type('?')
    t.expect('screen: help', r'^EMFILE   when no descriptor', r'^space    freeze')
    t.type('?', 'o')
    t.expect('screen: sorted', '^by oldest', r'^leaky\[')
    t.type('/', 'n', 'o', 'b')
    t.expect('screen: filtered as it is typed', r'filter: nob_$', '^nobody of that name')
    t.type('BSpace', 'BSpace', 'BSpace', 'l', 'E', 'a', 'Enter')
    t.expect('screen: another filter', r'filter: lEa$', r'^leaky\[')
    stage.check('screen: the others are gone', not re.search(r'^\(closed\)', t.screen(), re.M), t.screen())
    t.type('Escape')
    t.expect('screen: no filter', r'^by oldest$', r'^\(closed\)')
    t.type('Space')
    t.expect('screen: frozen', 'FROZEN')
    frozen = re.search(r'\d\d:\d\d:\d\d', t.screen())[0]
    until = time.monotonic() + 2
    stage.check('screen: it stays', eventually(lambda: time.monotonic() > until) and frozen in t.screen(), t.screen())
    t.type('Space')
    t.expect('screen: and goes on', rf'^tcpwhy watch .*(?!{frozen})\d\d:\d\d:\d\d')
    t.tmux('resize-window', '-x', '60', '-y', '10')
    t.expect('screen: smaller', r'^OWNER.{50,56}$', r'^q quit')
    stage.check('screen: within its bounds', len(t.screen().split('\n')) == 10, t.screen())
    t.tmux('resize-window', '-x', '132', '-y', '40')
    t.expect('screen: larger', r'^OWNER.*EMFILE$', r'^q quit')
    stage.check('screen: down to the last line', len(t.screen().split('\n')) == 40, t.screen())
    t.tmux('resize-window', '-x', '12', '-y', '3')
    t.tmux('resize-window', '-x', '80', '-y', '24')
    t.expect('screen: it survives being tiny', r'^OWNER.*EMFILE$')
    t.type('q')
    t.restored('q gives the terminal back')
    for name in 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGSEGV':
        t.type(f'{tool} watch -d 500ms', 'Enter')
        t.shows('^OWNER')
        os.kill(watch_pid(t), getattr(signal, name))
        t.shows('^ready>$')
        t.clear()
        t.restored(f'{name} does')
    with endings() as ender:
        t.type(f'{tool} watch -i lo -d 500ms', 'Enter')
        t.shows(r'^OWNER')
        t.type('/', 'e', 'n', 'd', 'e', 'r', 'Enter')  # the leak has events, too
        t.shows('filter: ender$')
        t.next_look()
        t.next_look()
        ender.stdin.write('now\n')
        ender.stdin.flush()
        t.expect('screen: events', rf'^\d\d:\d\d:\d\d\.\d\d\d FIN 127\.0\.0\.1:\d+ ender\[{ender.pid}\] > ',
                 r' RST 127\.0\.0\.1:', r'rst-linger-zero \(possible\)')
        t.type('q')
        t.restored('q gives it back with a listener, too')
    t.type(f'{tool} watch', 'Enter')
    t.shows('^OWNER')
    t.type('C-z')
    t.expect('a stop gives it back', '^ready>$')
    t.type('fg', 'Enter')
    t.expect('and going on takes it again', '^OWNER')
    t.type('q')
    t.restored('after which q gives it back')
    t.type(f'{tool} watch', 'Enter')
    t.shows('^OWNER')
    os.kill(watch_pid(t), signal.SIGKILL)
    stage.check('kill -9 leaves no process', eventually(lambda: subprocess.run(
        ['pgrep', '-f', f'^{tool} watch'], capture_output=True, check=False).returncode == 1))
    stage.check('kill -9 leaves no file', [n for n in os.listdir(tmp) if not n.startswith('tmux')] == ['tcpwhy'], os.listdir(tmp))
    t.end()


def main():
    if sys.argv[1:2] == ['--play'] and sys.argv[2] in PLAYS:
        return PLAYS[sys.argv[2]]() and 0
    if sys.argv[1] == '--play':
        play_leak(float(sys.argv[2]))
    stage.enter()
    with tempfile.TemporaryDirectory() as tmp, leak(5) as pid:
        os.chmod(tmp, 0o755)
        tool = shutil.copy(sys.argv[1], os.path.join(tmp, 'tcpwhy'))  # where every user may run it
        test_lines(tool, pid)
        test_json(tool, pid)
        test_stalled(tool)
        test_handed_over(tool)
        test_queue(tool)
        test_events(tool)
        test_errors(tool)
        if shutil.which('tmux'):
            test_screen(tool, pid, tmp)
    return stage.end()


sys.exit(main())

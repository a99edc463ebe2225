"""The whole program on a host of its own: host.py TCPWHY. Prints TAP; nothing where no namespace may be made.

Everything runs in a network namespace that this script makes and that dies with it. Sockets are
made by a server and a client that say when they are ready; captures end by SIGINT. Nothing sleeps.
"""

import contextlib
import errno
import json
import os
import pathlib
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import stage

PORT = 8080
DEADLINE_S = 20
FIN_WAIT_2 = 5  # include/net/tcp_states.h

# The two sides of the sockets, in processes of their own.

def wait_for_fin(socks):
    poll = select.poll()
    for s in socks:
        poll.register(s, select.POLLRDHUP)
    left = len(socks)
    while left:
        for fd, _ in poll.poll(DEADLINE_S * 1000):
            poll.unregister(fd)
            left -= 1


def client(how, n, ready):
    pathlib.Path('/proc/self/comm').write_text('caller')
    socks = [socket.create_connection(('127.0.0.1', PORT)) for _ in range(n)]
    for s in socks:
        s.sendall(b'0123456789')
    os.read(ready, 1)  # the server has what it wanted
    for s in socks:
        if how == 'held':
            s.shutdown(socket.SHUT_WR)
        else:
            s.close()
    while how == 'held' and any(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != FIN_WAIT_2
                                for s in socks):
        os.sched_yield()  # the peer's kernel may delay its ACK by 40 ms
    return socks


def serve(how, n, listener):
    socks = [listener.accept()[0] for _ in range(n)] if how != 'unaccepted' else []
    if how == 'unaccepted':
        return socks
    for s in socks:
        s.recv(100)
    return socks


def play(how, n):
    pathlib.Path('/proc/self/comm').write_text('server')
    listener = socket.create_server(('127.0.0.1', PORT), backlog=n)
    asks, answers = os.pipe()
    closed, closes = os.pipe()
    if os.fork() == 0:
        listener.close()
        socks = client(how, n, asks)
        os.write(closes, b'x')
        sys.stdin.read()
        os._exit(len(socks) != n)  # held till here
    socks = serve(how, n, listener)
    os.write(answers, b'x')
    os.read(closed, 1)
    wait_for_fin(socks)
    if how in ('leak', 'held'):
        assert all(s.recv(1) == b'' for s in socks)
    print(os.getpid(), flush=True)
    sys.stdin.read()


@contextlib.contextmanager
def sockets(how, n):
    """n connections; gives the server's pid. Both processes end with their standard input."""
    with subprocess.Popen([sys.executable, '-B', __file__, '--play', how, str(n)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        line = p.stdout.readline()
        assert line, 'the sockets were not made'
        yield int(line)
        p.stdin.close()
    # What they leave behind (TIME-WAIT, orphans) must not be seen by the next test.
    subprocess.run(['ss', '-K', '-Hnt', 'state', 'connected'], stdout=subprocess.DEVNULL, check=True)


# The tool.

def run(tool, *args, **more):
    return subprocess.run([tool, *args], capture_output=True, text=True, timeout=60, **more)


def why(tool, *args, **more):
    p = run(tool, 'why', '--json', '--min-age', '0', *args, **more)
    return json.loads(p.stdout)


def finding(report, rule):
    found = [f for f in report['findings'] if f['rule'] == rule]
    return found[0] if len(found) == 1 else None


def wait_for_capture():
    """Until a packet socket stands in this namespace."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        if len(pathlib.Path('/proc/net/packet').read_text().splitlines()) > 1:
            return
        os.sched_yield()
    raise TimeoutError('no capture began')


def end_capture(p):
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    return json.loads(out), err


def test_leak(tool, tmp):
    keep = os.path.join(tmp, 'lo.pcap')
    watch = subprocess.Popen([tool, 'why', '--json', '--min-age', '0', '-i', 'lo', '--for', '60s', '-w', keep],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_capture()
    with sockets('leak', 200) as pid:
        during, _ = end_capture(watch)
        report = why(tool)
        f = finding(report, 'close-wait-leaked-fd')
        stage.check('leak: one finding', f is not None, report)
        if f:
            stage.check('leak: likely', f['certainty'] == 'likely', f)
            stage.check('leak: its pid', f['subject']['kind'] == 'process' and f['subject']['pid'] == pid, f)
            stage.check('leak: 200', f['count'] == 200, f)
            stage.check('leak: an age', isinstance(f['oldest_ms'], int), f)
            stage.check('leak: a fix', any(x['kind'] == 'code' for x in f['fixes']), f)
            fds = f['facts']['fds']
            stage.check('leak: descriptors', len(fds) == 64 and fds == sorted(fds) and
                  all(os.readlink(f'/proc/{pid}/fd/{fd}').startswith('socket:') for fd in fds), f)
        stage.check('leak: complete', report['complete'] is True, report)
        for name, joined in ('-i', during), ('-r', why(tool, '-r', keep)):
            f = finding(joined, 'close-wait-leaked-fd')
            facts = (f or {}).get('facts', {})
            stage.check(f'leak {name}: the FIN is cited', f is not None and f['count'] == 200 and
                  facts.get('fin_from') == 'the peer' and facts.get('closed_first') == 'the peer' and
                  isinstance(facts.get('fin_at'), float) and facts.get('fins_seen') == 200, joined)
        text = run(tool, 'why', '--min-age', '0', env={**os.environ, 'COLUMNS': '80'})
        stage.check('leak: text has no escapes in a pipe', '\x1b' not in text.stdout, text.stdout)
        stage.check('leak: 80 columns', all(len(line) <= 80 for line in text.stdout.splitlines()), text.stdout)
        stage.check('leak: exit status', text.returncode == 0 and
              run(tool, 'why', '--exit-code', '--min-age', '0').returncode in (1, 2))
        test_user(tool, tmp, pid)
        test_counts(tool, pid)
        test_record(tool, tmp, report)
    clean = why(tool)
    stage.check('nothing left, nothing found', clean['findings'] == [], clean)


def test_user(tool, tmp, pid):
    mine = json.loads(run(tool, 'list', '--json').stdout)
    report = json.loads(run(tool, 'list', '--json', **stage.AS_NOBODY).stdout)
    theirs = report['sockets']
    stage.check('normal user: the list is complete', len(theirs) == len(mine['sockets']) and
          {s['cookie'] for s in theirs} == {s['cookie'] for s in mine['sockets']}, report)
    waiting = [s for s in theirs if s['state'] == 'CLOSE-WAIT']
    stage.check('normal user: owners are hidden', len(waiting) == 200 and
          all(s['owner']['status'] == 'hidden' and s['owner']['basis'] for s in waiting), waiting[:2])
    stage.check('normal user: a gap', any(g['what'] == 'owners' for g in report['gaps']), report['gaps'])
    text = run(tool, 'why', '--min-age', '0', **stage.AS_NOBODY)
    stage.check('normal user: what root would add', 'root' in text.stdout, text.stdout)
    known = [s for s in mine['sockets'] if s['state'] == 'CLOSE-WAIT']
    stage.check('root: owners are known', all([p['pid'] for p in s['owner']['processes']] == [pid] for s in known),
          known[:2])


def test_counts(tool, pid):
    def counts(by, *args):
        report = json.loads(run(tool, 'list', '--json', '--by', by, *args).stdout)
        stage.check(f'counts by {by}: whole', report['schema'] == 'tcpwhy.list/1' and report['complete'])
        return {g['key']: g['count'] for g in report['groups']}

    stage.check('counts by state', counts('state') == {'CLOSE-WAIT': 200, 'FIN-WAIT-2': 200})
    stage.check('counts by owner', counts('owner')[f'server[{pid}]'] == 200)
    stage.check('counts by peer', counts('peer') == {'127.0.0.1': 400})
    stage.check('counts of what is filtered', counts('state', 'state', 'close-wait') == {'CLOSE-WAIT': 200})
    stage.check('counts: the largest', len(counts('local-port', '--top', '1')) == 1)
    p = run(tool, 'list', '--by', 'colour')
    stage.check('counts by nonsense', p.returncode == 2 and 'local-port' in p.stderr, p.stderr)


def test_record(tool, tmp, live):
    folder = os.path.join(tmp, 'look')
    p = run(tool, 'why', '--record', folder, '--min-age', '0')
    stage.check('record', p.returncode == 0, p.stderr)
    subprocess.run(['chown', '-R', str(stage.NOBODY), folder], check=True)
    replay = why(tool, '--from', folder, **stage.AS_NOBODY)
    f, g = finding(live, 'close-wait-leaked-fd'), finding(replay, 'close-wait-leaked-fd')
    stage.check('record: the same finding elsewhere', f is not None and g is not None and
          (f['subject']['pid'], f['count']) == (g['subject']['pid'], g['count']), replay)


def in_flight(ready):
    """A connection whose only descriptor waits in a UNIX socket for somebody to receive it."""
    listener = socket.create_server(('127.0.0.1', PORT))
    peer = socket.create_connection(('127.0.0.1', PORT))
    conn = listener.accept()[0]
    ends = socket.socketpair(socket.AF_UNIX)
    socket.send_fds(ends[0], [b'x'], [conn.fileno()])
    peer.close()
    wait_for_fin([conn])
    conn.close()
    listener.close()
    os.write(ready, b'x')
    sys.stdin.read()
    return ends


def unix_sockets(ready):
    """As many as a process of 8000 descriptors holds, and nothing in them."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    pairs = [socket.socketpair(socket.AF_UNIX) for _ in range(3900)]
    os.write(ready, b'x')
    sys.stdin.read()
    return pairs


def start(role):
    seen, ready = os.pipe()
    p = subprocess.Popen([sys.executable, '-B', __file__, role, str(ready)], pass_fds=[ready], stdin=subprocess.PIPE)
    os.close(ready)
    os.read(seen, 1)
    os.close(seen)
    return p


def as_if_all_were_readable(folder):
    look = pathlib.Path(folder, 'look')
    look.write_text(look.read_text().replace('owners\tpartial', 'owners\tcomplete'))


def test_crowd(tool, tmp):
    """More sockets than are asked: where the descriptor waits is one possibility, and that is said."""
    with contextlib.ExitStack() as stack:
        for role in ['--unix-sockets'] * 3 + ['--in-flight']:
            p = start(role)
            stack.enter_context(p)
            stack.callback(p.stdin.close)
        folder = os.path.join(tmp, 'crowd')
        live = why(tool, '--record', folder)
        stage.check('crowd: a gap', any(g['what'] == 'flight' for g in live['gaps']), live['gaps'])
        as_if_all_were_readable(folder)
        replay = why(tool, '--from', folder)
        f = finding(replay, 'close-wait-kernel-held')
        stage.check('crowd: possible, not likely', f is not None and f['certainty'] == 'possible', f)
        stage.check('crowd: the same gap of a recording', any(g['what'] == 'flight' for g in replay['gaps']),
                    replay['gaps'])
    subprocess.run(['ss', '-K', '-Hnt', 'state', 'connected'], stdout=subprocess.DEVNULL, check=True)


def test_nobodys(tool, tmp):
    """Its owner is nowhere. Who cannot read every process must not say so."""
    with start('--in-flight') as p:
        folder = os.path.join(tmp, 'nobodys')
        live = why(tool, '--record', folder)
        complete = not any(g['what'] == 'owners' for g in live['gaps'])
        stage.check('in flight: held by nobody, or unknown', finding(live, 'close-wait-kernel-held' if complete
                                                              else 'unjudged') is not None, live)
        as_if_all_were_readable(folder)
        f = finding(why(tool, '--from', folder), 'close-wait-kernel-held')
        stage.check('in flight: everything readable: held by nobody', f is not None and
              f['certainty'] == 'likely' and f['facts'].get('in_flight') == 1, f)
        p.stdin.close()
    subprocess.run(['ss', '-K', '-Hnt', 'state', 'connected'], stdout=subprocess.DEVNULL, check=True)


def test_others(tool):
    with sockets('blocked', 50) as pid:
        report = why(tool)
        f = finding(report, 'close-wait-eof-unread')
        stage.check('blocked: close-wait-eof-unread', f is not None and f['subject']['pid'] == pid and
              f['count'] == 50, report)
        stage.check('blocked: no leak', finding(report, 'close-wait-leaked-fd') is None, report)
    with sockets('unaccepted', 50) as pid:
        report = why(tool)
        f = finding(report, 'close-wait-never-accepted')
        stage.check("unaccepted: the listener's owner", f is not None and f['count'] == 50 and
              f['subject']['pid'] == pid, report)
    with sockets('held', 50) as pid:
        report = why(tool)
        f = finding(report, 'fin-wait-2-held')
        stage.check('held: the other end', f is not None and f['subject']['comm'] == 'caller' and
              f['facts']['culprit_pid'] == pid and f'server[{pid}]' in f['says'], report)


def test_full_disk(tool):
    """Output that cannot be written is no success; that nobody reads on is no news."""
    for command in (['why'], ['list'], ['list', '--by', 'state'], ['explain'], ['audit'], ['why', '--json']):
        with open('/dev/full', 'wb') as full:
            p = subprocess.run([tool, *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        stage.check(f'full disk: {" ".join(command)}', p.returncode == 1 and
                    'tcpwhy: stdout: No space left on device' in p.stderr, p.stderr)
    p = subprocess.run(f'{tool} explain | true', shell=True, capture_output=True, text=True, check=False)
    stage.check('nobody reads on', p.stderr == '', p.stderr)


def test_errors(tool, tmp):
    text = os.path.join(tmp, 'text')
    pathlib.Path(text).write_text('This is not a capture.\n')
    secret = os.path.join(tmp, 'secret')
    pathlib.Path(secret).write_text('x')
    os.chmod(secret, 0)
    cases = [
        ('wrong option', ['why', '--no-such'], 2),
        ('wrong command', ['wyh'], 2),
        ('wrong filter', ['list', 'state', 'closed-wait'], 2),
        ('wrong duration', ['why', '--min-age', 'soon'], 2),
        ('missing file', ['pcap', os.path.join(tmp, 'none')], 1),
        ('not a capture', ['pcap', text], 1),
        ('a folder', ['pcap', tmp], 1),
        ('no such interface', ['why', '-i', 'nosuch0', '--for', '1s'], 1),
        ('no such namespace', ['list', '-N', 'nosuch'], 1),
        ('no such look', ['why', '--from', os.path.join(tmp, 'none')], 1),
    ]
    for name, args, status in cases:
        p = run(tool, *args)
        good = p.returncode == status and p.stderr.startswith('tcpwhy: ') and not p.stdout
        stage.check(f'error: {name}', good, f'{p.returncode}\n{p.stderr}\n{p.stdout}')
    for name, args in ('no permission for a file', ['pcap', secret]), \
            ('no permission to capture', ['why', '-i', 'lo', '--for', '1s']):
        p = run(tool, *args, **stage.AS_NOBODY)
        stage.check(f'error: {name}', p.returncode == 1 and p.stderr.startswith('tcpwhy: ') and
              'ermi' in p.stderr and not p.stdout, f'{p.returncode}\n{p.stderr}\n{p.stdout}')


def test_no_sock_diag(tool, tmp):
    """/proc/net/tcp is the last resort, and what it lacks is said."""
    with sockets('held', 20) as pid:
        want = rows_of(run(tool, 'list', '-a', '--json'))
        for error, words in ((errno.EPROTONOSUPPORT, 'cannot list TCP sockets'), (errno.EPERM, 'not permitted')):
            p = run(sys.executable, '-B', __file__, '--without-netlink', str(error), tool, 'list', '-a', '--json')
            name = f'no sock_diag, {errno.errorcode[error]}'
            gaps = [g for g in json.loads(p.stdout)['gaps'] if g['what'] == 'sock_diag']
            stage.check(f'{name}: the same sockets and owners', p.returncode == 0 and rows_of(p) == want,
                        [sorted(rows_of(p) ^ want)[:4], p.stderr])
            stage.check(f'{name}: what is lost', len(gaps) == 1 and words in gaps[0]['reason'] and
                        'without ages' in gaps[0]['effect'], gaps)
            stage.check(f'{name}: no age is made up', all(s['age_ms'] is None and s['cookie'] is None
                        for s in json.loads(p.stdout)['sockets'] if s['state'] == 'CLOSE-WAIT'), p.stdout[:1000])
        test_recorded_proc(tool, tmp, pid)


def test_recorded_proc(tool, tmp, pid):
    folder = os.path.join(tmp, 'proc')
    p = run(sys.executable, '-B', __file__, '--without-netlink', str(errno.EPERM), tool, 'list', '--record', folder)
    report = json.loads(run(tool, 'list', '--json', '--from', folder).stdout)
    waiting = [s for s in report['sockets'] if s['state'] == 'CLOSE-WAIT']
    stage.check('no sock_diag, recorded', p.returncode == 0 and len(waiting) == 20 and
                all(s['owner']['processes'][0]['pid'] == pid for s in waiting), p.stderr)
    q = run(sys.executable, '-B', __file__, '--without-netlink', str(errno.EPERM), tool, 'check', '--json')
    queue = [c for c in json.loads(q.stdout)['checks'] if c['name'] == 'accept-queue.share']
    stage.check('no sock_diag: check does not call unseen queues fine', queue[0]['status'] == 'UNKNOWN', queue)


def rows_of(p):
    return {(s['state'], s['family'], s['local']['addr'], s['local']['port'], s['peer']['addr'], s['peer']['port'],
             s['wqueue'] if s['state'] != 'LISTEN' else 0, s['uid'], s['inode'], s['timer']['name'],
             tuple((o['pid'], o['fd']) for o in s['owner']['processes'])) for s in json.loads(p.stdout)['sockets']}


def main():
    if sys.argv[1] == '--without-netlink':
        stage.without_netlink(int(sys.argv[2]), sys.argv[3:])
    if sys.argv[1] == '--play':
        play(sys.argv[2], int(sys.argv[3]))
        return 0
    if sys.argv[1] == '--in-flight':
        in_flight(int(sys.argv[2]))
        return 0
    if sys.argv[1] == '--unix-sockets':
        unix_sockets(int(sys.argv[2]))
        return 0
    stage.enter()
    with tempfile.TemporaryDirectory() as tmp:
        os.chmod(tmp, 0o755)
        tool = shutil.copy(sys.argv[1], tmp)  # where every user may run it
        test_leak(tool, tmp)
        test_others(tool)
        test_nobodys(tool, tmp)
        test_crowd(tool, tmp)
        test_errors(tool, tmp)
        test_full_disk(tool)
        test_no_sock_diag(tool, tmp)
    return stage.end()


sys.exit(main())

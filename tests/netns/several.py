"""Several where one would be easier: several.py TCPWHY. Prints TAP; nothing where no namespace may be made.

Who is named for connections of which each process has some, and that what is said of all is true of all.
Namespaces are private and die with the script.
"""

import contextlib
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import time

import stage
from stage import process

PORT, OTHER_PORT, N, MANY = 8080, 8081, 4, 40
HERE = '127.0.0.1'
TCP_REPAIR, FIN_WAIT_2 = 19, 5


def document(tool, command, *args):
    argv = [tool, command, '--json', *args]
    return json.loads(subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False).stdout)


def finding(tool, rule, *args):
    report = document(tool, 'why', '--min-age', '0', *args)
    return next((f for f in report['findings'] if f['rule'] == rule), None)


def half_close(s):
    """Until the other end has acknowledged it, which takes its time."""
    s.shutdown(socket.SHUT_WR)
    deadline = time.monotonic() + 20
    while s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != FIN_WAIT_2:
        assert time.monotonic() < deadline, 'no FIN-WAIT-2'
        select.select([], [], [], 0.01)


def name(comm):
    pathlib.Path('/proc/self/comm').write_text(comm)


# Whose the other ends are.

def take(say, listener, n, others):
    """Accepts so many and closes none of them; what is not its own it closes."""
    taken = [listener.accept()[0] for _ in range(n)]
    for s in [listener, *others]:
        s.close()
    say()
    return taken


@contextlib.contextmanager
def shares(sizes):
    """Our ends of connections to one port that nobody listens on any more, and a process for each share."""
    with contextlib.ExitStack() as stack, socket.create_server((HERE, PORT)) as listener:
        ours, pids = [], []
        for n in sizes:
            ours += [socket.create_connection((HERE, PORT)) for _ in range(n)]
            pids.append(stack.enter_context(process(take, listener, n, ours)))
        listener.close()
        yield ours, pids


def test_culprits(tool):
    for sizes, most in ([N, N, N], N), ([1, N], N), ([N], N):
        with shares(sizes) as (ours, pids):
            holders = [pid for pid, n in zip(pids, sizes) if n == most]
            for rule, end in ('held', half_close), ('orphan', lambda s: s.close()):
                for s in ours:
                    end(s)
                f = finding(tool, f'fin-wait-2-{rule}')
                stage.check(f'culprits: {rule}, {sizes}: one that holds most, and how many', f is not None and
                            f['count'] == sum(sizes) and f['facts'].get('culprit_pid') in holders and
                            f['facts'].get('culprit_holds') == most and f' {most} of them' in f['says'] and
                            f['certainty'] == 'certain', f)


def hold_alone(say, ends, others):
    name('stray')
    for s in others:
        s.close()
    say()
    return ends


def test_shared(tool):
    """Connections in the hands of a child alone, of which none, one or all another has as well."""
    for n_shared in 0, 1, N:
        with socket.create_server((HERE, PORT)) as listener:
            ours = [socket.create_connection((HERE, PORT)) for _ in range(N)]
            ends = [listener.accept()[0] for _ in ours]
            with process(hold_alone, ends, [listener, *ours]) as stray:
                for s in ends[n_shared:]:
                    s.close()
                with process(hold_alone, ends[:n_shared], [listener, *ours]):
                    for s in ends[:n_shared]:
                        s.close()
                    for s in ours:
                        half_close(s)
                    f = finding(tool, 'close-wait-shared-fd')
                    stage.check(f'shared: {n_shared} of {N}', f is not None and f['count'] == N and
                                f['subject']['pid'] == stray and
                                f['facts'].get('shared') == (1 if n_shared == 1 else None) and
                                (f'{N} connections the peer has closed are held by more than one' in f['says'])
                                == (n_shared == N) and ('1 of them by other processes' in f['says'])
                                == (n_shared == 1) and
                                f['certainty'] == ('certain' if n_shared == N else 'possible'), f)
        for s in ours:
            s.close()


def lose_one_end(say, is_client_lost):
    """A connection over 127.0.0.1 of a namespace of its own, half-closed; one end vanishes without a word."""
    stage.leave_netns()
    stage.ip('link', 'set', 'lo', 'up')
    with socket.create_server((HERE, PORT)) as listener:
        client = socket.create_connection((HERE, PORT), source_address=(HERE, 40000))
        server = listener.accept()[0]
    half_close(client)
    lost, kept = (client, server) if is_client_lost else (server, client)
    lost.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    lost.close()
    say()
    return kept


def test_loopback(tool):
    """The addresses of the one end are those of the other, in another namespace: a stranger."""
    with process(lose_one_end, False), process(lose_one_end, True):
        f = finding(tool, 'fin-wait-2-held', '-A', 'sport', '=', ':40000')
        stage.check('loopback: nobody of another namespace', f is not None and f['count'] == 1 and
                    'culprit_pid' not in f['facts'], f)


# Listeners of one port that take other connections.

def listen(say, comm, addr, device=None, is_v6only=False):
    name(comm)
    s = socket.socket(socket.AF_INET6 if ':' in addr else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if device:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    if is_v6only:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((addr, PORT))
    s.listen(16)
    say()
    return s


def come_and_go(say, there):
    """From the namespace of that process, over the cable."""
    stage.join_netns(there)
    for _ in range(N):
        half_close(socket.create_connection((CABLE, PORT)))
    say()


CABLE = '192.0.2.1'


def test_devices(tool):
    """Who listens on the cable's device accepts nobody; another one has the very address, on another device."""
    with process(stage.leave_netns) as there:
        stage.connect_netns(there, CABLE, '192.0.2.2')
        stage.ip('link', 'add', 'other', 'type', 'veth', 'peer', 'name', 'unused')
        with process(listen, 'guilty', '0.0.0.0', 'near') as guilty, \
                process(listen, 'innocent', CABLE, 'other'), process(come_and_go, there):
            report = document(tool, 'why', '--min-age', '0', 'state', 'close-wait')
            found = {f['subject']['pid']: (f['count'], f['facts'].get('queue'), f['certainty'])
                     for f in report['findings'] if f['rule'] == 'close-wait-never-accepted'}
            stage.check('devices: the one on theirs', found == {guilty: (N, N, 'certain')}, found)


def owners(tool):
    rows = document(tool, 'list', 'sport', '=', f':{PORT}')['sockets']
    return {(s['state'], s['owner']['status'], tuple(p['comm'] for p in s['owner']['processes'])) for s in rows}


def leave(addr):
    """What a server that is gone leaves behind: two of its connections, one closed by the client, too."""
    with socket.create_server((addr, PORT)) as listener:
        ends = [(socket.create_connection((addr, PORT)), listener.accept()[0]) for _ in range(2)]
    for client, server in ends:
        server.close()
        stage.wait_for_fin(client)
    ends[0][0].close()
    return ends[1][0]


def test_v6only(tool):
    """A server of IPv6 alone has not closed what was IPv4; one of both families may have."""
    for is_v6only in True, False:
        kept = leave(HERE)
        with process(listen, 'later', '::', None, is_v6only):
            whose = ('attributed', ('later',)) if not is_v6only else ('none', ())
            seen = owners(tool)
            stage.check(f'IPv6 only {is_v6only}: who may have closed IPv4', seen == {
                ('TIME-WAIT', *whose), ('FIN-WAIT-2', *whose)}, seen)
        kept.close()
        subprocess.run(['ss', '-K', '-Hnta'], stdout=subprocess.DEVNULL, check=True)


# A listener for each worker: SO_REUSEPORT.

def work(say, comm, what):
    name(comm)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((HERE, PORT))
        listener.listen(64)
        say()
        kept = []
        while what != 'nothing':
            kept.append(listener.accept()[0])
            if what == 'close':
                kept.pop().close()
        signal.pause()


@contextlib.contextmanager
def workers(*whats):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(process(work, f'worker{i}', what)) for i, what in enumerate(whats)]


def queues(tool):
    """By worker, of those that have one."""
    rows = document(tool, 'list', 'state', 'listening')['sockets']
    return {s['owner']['processes'][0]['pid']: s['rqueue'] for s in rows if s['rqueue'] > 0}


def await_queues(tool, pids):
    """Until nobody but these has clients waiting, and each of them has."""
    deadline = time.monotonic() + 20
    while (waiting := queues(tool)).keys() != set(pids):
        assert time.monotonic() < deadline, waiting
        select.select([], [], [], 0.05)
    return waiting


def test_never_accepted(tool):
    with workers('nothing', 'accept', 'accept') as (stuck, *_):
        ours = [socket.create_connection((HERE, PORT)) for _ in range(MANY)]
        waiting = await_queues(tool, [stuck])
        for s in ours:
            half_close(s)
        f = finding(tool, 'close-wait-never-accepted')
        stage.check('SO_REUSEPORT: the one that does not accept', f is not None and f['subject']['pid'] == stuck and
                    f['count'] == f['facts']['queue'] == waiting[stuck] and f['facts']['listeners'] == 3 and
                    f['certainty'] == 'likely' and 'candidates' not in f['facts'], f)
        rows = document(tool, 'list', 'state', 'close-wait', 'and', 'unaccepted')['sockets']
        stage.check('SO_REUSEPORT: and nobody else', len(rows) == waiting[stuck] and all(
            [o['pid'] for o in s['owner']['processes']] == [stuck] for s in rows), rows[:1])
        others = [f for f in document(tool, 'why', '--min-age', '0')['findings'] if f['rule'] == 'close-wait-shared-fd']
        stage.check('SO_REUSEPORT: who accepted is no stray', not others, others)
    with workers('nothing', 'accept', 'nothing') as (first, _, second):
        ours = [socket.create_connection((HERE, PORT)) for _ in range(MANY)]
        waiting = await_queues(tool, [first, second])
        for s in ours:
            half_close(s)
        f = finding(tool, 'close-wait-never-accepted')
        stage.check('SO_REUSEPORT: both that do not, and how many wait', f is not None and
                    f['subject']['pid'] is None and f['count'] == sum(waiting.values()) and
                    dict(zip(f['facts'].get('candidate_pids', []), f['facts'].get('queues', []))) == waiting and
                    f['facts']['queue'] == max(waiting.values()) and '2 processes' in f['says'], f)


def test_closed_first(tool):
    with workers('close', 'close', 'close') as pids:
        ours = [socket.create_connection((HERE, PORT)) for _ in range(MANY)]
        for s in ours:
            stage.wait_for_fin(s)
        f = finding(tool, 'fin-wait-2-orphan')
        stage.check('SO_REUSEPORT: whose orphans: any', f is not None and f['subject']['pid'] is None and
                    f['facts'].get('candidates') == 3 and sorted(f['facts']['candidate_pids']) == sorted(pids), f)
        seen = owners(tool)
        stage.check('SO_REUSEPORT: all are listed', {(status, tuple(sorted(who))) for _, status, who in seen} ==
                    {('attributed', ('worker0', 'worker1', 'worker2'))}, seen)
        p = subprocess.run([tool, 'list', '-H', 'sport', '=', f':{PORT}'], capture_output=True, text=True, check=True)
        stage.check('SO_REUSEPORT: as possible', p.stdout.count(' possible:((') == MANY, p.stdout[:500])


# What lives to a destination, and what was looked at.

def connect_some(say, comm, n_live, n_closed, listener):
    name(comm)
    listener.close()
    kept = [socket.create_connection((HERE, OTHER_PORT)) for _ in range(n_live)]
    for _ in range(n_closed):
        socket.create_connection((HERE, OTHER_PORT)).close()
    say()
    return kept


def test_same_destination(tool):
    """One whose connections are ESTABLISHED, one in CLOSE-WAIT: of the latter alone nothing follows."""
    with socket.create_server((HERE, OTHER_PORT)) as listener, process(connect_some, 'busy', N, N, listener):
        ends = [listener.accept()[0] for _ in range(2 * N)]
        for s in ends[N:]:
            s.close()
        with process(connect_some, 'innocent', 1, 0, listener):
            end, _ = listener.accept()
            end.shutdown(socket.SHUT_WR)
            listener.close()
            some = 'state', 'all', 'and', 'dport', '=', f':{OTHER_PORT}'
            for what, words, whose in ('no ESTABLISHED', (), set()), ('not all of them', some, set()), \
                    ('everything', ('state', 'all'), {'busy', 'innocent'}):
                rows = document(tool, 'list', *words)['sockets']
                whom = {frozenset(o['comm'] for o in s['owner']['processes']) for s in rows
                        if s['state'] == 'TIME-WAIT' and s['peer']['port'] == OTHER_PORT}
                stage.check(f'same destination: {what}', whom == {frozenset(whose)}, rows[:3])


def main():
    if os.geteuid() != 0:
        print('1..0 # SKIP needs root')
        return 0
    stage.enter('--mount', '--pid', '--fork', '--kill-child', '--mount-proc')
    tool = sys.argv[1]
    test_culprits(tool)
    test_shared(tool)
    test_loopback(tool)
    test_devices(tool)
    test_v6only(tool)
    test_never_accepted(tool)
    test_closed_first(tool)
    test_same_destination(tool)
    return stage.end()


sys.exit(main())

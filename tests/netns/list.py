"""What `tcpwhy list` shows of more sockets than it keeps: list.py TCPWHY. Prints TAP.

In a private namespace: TIME-WAITs, which are read in a second walk and forgotten where they are many, beside
sockets that have an owner. Counts, rows and recordings must agree with each other and with ss.
"""

import csv
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile

import stage

PORT = 8080
N_TIME_WAIT, N_CLOSE_WAIT = 500, 20
N_MORE = 8200  # with these they are many, see live.c
OWNER = 'list-owner'


def make_time_waits(listener, n, n_of_server):
    """Those of the server do not keep a client's port from being used again, which ends them."""
    for i in range(n):
        client = socket.create_connection(('127.0.0.1', PORT))
        accepted = listener.accept()[0]
        first, last = (accepted, client) if i < n_of_server else (client, accepted)
        first.close()
        stage.wait_for_fin(last)
        last.close()


def make_sockets():
    """TIME-WAITs at the client, whose peer is a listener here; CLOSE-WAITs, whose peers are FIN-WAIT-2."""
    with open('/proc/self/comm', 'w', encoding='ascii') as f:
        f.write(OWNER)
    listener = socket.create_server(('127.0.0.1', PORT), backlog=64)
    kept = [listener]
    make_time_waits(listener, N_TIME_WAIT, N_TIME_WAIT // 2)
    for _ in range(N_CLOSE_WAIT):
        client = socket.create_connection(('127.0.0.1', PORT))
        accepted = listener.accept()[0]
        client.shutdown(socket.SHUT_WR)
        stage.wait_for_fin(accepted)
        kept += [client, accepted]
    return kept


def run(tool, *args, **more):
    return subprocess.run([tool, 'list', *args], capture_output=True, text=True, timeout=60, check=False, **more)


def rows(tool, *args):
    p = run(tool, '--json', *args)
    report = json.loads(p.stdout)
    stage.check(f'complete: {" ".join(args)}', report['complete'] is True and p.returncode == 0, p.stderr)
    return report['sockets']


def counts(tool, by, *args):
    return {g['key']: g['count'] for g in json.loads(run(tool, '--json', '--by', by, *args).stdout)['groups']}


def test_rows(tool):
    all_of_them = rows(tool, '-a')
    ss = subprocess.run(['ss', '-Htane'], capture_output=True, text=True, check=True).stdout.splitlines()
    stage.check('every socket once, as ss has it', sorted(s['cookie'] for s in all_of_them) ==
                sorted(int(line.split('sk:')[1].split()[0], 16) for line in ss), len(all_of_them))
    by_state = {}
    for s in all_of_them:
        by_state.setdefault(s['state'], []).append(s)
    stage.check('what was made', len(by_state['TIME-WAIT']) == N_TIME_WAIT and
                len(by_state['CLOSE-WAIT']) == N_CLOSE_WAIT, {k: len(v) for k, v in by_state.items()})
    stage.check('an age and an end', all(0 <= s['age_ms']['value'] <= 60000 and s['ends']['by'] == 'timewait'
                                         for s in by_state['TIME-WAIT']), by_state['TIME-WAIT'][0])
    stage.check('owners of what has one', all([p['pid'] for p in s['owner']['processes']] == [os.getpid()]
                                              for s in by_state['CLOSE-WAIT']), by_state['CLOSE-WAIT'][0])
    of_server = [s for s in by_state['TIME-WAIT'] if s['local']['port'] == PORT]
    stage.check("a listener's TIME-WAITs are attributed", of_server and
                all(s['owner']['status'] == 'attributed' for s in of_server), of_server[:1])
    return all_of_them


def test_counts(tool, all_of_them):
    for by, key in ('state', lambda s: s['state']), ('peer', lambda s: s['peer']['addr']), \
            ('local-port', lambda s: str(s['local']['port'])):
        want = {}
        for s in all_of_them:
            want[key(s)] = want.get(key(s), 0) + 1
        stage.check(f'counts by {by} are those of the rows', counts(tool, by, '-a') == want, want)
    owner = f'{OWNER}[{os.getpid()}]'
    stage.check('counts by owner', counts(tool, 'owner')[owner] == 2 * N_CLOSE_WAIT, counts(tool, 'owner'))
    stage.check('counts with an age', counts(tool, 'state', 'age', '>=', '0', 'state', 'time-wait') ==
                {'TIME-WAIT': N_TIME_WAIT})
    stage.check('counts of an owner', counts(tool, 'state', 'comm', OWNER, 'and', 'state', 'close-wait') ==
                {'CLOSE-WAIT': N_CLOSE_WAIT})
    stage.check('counts in a range', counts(tool, 'state', 'state', 'time-wait', 'sport', '=', f':{PORT}') ==
                {'TIME-WAIT': N_TIME_WAIT // 2})


def test_owners_on_request(tool):
    """Nobody holds a TIME-WAIT: who is likely to have closed it is searched for only if that is asked."""
    plain, asked = rows(tool, 'state', 'time-wait'), rows(tool, '-p', 'state', 'time-wait')
    stage.check('TIME-WAIT alone: nobody is searched for', len(plain) == N_TIME_WAIT and
                all(s['owner']['status'] == 'none' for s in plain), plain[:1])
    stage.check('TIME-WAIT with -p', any(p['comm'] == OWNER for s in asked for p in s['owner']['processes']), asked[:1])


def test_recorded(tool, live):
    with tempfile.TemporaryDirectory() as tmp:
        folder = os.path.join(tmp, 'look')
        # The recording serves every filter, so it must not be made by one.
        p = run(tool, '-a', '--record', folder, 'sport', '=', ':1')
        stage.check('recorded', p.returncode == 0 and len(p.stdout.splitlines()) == 1, p.stderr)
        replay = rows(tool, '-a', '--from', folder)
        stage.check('a recording has them all', {s['cookie'] for s in live} <= {s['cookie'] for s in replay} and
                    len(live) == len(replay), (len(live), len(replay)))
        stage.check('and counts them', counts(tool, 'state', '--from', folder) == counts(tool, 'state'))


def table(tool, *args):
    p = run(tool, '--csv', *args)
    stage.check(f'csv: {" ".join(args)}', p.returncode == 0, p.stderr)
    return list(csv.DictReader(p.stdout.splitlines()))


def test_columns(tool, all_of_them):
    want = sorted((s['state'], s['local']['port'], s['peer']['port'], s['inode'] or None) for s in all_of_them)
    seen = table(tool, '-a', '--columns', 'state,local-port,peer-port,inode')
    stage.check('columns: those of the document', sorted((r['state'], int(r['local-port']), int(r['peer-port']),
                int(r['inode']) if r['inode'] else None) for r in seen) == want, seen[:2])
    seen = table(tool, '-a', '--columns', '+pid,comm,uid')
    stage.check('columns: added behind the usual ones', list(seen[0])[:1] == ['state'] and
                list(seen[0])[-3:] == ['pid', 'comm', 'uid'] and len(seen) == len(want), list(seen[0]))
    stage.check('columns: process and its parts', all(f'pid={os.getpid()},' in r['process'] and
                r['comm'] == OWNER and r['uid'] == '0' for r in seen if r['state'] == 'CLOSE-WAIT'), seen[:3])
    seen = table(tool, '--columns', 'state,pid,comm', 'state', 'close-wait')
    stage.check('columns: one holder, and no further search', len(seen) == N_CLOSE_WAIT and
                all(r == {'state': 'CLOSE-WAIT', 'pid': str(os.getpid()), 'comm': OWNER} for r in seen), seen[:3])
    p = run(tool, '--columns', 'state,colour')
    stage.check('columns: nonsense', p.returncode == 2 and 'local-port' in p.stderr and not p.stdout, p.stderr)


def test_sorted(tool):
    for column, key in ('local-port', 'local-port'), ('ends', 'ends_ms'):
        up = [r[key] for r in table(tool, '-a', '--columns', column, '--sort', column)]
        known = [int(v) for v in up if v]
        stage.check(f'sorted by {column}, unknown ones last', known == sorted(known) and
                    up[:len(known)] == [str(n) for n in known], up[:5])
    down = [int(r['ends_ms']) for r in table(tool, '--sort', '-ends', '--top', '7', 'state', 'time-wait')]
    stage.check('the first of those sorted downwards', len(down) == 7 and down == sorted(down, reverse=True), down)
    names = [r['state'] for r in table(tool, '-a', '--sort', '-state')]
    stage.check('sorted by name', names == sorted(names, reverse=True), names[:3])
    p = run(tool, '--sort', 'colour')
    stage.check('sorted by nonsense', p.returncode == 2 and not p.stdout, p.stderr)


def test_budget(tool):
    """No process with so many descriptors can be read within a millisecond."""
    null = os.open(os.devnull, os.O_RDONLY)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    many = [os.dup(null) for _ in range(min(most, 20000) - 200)]
    for command in 'list', 'why':
        p = subprocess.run([tool, command, '--json', '--budget', '1ms'], capture_output=True, text=True, check=False)
        report = json.loads(p.stdout)
        stage.check(f'{command}: out of time: a gap, and not complete', p.returncode == 1 and
                    report['complete'] is False and any(g['what'] == 'budget' for g in report['gaps']), report['gaps'])
        p = subprocess.run([tool, command, '--json', '--budget', '1h'], capture_output=True, text=True, check=False)
        report = json.loads(p.stdout)
        stage.check(f'{command}: time enough', p.returncode == 0 and report['complete'] is True and
                    not any(g['what'] == 'budget' for g in report['gaps']), report['gaps'])
    for fd in [*many, null]:
        os.close(fd)


def why(tool, *args):
    p = subprocess.run([tool, 'why', '--json', *args], capture_output=True, text=True, timeout=60, check=False)
    return json.loads(p.stdout)


def test_counted_by_why(tool, listener):
    """What a filter leaves out is in the counts of the document all the same: also TIME-WAITs, which are not read.
    Five that are orphans in FIN-WAIT-2 are minisocks, too."""
    orphans = [(socket.create_connection(('127.0.0.1', PORT)), listener.accept()[0]) for _ in range(5)]
    for orphan, accepted in orphans:
        orphan.close()
        stage.wait_for_fin(accepted)
    make_time_waits(listener, N_TIME_WAIT // 10, 0)
    for _ in range(20):  # one that ends between the looks, by age or because its port is used again, is no difference
        whole, part, listed = why(tool), why(tool, 'state', 'close-wait'), counts(tool, 'state')
        if listed.get('TIME-WAIT') == whole['states'].get('TIME-WAIT') == part['states'].get('TIME-WAIT'):
            break
    stage.check('why: the states of the host, whatever the filter', whole['states'] == part['states'] and
                whole['states']['TIME-WAIT'] == listed['TIME-WAIT'] > 0 and
                whole['states']['FIN-WAIT-2'] == N_CLOSE_WAIT + 5, [whole['states'], part['states'], listed])
    stage.check('why: and its namespace', whole['sources']['netns'] == part['sources']['netns'], part['sources'])
    stage.check('why: only what was asked for', part['findings'] and
                all(f['rule'].startswith('close-wait') for f in part['findings']), part['findings'])


def test_many(tool, listener):
    """Forgotten row by row."""
    for name, value in ('tcp_tw_reuse', '0'), ('tcp_rfc1337', '1'):  # none ends early
        with open(f'/proc/sys/net/ipv4/{name}', 'w', encoding='ascii') as f:
            f.write(value)
    before = len(rows(tool, 'state', 'time-wait'))
    make_time_waits(listener, N_MORE, 0)
    many = rows(tool, '-a')
    n = sum(s['state'] == 'TIME-WAIT' for s in many)
    stage.check('many: every one of them', before + N_MORE - n <= N_TIME_WAIT // 2 and n >= N_MORE, n)
    stage.check('many: once', len({s['cookie'] for s in many}) == len(many))
    stage.check("many: the listener's are attributed", all(
        s['owner']['status'] == 'attributed' for s in many
        if s['state'] == 'TIME-WAIT' and s['local']['port'] == PORT))


def main():
    stage.enter()
    kept = make_sockets()
    tool = sys.argv[1]
    all_of_them = test_rows(tool)
    test_counts(tool, all_of_them)
    test_owners_on_request(tool)
    test_columns(tool, all_of_them)
    test_sorted(tool)
    test_budget(tool)
    test_recorded(tool, all_of_them)
    test_counted_by_why(tool, kept[0])
    test_many(tool, kept[0])
    del kept
    return stage.end()


sys.exit(main())

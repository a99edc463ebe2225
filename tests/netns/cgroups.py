"""Control groups: who a process belongs to, and filters by the group of a socket: cgroups.py TCPWHY. Prints TAP.

Groups are made below the one that this runs in, with the names that systemd, Docker, containerd, CRI-O, Podman
and LXC give theirs, and removed again; processes in them hold CLOSE-WAITs in a private network namespace.
Mounts and the view of the groups are private.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import tempfile

import stage

CLONE_NEWCGROUP = 0x02000000
ID = '3f4e0d9a1b2c3d4e5f60718293a4b5c6d7e8f9000102030405060708090a0b0c'
POD = '8b0c5b3e-1f0a-4a0e-9d36-0f2f5b8f7a11'
POD_ = POD.replace('-', '_')
# The folder; unit, container and pod that it names.
OF_VERSION_2 = [
    ('system.slice/nginx.service', 'nginx.service', None, None),
    (f'system.slice/docker-{ID}.scope', f'docker-{ID}.scope', ID, None),
    (f'machine.slice/libpod-{ID}.scope/container', f'libpod-{ID}.scope', ID, None),
    (f'kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD_}.slice/cri-containerd-{ID}.scope',
     f'cri-containerd-{ID}.scope', ID, POD),
    (f'kubepods/besteffort/pod{POD}/{ID}', None, ID, POD),
    ('lxc.payload.web1/system.slice/cron.service', 'cron.service', 'web1', None),
    ('plain', None, None, None),
]
OF_VERSION_1 = [
    ('system.slice/postgresql.service', 'postgresql.service', None, None),
    (f'docker/{ID}', None, ID, None),
    ('lxc/web2', None, 'web2', None),
]


def join(folder):
    pathlib.Path(folder, 'cgroup.procs').write_text(str(os.getpid()))


def live_in(folder, ready):
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    join(folder)
    kept = stage.close_wait()
    os.write(ready, b'x')
    signal.pause()
    return kept


@contextlib.contextmanager
def inhabited(top, rows):
    """A process in each group: their ids."""
    asks, ready = os.pipe()
    pids, made = [], []
    try:
        for folder, *_ in rows:
            at = top
            for name in folder.split('/'):
                at = os.path.join(at, name)
                if not os.path.isdir(at):
                    os.mkdir(at)
                    made.append(at)
            pid = os.fork()
            if pid == 0:
                try:
                    live_in(at, ready)
                finally:
                    os._exit(1)
            pids.append(pid)
            assert select.select([asks], [], [], 60)[0], f'{folder}: the process did not get ready'
            os.read(asks, 1)
        yield pids
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for at in reversed(made):
            os.rmdir(at)
        os.close(asks)
        os.close(ready)


def run(tool, *args):
    return subprocess.run([tool, *args], capture_output=True, text=True, timeout=60, check=False)


def rows_of(tool, *args):
    return json.loads(run(tool, 'list', '--json', 'state', 'close-wait', *args).stdout)['sockets']


def test_labels(tool, version, rows, pids):
    found = {}
    for s in rows_of(tool):
        for p in s['owner']['processes']:
            found[p['pid']] = (p['unit'], p['container'], p.get('pod'))
    for (folder, *want), pid in zip(rows, pids):
        stage.check(f'version {version}: {folder[:60]}', found.get(pid) == tuple(want), [found.get(pid), want])
    groups = {g['key']: g['count'] for g in json.loads(run(tool, 'list', '--json', '--by', 'unit', 'state',
                                                          'close-wait').stdout)['groups']}
    stage.check(f'version {version}: counted by unit', all(groups.get(unit or '-') == sum(r[1] == unit for r in rows)
                                                          for _, unit, *_ in rows), groups)


def test_filters(tool, pids):
    for words, want in ((['unit', 'nginx*'], [0]), (['container', ID[:12]], [1, 2, 3, 4]), (['pod', POD], [3, 4]),
                        (['container', 'web1'], [5]), (['unit', '!=', 'nginx.service', 'and', 'container', ID[:5]],
                                                       [1, 2, 3, 4])):
        seen = sorted(s['owner']['processes'][0]['pid'] for s in rows_of(tool, 'and', *words))
        stage.check(f'filter: {" ".join(words)[:50]}', seen == sorted(pids[i] for i in want), [seen, pids])
    p = run(tool, 'list', '--csv', '--columns', 'pid,pod', 'state', 'close-wait', 'pod', POD)
    stage.check('column: pod', sorted(p.stdout.splitlines()[1:]) == sorted(f'{pids[i]},{POD}' for i in (3, 4)), p.stdout)


def cookies_of_ss(*words):
    p = subprocess.run(['ss', '-Htane', *words], capture_output=True, text=True, check=False)
    return None if p.returncode else {int(line.split('sk:')[1].split()[0], 16) for line in p.stdout.splitlines()}


def test_sockets(tool, top):
    """The group of a socket is that of its maker; the kernel compares it, for ss and for us."""
    for words in (['cgroup', f'{top}/system.slice/nginx.service'], ['cgroup', f'{top}/plain'],
                  ['not', 'cgroup', f'{top}/plain'], ['cgroup', f'{top}/system.slice'],
                  ['cgroup', f'{top}/plain', 'or', 'cgroup', f'{top}/system.slice/nginx.service'],
                  ['autobound'], ['not', 'autobound'], ['autobound', 'and', 'cgroup', f'{top}/plain']):
        want = cookies_of_ss('state', 'all', *words)
        seen = {s['cookie'] for s in json.loads(run(tool, 'list', '-a', '--json', *words).stdout)['sockets']}
        name = ' '.join(words).replace(top, '...')
        if want is None:
            print(f'# ss cannot: {name}')
        stage.check(f'as ss: {name}', want is None or seen == want, [sorted(seen), sorted(want or [])])
    group = os.stat(f'{top}/plain').st_ino
    seen = json.loads(run(tool, 'list', '-a', '--json', 'cgroup', f'{top}/plain').stdout)['sockets']
    stage.check('a listener, a client and what was accepted', sorted(s['state'] for s in seen) ==
                ['CLOSE-WAIT', 'FIN-WAIT-2', 'LISTEN'], seen)
    by_number = json.loads(run(tool, 'list', '-a', '--json', 'cgroup', str(group)).stdout)['sockets']
    stage.check('by its number', [s['cookie'] for s in by_number] == [s['cookie'] for s in seen], by_number)


def mounted(kind, where, *options):
    os.mkdir(where)
    return subprocess.run(['mount', '-t', kind, *options, 'none', where], stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def base_of(tmp, kind, name, *options):
    """A group of our own, which is the root of what we see; None where that is not possible."""
    outside = os.path.join(tmp, f'{name}-outside')
    if not mounted(kind, outside, *options):
        return None
    own = next((line.split(':', 2)[2] for line in pathlib.Path('/proc/self/cgroup').read_text().splitlines()
                if line.split(':', 2)[1] == ('' if kind == 'cgroup2' else 'name=systemd')), None)
    if own is None:
        return None
    base = f'{outside}{own.rstrip("/")}/tcpwhy-test-{os.getpid()}'
    try:
        os.mkdir(base)
        join(base)
    except OSError:
        return None
    return base


def main():
    if os.geteuid() != 0:
        print('1..0 # SKIP needs root')
        return 0
    stage.enter('--mount')
    tool = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as tmp:
        subprocess.run(['mount', '-t', 'tmpfs', 'tcpwhy-test', tmp], check=True)
        homes = []
        has_systemd = any(':name=systemd:' in line for line in
                          pathlib.Path('/proc/self/cgroup').read_text().splitlines())
        two = base_of(tmp, 'cgroup2', 'two')
        one = base_of(tmp, 'cgroup', 'one', '-o', 'none,name=systemd') if has_systemd else None
        homes = [os.path.dirname(base) for base in (two, one) if base]
        if two is None:
            print('1..0 # SKIP no control group may be made here')
            for base, home in zip(filter(None, (two, one)), homes):
                join(home)
                os.rmdir(base)
            return 0
        try:
            assert ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWCGROUP) == 0
            with inhabited(two, OF_VERSION_2) as pids:
                test_labels(tool, 2, OF_VERSION_2, pids)
                test_filters(tool, pids)
                test_sockets(tool, two)
            if one:
                with inhabited(one, OF_VERSION_1) as pids:
                    test_labels(tool, 1, OF_VERSION_1, pids)
            else:
                print('# version 1: none here')
        finally:
            for base, home in zip(filter(None, (two, one)), homes):
                join(home)
                os.rmdir(base)
        subprocess.run(['umount', '-l', tmp], check=True)
    return stage.end()


sys.exit(main())

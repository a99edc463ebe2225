"""A snapshot, and what can be read from it: snapshot.py TCPWHY. TAP; nothing where no network namespace may be
made."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import stage


def run(tool, *args, **more):
    return subprocess.run([tool, *args], capture_output=True, text=True, timeout=60, check=False, **more)


def claims(tool, *args):
    """What a report says, without what every look has of its own."""
    report = json.loads(run(tool, 'why', '--json', '--min-age', '0', *args).stdout)
    return sorted((f['rule'], f['certainty'], f['subject']['pid'], f['subject']['cmdline'], f['count'])
                  for f in report['findings'])


def sockets(tool, *args):
    report = json.loads(run(tool, 'list', '--json', '--all-states', *args).stdout)
    return sorted((s['state'], s['inode'], s['cookie'], json.dumps(s['owner']), s['rqueue']) for s in report['sockets'])


def test_same(tool, tmp):
    """Live, from the file, from its folder: the same findings about the same processes."""
    file = os.path.join(tmp, 'host.tar.zst')
    done = run(tool, 'snapshot', '-o', file)
    stage.check('snapshot', done.stdout == '' and 'reads it' in done.stderr, done.stderr)
    stage.check('its maker\'s alone', os.stat(file).st_mode & 0o777 == 0o600)
    stage.check('nothing beside it', os.listdir(tmp) == ['host.tar.zst'], os.listdir(tmp))
    live, saved = claims(tool), claims(tool, '--from', file)
    stage.check('why: as live', saved and saved == live, [live, saved])
    stage.check('why: our leak is in it', any(c[0].startswith('close-wait') and c[2] == os.getpid() for c in saved),
                saved)
    stage.check('list: as live', sockets(tool, '--from', file) == sockets(tool))
    if shutil.which('zstd'):
        test_unpacked(tool, file, tmp, saved)
    else:
        stage.results.append(True)
        print(f'ok {len(stage.results)} - unpacked by tar # SKIP no zstd here')
    again = run(tool, 'snapshot', '-o', file)
    stage.check('a second one replaces it', again.returncode == done.returncode and
                claims(tool, '--from', file) == saved, again.stderr)
    return file


def test_unpacked(tool, file, tmp, saved):
    folder = os.path.join(tmp, 'folder')
    os.mkdir(folder)
    subprocess.run(['tar', '-xf', file, '-C', folder], check=True)
    stage.check('unpacked by tar: a recorded folder', claims(tool, '--from', folder) == saved)
    packed = os.path.join(tmp, 'again.tar.gz')
    subprocess.run(['tar', '-czf', packed, '-C', folder, '.'], check=True)
    stage.check('packed by tar: a snapshot', claims(tool, '--from', packed) == saved)
    for command in 'audit', 'check':
        stage.check(f'{command} --from', run(tool, command, '--from', file).stdout ==
                    run(tool, command, '--from', folder).stdout.replace(folder, file))


def test_stream(tool, file, tmp):
    with open(os.path.join(tmp, 'streamed'), 'wb') as to:
        subprocess.run([tool, 'snapshot', '-o', '-'], stdout=to, stderr=subprocess.DEVNULL, check=False)
    stage.check('-o -: the same on standard output', claims(tool, '--from', to.name) == claims(tool, '--from', file))
    link = pathlib.Path(tmp, 'stdout')
    link.symlink_to('/proc/self/fd/1')  # as /dev/stdout is
    with open(os.path.join(tmp, 'redirected'), 'wb') as to:
        p = subprocess.run([tool, 'snapshot', '-o', str(link)], stdout=to, stderr=subprocess.PIPE, text=True, check=False)
    stage.check('-o a link to the file behind stdout is refused', p.returncode == 1 and 'it is not replaced' in p.stderr and
                link.is_symlink(), p.stderr)
    device = run(tool, 'snapshot', '-o', '/dev/null')
    stage.check('-o /dev/null leaves it a device', pathlib.Path('/dev/null').is_char_device(), device.stderr)
    full = run(tool, 'snapshot', '-o', '/dev/full')
    stage.check('a full disk is said', full.returncode == 1 and '/dev/full: No space left' in full.stderr,
                full.stderr)
    metrics = run(tool, 'check', '--format', 'prometheus', '-o', '/dev/null')
    stage.check('check -o /dev/null leaves it a device', pathlib.Path('/dev/null').is_char_device() and
                metrics.returncode == 3, metrics.stderr)


def test_wrong(tool, file, tmp):
    whole = pathlib.Path(file).read_bytes()
    bad = pathlib.Path(tmp, 'bad')
    for name, content in {'junk': b'junk', 'empty': b'', 'cut': whole[:len(whole) // 2],
                          'damaged': whole[:100] + b'\0' * 50 + whole[150:]}.items():
        bad.write_bytes(content)
        got = run(tool, 'why', '--from', str(bad))
        stage.check(f'{name}: one clear line', got.returncode == 1 and got.stdout == '' and
                    got.stderr.startswith(f'tcpwhy: {bad}: ') and got.stderr.count('\n') == 1, got.stderr)
    for args in ['-o', '/no/such/folder/x'], ['filter'], ['--from', file]:
        got = run(tool, 'snapshot', *args)
        stage.check(f'snapshot {" ".join(args)}: refused', got.returncode in (1, 2) and
                    got.stderr.startswith('tcpwhy: '), got.stderr)


def test_killed(tool, tmp):
    """Whatever ends it, and whenever: nothing is left behind."""
    folder = os.path.join(tmp, 'killed')
    os.mkdir(folder)
    for number in range(12):
        with subprocess.Popen([tool, 'snapshot', '-o', os.path.join(folder, 'x')], stderr=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL) as p:
            time.sleep(0.004 * number)
            p.send_signal([signal.SIGKILL, signal.SIGINT][number % 2])
    stage.check('killed: the whole file, or none', set(os.listdir(folder)) <= {'x'}, os.listdir(folder))


def main():
    stage.enter()
    tool = sys.argv[1]
    with tempfile.TemporaryDirectory() as tmp, socket.create_server(('127.0.0.1', 8080)) as listener:
        pairs = [(socket.create_connection(listener.getsockname()), listener.accept()[0]) for _ in range(12)]
        for client, server in pairs:
            client.close()
            server.recv(1)
        file = test_same(tool, tmp)
        test_stream(tool, file, tmp)
        test_wrong(tool, file, tmp)
        test_killed(tool, tmp)
    return stage.end()


sys.exit(main())

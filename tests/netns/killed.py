"""A listing that is ended at any moment: killed.py TCPWHY. Prints TAP; nothing where no namespace may be made.

The reader takes some bytes and no more, so the program stands in a write when it is ended: by a signal,
or because nobody reads on. Then nothing may be left, and what was written must not pass for a whole report.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

import stage

N = 600
PIPE = 65536


def make_sockets():
    """CLOSE-WAIT and FIN-WAIT-2, and as many TIME-WAITs: more text than any pipe holds."""
    listener = socket.create_server(('127.0.0.1', 8080), backlog=64)
    kept = [listener]
    for i in range(2 * N):
        client = socket.create_connection(('127.0.0.1', 8080))
        accepted = listener.accept()[0]
        client.shutdown(socket.SHUT_WR)
        assert accepted.recv(1) == b''
        if i < N:
            kept += [client, accepted]
        else:
            accepted.close()
            client.close()
    return kept


def is_whole(out):
    """Does anything here say that the report is complete?"""
    try:
        return json.loads(out).get('complete') is not None
    except ValueError:
        pass
    try:
        return 'complete' in json.loads(out.splitlines()[-1])
    except (ValueError, IndexError):
        return False


def others():
    """The processes of this pid namespace but us."""
    return [p.name for p in pathlib.Path('/proc').iterdir() if p.name.isdigit() and p.name not in
            ('1', str(os.getpid()))]


def read_exactly(f, n):
    out = b''
    while len(out) < n:
        more = f.read(min(n - len(out), PIPE))
        if not more:
            break
        out += more
    return out


def end_after(tool, args, n, how, tmp):
    """What was written, and the status. `how` 0: the reader goes away."""
    with subprocess.Popen([tool, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp, bufsize=0,
                          env={**os.environ, 'TMPDIR': tmp}) as p:
        out = read_exactly(p.stdout, n)
        if how:
            p.send_signal(how)
            out += read_exactly(p.stdout, 1 << 30)
        p.stdout.close()
        err = p.stderr.read()
        return out, err, p.wait(timeout=60)


def test_ends(tool, tmp):
    for args in ['list', '--json'], ['list', '--json-lines'], ['list'], ['list', '--json', '-A'], ['why', '--json',
                 '--examples', '1200', '--min-age', '0', '-v']:
        whole = subprocess.run([tool, *args], capture_output=True, check=False)
        name = ' '.join(args[:3])
        expected = '-A' in args  # this pid namespace is not the machine's, and what is outside is missing
        stage.check(f'{name}: more than a pipe holds', len(whole.stdout) > 3 * PIPE and
                    whole.returncode == expected and (len(args) == 1 or is_whole(whole.stdout)), len(whole.stdout))
        for how in signal.SIGINT, signal.SIGTERM, signal.SIGKILL, 0:
            bad = []
            for n in 1, PIPE, len(whole.stdout) - 2 * PIPE:
                out, err, status = end_after(tool, args, n, how, tmp)
                if is_whole(out) or status != -(how or signal.SIGPIPE) or err or os.listdir(tmp) or others():
                    bad.append((n, len(out), status, err.decode(), os.listdir(tmp), others()))
            word = signal.Signals(how).name if how else 'nobody reads on'
            stage.check(f'{name}: {word}: nothing left, and not complete', not bad, bad)


def test_ignored(tool):
    """A shell may have been told to ignore SIGPIPE: then writing fails, quietly."""
    p = subprocess.run(f"trap '' PIPE; {tool} list --json | head -c 1", shell=True, capture_output=True, text=True,
                       check=False)
    stage.check('SIGPIPE ignored', p.stderr == '' and p.stdout == '{', p.stderr)


def test_recording(tool, tmp):
    """A recording that was cut off is none."""
    folder = os.path.join(tmp, 'look')
    for args in ['list', '--record', folder], ['why', '--record', folder]:
        with subprocess.Popen([tool, *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
            while not os.path.isdir(folder) and p.poll() is None:
                os.sched_yield()
            p.kill()
        finished = p.returncode == 0
        q = subprocess.run([tool, 'list', '--json', '--from', folder], capture_output=True, text=True, check=False)
        stage.check(f'{args[0]} --record, killed: whole or refused', finished or q.returncode == 1 and
                    (not q.stdout or json.loads(q.stdout)['complete'] is False), f'{q.stdout[-300:]}\n{q.stderr}')
        subprocess.run(['rm', '-r', folder], check=True)


def main():
    stage.enter('--pid', '--fork', '--kill-child', '--mount-proc')
    kept = make_sockets()
    with tempfile.TemporaryDirectory() as tmp:
        tool = os.path.abspath(sys.argv[1])
        test_ends(tool, tmp)
        test_ignored(tool)
        test_recording(tool, tmp)
    del kept
    return stage.end()


sys.exit(main())

"""Owners that are hard to see: hidden.py TCPWHY. Prints TAP; nothing where no namespaces may be made.

The other end in another network namespace of the host; processes that /proc hides from other users, that live
in a pid namespace above, and that end while they are looked at; threads with descriptors of their own. What
cannot be seen is said, and no socket is lost for it. Namespaces and mounts are private and die with the script.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import stage
from stage import process

CLONE_FILES = 0x400
PORT, N = 8080, 12
SERVER, CLIENT = '192.0.2.1', '192.0.2.2'


def run(tool, *args, **more):
    return subprocess.run([tool, *args], capture_output=True, text=True, timeout=60, check=False, **more)


def document(tool, *args, before=(), **more):
    p = run(*before, tool, *args, '--json', **more)
    return p.returncode, json.loads(p.stdout)


def close_waits(say, n, port=PORT):
    listener = socket.create_server(('127.0.0.1', port))
    kept = [listener]
    for _ in range(n):
        client = socket.create_connection(('127.0.0.1', port))
        accepted = listener.accept()[0]
        client.shutdown(socket.SHUT_WR)
        stage.wait_for_fin(accepted)
        kept += [client, accepted]
    say()
    return kept


# The other end in another network namespace.

def accept_and_forget(say, client_pid):
    """Moves into the namespace of the other process, to hold the end that nobody closes there."""
    stage.join_netns(client_pid)
    pathlib.Path('/proc/self/comm').write_text('forgetful')
    listener = socket.create_server((SERVER, PORT))
    say()
    return [listener] + [listener.accept()[0] for _ in range(N)]


def connect_and_end(say):
    ends = [socket.create_connection((SERVER, PORT)) for _ in range(N)]
    for s in ends:
        s.shutdown(socket.SHUT_WR)
    say()
    return ends


def test_pairs(tool):
    with process(stage.leave_netns) as there:
        stage.connect_netns(there, CLIENT, SERVER)
        with process(accept_and_forget, there) as server, process(connect_and_end) as client:
            _, report = document(tool, 'why', '-A', '--min-age', '0')
            f = next((f for f in report['findings'] if f['rule'].startswith('fin-wait-2')), None)
            stage.check('pairs: who keeps our half-closed end waiting is in another namespace', f is not None and
                        f['count'] == N and f['facts'].get('culprit_pid') == server and
                        f['facts'].get('culprit') == 'forgetful', report['findings'])
            stage.check('pairs: likely, as only the addresses say so', f is not None and
                        f['certainty'] == 'likely', f)
            stage.check('pairs: each end with its owner and namespace', f is not None and
                        f['subject']['pid'] in (client, None) and
                        f['subject']['netns'] == os.stat('/proc/self/ns/net').st_ino, f)
            _, alone = document(tool, 'why', '--min-age', '0')
            f = next((f for f in alone['findings'] if f['rule'].startswith('fin-wait-2')), None)
            stage.check('pairs: who looks at one namespace accuses nobody', f is not None and
                        'culprit_pid' not in f['facts'], f)


# Processes that cannot be seen.

def sockets_of(report):
    return [s for s in report['sockets'] if s['state'] == 'CLOSE-WAIT']


def gaps_about(report, words):
    return [g for g in report['gaps'] if g['what'] == 'owners' and words in g['reason']]


def unseen_netns(report):
    return [g['reason'] for g in report['gaps'] if g['what'] == 'netns']


def test_hidepid(tool):
    """In mounts of their own: /proc is that of this pid namespace, and shows a user only what is his."""
    shell = 'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"'
    before = ['unshare', '--mount', 'sh', '-c', shell, 'sh']
    if run(*before, 'true').returncode != 0:
        print('# hidepid: no such mount here')
        return
    with process(close_waits, N):
        code, report = document(tool, 'list', 'state', 'close-wait', before=before)
        stage.check('hidepid: every socket all the same', len(sockets_of(report)) == N, report['sockets'][:2])
        stage.check('hidepid: hidden, and not nobody', all(s['owner']['status'] == 'hidden' and s['owner']['basis']
                                                           for s in sockets_of(report)), report['sockets'][:1])
        stage.check('hidepid: said', code == 0 and gaps_about(report, 'hidepid'), report['gaps'])
        code, report = document(tool, 'list', '-A', before=before)
        stage.check('hidepid: nor are their network namespaces seen', code == 1 and
                    'processes of other users are hidden (hidepid)' in unseen_netns(report), report['gaps'])
        _, report = document(tool, 'why', '--min-age', '0', before=before)
        stage.check('hidepid: a rule that needs an owner knows nothing', not any(
            f['rule'] in ('close-wait-leaked-fd', 'close-wait-kernel-held') for f in report['findings']),
            report['findings'])


def test_above(tool):
    """From inside a container's pid namespace the host's processes are not there."""
    with process(close_waits, N):
        before = ['unshare', '--pid', '--fork', '--mount-proc']
        _, report = document(tool, 'list', 'state', 'close-wait', before=before)
        stage.check('pid namespace: hidden, and not nobody', len(sockets_of(report)) == N and
                    all(s['owner']['status'] == 'hidden' for s in sockets_of(report)), report['sockets'][:1])
        stage.check('pid namespace: said', gaps_about(report, 'outside this container'), report['gaps'])
        stage.check('pid namespace: one\'s own network namespace is all that was asked for',
                    not unseen_netns(report), report['gaps'])
        _, report = document(tool, 'list', 'state', 'close-wait')
        stage.check('pid namespace: seen from above', all(s['owner']['status'] == 'known' for s in sockets_of(report)),
                    report['sockets'][:1])


def elsewhere_with_close_waits(say):
    stage.leave_netns()
    stage.ip('link', 'set', 'lo', 'up')
    return close_waits(say, N)


def test_above_all(tool):
    """The sockets of a process above are in a network namespace that nothing down there shows."""
    before = ['unshare', '--pid', '--fork', '--mount-proc']
    with process(elsewhere_with_close_waits):
        code, report = document(tool, 'why', '-A', '--min-age', '0', before=before)
        stage.check('pid namespace: whose network namespaces are not seen, either', code == 1 and
                    report['complete'] is False and report['states']['CLOSE-WAIT'] == 0 and
                    unseen_netns(report) == ['processes outside this container are not visible'], report)
        p = run(*before, tool, 'why', '-A')
        stage.check('pid namespace: all is not well', 'all is well' not in p.stdout, p.stdout)


def test_ending(tool):
    """Four processes end while the descriptors of all are read, forty times over."""
    dice, bad = random.Random(1), []
    for _ in range(40):
        with contextlib.ExitStack() as stack:
            pids = [stack.enter_context(process(close_waits, 2, PORT + 1 + i)) for i in range(4)]
            with subprocess.Popen([tool, 'list', '--json', 'state', 'close-wait'], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True) as p:
                for pid in dice.sample(pids, 4):
                    select.select([], [], [], dice.random() / 200)
                    os.kill(pid, signal.SIGKILL)
                out, err = p.communicate(timeout=60)
            report = json.loads(out) if out else {}
            if p.returncode != 0 or report.get('complete') is not True or \
                    any(o['pid'] not in pids for s in report['sockets'] for o in s['owner']['processes']):
                bad.append([p.returncode, err, report])
    stage.check('ending: whole reports, and no wrong owner', not bad, bad[:1])


def serve_in_thread(say, with_table):
    """The main thread has an epoll set; the other one has another, which watches the connection it accepted."""
    pathlib.Path('/proc/self/comm').write_text('threaded')
    listener = socket.create_server(('127.0.0.1', PORT))

    def serve():
        assert not with_table or ctypes.CDLL(None, use_errno=True).unshare(CLONE_FILES) == 0
        client = socket.create_connection(('127.0.0.1', PORT))
        accepted, loop = listener.accept()[0], select.epoll()
        loop.register(accepted, select.EPOLLIN | select.EPOLLRDHUP)
        client.shutdown(socket.SHUT_WR)
        stage.wait_for_fin(accepted)
        say()
        signal.pause()

    main_loop = select.epoll()
    main_loop.register(listener, select.EPOLLIN)
    threading.Thread(target=serve).start()
    return listener, main_loop


def test_threads(tool):
    for with_table in False, True:
        with process(serve_in_thread, with_table):
            _, report = document(tool, 'why', '--min-age', '0', 'state', 'close-wait')
            rules = [f['rule'] for f in report['findings'] if f['subject']['comm'] == 'threaded']
            stage.check(f'threads: watched by an epoll set {"of the thread" if with_table else "of the process"}',
                        rules == ['close-wait-eof-unread'], report['findings'])


def main():
    if os.geteuid() != 0:
        print('1..0 # SKIP needs root')
        return 0
    stage.enter('--mount', '--pid', '--fork', '--kill-child', '--mount-proc')
    with tempfile.TemporaryDirectory() as tmp:
        os.chmod(tmp, 0o755)
        tool = shutil.copy(sys.argv[1], tmp)  # where every user may run it
        test_pairs(tool)
        test_hidepid(tool)
        test_above(tool)
        test_above_all(tool)
        test_ending(tool)
        test_threads(tool)
    return stage.end()


sys.exit(main())

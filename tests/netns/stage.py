"""What every live test of this folder begins and ends with: a network namespace of its own, and TAP."""

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys

INSIDE = 'TCPWHY_TEST_NETNS'
NOBODY = 65534
CLONE_NEWNET = 0x40000000
AS_NOBODY = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []}
GENERIC = {'socket': 198, 'setsockopt': 208, 'exit': 93}
CALLS = {'x86_64': {'socket': 41, 'setsockopt': 54, 'exit': 60}, 'aarch64': GENERIC, 'riscv64': GENERIC}

results = []


def check(name, is_good, seen=None):
    """One point; what was seen is shown where it is not good."""
    results.append(bool(is_good))
    print(f'{"ok" if is_good else "not ok"} {len(results)} - {name}', flush=True)
    if is_good or seen is None:
        return
    for line in (seen if isinstance(seen, str) else json.dumps(seen, indent=1, default=str)).splitlines()[:150]:
        print('#', line)


def end():
    """The plan, and the exit status."""
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


def unshare_command():
    return ['unshare', '-n'] if os.geteuid() == 0 else ['unshare', '-rn']


def can_unshare():
    return subprocess.run([*unshare_command(), 'true'], stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def unshare():
    """The command that makes a namespace for what follows it. Ends the test where none may be made."""
    if not can_unshare():
        print('1..0 # SKIP no network namespace may be made here')
        sys.exit(0)
    return unshare_command()


def enter(*more):
    """Goes on in a namespace of its own, with a loopback device; it dies with the script. More for unshare(1)."""
    if INSIDE not in os.environ:
        way = [*unshare(), *more]
        # In a chroot mounts cannot be made private, and must not be made in any other way.
        if subprocess.run([*way, 'true'], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            print(f'1..0 # SKIP not possible here: {" ".join(way)}')
            sys.exit(0)
        os.environ[INSIDE] = '1'
        os.execvp('unshare', [*way, sys.executable, '-B', *sys.argv])
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)


def start_process(what, *args):
    """The id of a child that does what(say, *args) and stays; `say` tells that it is ready. It ends with its parent."""
    asks, ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            kept = what(lambda: os.write(ready, b'x'), *args)
            signal.pause()
            del kept
        finally:
            os._exit(1)
    assert select.select([asks], [], [], 20)[0], 'a process did not get ready'
    os.close(asks)
    os.close(ready)
    return pid


def end_process(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@contextlib.contextmanager
def process(what, *args):
    """start_process() and, behind the block, end_process()."""
    pid = start_process(what, *args)
    try:
        yield pid
    finally:
        end_process(pid)


def leave_netns(say=lambda: None):
    """For a new network namespace."""
    assert ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) == 0
    say()


def join_netns(pid):
    with open(f'/proc/{pid}/ns/net', 'rb') as f:
        assert ctypes.CDLL(None, use_errno=True).setns(f.fileno(), CLONE_NEWNET) == 0


def wait_for_fin(s):
    """Until the other end has finished."""
    poll = select.poll()
    poll.register(s, select.POLLRDHUP)
    assert poll.poll(20000), 'no FIN came'


def close_wait(port=0):
    """What has to be kept: a listener, a client that has finished, and the connection in CLOSE-WAIT."""
    listener = socket.create_server(('127.0.0.1', port))
    client = socket.create_connection(listener.getsockname())
    accepted = listener.accept()[0]
    client.shutdown(socket.SHUT_WR)
    wait_for_fin(accepted)
    return listener, client, accepted


def ip(*words):
    subprocess.run(['ip', *words], check=True)


def connect_netns(pid, here, there):
    """A cable into the namespace of that process, with an address at each end."""
    ip('link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far', 'netns', str(pid))
    ip('addr', 'add', f'{here}/24', 'dev', 'near')
    ip('link', 'set', 'near', 'up')
    inside = ['nsenter', '-t', str(pid), '-n', 'ip']
    subprocess.run([*inside, 'addr', 'add', f'{there}/24', 'dev', 'far'], check=True)
    subprocess.run([*inside, 'link', 'set', 'far', 'up'], check=True)


def denied(call, argument, value, error, argv):
    """Runs the tool where calls with that argument fail: a kernel without it, or a container that forbids it."""
    libc = ctypes.CDLL(None, use_errno=True)
    load, number = 0x20, CALLS[os.uname().machine][call]
    program = b''.join(struct.pack('HBBI', *step) for step in (
        (load, 0, 0, 0), (0x15, 0, 3, number),              # seccomp_data: nr at 0, args[0] at 16
        (load, 0, 0, 16 + 8 * argument), (0x15, 0, 1, value),
        (0x06, 0, 0, 0x00050000 | error),                   # SECCOMP_RET_ERRNO
        (0x06, 0, 0, 0x7fff0000)))                          # SECCOMP_RET_ALLOW
    steps = ctypes.create_string_buffer(program)
    sock_fprog = struct.pack('@HP', len(program) // 8, ctypes.addressof(steps))
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, sock_fprog, 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
    os.execvp(argv[0], argv)


def without_netlink(error, argv):
    """Runs the tool where no socket of netlink can be had."""
    denied('socket', 0, socket.AF_NETLINK, error, argv)

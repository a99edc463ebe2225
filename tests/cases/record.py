#!/usr/bin/env python3
"""Records the inputs of a case: record.py TCPWHY CASE-FOLDER [FILTER...] < PLAY, as root.

How it works: in a network, process and host name namespace of its own a capture of lo is begun and
PLAY, a few lines of Python, makes the sockets with the functions below. What it puts into hold() is
given to a process of that name. Then the capture is ended, the look taken and both are left in the
folder, without what would tell about the machine that recorded them.
"""

import ctypes
import os
import pathlib
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

PATIENCE_S = 20
STATES = {'ESTABLISHED': 1, 'FIN-WAIT-1': 4, 'FIN-WAIT-2': 5, 'TIME-WAIT': 6, 'CLOSE-WAIT': 8,
          'LAST-ACK': 9, 'CLOSING': 11}
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
SO_ATTACH_FILTER, SO_DETACH_FILTER, TCP_REPAIR = 26, 27, 19
FIRST_FD = 7
PERSIST = 4  # the timer of a closed window
KERNEL = '6.1.0'
libc = ctypes.CDLL(None, use_errno=True)
holders = {}


def wait_until(true, what):
    """No sleeping for luck: wait for the event, with a deadline."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            sys.exit(f'record.py: waited in vain for {what}')
        time.sleep(0.005)


def listen(port, backlog=16):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('127.0.0.1', port))
    s.listen(backlog)
    return s


def connect(port, from_port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('127.0.0.2', from_port))
    s.connect(('127.0.0.1', port))
    return s


def pair(listener, from_port):
    """A connection's client and server end."""
    client = connect(listener.getsockname()[1], from_port)
    return client, listener.accept()[0]


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()


def set_sysctl(name, value):
    pathlib.Path('/proc/sys', name).write_text(str(value))


def wait_socks(state, n=1, tries=0):
    """Until so many are in this state and have each been sent in vain so often."""
    def enough(timer, ticks, resent):
        # A probe that is answered is not counted; but the time between two doubles, from 200 ms.
        return ticks > 22 << (tries - 1) if timer == PERSIST and tries else resent >= tries

    def seen():
        rows = [row.split() for row in pathlib.Path('/proc/net/tcp').read_text().splitlines()[1:]]
        return sum(int(row[3], 16) == STATES[state] and
                   enough(*(int(n, 16) for n in row[5].split(':')), int(row[6], 16))
                   for row in rows) >= n
    wait_until(seen, f'{n} {state}, tried {tries} times')


def deaf(s):
    """A filter that takes nothing: what is sent to this end is neither acknowledged nor refused."""
    code = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0))
    program = struct.pack('HxxxxxxP', 1, ctypes.addressof(code))
    s.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def hear_again(s):
    s.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


def vanish(s):
    """Gone as in a power failure: a socket under repair says nothing when it is closed."""
    s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    s.close()


def fill(s):
    """Until nothing has moved for a moment: the buffers grow while they are filled."""
    idle = 0
    while idle < 20:
        try:
            s.send(bytes(4096), socket.MSG_DONTWAIT)
            idle = 0
        except BlockingIOError:
            idle += 1
            time.sleep(0.005)


def hold(comm, *socks, stopped=False, keep=False, limit=None, epoll=None):
    """A process that does nothing but hold these sockets, as descriptors 7, 8, ...; alone, unless
    they are kept here as well. `epoll`: the mask by which it watches all but the first."""
    n_fds = 3 + len(socks) + (epoll is not None)
    pid = os.fork()
    if pid:
        name = pathlib.Path(f'/proc/{pid}/comm')
        wait_until(lambda: name.read_text().strip() == comm, comm)
        wait_until(lambda: len(os.listdir(f'/proc/{pid}/fd')) == n_fds, comm)
        for s in () if keep else socks:
            s.close()
        if stopped:
            os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: pathlib.Path(f'/proc/{pid}/stat').read_text().split()[2] == 'T',
                       comm)
        holders[pid] = comm
        return
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(PR_SET_NAME, comm.encode())
    high = [os.dup2(s.fileno(), 500 + i) for i, s in enumerate(socks)]
    os.closerange(3, 500)
    for i, fd in enumerate(high):
        os.dup2(fd, FIRST_FD + i)
    os.closerange(500, 500 + len(socks))
    if epoll is not None:
        watcher = select.epoll()
        for i in range(1, len(socks)):
            watcher.register(FIRST_FD + i, epoll)
    if limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    while True:
        signal.pause()


def begin(tcpwhy, folder, words):
    for old in ('look', 'capture.pcap'):
        shutil.rmtree(folder / old, ignore_errors=True)
        (folder / old).unlink(missing_ok=True)
    argv = [tcpwhy, 'why', '-i', 'lo', '--for', '1h', '-w', folder / 'capture.pcap', '--record',
            folder / 'look', *words]
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    capture = folder / 'capture.pcap'
    # The file is made when the device is being listened to.
    wait_until(lambda: capture.exists() or child.poll() is not None, 'the capture')
    if child.poll() is not None:
        sys.exit('record.py: the capture did not begin')
    return child


def neutral(folder):
    """What belongs to this machine and not to the case."""
    for path in sorted((folder / 'look').rglob('*')):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o644)
        elif path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
        if path.name == 'cmdline':
            path.write_bytes(holders.get(int(path.parent.name), '?').encode() + b'\0')
        elif path.name == 'exe':
            path.unlink()
        elif path.name == 'cgroup':
            path.write_text('0::/\n')
        elif path.name == 'osrelease':
            path.write_text(KERNEL + '\n')
        elif path.name == 'boot_id':
            path.write_text('00000000-0000-4000-8000-000000000000\n')


def inside(tcpwhy, folder, words, play):
    socket.sethostname('host')
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    child = begin(tcpwhy, folder, words)
    exec(compile(play, 'play', 'exec'), globals())  # the recipe is ours
    child.send_signal(signal.SIGINT)
    child.wait(PATIENCE_S)
    neutral(folder)


def main():
    folder = pathlib.Path(sys.argv[2]).resolve()
    tcpwhy = pathlib.Path(sys.argv[1]).resolve()
    if os.environ.get('RECORD_INSIDE'):
        inside(tcpwhy, folder, sys.argv[3:], sys.stdin.read())
        return
    argv = ['unshare', '--net', '--pid', '--fork', '--mount-proc', '--uts', '--kill-child',
            sys.executable, '-B', __file__, tcpwhy, folder, *sys.argv[3:]]
    sys.exit(subprocess.run(argv, env={**os.environ, 'RECORD_INSIDE': '1'}, check=False).returncode)


if __name__ == '__main__':
    main()

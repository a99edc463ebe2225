"""A capture from the other side of a NAT: nat.py TCPWHY. TAP; nothing where no network namespace may be made.

client 10.0.0.2 - 10.0.0.1 masquerade 192.0.2.1 - 192.0.2.2 server, which does not close. Packets are kept at
both ends; only those of the server's end are about its sockets.
"""

import contextlib
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import stage

SERVER, PORT, N = '192.0.2.2', 8080, 3
NAT = '''
add table ip nat
add chain ip nat out { type nat hook postrouting priority 100; }
add rule ip nat out oifname "outside" masquerade
'''


class Tap:
    """What passes a device, as a capture."""
    def __init__(self, device):
        self.frames = []
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((device, 0))
        self.socket.settimeout(0.1)
        self.is_over = False
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        while not self.is_over:
            with contextlib.suppress(TimeoutError):
                self.frames.append((time.time_ns(), self.socket.recv(65535)))

    def count(self, flag):
        """Segments of IPv4 with that TCP flag."""
        return sum(1 for _, f in self.frames if f[12:14] == b'\x08\0' and f[23] == 6 and f[47] & flag)

    def write(self, path):
        self.is_over = True
        self.thread.join()
        self.socket.close()
        with open(path, 'wb') as out:
            out.write(struct.pack('=IHHIIII', 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
            for ns, frame in self.frames:
                out.write(struct.pack('=IIII', ns // 10 ** 9, ns % 10 ** 9, len(frame), len(frame)) + frame)


def wait_for(what, is_so):
    deadline = time.monotonic() + 30
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


def be_client(path):
    """Connects, says something, finishes, and stays half-closed until it is told to go."""
    tap = Tap('inside')
    clients = [socket.create_connection((SERVER, PORT)) for _ in range(N)]
    for client in clients:
        client.sendall(b'hello')
        client.shutdown(socket.SHUT_WR)
    wait_for('the FINs', lambda: tap.count(1) >= N)
    tap.write(path)
    print('ready', flush=True)
    sys.stdin.readline()


def sh(command, **more):
    subprocess.run(command, shell=True, check=True, **more)


@contextlib.contextmanager
def namespace():
    with subprocess.Popen(['unshare', '-n', 'sleep', '600']) as p:
        try:
            own = os.readlink('/proc/self/ns/net')
            wait_for('a namespace', lambda: os.readlink(f'/proc/{p.pid}/ns/net') != own)
            sh(f'nsenter -t {p.pid} -n ip link set lo up')
            yield p.pid
        finally:
            p.kill()


def build(client, nat):
    sh('ip link add world type veth peer name outside')
    sh(f'ip link set outside netns {nat}')
    sh(f'ip address add {SERVER}/24 dev world; ip link set world up')
    sh(f'nsenter -t {nat} -n ip link add lan type veth peer name inside')
    sh(f'nsenter -t {nat} -n ip link set inside netns {client}')
    sh(f'nsenter -t {nat} -n sh -c "ip address add 192.0.2.1/24 dev outside; ip address add 10.0.0.1/24 dev lan;'
       f' ip link set outside up; ip link set lan up; echo 1 >/proc/sys/net/ipv4/ip_forward"')
    sh(f'nsenter -t {client} -n sh -c "ip address add 10.0.0.2/24 dev inside; ip link set inside up;'
       f' ip route add default via 10.0.0.1"')
    sh(f'nsenter -t {nat} -n nft -f -', input=NAT, text=True)


def why(tool, path):
    run = subprocess.run([tool, 'why', '--json', '--min-age', '0', '-r', path], capture_output=True, text=True,
                         timeout=60, check=False)
    document = json.loads(run.stdout)
    found = [f for f in document['findings'] if f['rule'].startswith('close-wait')]
    return found[0] if len(found) == 1 else {'facts': {}, 'count': 0}, [g['what'] for g in document['gaps']], document


def judge_filter(tool, ours):
    """They are here, in another state than was asked for: nothing says that they are of another host."""
    run = subprocess.run([tool, 'list', 'state', 'last-ack', '--json', '-r', ours], capture_output=True, text=True,
                         timeout=60, check=False)
    gaps = {g['what']: g for g in json.loads(run.stdout)['gaps']}
    gap = gaps.get('capture-elsewhere', {})
    stage.check('a filter that asks for others: none of those that were looked at, no word of all here',
                gap.get('reason', '').endswith(' of a socket that was looked at') and
                'not asked for' in gap['effect'], gaps)


def judge(tool, theirs, ours):
    leaked, gaps, document = why(tool, ours)
    stage.check('our side of the NAT: every FIN was seen', leaked['count'] == N and
                leaked['facts'].get('fins_seen') == N and 'capture-elsewhere' not in gaps, document)
    leaked, gaps, document = why(tool, theirs)
    stage.check('the other side: it says nothing of our sockets', leaked['count'] == N and
                not leaked['facts'].keys() & {'fins_seen', 'fin_at', 'closed_first'}, document)
    stage.check('and that is said', 'capture-elsewhere' in gaps, document['gaps'])


def main():
    if sys.argv[1] == '--client':
        be_client(sys.argv[2])
        return 0
    stage.enter()
    with tempfile.TemporaryDirectory() as tmp, namespace() as client, namespace() as nat:
        build(client, nat)
        theirs, ours = (str(pathlib.Path(tmp, name)) for name in ('client.pcap', 'server.pcap'))
        tap = Tap('world')
        with socket.create_server((SERVER, PORT)) as listener, \
                subprocess.Popen(['nsenter', '-t', str(client), '-n', sys.executable, '-B', __file__, '--client',
                                  theirs], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
            held = [listener.accept() for _ in range(N)]
            for fd, peer in held:
                stage.check(f'the server sees the NAT: {peer[0]}', peer[0] == '192.0.2.1')
                while fd.recv(100):
                    pass
            p.stdout.readline()
            wait_for('the FINs', lambda: tap.count(1) >= N)
            tap.write(ours)
            judge(sys.argv[1], theirs, ours)
            judge_filter(sys.argv[1], ours)
            p.stdin.close()
    return stage.end()


sys.exit(main())

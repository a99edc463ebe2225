"""Three hosts for a live test: a client 10.0.0.2, a router with rules of nftables, and the server 192.0.2.2, which is
the namespace of the test itself. What passes a device can be kept as a capture."""

import contextlib
import os
import socket
import struct
import subprocess
import threading
import time

CLIENT, SERVER = '10.0.0.2', '192.0.2.2'
CLIENT6, SERVER6 = 'fd00:a::2', 'fd00:b::2'


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
        while True:
            try:
                self.frames.append((time.time_ns(), self.socket.recv(65535)))
            except TimeoutError:
                if self.is_over:
                    return

    def count(self, flag):
        """Segments with that TCP flag."""
        four = sum(1 for _, f in self.frames if f[12:14] == b'\x08\0' and f[23] == 6 and f[47] & flag)
        return four + sum(1 for _, f in self.frames if f[12:14] == b'\x86\xdd' and f[20] == 6 and f[67] & flag)

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


def sh(command, **more):
    subprocess.run(command, shell=True, check=True, **more)


@contextlib.contextmanager
def namespace():
    """Its holder's pid, for nsenter(1)."""
    with subprocess.Popen(['unshare', '-n', 'sleep', '600']) as p:
        try:
            own = os.readlink('/proc/self/ns/net')
            wait_for('a namespace', lambda: os.readlink(f'/proc/{p.pid}/ns/net') != own)
            sh(f'nsenter -t {p.pid} -n ip link set lo up')
            yield p.pid
        finally:
            p.kill()


def build(client, router, rules):
    """server "world" - "outside" router "lan" - "inside" client, IPv4 and IPv6; the router lives by those rules."""
    sh('ip link add world type veth peer name outside')
    sh(f'ip link set outside netns {router}')
    sh(f'ip address add {SERVER}/24 dev world; ip address add {SERVER6}/64 dev world nodad; ip link set world up;'
       ' ip -6 route add fd00:a::/64 via fd00:b::1; ip route add 10.0.0.0/24 via 192.0.2.1')
    sh(f'nsenter -t {router} -n ip link add lan type veth peer name inside')
    sh(f'nsenter -t {router} -n ip link set inside netns {client}')
    sh(f'nsenter -t {router} -n sh -c "ip address add 192.0.2.1/24 dev outside; ip address add 10.0.0.1/24 dev lan;'
       ' ip address add fd00:b::1/64 dev outside nodad; ip address add fd00:a::1/64 dev lan nodad;'
       ' ip link set outside up; ip link set lan up; echo 1 >/proc/sys/net/ipv4/ip_forward;'
       ' echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"')
    sh(f'nsenter -t {client} -n sh -c "ip address add {CLIENT}/24 dev inside;'
       f' ip address add {CLIENT6}/64 dev inside nodad; ip link set inside up;'
       ' ip route add default via 10.0.0.1; ip -6 route add default via fd00:a::1"')
    sh(f'nsenter -t {router} -n nft -f -', input=rules, text=True)

#!/bin/sh
# make.sh TCPWHY, as root: records the host of the examples, db7, and the capture fin.pcap; three
# minutes, as connections shall be old. upload.pcapng was written by dumpcap while a client sent more
# than the server wanted.
here=${0%/*}
mkdir -p "$here/db7"
python3 -B "$here/../cases/record.py" "$1" "$here/db7" <<'PLAY' || exit
for address in '192.0.2.10', '198.51.100.7', '198.51.100.9', '203.0.113.5':
    subprocess.run(['ip', 'addr', 'add', address + '/32', 'dev', 'lo'], check=True)

def listen_on(address, port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(64)
    return s

def between(listener, address, from_port):
    client = socket.socket()
    client.bind((address, from_port))
    client.connect(listener.getsockname())
    return client, listener.accept()[0]

shop = listen_on('192.0.2.10', 8080)
mail = listen_on('203.0.113.5', 443)
to_shop = [between(shop, f'198.51.100.{7 if i % 3 else 9}', 51000 + 7 * i) for i in range(37)]
to_mail = [between(mail, '192.0.2.10', 40100 + 2 * i) for i in range(4)]
for client, server in to_shop:
    client.send(b'GET / HTTP/1.1\r\n\r\n')
    server.recv(100)
    server.send(b'HTTP/1.1 200 OK\r\n\r\n')
    client.recv(100)
    client.close()
    assert server.recv(1) == b''
for client, server in to_mail:
    server.close()
    assert client.recv(1) == b''
wait_socks('CLOSE-WAIT', 41)
hold('shop-api', shop, *(server for _, server in to_shop))
hold('mailer', *(client for client, _ in to_mail))
mail.close()
time.sleep(188)
PLAY
cd "$here/db7" || exit
mv look/* . && rmdir look && mv capture.pcap ../fin.pcap
echo db7 >proc/sys/kernel/hostname

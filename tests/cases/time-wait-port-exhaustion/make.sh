#!/bin/sh
# make.sh TCPWHY, as root. Twenty local ports, eighteen of them used. Their packets
# are not kept: the sockets say it all.
python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
set_sysctl('net/ipv4/ip_local_port_range', '40001 40020')
listener = listen(8080)
for _ in range(19):
    client = socket.socket()
    client.connect(('127.0.0.1', 8080))
    server = listener.accept()[0]
    client.close()
    assert server.recv(1) == b''
    server.close()
wait_socks('TIME-WAIT', 19)
hold('server', listener)
PLAY
rm -f "${0%/*}/capture.pcap"

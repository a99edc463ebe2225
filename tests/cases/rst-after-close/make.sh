#!/bin/sh
# make.sh TCPWHY, as root. The client reads the end and writes all the same.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
for port in range(40001, 40006):
    client, server = pair(listener, port)
    server.close()
    assert client.recv(1) == b''
    client.send(b'late')
    wait_until(lambda: client.getsockopt(socket.IPPROTO_TCP, 11, 1) == b'\x07', 'the reset')
    client.close()
listener.close()
PLAY

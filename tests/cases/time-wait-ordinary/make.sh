#!/bin/sh
# make.sh TCPWHY, as root. The client closes first, the server follows.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
for port in range(40001, 40004):
    client, server = pair(listener, port)
    client.close()
    assert server.recv(1) == b''
    server.close()
wait_socks('TIME-WAIT', 3)
hold('server', listener)
PLAY

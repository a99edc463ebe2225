#!/bin/sh
# make.sh TCPWHY, as root. Clients keep their descriptors after shutdown(), the server has read
# the end.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
ends = [pair(listener, 40001 + i) for i in range(3)]
for client, server in ends:
    client.shutdown(socket.SHUT_WR)
    assert server.recv(1) == b''
wait_socks('FIN-WAIT-2', 3)
hold('silent', listener, *(server for _, server in ends))
hold('patient', *(client for client, _ in ends))
PLAY

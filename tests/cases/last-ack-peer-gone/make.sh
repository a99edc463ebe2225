#!/bin/sh
# make.sh TCPWHY, as root. The peer is deaf to our FIN.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
ends = [pair(listener, 40001 + i) for i in range(12)]
for client, server in ends:
    server.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b''
    deaf(server)
    client.close()
hold('server', listener, *(server for _, server in ends))
wait_socks('LAST-ACK', 12, tries=3)
PLAY

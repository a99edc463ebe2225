#!/bin/sh
# make.sh TCPWHY, as root. The peer is deaf, and nothing has been repeated yet.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
client, server = pair(listener, 40001)
server.shutdown(socket.SHUT_WR)
assert client.recv(1) == b''
deaf(server)
client.close()
hold('server', listener, server)
PLAY

#!/bin/sh
# make.sh TCPWHY, as root. The buffers of both ends are full.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
client, server = pair(listener, 40001)
client.shutdown(socket.SHUT_WR)
assert server.recv(1) == b''
fill(server)
hold('server', listener, server)
hold('reader', client)
wait_socks('CLOSE-WAIT', 1, tries=3)
PLAY

#!/bin/sh
# make.sh TCPWHY, as root. Both ends are held by their programs.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
client, server = pair(listener, 40001)
client.shutdown(socket.SHUT_WR)
wait_socks('FIN-WAIT-2')
hold('server', listener, server)
hold('client', client)
PLAY

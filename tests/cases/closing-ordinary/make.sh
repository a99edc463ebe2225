#!/bin/sh
# make.sh TCPWHY, as root. The FINs are lost on their first way; one is heard at the second.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
client, server = pair(listener, 40001)
deaf(client)
deaf(server)
server.shutdown(socket.SHUT_WR)
client.shutdown(socket.SHUT_WR)
wait_socks('FIN-WAIT-1', 2)
hear_again(server)
wait_socks('CLOSING')
hold('one', listener, server)
hold('other', client)
PLAY

#!/bin/sh
# make.sh TCPWHY, as root. The client's window is closed.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
client, server = pair(listener, 40001)
fill(server)
server.close()
hold('server', listener)
hold('reader', client)
wait_socks('FIN-WAIT-1', 1, tries=3)
PLAY

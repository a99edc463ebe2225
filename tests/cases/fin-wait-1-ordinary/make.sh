#!/bin/sh
# make.sh TCPWHY, as root. The peer is deaf, and the first FIN has not been repeated yet.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
client, server = pair(listener, 40001)
deaf(server)
client.close()
hold('server', listener, server)
PLAY

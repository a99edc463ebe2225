#!/bin/sh
# make.sh TCPWHY, as root. The peer is deaf.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
ends = [pair(listener, 40001 + i) for i in range(12)]
for client, server in ends:
    deaf(server)
    client.close()
hold('server', listener, *(server for _, server in ends))
wait_socks('FIN-WAIT-1', 12, tries=3)
PLAY

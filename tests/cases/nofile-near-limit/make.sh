#!/bin/sh
# make.sh TCPWHY, as root. 64 are allowed; the clients, who do not matter here, vanish.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080, backlog=64)
ends = [pair(listener, 40001 + i) for i in range(50)]
hold('server', listener, *(server for _, server in ends), limit=64)
for client, _ in ends:
    vanish(client)
PLAY

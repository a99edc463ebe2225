#!/bin/sh
# make.sh TCPWHY, as root. A queue holds one more than its backlog.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080, backlog=4)
clients = [connect(8080, 40001 + i) for i in range(5)]
hold('asleep', listener)
hold('clients', *clients)
PLAY

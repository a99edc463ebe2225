#!/bin/sh
# make.sh TCPWHY, as root. The client holds them and never looks.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
ends = [pair(listener, 40001 + i) for i in range(12)]
for _, server in ends:
    server.close()
wait_socks('CLOSE-WAIT', 12)
hold('pool', *(client for client, _ in ends))
hold('server', listener)
PLAY

#!/bin/sh
# make.sh TCPWHY, as root. Two processes inherit the connections.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
ends = [pair(listener, 40001 + i) for i in range(3)]
servers = [server for _, server in ends]
hold('worker', *servers, keep=True)
hold('worker', *servers)
hold('parent', listener)
for client, _ in ends:
    client.close()
wait_socks('CLOSE-WAIT', 3)
PLAY

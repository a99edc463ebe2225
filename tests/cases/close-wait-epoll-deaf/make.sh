#!/bin/sh
# make.sh TCPWHY, as root. Watched by an epoll mask that asks for nothing.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
ends = [pair(listener, 40001 + i) for i in range(3)]
hold('loop', listener, *(server for _, server in ends), epoll=0)
for client, _ in ends:
    client.close()
wait_socks('CLOSE-WAIT', 3)
PLAY

#!/bin/sh
# make.sh TCPWHY, as root. They are seconds old, and nothing is made of it.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
ends = [pair(listener, 40001 + i) for i in range(3)]
for client, server in ends:
    client.close()
    assert server.recv(1) == b''
wait_socks('CLOSE-WAIT', 3)
hold('server', listener, *(server for _, server in ends))
PLAY

#!/bin/sh
# make.sh TCPWHY, as root. Accepted, and never read.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
ends = [pair(listener, 40001 + i) for i in range(3)]
for client, _ in ends:
    client.send(b'GET / HTTP/1.0\r\n\r\n')
    client.close()
wait_socks('CLOSE-WAIT', 3)
hold('busy', listener, *(server for _, server in ends))
PLAY

#!/bin/sh
# make.sh TCPWHY, as root. SIGSTOP first, the ends afterwards.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
ends = [pair(listener, 40001 + i) for i in range(3)]
hold('stopped', listener, *(server for _, server in ends), stopped=True)
for client, _ in ends:
    client.close()
wait_socks('CLOSE-WAIT', 3)
PLAY

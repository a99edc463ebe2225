#!/bin/sh
# make.sh TCPWHY, as root. The server end vanishes as in a power failure.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
ends = [pair(listener, 40001 + i) for i in range(2)]
for client, server in ends:
    client.close()
wait_socks('FIN-WAIT-2', 2)
for client, server in ends:
    vanish(server)
listener.close()
PLAY

#!/bin/sh
# make.sh TCPWHY, as root. Both vanish as in a power failure: only packets are left.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
for port in range(40001, 40004):
    client, server = pair(listener, port)
    client.shutdown(socket.SHUT_WR)
    assert server.recv(1) == b''
    wait_socks('FIN-WAIT-2')
    vanish(client)
    vanish(server)
listener.close()
PLAY

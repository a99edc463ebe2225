#!/bin/sh
# make.sh TCPWHY, as root. Without TIME-WAIT only packets are left. The wait is the disease itself.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
set_sysctl('net/ipv4/tcp_max_tw_buckets', 0)
listener = listen(8080)
client, server = pair(listener, 40001)
client.shutdown(socket.SHUT_WR)
time.sleep(1.2)
server.close()
assert client.recv(1) == b''
client.close()
listener.close()
PLAY

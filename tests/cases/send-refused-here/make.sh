#!/bin/sh
# make.sh TCPWHY, as root. The server's way to the clients is forbidden before it answers and closes.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
ends = [pair(listener, 40001 + i) for i in range(3)]
subprocess.run('ip route add prohibit 127.0.0.2 table local', shell=True, check=True)
for _, server in ends:
    server.send(bytes(500))
    server.close()
hold('server', listener)
hold('client', *(client for client, _ in ends))
wait_socks('FIN-WAIT-1', 3, tries=3)
PLAY

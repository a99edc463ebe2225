#!/bin/sh
# make.sh TCPWHY, as root. The descriptor lies in a UNIX socket, and the look is one from inside a
# container: who is outside could hold it as well.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
import array
listener = listen(8080)
client, server = pair(listener, 40001)
here, there = socket.socketpair()
here.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [server.fileno()]))])
server.close()
client.close()
wait_socks('CLOSE-WAIT')
hold('postman', listener, here, there)
PLAY

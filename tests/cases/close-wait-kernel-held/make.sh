#!/bin/sh
# make.sh TCPWHY, as root. It is on its way through a UNIX socket, and nobody else holds the
# connection.
python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
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
# The recorder's own process namespace has no outside, so nothing was hidden from the look.
sed -i -e 's/^owners\tpartial/owners\tcomplete/' -e '/^gap\towners/d' "${0%/*}/look/look"

#!/bin/sh
# make.sh TCPWHY, as root. The connections stay in the queue.
exec python3 -B "${0%/*}/../record.py" "$1" "${0%/*}" <<'PLAY'
listener = listen(8080)
for port in range(40001, 40004):
    connect(8080, port).close()
wait_socks('CLOSE-WAIT', 3)
hold('asleep', listener)
PLAY

#!/bin/sh
# make.sh: a connection that was closed, as the kernel shows one whose segment is stuck in a queue.
cd "${0%/*}" || exit 1
rm -rf look
cp -R ../fin-wait-1-ordinary/look look
python3 -B - look/netns.0/netlink.inet <<'EDIT'
import pathlib
import struct
import sys

# struct inet_diag_msg: state, timer; of struct tcp_info the last three times of the four.
STATE, TIMER, FIN_WAIT_1, INFO, SENT = 17, 18, 4, 2, 44
path = pathlib.Path(sys.argv[1])
dump, at = bytearray(path.read_bytes()), 0
while at + 16 <= len(dump):
    length, kind = struct.unpack_from('<IH', dump, at)
    if kind in (18, 20) and dump[at + STATE] == FIN_WAIT_1:
        dump[at + TIMER] = 0
        attr = at + 16 + 72
        while attr < at + length:
            size, what = struct.unpack_from('<HH', dump, attr)
            if what == INFO:
                struct.pack_into('<IIII', dump, attr + 4 + SENT, 90000, 0, 95000, 90000)
            attr += size + 3 & ~3
    at += length + 3 & ~3
path.write_bytes(dump)
EDIT

#!/bin/sh
# make.sh: a look at one connection that waits, on a host where tcp_max_orphans is 1024.
cd "${0%/*}" || exit 1
rm -rf look
cp -R ../fin-wait-2-orphan/look look
echo 1024 >look/netns.0/sys/net/ipv4/tcp_max_orphans

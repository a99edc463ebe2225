#!/bin/sh
# make.sh: a look at one connection that waits, on a host where 40000 connections belong to nobody any more.
cd "${0%/*}" || exit 1
rm -rf look
cp -R ../fin-wait-2-orphan/look look
echo 65536 >look/netns.0/sys/net/ipv4/tcp_max_orphans
sed -i 's/orphan [0-9]*/orphan 40000/' look/netns.0/net/sockstat

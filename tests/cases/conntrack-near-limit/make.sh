#!/bin/sh
# make.sh: a look at one connection that waits, on a host where 960 of 1000 tracked connections are in use.
cd "${0%/*}" || exit 1
rm -rf look
cp -R ../fin-wait-2-orphan/look look
mkdir -p look/netns.0/sys/net/netfilter
echo 1000 >look/netns.0/sys/net/netfilter/nf_conntrack_max
echo 960 >look/netns.0/sys/net/netfilter/nf_conntrack_count

#pragma once

/* The sockets of /proc/net/tcp and tcp6: what is left where sock_diag is forbidden or not there.
 *
 * Addresses, states, queues, timers, owners' inodes; no cookie, no tcp_info (and so no ages), no accept
 * queues, and MPTCP shows as TCP. The kernel writes them slowly. Source: Linux net/ipv4/tcp_ipv4.c,
 * tcp4_seq_show(); net/ipv6/tcp_ipv6.c, tcp6_seq_show(). */

#include "live/live.h"
#include "live/root.h"
#include "model/look.h"

/* One line. false: it is none. `full` becomes ret->full where the socket has one. `hz`: of its clock. */
MUST_CHECK bool proctcp_parse(const char *line, bool is_inet6, int64_t hz, struct sock *ret,
			      struct sock_full *full);
/* Appends the sockets of look->netns[netns] as dump_netns() does, and counts them. 0 or -errno; then
 * nothing was appended. */
MUST_CHECK int proctcp_read(struct root *root, const struct live_request *req, unsigned netns,
			    struct look *look);

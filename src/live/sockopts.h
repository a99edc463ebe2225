#pragma once

/* Options of the owners' sockets, which no listing shows: SO_LINGER, SO_KEEPALIVE and its three times,
 * TCP_LINGER2, TCP_USER_TIMEOUT, SO_REUSEADDR.
 *
 * Only where the user asked for it, because it is not wholly without effect: the owner's descriptor is
 * duplicated with pidfd_getfd(2), and as long as the duplicate is open the owner's close() sends
 * nothing; if ours is the last one, our close() sends the FIN, or with SO_LINGER 0 the reset. So it is
 * held for the few getsockopt(2) calls and no longer, one at a time, by a helper process that takes
 * every socket that lingers with it when it exits: who exits does not linger, where close() would wait.
 * A sample of connections in teardown states, at most SOCKOPTS_MAX_PER_PROCESS a process and
 * SOCKOPTS_MAX in all; never listeners, never process 1, kernel threads or this process itself.
 *
 * A refusal is a gap; who has gone meanwhile is none. A recording keeps them in a file of its own.
 * Source: pidfd_getfd(2), ptrace(2) PTRACE_MODE_ATTACH; Linux net/ipv4/af_inet.c, inet_release(),
 * PF_EXITING; net/ipv4/tcp.c, do_tcp_getsockopt(). */

#include "live/root.h"
#include "model/look.h"
#include "util/attr.h"

enum { SOCKOPTS_MAX_PER_PROCESS = 16, SOCKOPTS_MAX = 256 };

/* After owners_find(), on this machine: fills full->opts, and records them. */
void sockopts_find(struct root *root, struct look *look);
/* The same out of a recording, if it has any. */
void sockopts_replay(struct root *root, struct look *look);
/* One line of such a recording. false: not such a line, or values that no kernel has. */
MUST_CHECK bool sockopts_parse(const char *line, uint32_t *ret_inode, struct sock_opts *ret);

#pragma once

/* The sockets of one network namespace, from this machine or from a recording.
 *
 * A dump is no snapshot: each hash bucket is read at its own time. Rows are kept once per cookie,
 * the later one winning; an interrupted dump is repeated and, if it stays interrupted, becomes a
 * gap of the look. */

#include "live/live.h"
#include "live/root.h"
#include "model/look.h"

/* Appends the sockets of look->netns[netns], the namespace the calling thread is in, and counts
 * them. 0, or -errno with *fail filled; then nothing was appended. */
MUST_CHECK int dump_netns(struct root *root, const struct live_request *req, unsigned netns,
			  struct look *look, struct fail *fail);
/* The same of its MPTCP sockets, after dump_netns(): what the application has closed shows in their
 * states, not in those of their TCP subflows. Where the kernel cannot list them and there are
 * subflows, that is a gap. 0 or -errno; 0 also where nobody uses MPTCP. */
int dump_mptcp(struct root *root, const struct live_request *req, unsigned netns, struct look *look);

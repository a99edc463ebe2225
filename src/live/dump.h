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

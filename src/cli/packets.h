#pragma once

/* FINs and resets of an interface while the program goes on looking at the host.
 *
 * Looking needs root, and packets are a stranger's bytes: so another process parses them, in the
 * sandbox, and writes what it found to a pipe, as plain values that are checked here. It ends with
 * this one, whatever ends it. */

#include "cli/options.h"
#include "model/event.h"
#include "util/attr.h"
#include "util/fail.h"

struct packets {
	int fd; /* to wait for; -1: nobody listens */
	pid_t child;
};

/* Before anything else that a child should not have. 0, or -errno with *fail filled. */
MUST_CHECK int packets_start(const struct options *o, struct packets *ret, struct fail *fail);
/* The next one, without owners. false: there is none now; *ret_is_over: nor will there be. */
MUST_CHECK bool packets_take(struct packets *p, struct event *ret, bool *ret_is_over);
void packets_stop(struct packets *p);

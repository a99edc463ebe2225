#pragma once

/* Something that happened to a connection while `watch` looked on: a FIN, a reset, or the end of a
 * socket in this kernel. Owners are those of the looks around it, so one that was never seen is NULL,
 * which is not "nobody". */

#include "model/conn.h"

enum event_kind {
	EVENT_FIN,
	EVENT_RST,
	EVENT_GONE, /* the kernel has freed the socket `from`; a TIME-WAIT may stay in its place */
};

struct event {
	enum event_kind kind;
	int64_t at_ns;
	struct endpoint from, to;
	const struct proc *from_owner, *to_owner;
	bool is_again;            /* sent before */
	bool is_first;            /* FIN: the other side has not closed yet */
	const char *rule;         /* RST: its cause; NULL: the packets do not tell */
	enum certainty certainty; /* of the rule */
};

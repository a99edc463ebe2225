#pragma once

/* What `list --by` counts sockets by. The key is a text, the same for all that belong together. */

#include "model/conn.h"
#include "util/buf.h"

struct by {
	const char *name;
	bool needs_owner; /* else the key is the socket's own */
	void (*key)(struct buf *b, const struct conn *c);
};

/* NULL: not one of them, and that is said. */
const struct by *by_find(const char *name);

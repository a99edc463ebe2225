#pragma once

/* The columns of `tcpwhy list`, one row each. A getter writes the value, or nothing where there is
 * none; "?" is for what exists and cannot be known. A new column is a row here. */

#include "report/state.h"

struct column {
	const char *heading;
	size_t width; /* it starts with; a longer value pushes the rest of its row */
	bool right;
	void (*get)(struct buf *b, const struct report *r, const struct conn *c);
};

extern const struct column columns[];
extern const size_t n_columns;

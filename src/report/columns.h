#pragma once

/* The columns of `tcpwhy list`, one row each. A column writes its value, or nothing where there is none; "?"
 * is for what exists and cannot be known. One that is a number says so, for sorting and for CSV, where
 * durations are in the unit of the heading. A new column is a row here. */

#include "report/state.h"

enum column_needs {
	COLUMN_NEEDS_INFO = 1,
	COLUMN_NEEDS_OWNER = 2, /* one holder will do */
	COLUMN_NEEDS_RULES = 4,
	COLUMN_NEEDS_HOLDERS = 8, /* each of them */
};

struct column {
	const char *name; /* as it is asked for, and in CSV, there followed by `unit` */
	const char *unit; /* of the number: "_ms", "" */
	const char *heading;
	size_t width; /* it starts with; a longer value pushes the rest of its row */
	bool right;
	bool is_foreign; /* holds text from outside, or a translation: its bytes are not its columns */
	unsigned needs; /* what must be looked up before it can be shown */
	void (*get)(struct buf *b, const struct report *r, const struct conn *c); /* NULL: the number */
	bool (*number)(const struct conn *c, uint64_t *ret); /* NULL: it is text. false: there is none */
};

/* Of all that there are; NULL behind the last. */
const struct column *column_at(size_t i);
const struct column *column_find(const char *name, size_t n);
void column_put(struct buf *b, const struct column *column, const struct report *r, const struct conn *c);

/* "state,peer,age" chooses; "+netns,+uid" adds to the usual ones. false: not columns; *ret untouched. */
MUST_CHECK bool columns_parse(const char *text, struct columns *ret);
void columns_default(struct columns *ret);
/* false: it is there already. */
bool columns_add(struct columns *list, const struct column *c);
/* Of all of them, enum column_needs. */
unsigned columns_needs(const struct columns *list);

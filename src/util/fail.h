#pragma once

/* Why something could not be done: the object, what is wrong with it, what to do about it. Filled
 * by whoever fails, printed once by cli/ as "tcpwhy: OBJECT: what is wrong". `hint` may be empty. */

#include "util/attr.h"

struct fail {
	char object[256];
	char what[256];
	char hint[256];
};

PRINTF(3, 4) void fail_set(struct fail *f, const char *object, const char *fmt, ...);
PRINTF(2, 3) void fail_hint(struct fail *f, const char *fmt, ...);

#pragma once

/* The headers cmocka wants in front of its own, and an expression asked of a connection made by
 * hand. A mistake in an expression fails the test that wrote it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filter/filter.h"

#include <stdlib.h>
#include <string.h>

static inline struct filter *parsed(const char *expression)
{
	struct filter_error error;
	struct filter *f = filter_parse(&expression, 1, &error);

	if (!f)
		fail_msg("%s: at %zu: %s", expression, error.at, error.what);
	return f;
}

static inline bool matches(const char *expression, const struct conn *c, const char *const *rules)
{
	struct filter *f = parsed(expression);
	bool ret = filter_match(f, c, rules);

	filter_free(f);
	return ret;
}

static inline struct endpoint endpoint(const char *addr, uint16_t port)
{
	struct endpoint e = { .port = port };

	if (!addr_parse(addr, &e.addr))
		fail_msg("%s is no address", addr);
	return e;
}

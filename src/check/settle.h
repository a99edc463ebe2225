#pragma once

/* From numbers to a result: value, share of a limit, who is to be named, and the status that the
 * ranges give. Strings go to the look's arena. */

#include "check/gather.h"

enum { ALL = 100000 }; /* 100 % */

void settle_value(struct check_result *r, int64_t thousandths);
void settle_share(struct check_result *r, uint64_t used, uint64_t limit);
/* p NULL: nobody who could be seen. */
void settle_owner(const struct check *k, struct check_result *r, const struct proc *p,
		  const struct netns *netns);
void settle_conn(const struct check *k, struct check_result *r, const struct conn *c);
void settle_status(struct check_result *r);
/* It may be anything up to `most`, or down to it: then fine is fine only if all of that is fine, and what was
 * seen is not its value. */
void settle_at_most(struct check_result *r, int64_t most, const char *why);

extern const char settle_no_port_range[];

#pragma once

/* Processes that hold connections in CLOSE-WAIT: each with its tally, the worst by its limit and by
 * number, and all of them by name. */

#include "check/gather.h"

enum { FEWEST = 10 }; /* a failing path, not some slow requests */

/* First: brings together what one process holds. */
void holders_sort(struct check *k);
void holders_nofile(const struct check *k, struct check_result *r);
void holders_count(const struct check *k, struct check_result *r);
/* By name and unit, into the look's arena. */
void holders_owners(const struct check *k, struct check_results *ret);

extern const char holders_hidden_ages[], holders_hidden_owners[];

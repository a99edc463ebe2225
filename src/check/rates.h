#pragma once

/* Counters of the kernel, judged by what came since the last look: what they counted before may be
 * years ago. A namespace that was not there at the last look has nothing to be compared with. */

#include "check/gather.h"
#include "check/memory.h"

/* Of any state of health; those that never turned anybody away are passed over. */
void rates_offer_listener(struct check *k, const struct conn *c);
void rates_counter(const struct check *k, enum memory_counter which, struct check_result *r);
/* The same of accept queues, with the listener that turned most away. */
void rates_overflows(const struct check *k, struct check_result *r);
/* Into the look's arena. */
void rates_remember(const struct check *k, struct memory *ret);

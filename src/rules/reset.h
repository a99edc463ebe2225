#pragma once

/* The rules about resets: each is one cause of cause.c, gathered over the connections it ended. */

#include "rules/rule.h"

/* Is this the cause of one of the connection's resets? c->rst_causes must be named. */
bool reset_has_cause(const struct conn *c, const char *rule, enum certainty *ret_certainty);
/* What a packet rule's group keeps of one flow. */
void reset_gather(struct group *g, const struct conn *c);

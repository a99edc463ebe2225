#pragma once

/* The causes of resets, from what packets show. */

#include "rules/rule.h"

/* Names the cause of each reset of a flow; NULL where the packets decide none. */
void reset_name_causes(const struct flow *flow, struct rst_cause causes[static MAX_FLOW_RSTS]);
/* What a packet rule's group keeps of one flow. */
void reset_gather(struct group *g, const struct conn *c);

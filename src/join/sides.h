#pragma once

/* Two captures of the same connections, one at each end, put side by side.
 *
 * Connections are found again by the initial numbers of both ends, which no NAT changes; where a
 * capture did not see the handshake, by their addresses and where their numbers had got to. The
 * clocks are aligned by what must be: nothing arrives before it was sent. Owns its index and its
 * copies. */

#include "model/sided.h"
#include "util/arena.h"
#include "util/attr.h"

struct sides;

struct sides *sides_new(struct arena *arena);
void sides_free(struct sides *s);

/* All connections of a capture (0 or 1), in any order. */
void sides_add(struct sides *s, unsigned which, const struct flow *view);
/* Then, once: pairs them, aligns the clocks, compares. The captures outlive `s`. */
void sides_compare(struct sides *s, const struct capture_info *const captures[2], struct sided_sum *ret);
/* What became of a connection of capture `which`; NULL: too many were added before it. */
const struct sided_flow *sides_find(const struct sides *s, unsigned which, uint32_t flow_id);

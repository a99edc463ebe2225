#pragma once

/* A hash index over an array that lives elsewhere: 32-bit tags beside 32-bit positions, linear
 * probing, at most half full. It never looks at the elements: the caller walks the candidates of
 * a hash and compares them.
 *
 *	for (size_t it = index_first(&ix, h); index_next(&ix, h, &it, &at); )
 *		if (same(&things[at], key)) ...
 *
 * Starts as { 0 }. Positions are below 2^32 - 1. index_free() releases the slots. */

#include "util/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_slot {
	uint32_t tag;
	uint32_t at_plus_1; /* 0: empty */
};

struct index {
	struct index_slot *slots;
	size_t mask, n;
};

void index_add(struct index *ix, uint64_t hash, uint32_t at);
void index_free(struct index *ix);

static inline size_t index_first(const struct index *ix, uint64_t hash)
{
	return (size_t)hash & ix->mask;
}

/* The next candidate of this hash; false when there are no more. */
static inline bool index_next(const struct index *ix, uint64_t hash, size_t *it, uint32_t *ret_at)
{
	if (!ix->slots)
		return false;
	for (;;) {
		const struct index_slot *s = &ix->slots[*it & ix->mask];

		if (!s->at_plus_1)
			return false;
		*it = (*it + 1) & ix->mask;
		if (s->tag == (uint32_t)(hash >> 32)) {
			*ret_at = s->at_plus_1 - 1;
			return true;
		}
	}
}

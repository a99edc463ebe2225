#include "util/index.h"
#include "util/arena.h"

#include <stdlib.h>
#include <string.h>

/* How it works: the home of an element is the low half of its hash, its tag the high half. The low
 * halves are kept in a second array behind the slots, slots[size] then low[size], so that the table
 * can grow without asking its owner for the hashes again. */

enum { FIRST_SIZE = 64 };

static uint32_t *lows(const struct index *ix)
{
	return (uint32_t *)(ix->slots + ix->mask + 1);
}

static void put(struct index *ix, uint32_t tag, uint32_t low, uint32_t at_plus_1)
{
	size_t i = low & ix->mask;

	while (ix->slots[i].at_plus_1)
		i = (i + 1) & ix->mask;
	ix->slots[i] = (struct index_slot){ tag, at_plus_1 };
	lows(ix)[i] = low;
}

static void grow(struct index *ix)
{
	struct index old = *ix;
	size_t size = old.slots ? (old.mask + 1) * 2 : FIRST_SIZE;

	ix->slots = calloc(size, sizeof(struct index_slot) + sizeof(uint32_t));
	if (!ix->slots)
		arena_die();
	ix->mask = size - 1;
	for (size_t i = 0; old.slots && i <= old.mask; i++)
		if (old.slots[i].at_plus_1)
			put(ix, old.slots[i].tag, lows(&old)[i], old.slots[i].at_plus_1);
	free(old.slots);
}

void index_add(struct index *ix, uint64_t hash, uint32_t at)
{
	if (!ix->slots || ix->n * 2 > ix->mask)
		grow(ix);
	put(ix, (uint32_t)(hash >> 32), (uint32_t)hash, at + 1);
	ix->n++;
}

void index_free(struct index *ix)
{
	free(ix->slots);
	*ix = (struct index){ 0 };
}

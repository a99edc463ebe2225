#pragma once

/* Ladders of a few connections: their captures are read once more, and only their segments are
 * followed, so it costs a second reading and no memory for the rest. */

#include "model/ladder.h"
#include "util/arena.h"
#include "util/attr.h"

struct capture;
struct ladders;

/* `flows` must have been kept, see flow_keep(); at most a few dozen. */
struct ladders *ladders_new(struct arena *arena, const struct flow *const flows[], size_t n);
/* All captures the flows came from, in the same order, as far as they were read. What cannot be read once more, a pipe or a
 * device, is left out. */
void ladders_read(struct ladders *l, struct capture *const captures[], size_t n);
/* NULL: none was asked for, or nothing of it was found again. */
const struct ladder *ladders_find(const struct ladders *l, uint32_t flow_id);
void ladders_free(struct ladders *l);

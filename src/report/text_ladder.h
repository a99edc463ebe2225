#pragma once

/* The ladder of one connection for people: time, the client's state, the segment, the server's
 * state, plain words. At most 80 columns. */

#include "model/ladder.h"
#include "report/state.h"

void text_ladder(struct report *r, const struct ladder *l);

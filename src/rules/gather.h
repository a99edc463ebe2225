#pragma once

/* What a group remembers of the connections claimed for it: counts, sums, extremes, and who else is
 * involved. Nothing is decided here; struct group is in rule.h. */

#include "model/look.h"
#include "rules/rule.h"

/* One more socket, which g->count counts already. */
void gather_sock(struct group *g, const struct conn *c);
/* Who may be its owner, where that is inferred. */
void gather_candidates(struct group *g, const struct conn *c);
/* The TCP sockets of the subject's process. */
void gather_sockets_of(struct group *g, const struct look *look);
/* All of another group's, as far as they can be added. */
void gather_group(struct group *into, const struct group *from);

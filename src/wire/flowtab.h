#pragma once

/* The flow table: segments in, connections out.
 *
 * Holds compact records (at most 160 bytes a flow on average) behind a seeded index; the n-th
 * connection of a 4-tuple is a flow of its own. Several captures may be read into one table. At the
 * cap of flows those that are closed make room for further ones, and are counted (flowstore.h). */

#include "model/flow.h"

#include <stdbool.h>
#include <stddef.h>

struct flowtab;

struct flowtab *flowtab_new(void);
void flowtab_free(struct flowtab *t);
/* At most so many connections are kept, instead of eight million. Before the first segment. */
void flowtab_limit(struct flowtab *t, uint32_t max_flows);
size_t flowtab_count(const struct flowtab *t);

/* Calls see(view) for each flow in order of first packets, until it answers false. The view is
 * complete (pattern, states, half-close, resets …) and valid only during the call. */
void flowtab_each(struct flowtab *t, bool (*see)(void *ctx, const struct flow *view), void *ctx);

#pragma once

/* What grows since the last look, and when it reaches its limit: a process's CLOSE-WAITs and its
 * descriptors, a destination's local ports. And what of this look the next one needs. */

#include "check/gather.h"
#include "check/memory.h"

/* After holders_sort(). */
void growth_owners(const struct check *k, struct check_result *r);
/* A destination that may be near its limit; any number of them. */
void growth_offer_ports(struct check *k, const struct port_budget *budget, const struct conn *example);
void growth_ports(const struct check *k, struct check_result *r);

/* Since the last look; 0: there is none that tells anything, and *r says why. */
int64_t growth_since_ms(const struct check *k, struct check_result *r);
/* Less than this long ago is too short to tell growth from noise. */
int64_t growth_shortest_ms(const struct check *k);
/* Into the look's arena; after holders_sort(). */
void growth_remember(const struct check *k, struct memory *ret);

#pragma once

/* From a compact record to the view rules and reports read. */

#include "wire/rec.h"

/* Fills *ret, all but its id. */
void teardown_view(struct flowtab *t, uint32_t at, struct flow *ret);
/* Which side of the flow sent the segment; false: another connection's. */
bool teardown_sender(const struct flow *f, const struct segment *s, enum side *ret);
/* "vxlan", "gre/erspan". Lives as long as the table. */
const char *teardown_tunnel(struct flowtab *t, uint32_t code);
/* Of states.c: what each end is in, and what its application must have seen. Reads the FINs, resets
 * and pattern of the view. */
void teardown_states(struct flow *f, bool is_reset);

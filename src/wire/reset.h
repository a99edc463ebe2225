#pragma once

/* The two judgements a segment may need before it counts: which incarnation of its pair it belongs
 * to, and, of a reset, what went before it. */

#include "wire/rec.h"

/* The record of the segment's connection, made if there is none; NULL when the table is full. `slot`
 * is that of its pair. */
struct rec *incarnation_of(struct flowtab *t, const struct segment *s, const struct slot *slot);

/* Notes a reset and whether it ends the flow. Called before the segment moves anything. */
void reset_note(struct flowtab *t, struct rec *r, const struct segment *s);
/* A segment that is no reset came: the sender of an earlier reset may be alive after all. */
void reset_sender_goes_on(struct flowtab *t, struct rec *r, const struct segment *s, bool is_new);

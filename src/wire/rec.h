#pragma once

/* Small questions about a record, shared by track.c, reset.c and teardown.c. */

#include "model/seq.h"
#include "wire/flowtab_in.h"

int64_t rec_time(const struct rec *r, enum when w);
/* Falls back to microseconds when nanoseconds no longer fit. */
void rec_set_time(struct rec *r, enum when w, int64_t at_ns);

/* Payload this end has sent, in unique sequence space. */
uint64_t rec_bytes(const struct rec *r, unsigned end);
/* Its numbers so far without SYN and FIN: what of nxt is payload, counted from `from`. */
uint32_t rec_payload_since(const struct rec_end *e, uint32_t from);

/* The latest time stamp of either end; TIME_NONE before the first. */
int64_t rec_last(const struct rec *r);
bool rec_is_closed(const struct rec *r);

/* The note of this kind (and end), NULL if there is none. */
void *rec_note(const struct flowtab *t, const struct rec *r, enum note_kind kind, unsigned end);
/* The same, made if there is none; NULL when the notes are full. */
struct note_end *rec_note_end(struct flowtab *t, struct rec *r, unsigned end);
struct note_flow *rec_note_flow(struct flowtab *t, struct rec *r);


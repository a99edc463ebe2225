#pragma once

/* Small questions about a record, shared by those who keep and read it. */

#include "model/seq.h"
#include "wire/flowtab_in.h"

/* A time is a signed 48-bit difference to the first packet, kept as a low and a high part so that two
 * cache lines hold a connection. Every packet asks, so they stand here. */
static inline int64_t rec_when(const struct rec *r, enum when w)
{
	return (int64_t)(int16_t)r->when_high[w] * (INT64_C(1) << 32) + r->when_low[w];
}

static inline void rec_when_set(struct rec *r, enum when w, int64_t v)
{
	const int64_t limit = (INT64_C(1) << 47) - 1;

	v = v > limit ? limit : v < -limit ? -limit : v;
	r->when_low[w] = (uint32_t)v;
	r->when_high[w] = (uint16_t)(v >> 32);
}

/* Does this number acknowledge the SYN of that end, with none or some of what came with it or behind it? */
static inline bool rec_is_syn_acked(const struct rec_end *e, uint32_t ack)
{
	return ack - e->isn - 1 <= e->nxt - e->isn - 1;
}

/* The record's times become microseconds. */
void rec_times_coarse(struct rec *r);

static inline int64_t rec_time(const struct rec *r, enum when w)
{
	int64_t d = rec_when(r, w);

	return r->base_ns + (r->flags & FLOW_COARSE ? d * 1000 : d);
}

/* Falls back to microseconds when nanoseconds no longer fit. */
static inline void rec_set_time(struct rec *r, enum when w, int64_t at_ns)
{
	int64_t d = at_ns - r->base_ns;

	if (!(r->flags & FLOW_COARSE) && (d >> 47) != 0 && (d >> 47) != -1)
		rec_times_coarse(r);
	rec_when_set(r, w, r->flags & FLOW_COARSE ? d / 1000 : d);
}

/* The latest time stamp of either end; TIME_NONE before the first. */
static inline int64_t rec_last(const struct rec *r)
{
	int64_t a = r->end[0].packets ? rec_time(r, WHEN_LAST) : TIME_NONE;
	int64_t b = r->end[1].packets ? rec_time(r, WHEN_LAST_1) : TIME_NONE;

	return a > b ? a : b;
}

/* When a FIN was acknowledged: nanoseconds after it, plus 1, in 31 bits; or with the highest bit,
 * microseconds, where that loses nothing (an hour and more in captures of that precision). */
#define FIN_ACKED_IS_US (UINT32_C(1) << 31)
#define FIN_ACKED_LATE UINT32_MAX /* neither: its note says when */

static inline int64_t rec_fin_acked(const struct rec_end *e)
{
	if (e->fin_acked & FIN_ACKED_IS_US)
		return (int64_t)(e->fin_acked & ~FIN_ACKED_IS_US) * 1000;
	return (int64_t)e->fin_acked - 1;
}

/* false: it does not fit. */
MUST_CHECK static inline bool rec_set_fin_acked(struct rec_end *e, int64_t after_ns)
{
	bool is_short = after_ns < INT32_MAX;

	if (!is_short && (after_ns % 1000 || after_ns / 1000 >= INT32_MAX))
		return false;
	e->fin_acked = is_short ? (uint32_t)after_ns + 1 :
				  FIN_ACKED_IS_US | (uint32_t)(after_ns / 1000);
	return true;
}

/* Payload this end has sent, in unique sequence space. */
uint64_t rec_bytes(const struct rec *r, unsigned end);
/* Its numbers so far without SYN and FIN: what of nxt is payload, counted from `from`. */
uint32_t rec_payload_since(const struct rec_end *e, uint32_t from);

bool rec_is_closed(const struct rec *r);

/* The note of this kind (and end), NULL if there is none. */
void *rec_note(const struct flowtab *t, const struct rec *r, enum note_kind kind, unsigned end);
/* The same, made if there is none; NULL when the notes are full. */
struct note_end *rec_note_end(struct flowtab *t, struct rec *r, unsigned end);
struct note_flow *rec_note_flow(struct flowtab *t, struct rec *r);

/* Does it last, the silence of the other end after the last long pause? */
static inline bool rec_pause_lasts(const struct rec *r, const struct note_flow *n)
{
	return n->pause_ns && r->end[!n->pause_end].packets == n->pause_packets;
}

/* The longest pause that the connection survived; 0: none. With the note, or NULL, of n->pause_end. */
int64_t rec_survived(const struct rec *r, const struct note_flow *n, const struct note_end *speaker);

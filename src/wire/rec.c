#include "wire/rec.h"

void rec_times_coarse(struct rec *r)
{
	for (unsigned i = 0; i < N_WHEN; i++)
		rec_when_set(r, i, rec_when(r, i) / 1000);
	r->flags |= FLOW_COARSE;
}

uint32_t rec_payload_since(const struct rec_end *e, uint32_t from)
{
	uint32_t n = e->nxt - from;
	bool counts_fin = (e->flags & END_FIN) && e->nxt == e->fin_seq + 1;

	return n - (counts_fin && n > 0);
}

uint64_t rec_bytes(const struct rec *r, unsigned end)
{
	const struct rec_end *e = &r->end[end];
	uint32_t first = e->isn + !!(e->flags & END_ISN);

	if (!(e->flags & END_SEEN))
		return 0;
	return ((uint64_t)e->wraps << 32) + rec_payload_since(e, first);
}

bool rec_is_closed(const struct rec *r)
{
	return (r->flags & FLOW_RESET) ||
	       ((r->end[0].flags & END_FIN) && (r->end[1].flags & END_FIN));
}

void *rec_note(const struct flowtab *t, const struct rec *r, enum note_kind kind, unsigned end)
{
	struct note *n = flowstore_note(&t->store, r->notes);

	while (n && (n->kind != kind || n->end != end))
		n = flowstore_note(&t->store, n->next);
	return n;
}

struct note_end *rec_note_end(struct flowtab *t, struct rec *r, unsigned end)
{
	struct note_end *n = rec_note(t, r, NOTE_END, end);

	if (n)
		return n;
	n = (void *)flowstore_note_add(&t->store, r, NOTE_END, (uint8_t)end, sizeof(*n));
	if (n)
		n->fin_last_ns = n->fin_acked_ns = n->probe_ns = n->idle_ns = TIME_NONE;
	return n;
}

struct note_flow *rec_note_flow(struct flowtab *t, struct rec *r)
{
	struct note_flow *n = rec_note(t, r, NOTE_FLOW, 0);

	if (n)
		return n;
	n = (void *)flowstore_note_add(&t->store, r, NOTE_FLOW, 0, sizeof(*n));
	if (n)
		n->first_ns = n->gap_ns = n->end_gap_ns = TIME_NONE;
	return n;
}

int64_t rec_survived(const struct rec *r, const struct note_flow *n, const struct note_end *speaker)
{
	/* The other end may have spoken without having heard anything. */
	bool waits = speaker && speaker->unanswered && speaker->idle_ns >= n->pause_ns;

	if (waits || rec_pause_lasts(r, n) || n->pause_ns < n->survived_ns)
		return n->survived_ns;
	return n->pause_ns;
}

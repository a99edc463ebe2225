#include "wire/ladder.h"
#include "wire/capture.h"
#include "wire/flowtab_in.h"
#include "wire/teardown.h"

#include <stdlib.h>
#include <string.h>

/* How it works: a second flow table sees the same segments and comes to the same connections. After
 * each segment the table is asked what it makes of the connection now; the difference to what it
 * made before says what the segment was. */

struct followed {
	const struct flow *flow;
	struct flow before; /* as of the last segment */
	bool has_before;
	struct ladder ladder;
};

struct ladders {
	struct arena *arena;
	struct flowtab *tab;
	uint64_t n_duplicates;
	struct followed *at;
	size_t n;
};

static bool wants(void *ctx, const struct segment *s)
{
	const struct ladders *l = ctx;
	enum side side;

	for (size_t i = 0; i < l->n; i++)
		if (teardown_sender(l->at[i].flow, s, &side))
			return true;
	return false;
}

static enum rung_kind kind_of(const struct segment *s, const struct flow *before,
			      const struct flow *now)
{
	if (s->flags & TCP_RST)
		return RUNG_RST;
	if (s->flags & TCP_SYN)
		return s->flags & TCP_ACK ? RUNG_SYN_ACK : RUNG_SYN;
	if (s->flags & TCP_FIN)
		return RUNG_FIN;
	if (before && now->keepalive.probes > before->keepalive.probes)
		return RUNG_PROBE;
	return s->len ? RUNG_DATA : RUNG_ACK;
}

static bool is_again(const struct segment *s, enum side from, const struct flow *before,
		     const struct flow *now)
{
	const struct flow_end *was = &before->end[from], *is = &now->end[from];

	if (s->flags & TCP_RST)
		return now->n_rst_packets > 1;
	if (s->flags & TCP_FIN)
		return is->fin.retransmissions > was->fin.retransmissions;
	return is->retransmissions > was->retransmissions;
}

/* Talk in the middle of an open connection: what matters is how much of it there was. */
static bool can_fold(const struct rung *r)
{
	return (r->kind == RUNG_DATA || r->kind == RUNG_ACK) && !r->is_again && !r->acks_fin &&
	       r->state[SIDE_CLIENT] == STATE_ESTABLISHED &&
	       r->state[SIDE_SERVER] == STATE_ESTABLISHED;
}

static void add(struct arena *a, struct ladder *l, const struct rung *r)
{
	/* Longer pauses are worth a line. */
	enum { FOLDED_TOGETHER_NS = 1000000000 };
	struct rung *last = l->n ? &l->at[l->n - 1] : NULL;

	if (last && can_fold(r) && (last->kind == RUNG_FOLDED || can_fold(last)) &&
	    r->at_ns - last->at_ns < FOLDED_TOGETHER_NS && l->n > 1) {
		if (last->kind != RUNG_FOLDED) {
			last->n_more = 1;
			last->more_bytes = last->len;
			last->kind = RUNG_FOLDED;
		}
		last->n_more++;
		last->more_bytes += r->len;
		last->at_ns = r->at_ns;
		return;
	}
	if (l->n == MAX_RUNGS) {
		l->n_left_out++;
		return;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct rung *moved = arena_array(a, cap, sizeof(*moved));

		if (l->n)
			memcpy(moved, l->at, l->n * sizeof(*moved));
		l->at = moved;
		l->cap = cap;
	}
	l->at[l->n++] = *r;
}

static void follow(struct ladders *l, struct followed *f, enum side from, const struct segment *s,
		   const struct flow *now)
{
	const struct flow *before = f->has_before ? &f->before : NULL;
	const struct flow_fin *theirs = &now->end[side_other(from)].fin;
	struct rung r = {
		.at_ns = s->at_ns,
		.from = from,
		.len = s->len,
		.kind = kind_of(s, before, now),
		.is_again = before && is_again(s, from, before, now),
		.acks_fin = before && theirs->seen && theirs->acked_ns != TIME_NONE &&
			    f->before.end[side_other(from)].fin.acked_ns == TIME_NONE,
		.state = { now->end[SIDE_CLIENT].state, now->end[SIDE_SERVER].state },
	};

	add(l->arena, &f->ladder, &r);
	f->before = *now;
	f->has_before = true;
}

/* The same incarnation of the pair? */
static bool is_of(const struct flow *now, const struct flow *wanted)
{
	if (wanted->is_untimed)
		return now->end[SIDE_CLIENT].isn == wanted->end[SIDE_CLIENT].isn;
	return now->first_ns == wanted->first_ns;
}

static void see(void *ctx, struct flowtab *t, const struct segment *s)
{
	struct ladders *l = ctx;
	const struct slot *slot = flowstore_find(&t->store, s);
	struct flow now;
	enum side from;

	/* The same packet captured twice is one. */
	if (t->n_duplicates > l->n_duplicates) {
		l->n_duplicates = t->n_duplicates;
		return;
	}
	if (!slot || !slot->rec_plus_1)
		return;
	teardown_view(t, slot->rec_plus_1 - 1, &now);
	for (size_t i = 0; i < l->n; i++)
		if (teardown_sender(l->at[i].flow, s, &from) && is_of(&now, l->at[i].flow))
			follow(l, &l->at[i], from, s, &now);
}

struct ladders *ladders_new(struct arena *arena, const struct flow *const flows[], size_t n)
{
	struct ladders *l = calloc(1, sizeof(*l));

	if (!l)
		arena_die();
	l->arena = arena;
	l->tab = flowtab_new();
	l->tab->wants = wants;
	l->tab->see = see;
	l->tab->ctx = l;
	l->at = xrealloc_array(NULL, n ? n : 1, sizeof(*l->at));
	l->n = n;
	for (size_t i = 0; i < n; i++)
		l->at[i] = (struct followed){
			.flow = flows[i],
			.ladder = { .flow_id = flows[i]->id, .is_untimed = flows[i]->is_untimed },
		};
	return l;
}

void ladders_read(struct ladders *l, struct capture *const captures[], size_t n)
{
	struct capture **again = xrealloc_array(NULL, n + 1, sizeof(struct capture *));
	int *results = xrealloc_array(NULL, n + 1, sizeof(*results)); /* said when read first */
	size_t n_again = 0;

	for (size_t i = 0; i < n; i++)
		n_again += capture_open_again(captures[i], &again[n_again]) == 0;
	if (n_again == 1)
		results[0] = capture_read(again[0], l->tab, 0, NULL);
	else
		capture_read_merged(again, n_again, l->tab, 0, NULL, results);
	for (size_t i = 0; i < n_again; i++)
		capture_close(again[i]);
	free(again);
	free(results);
}

const struct ladder *ladders_find(const struct ladders *l, uint32_t flow_id)
{
	for (size_t i = 0; l && i < l->n; i++)
		if (l->at[i].ladder.flow_id == flow_id && l->at[i].ladder.n > 0)
			return &l->at[i].ladder;
	return NULL;
}

void ladders_free(struct ladders *l)
{
	if (!l)
		return;
	flowtab_free(l->tab);
	free(l->at);
	free(l);
}

#include "util/arena.h"
#include "wire/teardown.h"

#include <stdlib.h>
#include <string.h>

/* How it works: memory latency is the cost of a large capture, not reading. So 64 segments are
 * decoded into values first, which hashes them and asks for their index slots; then their records
 * are asked for; then they are worked off in order. With a million connections this is four times
 * as fast as one segment after the other. */

struct flowtab *flowtab_new(void)
{
	struct flowtab *t = calloc(1, sizeof(*t));

	if (!t)
		arena_die();
	flowstore_init(&t->store);
	t->arena = arena_new();
	return t;
}

void flowtab_free(struct flowtab *t)
{
	if (!t)
		return;
	flowstore_free(&t->store);
	hosts_free(&t->hosts);
	arena_free(t->arena);
	free(t);
}

void flowtab_limit(struct flowtab *t, uint32_t max_flows)
{
	t->store.max_recs = max_flows < MAX_RECS ? max_flows : MAX_RECS;
}

size_t flowtab_count(const struct flowtab *t)
{
	return t->store.n_recs - t->n_void;
}

uint8_t flowtab_begin(struct flowtab *t)
{
	t->n_captures += t->n_captures < MAX_CAPTURES;
	struct capture_sum *c = &t->captures[t->n_captures - 1];

	if (!c->plain && !c->control)
		c->first_ns = c->last_ns = c->end_ns = TIME_NONE;
	memset(&t->dups, 0, sizeof(t->dups));
	return (uint8_t)(t->n_captures - 1);
}

/* The record that the index has for the segment, most likely; NULL: it is new. */
static const struct rec *prefetch_rec(const struct flowstore *store, const struct segment *s)
{
	uint32_t i = s->hash & store->mask;

	while (store->slots[i].rec_plus_1 && store->slots[i].tag != s->hash)
		i = (i + 1) & store->mask;
	if (!store->slots[i].rec_plus_1)
		return NULL;
	const struct rec *r = flowstore_rec(store, store->slots[i].rec_plus_1 - 1);

	__builtin_prefetch(r, 1);
	__builtin_prefetch(&r->end[0], 1);
	return r;
}

static void prefetch_note(const struct note *n)
{
	if (!n)
		return;
	__builtin_prefetch(n);
	__builtin_prefetch((const char *)n + 64);
}

/* Addresses of IPv6 and notes, of which the record says where. */
static void prefetch_rest(const struct flowstore *store, const struct rec *r)
{
	if (r->flags & FLOW_INET6)
		__builtin_prefetch(flowstore_pair6(store, r->addr[0]));
	prefetch_note(flowstore_note(store, r->notes));
}

static void sum_up(struct capture_sum *c, const struct segment *s)
{
	bool is_control = s->flags & (TCP_SYN | TCP_FIN | TCP_RST);

	c->plain += !is_control;
	c->control += is_control;
	c->fins += !!(s->flags & TCP_FIN);
	c->header_cut += s->is_header_cut;
	if (c->first_ns == TIME_NONE || s->at_ns < c->first_ns)
		c->first_ns = s->at_ns;
	if (c->last_ns == TIME_NONE || s->at_ns > c->last_ns)
		c->last_ns = s->at_ns;
}

void flowtab_run(struct flowtab *t)
{
	const struct rec *recs[BATCH];

	for (unsigned i = 0; i < t->n_batch; i++)
		flowstore_prefetch_slot(&t->store, &t->batch[i]);
	for (unsigned i = 0; i < t->n_batch; i++)
		recs[i] = prefetch_rec(&t->store, &t->batch[i]);
	for (unsigned i = 0; i < t->n_batch; i++)
		if (recs[i])
			prefetch_rest(&t->store, recs[i]);
	for (unsigned i = 0; i < t->n_batch; i++) {
		sum_up(&t->captures[t->batch[i].capture], &t->batch[i]);
		track_segment(t, &t->batch[i]);
		if (t->see)
			t->see(t->ctx, t, &t->batch[i]);
	}
	t->n_batch = 0;
}

/* FIN_RST_ONLY: there is no segment without SYN, FIN and RST although there must have been some: a
 * FIN, or a SYN-ACK that nobody sent again. (A capture of nothing but refused SYNs may be full.)
 * PARTIAL: claims need lowering all the same: the kernel dropped packets, headers were cut, be it
 * behind the flags of TCP (no window, no options), or at least one connection in eight has a hole that
 * the other end did acknowledge. */
static enum content content_of(const struct capture_sum *c)
{
	if (!c->plain && (c->fins || c->unanswered_syn_acks > 0))
		return CONTENT_FIN_RST_ONLY;
	if (c->dropped || c->header_cut || c->lossy_flows * 8 > c->flows)
		return CONTENT_PARTIAL;
	return CONTENT_FULL;
}

/* Does b begin where a ends? Then they are pieces of one capture, as tcpdump -C writes them; what
 * runs at the same time is another one. */
static bool goes_on(const struct capture_sum *a, const struct capture_sum *b)
{
	enum { OVERLAP_NS = 1000000000 };
	const int64_t pause_ns = INT64_C(60000000000);

	return b->first_ns >= a->end_ns - OVERLAP_NS && b->first_ns - a->end_ns <= pause_ns;
}

static void add_sums(struct capture_sum *to, const struct capture_sum *c)
{
	to->plain += c->plain;
	to->control += c->control;
	to->header_cut += c->header_cut;
	to->fins += c->fins;
	to->flows += c->flows;
	to->lossy_flows += c->lossy_flows;
	to->dropped += c->dropped;
	to->unanswered_syn_acks += c->unanswered_syn_acks;
	if (c->end_ns > to->end_ns)
		to->end_ns = c->end_ns;
}

/* Pieces of one capture have its end and its content. */
static void join_pieces(struct flowtab *t)
{
	struct capture_sum groups[MAX_CAPTURES];
	uint8_t order[MAX_CAPTURES], group_of[MAX_CAPTURES];
	unsigned n_groups = 0;

	for (unsigned i = 0, k; i < t->n_captures; i++) {
		t->captures[i].end_ns = t->captures[i].last_ns;
		for (k = i; k > 0 && t->captures[order[k - 1]].first_ns > t->captures[i].first_ns; k--)
			order[k] = order[k - 1];
		order[k] = (uint8_t)i;
	}
	for (unsigned i = 0; i < t->n_captures; i++) {
		const struct capture_sum *c = &t->captures[order[i]];
		unsigned g = 0;

		while (g < n_groups && (c->first_ns == TIME_NONE || groups[g].first_ns == TIME_NONE ||
					!goes_on(&groups[g], c)))
			g++;
		group_of[order[i]] = (uint8_t)g;
		if (g < n_groups)
			add_sums(&groups[g], c);
		else
			groups[n_groups++] = *c;
	}
	for (unsigned i = 0; i < t->n_captures; i++) {
		t->captures[i].end_ns = groups[group_of[i]].end_ns;
		t->captures[i].content = content_of(&groups[group_of[i]]);
	}
}

void flowtab_end(struct flowtab *t, uint8_t capture, uint64_t dropped_by_kernel)
{
	flowtab_run(t);
	t->captures[capture].dropped += dropped_by_kernel;
	join_pieces(t);
}

enum content flowtab_content(const struct flowtab *t, uint8_t capture)
{
	return t->captures[capture].content;
}

void flowtab_each(struct flowtab *t, bool (*see)(void *ctx, const struct flow *view), void *ctx)
{
	enum { AHEAD = 16, NEAR = 8 };
	const struct flowstore *store = &t->store;
	const struct note *n;
	struct flow view;
	uint32_t id = 0;

	for (uint32_t i = 0; i < store->n_recs; i++) {
		if (i + AHEAD < store->n_recs)
			prefetch_rest(store, flowstore_rec(store, i + AHEAD));
		if (i + NEAR < store->n_recs) {
			n = flowstore_note(store, flowstore_rec(store, i + NEAR)->notes);
			prefetch_note(n ? flowstore_note(store, n->next) : NULL);
		}
		if (flowstore_rec(store, i)->flags & FLOW_VOID)
			continue;
		teardown_view(t, i, &view);
		view.id = ++id;
		if (!see(ctx, &view))
			return;
	}
}

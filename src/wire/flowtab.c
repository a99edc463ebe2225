#include "util/arena.h"
#include "wire/teardown.h"

#include <stdlib.h>
#include <string.h>

/* How it works: memory latency is the cost of a large capture, not reading. So 32 segments are
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
	arena_free(t->arena);
	free(t);
}

size_t flowtab_count(const struct flowtab *t)
{
	return t->store.n_recs - t->n_void;
}

void flowtab_begin(struct flowtab *t)
{
	t->n_captures += t->n_captures < MAX_CAPTURES;
	struct capture_sum *c = &t->captures[t->n_captures - 1];

	if (!c->plain && !c->control)
		c->first_ns = c->last_ns = TIME_NONE;
	memset(&t->dups, 0, sizeof(t->dups));
}

static void prefetch_rec(const struct flowtab *t, const struct segment *s)
{
	const struct flowstore *store = &t->store;
	uint32_t i = s->hash & store->mask;

	while (store->slots[i].rec_plus_1 && store->slots[i].tag != s->hash)
		i = (i + 1) & store->mask;
	if (!store->slots[i].rec_plus_1)
		return;
	const struct rec *r = flowstore_rec(store, store->slots[i].rec_plus_1 - 1);

	__builtin_prefetch(r, 1);
	__builtin_prefetch(&r->end[0], 1);
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
	struct capture_sum *c = &t->captures[t->n_captures - 1];

	for (unsigned i = 0; i < t->n_batch; i++)
		prefetch_rec(t, &t->batch[i]);
	for (unsigned i = 0; i < t->n_batch; i++) {
		sum_up(c, &t->batch[i]);
		track_segment(t, &t->batch[i]);
		if (t->see)
			t->see(t->ctx, t, &t->batch[i]);
	}
	t->n_batch = 0;
}

/* FIN_RST_ONLY: there is no segment without SYN, FIN and RST although there must have been some: a
 * FIN, or a SYN-ACK that nobody sent again. (A capture of nothing but refused SYNs is full.)
 * PARTIAL: claims need lowering all the same: the kernel dropped packets, TCP headers were cut
 * behind their flags (no window, no options), or at least one connection in eight has a hole that
 * the other end did acknowledge. */
static enum content content_of(const struct capture_sum *c)
{
	if (!c->plain)
		return c->fins || c->unanswered_syn_acks > 0 ? CONTENT_FIN_RST_ONLY : CONTENT_FULL;
	if (c->dropped || c->header_cut || c->lossy_flows * 8 > c->flows)
		return CONTENT_PARTIAL;
	return CONTENT_FULL;
}

void flowtab_end(struct flowtab *t, uint64_t dropped_by_kernel)
{
	flowtab_run(t);
	struct capture_sum *c = &t->captures[t->n_captures - 1];
	c->dropped += dropped_by_kernel;
	c->content = content_of(c);
}

enum content flowtab_content(const struct flowtab *t)
{
	return content_of(&t->captures[t->n_captures - 1]);
}

void flowtab_each(struct flowtab *t, bool (*see)(void *ctx, const struct flow *view), void *ctx)
{
	struct flow view;
	uint32_t id = 0;

	for (uint32_t i = 0; i < t->store.n_recs; i++) {
		if (flowstore_rec(&t->store, i)->flags & FLOW_VOID)
			continue;
		teardown_view(t, i, &view);
		view.id = ++id;
		if (!see(ctx, &view))
			return;
	}
}

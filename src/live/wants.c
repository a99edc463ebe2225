#include "live/wants.h"
#include "util/arena.h"

#include <stdlib.h>

/* How it works: hits are collected flat, {wanted, holder}, and sorted into one array of holders at
 * the end, so that a socket costs no allocation of its own. */

struct want *wants_find(const struct wants *w, uint64_t inode)
{
	uint64_t hash = hash_u64(&w->key, inode);
	uint32_t at;

	for (size_t it = index_first(&w->index, hash); index_next(&w->index, hash, &it, &at);)
		if (w->at[at].inode == inode)
			return &w->at[at];
	return NULL;
}

static bool is_wanted(const struct sock *s, enum owners_wanted wanted)
{
	const uint32_t states = STATES_TEARDOWN | STATE_BIT(STATE_LISTEN);

	if (!s->full || !s->full->inode)
		return false;
	return wanted == OWNERS_ALL || (STATE_BIT(s->state) & states);
}

void wants_collect(struct wants *w, const struct look *look, enum owners_wanted wanted)
{
	w->key = hash_key_new();
	for (size_t i = 0; i < look->n_socks; i++) {
		const struct sock *s = &look->socks[i];

		if (!is_wanted(s, wanted) || wants_find(w, s->full->inode))
			continue;
		if (w->n == w->cap) {
			w->cap = w->cap ? w->cap * 2 : 64;
			w->at = xrealloc_array(w->at, w->cap, sizeof(*w->at));
		}
		index_add(&w->index, hash_u64(&w->key, s->full->inode), (uint32_t)w->n);
		w->at[w->n++] = (struct want){ .inode = s->full->inode };
	}
	w->n_unowned = w->n;
}

void wants_add(struct wants *w, struct want *want, struct holder holder)
{
	if (w->n_hits == w->cap_hits) {
		w->cap_hits = w->cap_hits ? w->cap_hits * 2 : 64;
		w->hits = xrealloc_array(w->hits, w->cap_hits, sizeof(*w->hits));
	}
	w->hits[w->n_hits++] = (struct hit){ (uint32_t)(want - w->at), holder };
	if (want->n_hits++ == 0)
		w->n_unowned--;
}

static int by_holder(const void *a, const void *b)
{
	const struct holder *x = &((const struct hit *)a)->holder;
	const struct holder *y = &((const struct hit *)b)->holder;

	if (x->proc->pid != y->proc->pid)
		return x->proc->pid < y->proc->pid ? -1 : 1;
	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

void wants_assign(struct wants *w, struct look *look, bool in_order)
{
	struct holder *holders = arena_array(look->arena, w->n_hits, sizeof(*holders));
	uint32_t first = 0;

	if (in_order && w->n_hits)
		qsort(w->hits, w->n_hits, sizeof(*w->hits), by_holder);
	for (size_t i = 0; i < w->n; i++) {
		w->at[i].first = first;
		first += w->at[i].n_hits;
		w->at[i].n_hits = 0;
	}
	for (size_t i = 0; i < w->n_hits; i++) {
		struct want *want = &w->at[w->hits[i].want];

		holders[want->first + want->n_hits++] = w->hits[i].holder;
	}
	for (size_t i = 0; i < look->n_socks; i++) {
		struct sock_full *full = look->socks[i].full;
		const struct want *want = full && full->inode ? wants_find(w, full->inode) : NULL;

		if (want && want->n_hits) {
			full->holders = holders + want->first;
			full->n_holders = want->n_hits;
		}
	}
}

void wants_free(struct wants *w)
{
	index_free(&w->index);
	free(w->at);
	free(w->hits);
}

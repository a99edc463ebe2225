#include "live/wants.h"
#include "util/arena.h"
#include "util/cleanup.h"

#include <stdlib.h>

/* How it works: the wanted inodes lie in order. So do, nearly, those of a process: the kernel numbers
 * sockets as they are made, and descriptors as well. The next one is mostly found where the last one was,
 * or known to be in between, where a hash would miss the cache three times a socket. Hits are collected
 * flat, {wanted, holder}, and sorted into one array of holders at the end, so that a socket costs no
 * allocation of its own. */

/* The first want whose inode is not below. */
static size_t lower_bound(const struct wants *w, uint64_t inode)
{
	size_t low = 0, high = w->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->at[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct want *wants_find(struct wants *w, uint64_t inode)
{
	enum { NEAR = 4 };
	size_t i = w->last;

	if (i < w->n && w->at[i].inode <= inode) {
		for (size_t end = i + NEAR; i < end && i < w->n && w->at[i].inode < inode;)
			i++;
		if (i < w->n && w->at[i].inode < inode)
			i = lower_bound(w, inode);
	} else {
		i = lower_bound(w, inode);
	}
	if (i == w->n || w->at[i].inode != inode) {
		w->last = i > 0 ? i - 1 : 0;
		return NULL;
	}
	w->last = i;
	return &w->at[i];
}

static bool is_wanted(const struct sock *s, enum owners_wanted wanted)
{
	const uint32_t states = STATES_TEARDOWN | STATE_BIT(STATE_LISTEN);

	if (!s->full || !s->full->inode)
		return false;
	return wanted == OWNERS_ALL || (STATE_BIT(s->state) & states);
}

static void add_sock(struct wants *w, uint32_t inode, size_t at)
{
	if (w->n_socks == w->cap_socks) {
		w->cap_socks = w->cap_socks ? w->cap_socks * 2 : 64;
		w->socks = xrealloc_array(w->socks, w->cap_socks, sizeof(*w->socks));
	}
	w->socks[w->n_socks++] = (uint64_t)inode << 32 | at;
}

/* By the upper half, eight bits at a time from the lowest on; what is equal keeps its order. */
static void sort_socks(uint64_t *at, size_t n)
{
	AUTO_FREE uint64_t *other = xrealloc_array(NULL, n, sizeof(*other));
	uint64_t *from = at, *to = other, *was;

	for (unsigned shift = 32; shift < 64; shift += 8) {
		size_t starts[256] = { 0 }, sum = 0, count;

		for (size_t i = 0; i < n; i++)
			starts[from[i] >> shift & 255]++;
		for (size_t k = 0; k < 256; k++) {
			count = starts[k];
			starts[k] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			to[starts[from[i] >> shift & 255]++] = from[i];
		was = from;
		from = to;
		to = was;
	}
}

void wants_collect(struct wants *w, const struct look *look, enum owners_wanted wanted)
{
	for (size_t i = 0; i < look->n_socks; i++)
		if (is_wanted(&look->socks[i], wanted))
			add_sock(w, look->socks[i].full->inode, i);
	if (w->n_socks == 0)
		return;
	sort_socks(w->socks, w->n_socks);
	w->at = xrealloc_array(NULL, w->n_socks, sizeof(*w->at));
	for (size_t i = 0; i < w->n_socks; i++) {
		uint32_t inode = (uint32_t)(w->socks[i] >> 32);

		if (w->n == 0 || w->at[w->n - 1].inode != inode)
			w->at[w->n++] = (struct want){ .inode = inode };
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
	for (size_t i = 0, at = 0; i < w->n_socks; i++) {
		struct sock_full *full = look->socks[(uint32_t)w->socks[i]].full;

		at += w->at[at].inode != full->inode;
		if (w->at[at].n_hits) {
			full->holders = holders + w->at[at].first;
			full->n_holders = w->at[at].n_hits;
		}
	}
}

void wants_free(struct wants *w)
{
	free(w->at);
	free(w->socks);
	free(w->hits);
}

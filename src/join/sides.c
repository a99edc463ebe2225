#include "join/sides.h"
#include "util/hash.h"
#include "util/index.h"

#include <stdlib.h>
#include <string.h>

/* How it works: what travels from end 0 to end 1 shows, in the second capture less the first, the
 * offset of the clocks and the time on the way; what travels back shows the offset less that time. So
 * the smallest of the former and the largest of the latter bound the offset from both sides, and
 * which of a connection's directions is the later one tells at which end the first capture was
 * taken. Where nothing tells, the first one is the client's.
 *
 * That a capture does not hold a segment means something only where it would have held it: it has others of
 * that sender (routes of the two directions may differ, and with them the interface), it ran at that time, and
 * it lost none of the connection. Of the rest nothing is said. */

enum {
	MAX_KEPT = 1 << 18, /* connections a capture: a quarter of a gigabyte */
	NEAR = 1 << 24,     /* numbers a connection may have moved on between two captures */
};

#define WAIT_NS INT64_C(1000000000) /* what has not arrived by then was lost */

struct sides {
	struct arena *arena;
	struct hash_key key;
	struct sided_flow *at; /* [n] */
	size_t n, cap;
	struct index by_numbers, by_pair;  /* of what the first capture holds */
	uint32_t *of[2];                   /* flow id - 1: place in `at`, plus 1; 0: not kept */
	size_t n_of[2];
	bool is_capped;
	const struct capture_info *captures[2];
};

struct sides *sides_new(struct arena *arena)
{
	struct sides *s = arena_alloc(arena, sizeof(*s));

	s->arena = arena;
	s->key = hash_key_new();
	return s;
}

void sides_free(struct sides *s)
{
	if (!s)
		return;
	index_free(&s->by_numbers);
	index_free(&s->by_pair);
	free(s->of[0]);
	free(s->of[1]);
	free(s->at);
}

static bool has_numbers(const struct flow *f)
{
	return f->end[SIDE_CLIENT].isn_known && f->end[SIDE_SERVER].isn_known;
}

static uint64_t numbers_hash(const struct sides *s, const struct flow *f)
{
	const uint32_t isns[] = { f->end[SIDE_CLIENT].isn, f->end[SIDE_SERVER].isn };

	return hash_bytes(&s->key, isns, sizeof(isns));
}

static uint64_t pair_hash(const struct sides *s, const struct flow *f)
{
	const struct pair pair = { f->end[SIDE_CLIENT].at, f->end[SIDE_SERVER].at };

	return hash_bytes(&s->key, &pair, sizeof(pair));
}

static bool same_addresses(const struct flow *a, const struct flow *b)
{
	return endpoint_equal(a->end[SIDE_CLIENT].at, b->end[SIDE_CLIENT].at) &&
	       endpoint_equal(a->end[SIDE_SERVER].at, b->end[SIDE_SERVER].at);
}

static bool same_numbers(const struct flow *a, const struct flow *b)
{
	return has_numbers(a) && has_numbers(b) &&
	       a->end[SIDE_CLIENT].isn == b->end[SIDE_CLIENT].isn &&
	       a->end[SIDE_SERVER].isn == b->end[SIDE_SERVER].isn;
}

/* The same addresses, and numbers that one connection may have. An end that was not seen in one of
 * them says nothing. */
static bool may_be_same(const struct flow *a, const struct flow *b)
{
	if (!same_addresses(a, b) || (has_numbers(a) && has_numbers(b)))
		return false;
	for (enum side side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
		const struct flow_end *x = &a->end[side], *y = &b->end[side];

		if (x->isn_known && y->isn_known && x->isn != y->isn)
			return false;
		if (x->seen && y->seen && x->nxt - y->nxt + NEAR > 2 * NEAR)
			return false;
	}
	return true;
}

static uint32_t find_partner(struct sides *s, const struct flow *f)
{
	uint64_t hash = numbers_hash(s, f);
	uint32_t at;

	for (size_t it = index_first(&s->by_numbers, hash);
	     has_numbers(f) && index_next(&s->by_numbers, hash, &it, &at);)
		if (!s->at[at].flow[1] && same_numbers(s->at[at].flow[0], f))
			return at;
	hash = pair_hash(s, f);
	for (size_t it = index_first(&s->by_pair, hash); index_next(&s->by_pair, hash, &it, &at);)
		if (!s->at[at].flow[1] && may_be_same(s->at[at].flow[0], f))
			return at;
	return UINT32_MAX;
}

static uint32_t add_new(struct sides *s)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->at = xrealloc_array(s->at, s->cap, sizeof(*s->at));
	}
	s->at[s->n] = (struct sided_flow){ .at = { SIDE_CLIENT, SIDE_SERVER } };
	return (uint32_t)s->n++;
}

static void note_place(struct sides *s, unsigned which, uint32_t id, uint32_t place)
{
	while (s->n_of[which] < id) {
		size_t n = s->n_of[which] ? s->n_of[which] * 2 : 64;

		s->of[which] = xrealloc_array(s->of[which], n, sizeof(*s->of[which]));
		memset(s->of[which] + s->n_of[which], 0, (n - s->n_of[which]) * sizeof(*s->of[which]));
		s->n_of[which] = n;
	}
	s->of[which][id - 1] = place + 1;
}

void sides_add(struct sides *s, unsigned which, const struct flow *view)
{
	uint32_t at = which ? find_partner(s, view) : UINT32_MAX;

	if (s->n >= (which + 1u) * MAX_KEPT || view->id > UINT32_MAX / 2) {
		s->is_capped = true;
		return;
	}
	if (at == UINT32_MAX)
		at = add_new(s);
	s->at[at].flow[which] = flow_keep(view, s->arena);
	note_place(s, which, view->id, at);
	if (which)
		return;
	if (has_numbers(view))
		index_add(&s->by_numbers, numbers_hash(s, view), at);
	index_add(&s->by_pair, pair_hash(s, view), at);
}

/* When the first capture had it, and the second, of one segment that both have. */
struct sighting {
	enum side from;
	int64_t later_ns; /* in the second, by its clock, than in the first, by its own */
};

static void sight(struct sighting found[], size_t *n, enum side from, int64_t first, int64_t second)
{
	if (first != TIME_NONE && second != TIME_NONE)
		found[(*n)++] = (struct sighting){ from, second - first };
}

enum { MAX_SIGHTINGS = 3 + MAX_FLOW_RSTS };

/* SYN, FINs that were not repeated, resets. */
static size_t sightings(const struct sided_flow *f, struct sighting found[MAX_SIGHTINGS])
{
	const struct flow *a = f->flow[0], *b = f->flow[1];
	size_t n = 0;

	if (a->end[SIDE_CLIENT].isn_known && b->end[SIDE_CLIENT].isn_known &&
	    !a->end[SIDE_CLIENT].retransmissions && !b->end[SIDE_CLIENT].retransmissions)
		sight(found, &n, SIDE_CLIENT, a->first_ns, b->first_ns);
	for (enum side side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
		const struct flow_fin *x = &a->end[side].fin, *y = &b->end[side].fin;

		if (x->seen && y->seen && x->seq == y->seq && x->retransmissions == y->retransmissions)
			sight(found, &n, side, x->at_ns, y->at_ns);
	}
	for (uint32_t i = 0; i < a->n_rsts && i < b->n_rsts; i++)
		if (a->rsts[i].from == b->rsts[i].from && a->rsts[i].seq == b->rsts[i].seq)
			sight(found, &n, a->rsts[i].from, a->rsts[i].at_ns, b->rsts[i].at_ns);
	return n;
}

/* At which end the first capture was taken: what its end sends is later in the second, by the time
 * on the way, than what it hears. */
static void find_ends(struct sided_flow *f, const struct sighting found[], size_t n)
{
	int64_t least[N_SIDES] = { INT64_MAX, INT64_MAX };

	for (size_t i = 0; i < n; i++)
		if (found[i].later_ns < least[found[i].from])
			least[found[i].from] = found[i].later_ns;
	if (least[SIDE_CLIENT] == INT64_MAX || least[SIDE_SERVER] == INT64_MAX ||
	    least[SIDE_CLIENT] >= least[SIDE_SERVER])
		return;
	f->at[0] = SIDE_SERVER;
	f->at[1] = SIDE_CLIENT;
}

static void align(struct sides *s, struct sided_sum *sum)
{
	int64_t above = INT64_MIN, below = INT64_MAX;

	for (size_t i = 0; i < s->n; i++) {
		struct sighting found[MAX_SIGHTINGS];
		struct sided_flow *f = &s->at[i];

		if (!f->flow[0] || !f->flow[1])
			continue;
		size_t n = sightings(f, found);
		find_ends(f, found, n);
		for (size_t k = 0; k < n; k++) {
			int64_t d = found[k].later_ns;

			if (found[k].from == f->at[0] && d < below)
				below = d;
			else if (found[k].from == f->at[1] && d > above)
				above = d;
		}
	}
	if (above == INT64_MIN && below == INT64_MAX)
		return;
	sum->has_offset = true;
	if (above == INT64_MIN || below == INT64_MAX)
		above = below = above == INT64_MIN ? below : above;
	sum->offset_ns = above + (below - above) / 2;
	sum->within_ns = below > above ? (below - above) / 2 : (above - below) / 2;
}

/* Would the capture hold another segment of that sender, sent or come at that time of its clock? */
static bool is_witness(const struct capture_info *c, const struct flow *f, enum side sender, int64_t at_ns)
{
	return f->end[sender].seen && !f->is_lossy && !c->dropped_by_kernel && c->first_ns <= at_ns &&
	       at_ns <= c->last_ns;
}

static void note_missing(struct sides *s, struct sided_flow *f, const struct sided_sum *sum, unsigned seen_in,
			 struct sided_segment segment)
{
	const struct flow *other = f->flow[!seen_in];
	const struct capture_info *capture = s->captures[!seen_in];
	int64_t offset = !sum->has_offset ? 0 : seen_in ? -sum->offset_ns : sum->offset_ns;

	if (f->n_missing == MAX_SIDED || segment.at_ns == TIME_NONE ||
	    !is_witness(capture, other, segment.from, segment.at_ns + offset))
		return;
	segment.seen_in = seen_in;
	segment.was_sent = f->at[seen_in] == segment.from;
	/* Whatever came later shows that the other capture still ran. */
	segment.is_certain = sum->has_offset && other->content == CONTENT_FULL && !capture->time_back &&
			     capture->last_ns >= segment.at_ns + offset + WAIT_NS;
	f->missing[f->n_missing++] = segment;
}

static bool has_rst(const struct flow *f, const struct flow_rst *wanted)
{
	for (uint32_t i = 0; i < f->n_rsts; i++)
		/* Of repeated ones only the first number is known. */
		if (f->rsts[i].from == wanted->from &&
		    (f->rsts[i].seq == wanted->seq || f->rsts[i].repeats > 0))
			return true;
	return false;
}

static void compare_one(struct sides *s, struct sided_flow *f, const struct sided_sum *sum, unsigned seen_in)
{
	const struct flow *here = f->flow[seen_in], *there = f->flow[!seen_in];

	for (enum side side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
		const struct flow_fin *fin = &here->end[side].fin;

		if (fin->seen && !fin->is_inferred && !there->end[side].fin.seen)
			note_missing(s, f, sum, seen_in, (struct sided_segment){
				.from = side, .seq = fin->seq, .at_ns = fin->at_ns });
	}
	for (uint32_t i = 0; i < here->n_rsts; i++)
		if (!has_rst(there, &here->rsts[i]))
			note_missing(s, f, sum, seen_in, (struct sided_segment){
				.is_rst = true, .from = here->rsts[i].from, .seq = here->rsts[i].seq,
				.at_ns = here->rsts[i].at_ns });
}

void sides_compare(struct sides *s, const struct capture_info *const captures[2], struct sided_sum *ret)
{
	memcpy(s->captures, captures, sizeof(s->captures));
	*ret = (struct sided_sum){ .is_capped = s->is_capped };
	align(s, ret);
	for (size_t i = 0; i < s->n; i++) {
		struct sided_flow *f = &s->at[i];

		if (!f->flow[0] || !f->flow[1]) {
			ret->n_only[!f->flow[0]]++;
			continue;
		}
		ret->n_both++;
		f->is_translated = !same_addresses(f->flow[0], f->flow[1]);
		compare_one(s, f, ret, 0);
		compare_one(s, f, ret, 1);
	}
}

const struct sided_flow *sides_find(const struct sides *s, unsigned which, uint32_t flow_id)
{
	uint32_t place = flow_id && flow_id <= s->n_of[which] ? s->of[which][flow_id - 1] : 0;

	return place ? &s->at[place - 1] : NULL;
}

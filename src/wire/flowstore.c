#include "wire/flowstore.h"
#include "util/arena.h"

#include <stdlib.h>
#include <string.h>

/* How it works: slots {tag, number}, linear probing, at most half full. The tag is the whole 32-bit
 * hash and the slot's home its low bits, so the index doubles without touching a record. The hash
 * is two multiplications keyed by secrets of this process: nobody outside can choose colliding
 * addresses, and a packet costs no more than that. */

enum { FIRST_SLOTS = 1 << 10 };

static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t load64(const uint8_t *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static uint32_t load32(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

void flowstore_init(struct flowstore *s)
{
	s->key = hash_key_new();
	s->slots = calloc(FIRST_SLOTS, sizeof(*s->slots));
	if (!s->slots)
		arena_die();
	s->mask = FIRST_SLOTS - 1;
	s->max_recs = USUAL_RECS;
}

void flowstore_free(struct flowstore *s)
{
	for (uint32_t i = 0; i * RECS_PER_CHUNK < s->n_recs; i++)
		free(s->recs[i]);
	for (uint32_t i = 0; i < s->n_note_chunks; i++)
		free(s->notes[i]);
	for (uint32_t i = 0; i * RECS_PER_CHUNK < s->n_pairs6; i++)
		free(s->pairs6[i]);
	free(s->slots);
}

/* As numbers, in network order. */
static bool is_above(const uint8_t *a, const uint8_t *b, bool is_inet6)
{
	if (!is_inet6)
		return __builtin_bswap32(load32(a)) > __builtin_bswap32(load32(b));
	if (load64(a) != load64(b))
		return __builtin_bswap64(load64(a)) > __builtin_bswap64(load64(b));
	return __builtin_bswap64(load64(a + 8)) > __builtin_bswap64(load64(b + 8));
}

/* The end with the lower address, then the lower port, is end 0. */
static uint8_t side_of(const struct segment *seg)
{
	const uint8_t *a = seg->addr[0], *b = seg->addr[1];

	if (is_above(a, b, seg->is_inet6))
		return 1;
	return !is_above(b, a, seg->is_inet6) && seg->port[0] > seg->port[1];
}

void flowstore_hash(const struct flowstore *s, struct segment *seg)
{
	seg->side = side_of(seg);
	const uint8_t *low = seg->addr[seg->side], *high = seg->addr[!seg->side];
	uint64_t ports = (uint64_t)seg->port[seg->side] << 16 | seg->port[!seg->side];
	uint64_t h;

	if (seg->is_inet6)
		h = mix(load64(low) ^ s->key.k0, load64(low + 8) ^ 0xa0761d6478bd642fu) ^
		    mix(load64(high) ^ s->key.k1, load64(high + 8) ^ 0xe7037ed1a0b428dbu);
	else
		h = ((uint64_t)load32(low) << 32 | load32(high)) ^ s->key.k0;
	/* Odd, so never 0, and without losing a bit of the ports. */
	h = mix(h ^ s->key.k1, (ports ^ s->key.k0) << 1 | 1);
	seg->hash = (uint32_t)(mix(h, 0x8ebc6af09c88c6e3u ^ s->key.k1) >> 16);
}

static bool rec_is(const struct flowstore *s, const struct rec *r, const struct segment *seg)
{
	const uint8_t *low = seg->addr[seg->side], *high = seg->addr[!seg->side];

	if (r->port[0] != seg->port[seg->side] || r->port[1] != seg->port[!seg->side] ||
	    !!(r->flags & FLOW_INET6) != seg->is_inet6)
		return false;
	if (!seg->is_inet6)
		return r->addr[0] == load32(low) && r->addr[1] == load32(high);
	const struct pair6 *p = flowstore_pair6(s, r->addr[0]);

	return memcmp(p->addr[0], low, 16) == 0 && memcmp(p->addr[1], high, 16) == 0;
}

struct slot *flowstore_find(struct flowstore *s, const struct segment *seg)
{
	for (uint32_t i = seg->hash & s->mask;; i = (i + 1) & s->mask) {
		struct slot *slot = &s->slots[i];

		if (!slot->rec_plus_1 ||
		    (slot->tag == seg->hash &&
		     rec_is(s, flowstore_rec(s, slot->rec_plus_1 - 1), seg)))
			return slot;
	}
}

static void slots_grow(struct flowstore *s)
{
	struct slot *old = s->slots;
	uint32_t n = s->mask + 1;

	s->slots = calloc((size_t)n * 2, sizeof(*s->slots));
	if (!s->slots)
		arena_die();
	s->mask = n * 2 - 1;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t to = old[i].tag & s->mask;

		if (!old[i].rec_plus_1)
			continue;
		while (s->slots[to].rec_plus_1)
			to = (to + 1) & s->mask;
		s->slots[to] = old[i];
	}
	free(old);
}

static void *chunk_new(size_t size)
{
	void *chunk = aligned_alloc(64, RECS_PER_CHUNK * size);

	if (!chunk)
		arena_die();
	return chunk;
}

static void rec_new(struct flowstore *s)
{
	struct rec **chunk = &s->recs[s->n_recs / RECS_PER_CHUNK];

	if (s->n_recs % RECS_PER_CHUNK == 0)
		*chunk = chunk_new(sizeof(struct rec));
	struct rec *r = &(*chunk)[s->n_recs++ % RECS_PER_CHUNK];

	memset(r, 0, sizeof(*r));
}

static uint32_t pair6_place(struct flowstore *s)
{
	uint32_t at = s->free_pair6_plus_1;

	if (at) {
		memcpy(&s->free_pair6_plus_1, flowstore_pair6(s, at - 1), sizeof(at));
		return at - 1;
	}
	if (s->n_pairs6 % RECS_PER_CHUNK == 0)
		s->pairs6[s->n_pairs6 / RECS_PER_CHUNK] = chunk_new(sizeof(struct pair6));
	return s->n_pairs6++;
}

static uint32_t pair6_new(struct flowstore *s, const struct segment *seg)
{
	uint32_t at = pair6_place(s);
	struct pair6 *p = flowstore_pair6(s, at);

	memcpy(p->addr[0], seg->addr[seg->side], 16);
	memcpy(p->addr[1], seg->addr[!seg->side], 16);
	return at;
}

static void rec_name(struct flowstore *s, struct rec *r, const struct segment *seg,
		     const struct slot *slot)
{
	r->port[0] = seg->port[seg->side];
	r->port[1] = seg->port[!seg->side];
	if (!seg->is_inet6) {
		memcpy(&r->addr[0], seg->addr[seg->side], 4);
		memcpy(&r->addr[1], seg->addr[!seg->side], 4);
		return;
	}
	r->flags |= FLOW_INET6;
	r->addr[0] = slot->rec_plus_1 ? flowstore_rec(s, slot->rec_plus_1 - 1)->addr[0] :
					pair6_new(s, seg);
}

/* The slot that points to this very record; NULL: the pair has a newer one. */
static struct slot *slot_of(struct flowstore *s, uint32_t at)
{
	const struct rec *r = flowstore_rec(s, at);
	struct segment seg = { .port = { r->port[0], r->port[1] },
			       .is_inet6 = r->flags & FLOW_INET6 };

	for (unsigned i = 0; i < 2; i++)
		if (seg.is_inet6)
			memcpy(seg.addr[i], flowstore_pair6(s, r->addr[0])->addr[i], 16);
		else
			memcpy(seg.addr[i], &r->addr[i], 4);
	flowstore_hash(s, &seg);
	struct slot *slot = flowstore_find(s, &seg);

	return slot->rec_plus_1 == at + 1 ? slot : NULL;
}

/* Whoever stands behind it and would not be found over an empty slot moves up. */
static void slot_remove(struct flowstore *s, const struct slot *slot)
{
	uint32_t hole = (uint32_t)(slot - s->slots);

	for (uint32_t i = (hole + 1) & s->mask; s->slots[i].rec_plus_1; i = (i + 1) & s->mask) {
		if (((i - s->slots[i].tag) & s->mask) < ((i - hole) & s->mask))
			continue;
		s->slots[hole] = s->slots[i];
		hole = i;
	}
	s->slots[hole].rec_plus_1 = 0;
	s->n_slots_used--;
}

static bool is_closed(const struct rec *r)
{
	return (r->flags & FLOW_RESET) || (r->end[0].flags & r->end[1].flags & END_FIN);
}

/* A closed one within reach of the hand, or else one of whom there is a single segment. One with a
 * predecessor or a successor of the same pair stays: they refer to each other. */
static bool find_victim(struct flowstore *s, const struct slot *not_this, uint32_t *ret)
{
	enum { REACH = 64 };
	uint32_t second = UINT32_MAX;

	for (uint32_t n = 0; n < REACH && n < s->n_recs; n++) {
		uint32_t at = s->hand;
		const struct rec *r = flowstore_rec(s, at);

		s->hand = at + 1 < s->n_recs ? at + 1 : 0;
		if ((r->flags & (FLOW_REUSED | FLOW_VOID)) || at + 1 == not_this->rec_plus_1)
			continue;
		if (is_closed(r) && slot_of(s, at)) {
			*ret = at;
			return true;
		}
		if (second == UINT32_MAX && r->end[0].packets + r->end[1].packets == 1 && slot_of(s, at))
			second = at;
	}
	*ret = second;
	return second != UINT32_MAX;
}

static void free_notes(struct flowstore *s, uint32_t first)
{
	struct note *n;

	for (uint32_t at = first, next; (n = flowstore_note(s, at)) != NULL; at = next) {
		next = n->next;
		n->next = s->free_notes[n->kind];
		s->free_notes[n->kind] = at;
	}
}

static void leave(struct flowstore *s, uint32_t at)
{
	struct rec *r = flowstore_rec(s, at);

	s->n_left += is_closed(r);
	s->n_left_open += !is_closed(r);
	slot_remove(s, slot_of(s, at));
	free_notes(s, r->notes);
	if (r->flags & FLOW_INET6) {
		memcpy(flowstore_pair6(s, r->addr[0]), &s->free_pair6_plus_1, sizeof(uint32_t));
		s->free_pair6_plus_1 = r->addr[0] + 1;
	}
	memset(r, 0, sizeof(*r));
}

bool flowstore_add(struct flowstore *s, const struct segment *seg, uint32_t *ret)
{
	uint32_t at = s->n_recs;

	if (at < s->max_recs && (s->n_slots_used + 1) * 2 > s->mask + 1)
		slots_grow(s);
	if (at < s->max_recs)
		rec_new(s);
	else if (find_victim(s, flowstore_find(s, seg), &at))
		leave(s, at);
	else
		return false;
	struct slot *slot = flowstore_find(s, seg);

	rec_name(s, flowstore_rec(s, at), seg, slot);
	s->n_slots_used += !slot->rec_plus_1;
	*slot = (struct slot){ seg->hash, at + 1 };
	*ret = at;
	return true;
}

void flowstore_repoint(struct flowstore *s, const struct segment *seg, uint32_t rec)
{
	flowstore_find(s, seg)->rec_plus_1 = rec + 1;
}

/* A new place for so many units; 0: there is no more. */
static uint32_t note_place(struct flowstore *s, uint32_t units)
{
	uint64_t most = (uint64_t)s->max_recs * NOTE_BYTES / ((uint64_t)UNITS_PER_CHUNK * NOTE_UNIT) + 1;

	if (!s->n_note_chunks || s->units_used + units > UNITS_PER_CHUNK) {
		if (s->n_note_chunks == MAX_NOTE_CHUNKS || s->n_note_chunks >= most)
			return 0;
		uint8_t *chunk = calloc(UNITS_PER_CHUNK, NOTE_UNIT);
		if (!chunk)
			arena_die();
		/* Unit 0 of the first chunk stays empty: number 0 means none. */
		s->units_used = s->n_note_chunks == 0;
		s->notes[s->n_note_chunks++] = chunk;
	}
	uint32_t at = (s->n_note_chunks - 1) * UNITS_PER_CHUNK + s->units_used;

	s->units_used += units;
	return at;
}

struct note *flowstore_note_add(struct flowstore *s, struct rec *r, enum note_kind kind,
				uint8_t end, size_t size)
{
	uint32_t at = s->free_notes[kind];
	struct note *n = flowstore_note(s, at);

	if (n) {
		s->free_notes[kind] = n->next;
		memset(n, 0, size);
	} else {
		at = note_place(s, (uint32_t)((size + NOTE_UNIT - 1) / NOTE_UNIT));
		n = flowstore_note(s, at);
	}
	if (!n) {
		s->n_notes_refused++;
		return NULL;
	}
	*n = (struct note){ .next = r->notes, .kind = (uint8_t)kind, .end = end };
	r->notes = at;
	return n;
}

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
}

void flowstore_free(struct flowstore *s)
{
	for (uint32_t i = 0; i * RECS_PER_CHUNK < s->n_recs; i++)
		free(s->recs[i]);
	for (uint32_t i = 0; i < s->n_note_chunks; i++)
		free(s->notes[i]);
	free(s->pairs6);
	free(s->slots);
}

/* The end with the lower address, then the lower port, is end 0. */
static uint8_t side_of(const struct segment *seg)
{
	int d = memcmp(seg->addr[0], seg->addr[1], seg->is_inet6 ? 16 : 4);

	return d ? d > 0 : seg->port[0] > seg->port[1];
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
	h = mix(h ^ s->key.k1, (ports ^ s->key.k0) | 1);
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
	const struct pair6 *p = &s->pairs6[r->addr[0]];

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

static struct rec *rec_new(struct flowstore *s)
{
	struct rec **chunk = &s->recs[s->n_recs / RECS_PER_CHUNK];
	size_t size = (size_t)RECS_PER_CHUNK * sizeof(struct rec);

	if (s->n_recs % RECS_PER_CHUNK == 0) {
		*chunk = aligned_alloc(64, size);
		if (!*chunk)
			arena_die();
	}
	struct rec *r = &(*chunk)[s->n_recs++ % RECS_PER_CHUNK];

	memset(r, 0, sizeof(*r));
	return r;
}

static uint32_t pair6_new(struct flowstore *s, const struct segment *seg)
{
	if (s->n_pairs6 == s->cap_pairs6) {
		s->cap_pairs6 = s->cap_pairs6 ? s->cap_pairs6 + s->cap_pairs6 / 2 : 64;
		s->pairs6 = xrealloc_array(s->pairs6, s->cap_pairs6, sizeof(*s->pairs6));
	}
	struct pair6 *p = &s->pairs6[s->n_pairs6];

	memcpy(p->addr[0], seg->addr[seg->side], 16);
	memcpy(p->addr[1], seg->addr[!seg->side], 16);
	return s->n_pairs6++;
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

bool flowstore_add(struct flowstore *s, const struct segment *seg, uint32_t *ret)
{
	if (s->n_recs == MAX_RECS)
		return false;
	if ((s->n_slots_used + 1) * 2 > s->mask + 1)
		slots_grow(s);
	struct slot *slot = flowstore_find(s, seg);
	struct rec *r = rec_new(s);

	rec_name(s, r, seg, slot);
	s->n_slots_used += !slot->rec_plus_1;
	*slot = (struct slot){ seg->hash, s->n_recs };
	*ret = s->n_recs - 1;
	return true;
}

void flowstore_repoint(struct flowstore *s, const struct segment *seg, uint32_t rec)
{
	flowstore_find(s, seg)->rec_plus_1 = rec + 1;
}

struct note *flowstore_note_add(struct flowstore *s, struct rec *r, enum note_kind kind,
				uint8_t end, size_t size)
{
	uint32_t units = (uint32_t)((size + NOTE_UNIT - 1) / NOTE_UNIT);

	if (!s->n_note_chunks || s->units_used + units > UNITS_PER_CHUNK) {
		if (s->n_note_chunks == MAX_NOTE_CHUNKS)
			return NULL;
		uint8_t *chunk = calloc(UNITS_PER_CHUNK, NOTE_UNIT);
		if (!chunk)
			arena_die();
		/* Unit 0 of the first chunk stays empty: number 0 means none. */
		s->units_used = s->n_note_chunks == 0;
		s->notes[s->n_note_chunks++] = chunk;
	}
	uint32_t at = (s->n_note_chunks - 1) * UNITS_PER_CHUNK + s->units_used;
	struct note *n = flowstore_note(s, at);

	s->units_used += units;
	*n = (struct note){ .next = r->notes, .kind = (uint8_t)kind, .end = end };
	r->notes = at;
	return n;
}

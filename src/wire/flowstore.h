#pragma once

/* Where records and notes live: arrays of chunks that never move, addressed by 32-bit numbers, and
 * the index that finds the newest record of a pair.
 *
 * Growing costs no copy of records. Memory is bounded by `max_recs`: 128 bytes of record, at most 32 of
 * index and at most NOTE_BYTES of notes for each. At that many, records of closed connections are
 * used again, and, where a look around finds none, those of a single segment that nobody answered:
 * a flood does not push out what lives. Failed allocation ends the program, as everywhere. */

#include "util/attr.h"
#include "util/hash.h"
#include "wire/flowrec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RECS_PER_CHUNK = 1 << 13,
	MAX_RECS = 1 << 24,
	USUAL_RECS = 1 << 23, /* eight million: two gigabytes, all in all */
	NOTE_BYTES = 96,
	NOTE_UNIT = 8,
	UNITS_PER_CHUNK = 1 << 16,
	MAX_NOTE_CHUNKS = 1 << 14,
};

struct pair6 {
	uint8_t addr[2][16];
};

struct slot {
	uint32_t tag;
	uint32_t rec_plus_1; /* 0: empty */
};

struct flowstore {
	struct rec *recs[MAX_RECS / RECS_PER_CHUNK];
	uint32_t n_recs;
	uint8_t *notes[MAX_NOTE_CHUNKS];
	uint32_t n_note_chunks, units_used; /* in the last chunk */
	struct pair6 *pairs6[MAX_RECS / RECS_PER_CHUNK];
	uint32_t n_pairs6, free_pair6_plus_1;
	struct slot *slots;
	uint32_t mask, n_slots_used;
	struct hash_key key;
	uint32_t max_recs;
	uint32_t hand;                     /* where the search for records to use again goes on */
	uint32_t free_notes[N_NOTE_KINDS]; /* of those; each the first of a list */
	uint64_t n_left, n_left_open;      /* connections that made room: closed ones, others */
	uint64_t n_notes_refused;
};

void flowstore_init(struct flowstore *s);
void flowstore_free(struct flowstore *s);

/* Fills in seg->side and seg->hash. */
void flowstore_hash(const struct flowstore *s, struct segment *seg);
/* The slot of the segment's pair, or the empty one where it belongs. Valid until the next
 * flowstore_add(). */
struct slot *flowstore_find(struct flowstore *s, const struct segment *seg);
/* A zeroed record with the segment's pair; its number replaces the one in the pair's slot, if any.
 * false: the table is full of connections that live. */
MUST_CHECK bool flowstore_add(struct flowstore *s, const struct segment *seg, uint32_t *ret);
/* Points the slot of the segment's pair at another of the pair's records. */
void flowstore_repoint(struct flowstore *s, const struct segment *seg, uint32_t rec);

/* A zeroed note at the head of the record's list; NULL when the notes are full. */
struct note *flowstore_note_add(struct flowstore *s, struct rec *r, enum note_kind kind,
				uint8_t end, size_t size);

static inline struct rec *flowstore_rec(const struct flowstore *s, uint32_t at)
{
	return &s->recs[at / RECS_PER_CHUNK][at % RECS_PER_CHUNK];
}

static inline struct pair6 *flowstore_pair6(const struct flowstore *s, uint32_t at)
{
	return &s->pairs6[at / RECS_PER_CHUNK][at % RECS_PER_CHUNK];
}

static inline struct note *flowstore_note(const struct flowstore *s, uint32_t at)
{
	return at ? (void *)(s->notes[at / UNITS_PER_CHUNK] +
			     (size_t)(at % UNITS_PER_CHUNK) * NOTE_UNIT) : NULL;
}

static inline void flowstore_prefetch_slot(const struct flowstore *s, const struct segment *seg)
{
	__builtin_prefetch(&s->slots[seg->hash & s->mask]);
}

#include "util/attr.h"
#include "wire/flowtab_in.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

/* A small table under many pairs, so that records are used again all the time: after each segment,
 * whatever the index names must be found under its own pair. */

enum { CAP = 60, PAIRS = 700, SEGMENTS = 20000 };

static uint32_t draw(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (uint32_t)(*x >> 32);
}

static void fill(struct segment *s, uint32_t pair, uint32_t what)
{
	static const uint8_t flags[] = { TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST,
					 TCP_RST | TCP_ACK };
	bool from_low = what & 1;

	memset(s, 0, sizeof(*s));
	s->is_inet6 = pair % 3 == 0;
	s->addr[!from_low][s->is_inet6 ? 15 : 3] = 1;
	s->addr[from_low][s->is_inet6 ? 15 : 3] = 2;
	s->port[!from_low] = (uint16_t)(1000 + pair);
	s->port[from_low] = 80;
	s->flags = flags[what / 2 % ARRAY_LEN(flags)];
	s->seq = what & 16 ? 1000 : 900000 + what;
	s->ack = 1000;
	s->len = what & 32 ? 10 : 0;
	s->ip_id = (uint16_t)what;
}

static void check_index(const struct flowstore *s)
{
	uint32_t n = 0;

	assert_true(s->n_recs <= CAP);
	for (uint32_t i = 0; i <= s->mask; i++) {
		const struct slot *slot = &s->slots[i];
		uint32_t home = slot->tag & s->mask;

		if (!slot->rec_plus_1)
			continue;
		n++;
		assert_true(slot->rec_plus_1 <= s->n_recs);
		/* Nothing empty between its home and itself. */
		for (uint32_t k = home; k != i; k = (k + 1) & s->mask)
			assert_true(s->slots[k].rec_plus_1);
	}
	assert_int_equal(n, s->n_slots_used);
}

static void keeps_its_index(void **state)
{
	struct flowtab *t = flowtab_new();
	uint64_t x = 88172645463325252u;

	(void)state;
	flowtab_limit(t, CAP);
	uint8_t capture = flowtab_begin(t);
	for (unsigned i = 0; i < SEGMENTS; i++) {
		struct segment *s = flowtab_slot(t);
		uint32_t pair = draw(&x) % PAIRS;

		fill(s, pair, draw(&x) % 4096);
		s->at_ns = INT64_C(1000000) * i;
		flowtab_push(t);
		flowtab_run(t);
		check_index(&t->store);
	}
	flowtab_end(t, capture, 0);
	assert_true(t->store.n_left > 1000);
	assert_true(t->store.n_left_open > 100);
	/* The places of those that left are used again. */
	assert_true(t->store.n_pairs6 <= 2 * CAP);
	assert_true(t->store.n_note_chunks <= 2);
	flowtab_free(t);
}

/* Neighbours in every bit of addresses and ports have another hash. */
static void hashes_every_bit(void **state)
{
	struct flowtab *t = flowtab_new();
	struct segment s, other;

	(void)state;
	fill(&s, 1, 1);
	flowstore_hash(&t->store, &s);
	for (unsigned bit = 0; bit < 64 + 32; bit++) {
		fill(&other, 1, 1);
		if (bit < 64)
			other.addr[bit / 32][bit / 8 % 4] ^= (uint8_t)(1 << bit % 8);
		else
			other.port[(bit - 64) / 16] ^= (uint16_t)(1 << bit % 16);
		flowstore_hash(&t->store, &other);
		assert_int_not_equal(s.hash, other.hash);
	}
	flowtab_free(t);
}

/* One hash for two pairs, as chance may have it: each finds its own, whatever they differ in. */
static void tells_pairs_of_one_hash_apart(void **state)
{
	(void)state;
	for (uint32_t pair = 0; pair < 2; pair++) { /* IPv6, IPv4 */
		for (unsigned what = 0; what < 5; what++) {
			struct flowtab *t = flowtab_new();
			struct segment s, other;
			uint32_t first, second;

			fill(&s, pair, 1);
			fill(&other, pair, 1);
			flowstore_hash(&t->store, &s);
			if (what < 2)
				other.port[what] ^= 4;
			else if (what < 4)
				other.addr[what - 2][1] ^= 4;
			else
				other.is_inet6 = !other.is_inet6;
			flowstore_hash(&t->store, &other);
			other.hash = s.hash;
			assert_true(flowstore_add(&t->store, &s, &first));
			assert_int_equal(flowstore_find(&t->store, &other)->rec_plus_1, 0);
			assert_true(flowstore_add(&t->store, &other, &second));
			assert_int_equal(flowstore_find(&t->store, &s)->rec_plus_1, first + 1);
			assert_int_equal(flowstore_find(&t->store, &other)->rec_plus_1, second + 1);
			flowtab_free(t);
		}
	}
}

/* A connection in one word, in a table that is full of them. */
enum kind { OPEN, BOTH_FINS, ONE_FIN, RESET, SINGLE, SUCCESSOR, VOID };

static void make_rec(struct rec *r, enum kind kind)
{
	r->end[0].packets = kind != SINGLE;
	r->end[1].packets = 1;
	r->end[0].flags = kind == OPEN || kind == SINGLE || kind == RESET ? 0 : END_FIN;
	r->end[1].flags = kind == ONE_FIN ? 0 : r->end[0].flags;
	r->flags |= kind == RESET ? FLOW_RESET : kind == SUCCESSOR ? FLOW_REUSED : kind == VOID ? FLOW_VOID : 0;
}

/* Of IPv4 and IPv6 by turns; the first is that of pair 1. */
static void fill_table(struct flowtab *t, const enum kind kinds[], uint32_t n)
{
	struct segment s;
	uint32_t at;

	flowtab_limit(t, n);
	for (uint32_t i = 0; i < n; i++) {
		fill(&s, i + 1, 1);
		flowstore_hash(&t->store, &s);
		assert_true(flowstore_add(&t->store, &s, &at));
		assert_int_equal(at, i);
		make_rec(flowstore_rec(&t->store, at), kinds[i]);
	}
}

/* What ended, else what nobody answered; never what lives, nor one that another record refers to. */
static void who_makes_room(void **state)
{
	static const struct {
		enum kind kinds[4];
		uint32_t pair; /* of the new connection; 1 is the first one's */
		int victim;    /* -1: none */
		bool was_open;
	} rows[] = {
		{ { OPEN, BOTH_FINS, OPEN, SINGLE }, 9, 1, false },
		{ { OPEN, SINGLE, RESET, OPEN }, 9, 2, false },
		{ { OPEN, ONE_FIN, SINGLE, SINGLE }, 9, 2, true },
		{ { OPEN, ONE_FIN, OPEN, OPEN }, 9, -1, false },
		{ { SUCCESSOR, VOID, OPEN, OPEN }, 9, -1, false },
		{ { SUCCESSOR, VOID, OPEN, BOTH_FINS }, 9, 3, false },
		{ { BOTH_FINS, OPEN, OPEN, OPEN }, 1, -1, false },
		{ { BOTH_FINS, OPEN, OPEN, OPEN }, 9, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct flowtab *t = flowtab_new();
		uint32_t at = UINT32_MAX;
		struct segment s;

		fill_table(t, rows[i].kinds, ARRAY_LEN(rows[i].kinds));
		fill(&s, rows[i].pair, 1);
		flowstore_hash(&t->store, &s);
		if (flowstore_add(&t->store, &s, &at) != (rows[i].victim >= 0) || (int)at != rows[i].victim)
			fail_msg("row %zu: %d made room", i, (int)at);
		assert_int_equal(t->store.n_left, rows[i].victim >= 0 && !rows[i].was_open);
		assert_int_equal(t->store.n_left_open, rows[i].was_open);
		flowtab_free(t);
	}
}

/* Whoever comes into the place of another finds nothing of it, and its notes are used again. */
static void nothing_is_left_behind(void **state)
{
	static const enum kind kinds[] = { BOTH_FINS };
	struct flowtab *t = flowtab_new();
	struct segment s;
	uint32_t at;

	(void)state;
	fill_table(t, kinds, 1);
	struct rec *r = flowstore_rec(&t->store, 0);
	struct note_end *n = (void *)flowstore_note_add(&t->store, r, NOTE_END, 1, sizeof(*n));
	uint32_t place = r->notes;

	assert_non_null(n);
	n->probes = 7;
	fill(&s, 2, 1);
	flowstore_hash(&t->store, &s);
	assert_true(flowstore_add(&t->store, &s, &at));
	assert_int_equal(r->notes, 0);
	assert_int_equal(r->end[0].packets + r->end[1].packets, 0);
	n = (void *)flowstore_note_add(&t->store, r, NOTE_END, 0, sizeof(*n));
	assert_int_equal(r->notes, place);
	assert_int_equal(n->probes, 0);
	assert_int_equal(n->note.end, 0);
	flowtab_free(t);
}

/* One of the same pair has its addresses already. */
static void a_pair_is_kept_once(void **state)
{
	struct flowtab *t = flowtab_new();
	struct segment s;
	uint32_t at;

	(void)state;
	fill(&s, 3, 1);
	flowstore_hash(&t->store, &s);
	for (int i = 0; i < 2; i++)
		assert_true(flowstore_add(&t->store, &s, &at));
	assert_int_equal(t->store.n_pairs6, 1);
	assert_int_equal(flowstore_rec(&t->store, 0)->addr[0], flowstore_rec(&t->store, 1)->addr[0]);
	flowtab_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(keeps_its_index),
					    cmocka_unit_test(who_makes_room),
					    cmocka_unit_test(nothing_is_left_behind),
					    cmocka_unit_test(a_pair_is_kept_once),
					    cmocka_unit_test(tells_pairs_of_one_hash_apart),
					    cmocka_unit_test(hashes_every_bit) };

	return cmocka_run_group_tests_name("wire-flowstore", tests, NULL, NULL);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(keeps_its_index),
					    cmocka_unit_test(tells_pairs_of_one_hash_apart),
					    cmocka_unit_test(hashes_every_bit) };

	return cmocka_run_group_tests_name("wire-flowstore", tests, NULL, NULL);
}

#include "util/hash.h"
#include "test.h"

#include "util/attr.h"

#include <string.h>

/* SipHash-1-3 of the bytes 0, 1, 2 … under the key 00 01 … 0f. The numbers are those of an
 * independent implementation that agrees with CPython's own siphash13 where keys are zero. */
static void gives_the_published_numbers(void **state)
{
	static const struct {
		size_t n;
		uint64_t hash;
	} rows[] = {
		{ 0, 0xabac0158050fc4dc },  { 1, 0xc9f49bf37d57ca93 },  { 7, 0xd3927d989bb11140 },
		{ 8, 0x369095118d299a8e },  { 9, 0x25a48eb36c063de4 },  { 15, 0xd320d86d2a519956 },
		{ 36, 0x2cf508d3ada26206 }, { 63, 0x9d199062b7bbb3a8 },
	};
	const struct hash_key key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	uint8_t bytes[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(hash_bytes(&key, bytes, rows[i].n), rows[i].hash);
	assert_int_equal(hash_bytes(&(struct hash_key){ 0, 0 }, "abc", 3), 0xc03bc3a0042630f2);
}

static void where_the_bytes_lie_does_not_matter(void **state)
{
	const struct hash_key key = { 3, 4 };
	char room[64];

	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		memcpy(room + shift, "ten bytes!!", 11);
		assert_int_equal(hash_bytes(&key, room + shift, 11), hash_bytes(&key, "ten bytes!!", 11));
	}
}

static void a_key_is_drawn_each_time(void **state)
{
	struct hash_key a = hash_key_new(), b = hash_key_new();

	(void)state;
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_true(hash_bytes(&a, "x", 1) != hash_bytes(&b, "x", 1));
}

/* Inodes come in rows: both halves of the hash must differ, the index uses one each. */
static void neighbours_spread_in_both_halves(void **state)
{
	const struct hash_key key = { 5, 6 };
	uint8_t low[4096] = { 0 }, high[4096] = { 0 };
	unsigned n_low = 0, n_high = 0;

	(void)state;
	for (uint64_t i = 0; i < 4096; i++) {
		uint64_t h = hash_u64(&key, 1000000 + i);

		n_low += !low[h % 4096]++;
		n_high += !high[(h >> 32) % 4096]++;
	}
	/* Thrown at random they would fill 63 %: 2589. */
	assert_true(n_low > 2300);
	assert_true(n_high > 2300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_published_numbers),
		cmocka_unit_test(where_the_bytes_lie_does_not_matter),
		cmocka_unit_test(a_key_is_drawn_each_time),
		cmocka_unit_test(neighbours_spread_in_both_halves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

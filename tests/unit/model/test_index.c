#include "util/hash.h"
#include "util/index.h"
#include "test.h"

/* How many candidates of this hash the index names, and whether `wanted` is one of them. */
static size_t candidates(const struct index *ix, uint64_t hash, uint32_t wanted, bool *ret_found)
{
	size_t n = 0;
	uint32_t at;

	*ret_found = false;
	for (size_t it = index_first(ix, hash); index_next(ix, hash, &it, &at); n++)
		*ret_found |= at == wanted;
	return n;
}

static void an_empty_one_has_nothing(void **state)
{
	struct index ix = { 0 };
	bool found;

	(void)state;
	assert_int_equal(candidates(&ix, 0, 0, &found), 0);
	index_free(&ix);
}

/* Through eleven doublings every element is still found, and hardly a stranger with it. */
static void all_are_found_after_growth(void **state)
{
	enum { N = 100000 };
	const struct hash_key key = { 1, 2 };
	struct index ix = { 0 };
	size_t strangers = 0;
	bool found;

	(void)state;
	for (uint32_t i = 0; i < N; i++)
		index_add(&ix, hash_bytes(&key, &i, sizeof(i)), i);
	assert_int_equal(ix.n, N);
	assert_true(ix.mask + 1 >= 2 * (size_t)N);
	for (uint32_t i = 0; i < N; i++) {
		size_t n = candidates(&ix, hash_bytes(&key, &i, sizeof(i)), i, &found);

		if (!found)
			fail_msg("%u is lost", i);
		strangers += n - 1;
	}
	assert_true(strangers < 10);
	for (uint32_t i = N; i < 2 * N; i++)
		strangers += candidates(&ix, hash_bytes(&key, &i, sizeof(i)), i, &found);
	assert_true(strangers < 20);
	index_free(&ix);
	assert_null(ix.slots);
}

static void same_hash_gives_all_of_them(void **state)
{
	struct index ix = { 0 };
	const uint64_t hash = 0x0123456789abcdef;
	bool found;

	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		index_add(&ix, hash, i);
	for (uint32_t i = 0; i < 200; i++) {
		assert_int_equal(candidates(&ix, hash, i, &found), 200);
		assert_true(found);
	}
	/* Same home, another tag: walks past them all and ends. */
	assert_int_equal(candidates(&ix, hash ^ (uint64_t)1 << 40, 0, &found), 0);
	index_free(&ix);
}

static void the_end_wraps_to_the_start(void **state)
{
	struct index ix = { 0 };
	bool found;

	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		index_add(&ix, (uint64_t)i << 32 | 0xffffffffu, i);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(candidates(&ix, (uint64_t)i << 32 | 0xffffffffu, i, &found), 1);
	index_free(&ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_has_nothing),
		cmocka_unit_test(all_are_found_after_growth),
		cmocka_unit_test(same_hash_gives_all_of_them),
		cmocka_unit_test(the_end_wraps_to_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

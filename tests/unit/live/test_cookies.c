#include "live/cookies.h"
#include "test.h"

enum { MANY = 20000 };

/* Dense as the kernel numbers them, and so spread that no two share a word. */
static uint64_t cookie_of(unsigned i)
{
	return i % 2 ? i : (uint64_t)(i + 1) << 40 | 0x3f;
}

static void each_is_new_once(void **state)
{
	struct cookies c = { 0 };

	(void)state;
	cookies_clear(&c);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < MANY; i++)
			assert_int_equal(cookies_mark(&c, cookie_of(i)), round == 0);
	assert_true(cookies_mark(&c, UINT64_MAX));
	assert_false(cookies_mark(&c, UINT64_MAX));
	cookies_clear(&c);
	assert_true(cookies_mark(&c, cookie_of(1)));
	cookies_free(&c);
}

static void rows_are_found(void **state)
{
	struct cookies c = { 0 };
	struct look *look = look_new();

	(void)state;
	cookies_clear(&c);
	/* The first row belongs to an earlier dump: the same number there is another socket. */
	look_add_sock(look)->cookie = cookie_of(3);
	for (unsigned i = 0; i < MANY; i++) {
		look_add_sock(look)->cookie = cookie_of(i);
		if (i % 5000 == 0)
			assert_ptr_equal(cookies_find(&c, look, 1, cookie_of(i)), &look->socks[i + 1]);
	}
	assert_ptr_equal(cookies_find(&c, look, 1, cookie_of(3)), &look->socks[4]);
	assert_null(cookies_find(&c, look, 1, cookie_of(MANY)));
	cookies_free(&c);
	look_free(look);
}

/* The number, below 2^58, whose hash under a key of zeros is this one; 0: there is none. */
static uint64_t number_of(uint64_t hash)
{
	uint64_t inverse = 1, value = hash ^ hash >> 29 ^ hash >> 58;

	/* Newton: each step doubles the bits of the multiplier's inverse that are right. */
	for (int i = 0; i < 6; i++)
		inverse *= 2 - 0x9e3779b97f4a7c15u * inverse;
	value *= inverse;
	return value < UINT64_C(1) << 58 ? value : 0;
}

/* Two that an index of some 64 places cannot tell apart: the tag and the place are the same. */
static void find_likes(uint64_t ret[2])
{
	const struct hash_key zeros = { 0 };
	size_t n = 0;

	for (uint64_t i = 1; n < 2; i++)
		if (number_of(UINT64_C(0x1234567800000007) + (i << 6)))
			ret[n++] = number_of(UINT64_C(0x1234567800000007) + (i << 6));
	assert_int_equal(hash_u64(&zeros, ret[0]) >> 32, hash_u64(&zeros, ret[1]) >> 32);
	assert_int_equal(hash_u64(&zeros, ret[0]) % 64, hash_u64(&zeros, ret[1]) % 64);
	assert_true(ret[0] != ret[1]);
}

static void likes_are_two(void **state)
{
	struct cookies c = { 0 };
	struct look *look = look_new();
	uint64_t like[2];

	(void)state;
	find_likes(like);
	assert_true(cookies_mark(&c, like[0] * 64));
	assert_true(cookies_mark(&c, like[1] * 64));
	assert_false(cookies_mark(&c, like[0] * 64));
	assert_false(cookies_mark(&c, like[1] * 64));
	for (size_t i = 0; i < 2; i++)
		look_add_sock(look)->cookie = like[i];
	for (size_t i = 0; i < 2; i++)
		assert_ptr_equal(cookies_find(&c, look, 0, like[i]), &look->socks[i]);
	cookies_free(&c);
	look_free(look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_new_once),
		cmocka_unit_test(rows_are_found),
		cmocka_unit_test(likes_are_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_new_once),
		cmocka_unit_test(rows_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "model/seq.h"
#include "test.h"

static void order_survives_the_wrap(void **state)
{
	(void)state;
	assert_true(seq_before(1, 2));
	assert_false(seq_before(2, 2));
	assert_false(seq_after(2, 2));
	assert_true(seq_before(0xfffffff0u, 5));
	assert_true(seq_after(5, 0xfffffff0u));
	assert_int_equal(seq_diff(5, 0xfffffff0u), 21);
	assert_int_equal(seq_diff(0xfffffff0u, 5), -21);
}

static void half_the_space_is_the_limit(void **state)
{
	(void)state;
	assert_true(seq_after(0x7fffffffu, 0));
	assert_true(seq_before(0x80000001u, 0));
	assert_int_equal(seq_diff(0x80000000u, 0), INT32_MIN);
}

static void the_later_one_wins(void **state)
{
	(void)state;
	assert_int_equal(seq_max(3, 9), 9);
	assert_int_equal(seq_max(9, 3), 9);
	assert_int_equal(seq_max(0xffffffffu, 0), 0);
	assert_int_equal(seq_max(7, 7), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_survives_the_wrap),
		cmocka_unit_test(half_the_space_is_the_limit),
		cmocka_unit_test(the_later_one_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

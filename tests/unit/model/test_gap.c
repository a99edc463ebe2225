#include "model/gap.h"
#include "test.h"

static void alike_is_counted_once(void **state)
{
	struct gaps gaps = { 0 };

	(void)state;
	gap_add(&gaps, "owners", "/proc/1/fd", "permission denied", "owners unknown");
	gap_add(&gaps, "owners", "/proc/2/fd", "permission denied", "owners unknown");
	gap_add(&gaps, "owners", "/proc/3/fd", "permission denied", "owners unknown");
	assert_int_equal(gaps.n, 1);
	assert_int_equal(gaps.at[0].count, 3);
	assert_string_equal(gaps.at[0].object, "/proc/1/fd");
	gaps_free(&gaps);
	assert_int_equal(gaps.n, 0);
	assert_null(gaps.at);
}

static void any_difference_that_matters_is_another_gap(void **state)
{
	struct gaps gaps = { 0 };

	(void)state;
	gap_add(&gaps, "owners", "a", "permission denied", "owners unknown");
	gap_add(&gaps, "netns", "a", "permission denied", "owners unknown");
	gap_add(&gaps, "owners", "a", "no such process", "owners unknown");
	gap_add(&gaps, "owners", "a", "permission denied", "ages unknown");
	assert_int_equal(gaps.n, 4);
	for (size_t i = 0; i < gaps.n; i++)
		assert_int_equal(gaps.at[i].count, 1);
	gaps_free(&gaps);
}

static void the_list_grows(void **state)
{
	struct gaps gaps = { 0 };
	struct arena *arena = arena_new();

	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 100; i++)
			gap_add(&gaps, "capture", "dump.pcap", arena_printf(arena, "reason %d", i), "");
	assert_int_equal(gaps.n, 100);
	assert_string_equal(gaps.at[99].reason, "reason 99");
	assert_int_equal(gaps.at[99].count, 2);
	gaps_free(&gaps);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alike_is_counted_once),
		cmocka_unit_test(any_difference_that_matters_is_another_gap),
		cmocka_unit_test(the_list_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

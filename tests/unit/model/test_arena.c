#include "util/arena.h"
#include "test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_zero(const unsigned char *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (at[i])
			return false;
	return true;
}

/* Across several blocks, with large ones in between: zeroed, aligned, and nobody's neighbour. */
static void pieces_are_zero_aligned_and_apart(void **state)
{
	enum { PIECES = 4000 };
	static const size_t sizes[] = { 1, 16, 17, 300, 4096, 16384, 16385, 70000, 0 };
	struct arena *a = arena_new();
	unsigned char **at = arena_array(a, PIECES, sizeof(*at));

	(void)state;
	for (unsigned i = 0; i < PIECES; i++) {
		size_t n = sizes[i % ARRAY_LEN(sizes)];

		at[i] = arena_alloc(a, n);
		assert_int_equal((uintptr_t)at[i] % _Alignof(max_align_t), 0);
		assert_true(is_zero(at[i], n));
		memset(at[i], (int)(i % 255 + 1), n);
	}
	for (unsigned i = 0; i < PIECES; i++) {
		size_t n = sizes[i % ARRAY_LEN(sizes)];

		if (n && (at[i][0] != i % 255 + 1 || at[i][n - 1] != i % 255 + 1))
			fail_msg("piece %u was overwritten", i);
	}
	arena_free(a);
	arena_free(NULL);
}

static void texts_are_copies(void **state)
{
	struct arena *a = arena_new();
	char text[] = "close-wait";

	(void)state;
	char *whole = arena_strdup(a, text), *cut = arena_strndup(a, text, 5);
	char *longer = arena_strndup(a, text, 500);
	text[0] = 'X';
	assert_string_equal(whole, "close-wait");
	assert_string_equal(cut, "close");
	assert_string_equal(longer, "close-wait");
	assert_string_equal(arena_printf(a, "%s/%d", "fd", 7), "fd/7");
	assert_int_equal(strlen(arena_printf(a, "%70000d", 1)), 70000);
	arena_free(a);
}

/* Runs in a child: what cannot be had ends the program with status 1. */
static int status_of(void (*run)(struct arena *a))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		close(STDERR_FILENO);
		run(arena_new());
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void product_overflows(struct arena *a)
{
	/* 2^32 * 2^32 is 0 in 64 bits. */
	arena_array(a, (size_t)1 << 32, (size_t)1 << 32);
}

static void sum_overflows(struct arena *a)
{
	arena_alloc(a, SIZE_MAX - 8);
}

static void growth_overflows(struct arena *a)
{
	(void)a;
	xrealloc_array(NULL, SIZE_MAX / 2, 4);
}

static void fits(struct arena *a)
{
	arena_array(a, 1000, 1000);
}

static void too_much_ends_the_program(void **state)
{
	(void)state;
	assert_int_equal(status_of(fits), 0);
	assert_int_equal(status_of(product_overflows), 1);
	assert_int_equal(status_of(sum_overflows), 1);
	assert_int_equal(status_of(growth_overflows), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zero_aligned_and_apart),
		cmocka_unit_test(texts_are_copies),
		cmocka_unit_test(too_much_ends_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "util/buf.h"
#include "test.h"

#include <string.h>

static void starts_as_the_empty_text(void **state)
{
	AUTO_BUF b = { 0 };

	(void)state;
	assert_string_equal(buf_text(&b), "");
	buf_clear(&b);
	buf_add(&b, NULL, 0);
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(b.n, 0);
}

static void what_is_added_stands_behind(void **state)
{
	AUTO_BUF b = { 0 };

	(void)state;
	buf_puts(&b, "close");
	buf_putc(&b, '-');
	buf_printf(&b, "%s%d", "wait", 7);
	assert_string_equal(buf_text(&b), "close-wait7");
	assert_int_equal(b.n, strlen("close-wait7"));
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
	buf_add(&b, "a\0b", 3);
	assert_int_equal(b.n, 3);
	assert_memory_equal(b.at, "a\0b", 4);
}

/* Each length once, so that every growth step is met with room for the NUL or without. */
static void every_length_keeps_its_end(void **state)
{
	AUTO_BUF by_bytes = { 0 }, by_format = { 0 };

	(void)state;
	for (size_t n = 1; n <= 2000; n++) {
		buf_putc(&by_bytes, 'x');
		assert_int_equal(strlen(buf_text(&by_bytes)), n);
		buf_clear(&by_format);
		buf_printf(&by_format, "%*d", (int)n, 1);
		assert_int_equal(strlen(buf_text(&by_format)), n);
	}
	assert_int_equal(by_bytes.n, 2000);
}

static void free_makes_it_new(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "text");
	buf_free(&b);
	assert_string_equal(buf_text(&b), "");
	buf_puts(&b, "again");
	assert_string_equal(buf_text(&b), "again");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_as_the_empty_text),
		cmocka_unit_test(what_is_added_stands_behind),
		cmocka_unit_test(every_length_keeps_its_end),
		cmocka_unit_test(free_makes_it_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "report/wrap.h"
#include "test.h"
#include "util/buf.h"

#include <locale.h>

static char *wrapped(const char *first, size_t indent, const char *text, size_t width)
{
	struct out *o = calloc(1, sizeof(*o));
	int fd = memfd_create("wrap", MFD_CLOEXEC);

	o->fd = fd;
	wrap_write(o, first, indent, text, width);
	out_flush(o);
	free(o);
	return written(fd);
}

static void lines(void **state)
{
	static const struct {
		const char *first;
		size_t indent;
		const char *text;
		size_t width;
		const char *want;
	} rows[] = {
		{ "", 0, "", 20, "\n" },
		{ "", 0, "one two", 20, "one two\n" },
		/* Exactly the width fits, one more does not. */
		{ "", 0, "one two three", 13, "one two three\n" },
		{ "", 0, "one two three", 12, "one two\nthree\n" },
		{ "  - ", 4, "one two three", 11, "  - one two\n    three\n" },
		{ "Do:", 7, "one two three", 14, "Do:    one two\n       three\n" },
		/* Longer than the line: alone and whole. */
		{ "", 0, "a 0123456789 b", 5, "a\n0123456789\nb\n" },
		{ "xx", 2, "0123456789", 5, "xx0123456789\n" },
		/* Blanks and line ends of a text are one blank. */
		{ "", 0, "a  b\n c ", 20, "a b c\n" },
		/* A unit stays with its number, and so do two of them. */
		{ "", 0, "for 3 min 20 s now", 9, "for\n3 min 20 s\nnow\n" },
		{ "", 0, "aa 100 %, bb", 7, "aa\n100 %,\nbb\n" },
		{ "", 0, "has 3 TiB", 6, "has\n3 TiB\n" },
		{ "", 0, "take 3 sockets", 7, "take 3\nsockets\n" },
		{ "", 0, "take 3 s", 8, "take 3 s\n" },
		/* Columns, not bytes. */
		{ "", 0, "\u00fc\u00fc\u00fc \u00fc\u00fc", 6, "\u00fc\u00fc\u00fc \u00fc\u00fc\n" },
		{ "", 0, "\u65e5\u672c \u65e5", 6, "\u65e5\u672c\n\u65e5\n" },
		{ "", 0, "\u65e5\u672c \u65e5", 7, "\u65e5\u672c \u65e5\n" },
		{ "", 0, "e\u0301e\u0301 ee", 5, "e\u0301e\u0301 ee\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *is = wrapped(rows[i].first, rows[i].indent, rows[i].text, rows[i].width);

		assert_string_equal(is, rows[i].want);
		free(is);
	}
}

static void columns(void **state)
{
	static const struct {
		const char *text;
		size_t want;
	} rows[] = {
		{ "", 0 }, { "abc", 3 }, { "\u00fc", 1 }, { "\u65e5\u672c", 4 }, { "e\u0301", 1 },
		{ "\u2192", 1 }, { "\xff\xfe", 2 }, { "\xc3", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(text_columns(rows[i].text, strlen(rows[i].text)), rows[i].want);
}

/* No line is too wide, and no word is lost. The longest word has ten letters. */
static void nothing_is_lost(void **state)
{
	const char *const text = "The kernel finishes a handshake alone and puts the connection in the "
				 "listener's queue. There it waits for accept().";

	(void)state;
	for (size_t width = 22; width < 100; width++) {
		char *is = wrapped("    Why:", 11, text, width), *save = NULL;
		AUTO_BUF words = { 0 };

		for (char *line = strtok_r(is, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			assert_true(strlen(line) <= width);
			assert_true(strlen(line) > 11);
			if (words.n > 0)
				buf_putc(&words, ' ');
			buf_puts(&words, line + 11);
		}
		assert_string_equal(buf_text(&words), text);
		free(is);
	}
}

static int utf8_locale(void **state)
{
	(void)state;
	return setlocale(LC_ALL, "") ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(columns),
		cmocka_unit_test(nothing_is_lost),
	};

	return cmocka_run_group_tests_name("report-wrap", tests, utf8_locale, NULL);
}

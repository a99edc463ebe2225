#include "report/escape.h"
#include "test.h"

struct row {
	const char *text, *want;
};

static void terminal(void **state)
{
	static const struct row rows[] = {
		{ "nginx", "nginx" },
		{ "", "" },
		{ "a\nb\tc", "a\\x0ab\\x09c" },
		{ "\033[2J\033]0;title\007", "\\x1b[2J\\x1b]0;title\\x07" },
		{ "\x7f", "\\x7f" },
		{ "gr\u00fcn \u65e5\u672c", "gr\u00fcn \u65e5\u672c" },
		/* C1 controls: CSI in one character, and its raw byte. */
		{ "\xc2\x9b" "31m", "\\u{9b}31m" },
		{ "\x9b" "31m", "\\x9b31m" },
		/* Directions, and what nobody sees. */
		{ "\u202egnp.exe", "\\u{202e}gnp.exe" },
		{ "a\u3164\u180e\ufe0fb", "a\\u{3164}\\u{180e}\\u{fe0f}b" },
		{ "\u2066\u2069\u200b\ufeff\u00ad", "\\u{2066}\\u{2069}\\u{200b}\\u{feff}\\u{ad}" },
		{ "\U000e0041", "\\u{e0041}" },
		{ "\u2028\u2029", "\\u{2028}\\u{2029}" },
		/* From right to left at the end: what follows is turned back. */
		{ "\u05e9\u05dc", "\u05e9\u05dc\u200e" },
		{ "\u05e9[9]", "\u05e9[9]\u200e" },
		{ "\u05e9\u65e5", "\u05e9\u65e5" },
		/* Not UTF-8: a lone tail, a cut head, an overlong '/', a surrogate, beyond Unicode. */
		{ "\x80", "\\x80" },
		{ "a\xc3", "a\\xc3" },
		{ "\xc0\xaf", "\\xc0\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xff\xfe", "\\xff\\xfe" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF b = { 0 };

		escape_terminal(&b, rows[i].text, false);
		assert_string_equal(buf_text(&b), rows[i].want);
	}
}

static void ascii(void **state)
{
	AUTO_BUF b = { 0 };

	(void)state;
	escape_terminal(&b, "gr\u00fcn \u65e5 ok \xff", true);
	assert_string_equal(buf_text(&b), "gr\\u{fc}n \\u{65e5} ok \\xff");
}

static void json(void **state)
{
	static const struct row rows[] = {
		{ "", "\"\"" },
		{ "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
		{ "a\nb\tc\x01\x7f", "\"a\\nb\\u0009c\\u0001\\u007f\"" },
		{ "gr\u00fcn", "\"gr\u00fcn\"" },
		{ "\u202e\xc2\x9b\u2028", "\"\\u202e\\u009b\\u2028\"" },
		{ "a\xc3", "\"a\ufffd\"" },
		{ "\xed\xa0\x80", "\"\ufffd\ufffd\ufffd\"" },
		{ "\033[2J", "\"\\u001b[2J\"" },
		{ "\U000e0041\U0001f600", "\"\\udb40\\udc41\U0001f600\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF b = { 0 };

		escape_json(&b, rows[i].text);
		assert_string_equal(buf_text(&b), rows[i].want);
	}
}

static bool is_harmless(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s == 0x7f)
			return false;
	return true;
}

/* Every pair of bytes: nothing below 0x20 and nothing but UTF-8 comes out. */
static void every_two_bytes(void **state)
{
	(void)state;
	for (unsigned i = 1; i < 256; i++) {
		for (unsigned k = 1; k < 256; k++) {
			const char text[] = { (char)i, (char)k, '\0' };
			struct buf b[2] = { 0 };

			escape_terminal(&b[0], text, false);
			escape_json(&b[1], text);
			for (size_t n = 0; n < ARRAY_LEN(b); n++) {
				uint32_t c;

				assert_true(is_harmless(b[n].at));
				for (size_t at = 0; at < b[n].n;) {
					size_t len = utf8_next(b[n].at + at, b[n].n - at, &c);

					assert_true(len > 0);
					assert_false(c >= 0x80 && c < 0xa0);
					at += len;
				}
				buf_free(&b[n]);
			}
		}
	}
}

static void utf8(void **state)
{
	uint32_t c = 5;

	(void)state;
	assert_int_equal(utf8_next("\u20ac", 3, &c), 3);
	assert_int_equal(c, 0x20ac);
	assert_int_equal(utf8_next("\U0010ffff", 4, &c), 4);
	assert_int_equal(c, 0x10ffff);
	assert_int_equal(utf8_next("\u20ac", 2, &c), 0);
	assert_int_equal(c, 0x10ffff);
	assert_int_equal(utf8_next("\xf8\x88\x80\x80\x80", 5, &c), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminal),
		cmocka_unit_test(ascii),
		cmocka_unit_test(json),
		cmocka_unit_test(every_two_bytes),
		cmocka_unit_test(utf8),
	};

	return cmocka_run_group_tests_name("report-escape", tests, NULL, NULL);
}

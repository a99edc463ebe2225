#include "report/escape.h"
#include "test.h"

#include <string.h>

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
		{ "\xed\xbf\xbf", "\\xed\\xbf\\xbf" },
		{ "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80" },
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
		{ "\U000e0fff", "\"\\udb43\\udfff\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF b = { 0 };

		escape_json(&b, rows[i].text);
		assert_string_equal(buf_text(&b), rows[i].want);
	}
}

static size_t utf8_of(uint32_t c, char *to)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 0; c >>= 6)
		to[i] = (char)(i ? 0x80 | (c & 0x3f) : n == 1 ? c : (0xf00u >> n & 0xff) | c);
	to[n] = '\0';
	return n;
}

struct range {
	uint32_t first, last;
};

static bool is_in(const struct range *ranges, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* Of all characters there are: which are shown by number, and behind which a name is turned back.
 * Source: Unicode 15, DerivedCoreProperties.txt, DerivedGeneralCategory.txt, DerivedBidiClass.txt. */
static void every_character(void **state)
{
	static const struct range hidden[] = {
		{ 0x1, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f }, { 0x600, 0x605 },
		{ 0x61c, 0x61c }, { 0x6dd, 0x6dd }, { 0x70f, 0x70f }, { 0x890, 0x891 }, { 0x8e2, 0x8e2 },
		{ 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f },
		{ 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x110bd, 0x110bd },
		{ 0x110cd, 0x110cd }, { 0x13430, 0x1345f }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe0fff },
	};
	static const struct range to_the_left[] = {
		{ 0x590, 0x8ff }, { 0xfb1d, 0xfdff }, { 0xfe70, 0xfefe }, { 0x10800, 0x10fff },
		{ 0x1e800, 0x1efff },
	};
	AUTO_BUF b = { 0 };

	(void)state;
	for (uint32_t c = 1; c <= 0x10ffff; c += c == 0xd7ff ? 0x801 : 1) {
		bool is_hidden = is_in(hidden, ARRAY_LEN(hidden), c);
		bool is_turned = !is_hidden && is_in(to_the_left, ARRAY_LEN(to_the_left), c);
		char text[8];
		size_t n = utf8_of(c, text);

		buf_clear(&b);
		escape_terminal(&b, text, false);
		if ((strncmp(buf_text(&b), text, n) != 0) != is_hidden)
			fail_msg("U+%04X is %s", c, buf_text(&b));
		if ((b.n > n && !is_hidden) != is_turned)
			fail_msg("U+%04X: %zu bytes", c, b.n);
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
		cmocka_unit_test(every_character),
		cmocka_unit_test(every_two_bytes),
		cmocka_unit_test(utf8),
	};

	return cmocka_run_group_tests_name("report-escape", tests, NULL, NULL);
}

#include "report/wrap.h"
#include "report/escape.h"

#include <stdbool.h>
#include <string.h>
#include <wchar.h>

/* How many bytes from s on are ASCII, eight at a time: most text is that and nothing else. */
static size_t leading_ascii(const char *s, size_t n)
{
	uint64_t eight;
	size_t at = 0;

	for (; at + sizeof(eight) <= n; at += sizeof(eight)) {
		memcpy(&eight, s + at, sizeof(eight));
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	while (at < n && !(s[at] & 0x80))
		at++;
	return at;
}

size_t text_columns(const char *s, size_t n)
{
	size_t columns = leading_ascii(s, n);

	s += columns;
	n -= columns;
	while (n > 0) {
		uint32_t c;
		size_t len = utf8_next(s, n, &c);
		int width = len ? wcwidth((wchar_t)c) : 1;

		columns += width < 0 ? 1 : (size_t)width;
		len = len ? len : 1;
		s += len;
		n -= len;
	}
	return columns;
}

static void put_blanks(struct out *o, size_t n)
{
	while (n-- > 0)
		out_putc(o, ' ');
}

/* "3 min 8 s" and "12 %" stay on one line: a unit belongs to its number. */
static bool is_unit(const char *word)
{
	static const char *const units[] = { "%", "ms", "s", "min", "h", "d", "KiB", "MiB", "GiB",
					   "TiB" };
	size_t len = strcspn(word, " \n,.;:)");

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strlen(units[i]) == len && memcmp(word, units[i], len) == 0)
			return true;
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "8 s", the rest of "3 min 8 s" */
static bool is_number_and_unit(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && text[digits] == ' ' && is_unit(text + digits + 1);
}

/* Bytes up to where a line may be broken. */
static size_t unbroken(const char *text)
{
	size_t len = strcspn(text, " \n");
	bool has_unit = false;

	while (len > 0 && text[len] == ' ') {
		const char *next = text + len + 1;

		if (is_digit(text[len - 1]) ? !is_unit(next) : !has_unit || !is_number_and_unit(next))
			break;
		has_unit = true;
		len += 1 + strcspn(next, " \n");
	}
	return len;
}

void wrap_write(struct out *o, const char *first, size_t indent, const char *text, size_t width)
{
	size_t at = text_columns(first, strlen(first));
	bool line_has_word = false;

	out_puts(o, first);
	while (at < indent) {
		out_putc(o, ' ');
		at++;
	}
	while (*text) {
		size_t len = unbroken(text);
		size_t columns = text_columns(text, len);

		if (line_has_word && at + 1 + columns > width) {
			out_putc(o, '\n');
			put_blanks(o, indent);
			at = indent;
			line_has_word = false;
		}
		if (line_has_word) {
			out_putc(o, ' ');
			at++;
		}
		out_add(o, text, len);
		at += columns;
		line_has_word |= len > 0;
		text += len;
		text += strspn(text, " \n");
	}
	out_putc(o, '\n');
}

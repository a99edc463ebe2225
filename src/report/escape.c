#include "report/escape.h"

#include <string.h>

size_t utf8_next(const char *s, size_t n, uint32_t *ret)
{
	const uint8_t *b = (const uint8_t *)s;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = b[0] < 0x80 ? 1 : b[0] >> 5 == 6 ? 2 : b[0] >> 4 == 14 ? 3 : b[0] >> 3 == 30 ? 4 : 0;
	uint32_t c;

	if (len == 0 || len > n)
		return 0;
	if (len == 1) {
		*ret = b[0];
		return 1;
	}
	c = b[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (b[i] & 0x3f);
	}
	/* Overlong forms, surrogates and what lies beyond Unicode. */
	if (c < least[len] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	*ret = c;
	return len;
}

/* Characters that print nothing and change how the rest is read, or that look like a blank and are
 * none: controls, the property Default_Ignorable_Code_Point and the category Cf of Unicode 15. */
static bool is_deceptive(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x1f },       { 0x7f, 0x9f },       { 0xad, 0xad },       { 0x34f, 0x34f },
		{ 0x600, 0x605 },     { 0x61c, 0x61c },     { 0x6dd, 0x6dd },     { 0x70f, 0x70f },
		{ 0x890, 0x891 },     { 0x8e2, 0x8e2 },     { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f },   { 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f },
		{ 0x3164, 0x3164 },   { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfffb },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd }, { 0x13430, 0x1345f },
		{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};

	/* Almost every character of every name. */
	if (c >= 0x20 && c < 0x7f)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(ranges) && ranges[i].first <= c; i++)
		if (c <= ranges[i].last)
			return true;
	return false;
}

/* Letters that are written from right to left: Hebrew, Arabic and their neighbours in Unicode 15. */
static bool is_right_to_left(uint32_t c)
{
	return (c >= 0x590 && c <= 0x8ff) || (c >= 0xfb1d && c <= 0xfdff) || (c >= 0xfe70 && c <= 0xfefe) ||
	       (c >= 0x10800 && c <= 0x10fff) || (c >= 0x1e800 && c <= 0x1efff);
}

/* true: the last letters are written from right to left. */
static bool put_visible(struct buf *b, const char *s, bool ascii)
{
	size_t left = strlen(s);
	bool turned = false;

	while (left > 0) {
		uint32_t c = 0;
		size_t n = utf8_next(s, left, &c);

		if (n == 0 || (n == 1 && is_deceptive(c))) {
			buf_printf(b, "\\x%02x", (unsigned char)*s);
			n = 1;
		} else if (n > 1 && (ascii || is_deceptive(c))) {
			buf_printf(b, "\\u{%x}", c);
		} else {
			buf_add(b, s, n);
			turned = is_right_to_left(c) || (turned && n == 1);
		}
		s += n;
		left -= n;
	}
	return turned;
}

void escape_visible(struct buf *b, const char *s)
{
	put_visible(b, s, false);
}

void escape_terminal(struct buf *b, const char *s, bool ascii)
{
	/* Numbers behind such a name would be drawn in front of it, and the columns with them. */
	if (put_visible(b, s, ascii))
		buf_puts(b, ESCAPE_LEFT_TO_RIGHT);
}

/* Beyond the first plane as a pair of surrogates. */
static void put_json_escape(struct buf *b, uint32_t c)
{
	if (c < 0x10000)
		buf_printf(b, "\\u%04x", c);
	else
		buf_printf(b, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
}

void escape_json(struct buf *b, const char *s)
{
	size_t left = strlen(s);

	buf_putc(b, '"');
	while (left > 0) {
		uint32_t c = 0;
		size_t n = utf8_next(s, left, &c);

		if (n == 0) {
			buf_puts(b, "\xef\xbf\xbd");
			n = 1;
		} else if (c == '"' || c == '\\') {
			buf_putc(b, '\\');
			buf_putc(b, (char)c);
		} else if (c == '\n') {
			buf_puts(b, "\\n");
		} else if (is_deceptive(c)) {
			put_json_escape(b, c);
		} else {
			buf_add(b, s, n);
		}
		s += n;
		left -= n;
	}
	buf_putc(b, '"');
}

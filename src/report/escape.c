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

/* Characters that print nothing and change how the rest is read. */
static bool is_deceptive(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

void escape_terminal(struct buf *b, const char *s, bool ascii)
{
	size_t left = strlen(s);

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
		}
		s += n;
		left -= n;
	}
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
		} else if (is_deceptive(c) && c < 0x10000) {
			buf_printf(b, "\\u%04x", c);
		} else {
			buf_add(b, s, n);
		}
		s += n;
		left -= n;
	}
	buf_putc(b, '"');
}

#include "report/wrap.h"
#include "report/escape.h"

#include <string.h>
#include <wchar.h>

size_t text_columns(const char *s, size_t n)
{
	size_t columns = 0;

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
		size_t len = strcspn(text, " \n");
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

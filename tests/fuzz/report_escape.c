/* A name that somebody chose, on its way to a terminal, a JSON string and a label of metrics: what comes
 * out is one line of harmless UTF-8 whose quotes are closed where we close them. */

#include "report/check.h"
#include "report/escape.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Behind letters that are written from right to left a terminal is told to go on from left to right. */
static size_t without_mark(const struct buf *b)
{
	size_t n = strlen(ESCAPE_LEFT_TO_RIGHT);

	return b->n >= n && memcmp(b->at + b->n - n, ESCAPE_LEFT_TO_RIGHT, n) == 0 ? b->n - n : b->n;
}

static void must_be_harmless(const struct buf *b, size_t end, bool ascii)
{
	for (size_t at = 0; at < end;) {
		uint32_t c;
		size_t n = utf8_next(b->at + at, end - at, &c);

		if (n == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200d) || c == 0x200f ||
		    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || (ascii && c > 0x7e))
			abort();
		at += n;
	}
}

/* From `at` to `end` no quote stands alone, and no backslash before the end. */
static void must_be_quoted(const char *at, const char *end)
{
	for (; at < end; at++) {
		if (*at == '"' || (*at == '\\' && at + 1 == end))
			abort();
		at += *at == '\\';
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct buf b = { 0 };

	escape_terminal(&b, text, false);
	must_be_harmless(&b, without_mark(&b), false);
	buf_clear(&b);
	escape_terminal(&b, text, true);
	must_be_harmless(&b, b.n, true);
	buf_clear(&b);
	escape_json(&b, text);
	must_be_harmless(&b, b.n, false);
	if (b.n < 2 || b.at[0] != '"' || b.at[b.n - 1] != '"')
		abort();
	must_be_quoted(b.at + 1, b.at + b.n - 1);
	buf_clear(&b);
	check_put_label(&b, text);
	must_be_harmless(&b, b.n, false);
	must_be_quoted(buf_text(&b), buf_text(&b) + b.n);
	buf_free(&b);
	free(text);
	return 0;
}

#include "report/json_value.h"
#include "report/escape.h"

#include <string.h>

/* How it works: whether a comma is due is seen from the last byte written: none after an opening
 * bracket, a colon or a comma, and none at the very beginning. */

void json_key(struct buf *b, const char *key)
{
	if (b->n > 0 && !strchr("{[:,\n", b->at[b->n - 1]))
		buf_putc(b, ',');
	if (!key)
		return;
	buf_putc(b, '"');
	buf_puts(b, key);
	buf_add(b, "\":", 2);
}

void json_open(struct buf *b, const char *key)
{
	json_key(b, key);
	buf_putc(b, '{');
}

void json_close(struct buf *b)
{
	buf_putc(b, '}');
}

void json_list(struct buf *b, const char *key)
{
	json_key(b, key);
	buf_putc(b, '[');
}

void json_list_end(struct buf *b)
{
	buf_putc(b, ']');
}

void json_unknown(struct buf *b, const char *key)
{
	json_key(b, key);
	buf_add(b, "null", 4);
}

void json_text(struct buf *b, const char *key, const char *text)
{
	if (!text) {
		json_unknown(b, key);
		return;
	}
	json_key(b, key);
	escape_json(b, text);
}

void json_unsigned(struct buf *b, const char *key, uint64_t n)
{
	json_key(b, key);
	buf_u64(b, n);
}

void json_signed(struct buf *b, const char *key, int64_t n)
{
	json_key(b, key);
	if (n < 0)
		buf_putc(b, '-');
	buf_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void json_unsigned_or_null(struct buf *b, const char *key, uint64_t n, bool is_known)
{
	if (is_known)
		json_unsigned(b, key, n);
	else
		json_unknown(b, key);
}

void json_thousandths(struct buf *b, int64_t n)
{
	uint64_t all = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	unsigned rest = (unsigned)(all % 1000);

	if (n < 0)
		buf_putc(b, '-');
	buf_u64(b, all / 1000);
	if (rest % 10)
		buf_printf(b, ".%03u", rest);
	else if (rest % 100)
		buf_printf(b, ".%02u", rest / 10);
	else if (rest)
		buf_printf(b, ".%u", rest / 100);
}

void json_bool(struct buf *b, const char *key, bool value)
{
	json_key(b, key);
	buf_puts(b, value ? "true" : "false");
}

void json_instant(struct buf *b, const char *key, int64_t ns)
{
	if (ns == TIME_NONE) {
		json_unknown(b, key);
		return;
	}
	json_key(b, key);
	if (ns < 0)
		buf_putc(b, '-');
	uint64_t all = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	buf_u64(b, all / 1000000000);
	if (all % 1000)
		buf_printf(b, ".%09u", (unsigned)(all % 1000000000));
	else
		buf_printf(b, ".%06u", (unsigned)(all % 1000000000 / 1000));
}

void json_span_ms(struct buf *b, const char *key, int64_t ns)
{
	if (ns == TIME_NONE)
		json_unknown(b, key);
	else
		json_signed(b, key, ns / 1000000);
}

void json_endpoint(struct buf *b, const char *key, const struct endpoint *e)
{
	char text[ADDR_TEXT_MAX];

	json_open(b, key);
	json_text(b, "addr", addr_format(e->addr, text));
	json_unsigned(b, "port", e->port);
	json_close(b);
}

void json_place(struct buf *b, const char *key, const struct endpoint *e, bool is_there)
{
	char text[ADDR_TEXT_MAX];

	if (!is_there) {
		json_unknown(b, key);
		return;
	}
	json_open(b, key);
	json_text(b, "addr", addr_format(e->addr, text));
	json_unsigned_or_null(b, "port", e->port, e->port != 0);
	json_close(b);
}

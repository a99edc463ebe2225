#include "report/out.h"
#include "util/decimal.h"
#include "util/io.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void out_flush(struct out *o)
{
	if (!o->failed)
		o->failed = write_all(o->fd, o->at, o->n);
	o->n = 0;
}

void out_add(struct out *o, const char *bytes, size_t n)
{
	while (n > 0 && !o->failed) {
		size_t room = sizeof(o->at) - o->n;
		size_t part = n < room ? n : room;

		memcpy(o->at + o->n, bytes, part);
		o->n += part;
		bytes += part;
		n -= part;
		if (o->n == sizeof(o->at))
			out_flush(o);
	}
}

void out_puts(struct out *o, const char *s)
{
	out_add(o, s, strlen(s));
}

void out_putc(struct out *o, char c)
{
	if (o->n == sizeof(o->at))
		out_flush(o);
	o->at[o->n++] = c;
}

void out_u64(struct out *o, uint64_t n)
{
	char digits[DECIMAL_MAX];

	out_add(o, digits, (size_t)(decimal_put(digits, n) - digits));
}

void out_i64(struct out *o, int64_t n)
{
	if (n < 0)
		out_putc(o, '-');
	out_u64(o, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void out_printf(struct out *o, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n > 0)
		out_add(o, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

#include "util/buf.h"
#include "util/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_grow(struct buf *b, size_t more)
{
	if (more >= SIZE_MAX / 2 - b->n)
		arena_die();
	size_t cap = b->cap ? b->cap : 128;
	while (cap < b->n + more + 1)
		cap *= 2;
	b->at = xrealloc_array(b->at, cap, 1);
	b->cap = cap;
}

void buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
	va_list again;

	/* Most of it is short and fits. */
	buf_reserve(b, 80);
	va_copy(again, args);
	int n = vsnprintf(b->at + b->n, b->cap - b->n, fmt, again);
	va_end(again);
	if (n >= 0 && (size_t)n >= b->cap - b->n) {
		buf_reserve(b, (size_t)n);
		vsnprintf(b->at + b->n, (size_t)n + 1, fmt, args);
	}
	b->n += n < 0 ? 0 : (size_t)n;
	b->at[b->n] = '\0';
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_vprintf(b, fmt, args);
	va_end(args);
}

const char *buf_text(const struct buf *b)
{
	return b->at ? b->at : "";
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	if (b->at)
		b->at[0] = '\0';
}

void buf_free(struct buf *b)
{
	free(b->at);
	*b = (struct buf){ 0 };
}

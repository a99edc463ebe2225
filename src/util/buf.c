#include "util/buf.h"
#include "util/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void grow(struct buf *b, size_t more)
{
	if (more >= SIZE_MAX / 2 - b->n)
		arena_die();
	size_t cap = b->cap ? b->cap : 128;
	while (cap < b->n + more + 1)
		cap *= 2;
	b->at = xrealloc_array(b->at, cap, 1);
	b->cap = cap;
}

static inline void reserve(struct buf *b, size_t more)
{
	if (b->n >= b->cap || more >= b->cap - b->n)
		grow(b, more);
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	reserve(b, n);
	if (n)
		memcpy(b->at + b->n, bytes, n);
	b->n += n;
	b->at[b->n] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
	reserve(b, 1);
	b->at[b->n++] = c;
	b->at[b->n] = '\0';
}

void buf_fill(struct buf *b, char c, size_t n)
{
	reserve(b, n);
	memset(b->at + b->n, c, n);
	b->n += n;
	b->at[b->n] = '\0';
}

void buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
	va_list again;

	va_copy(again, args);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return;
	reserve(b, (size_t)n);
	vsnprintf(b->at + b->n, (size_t)n + 1, fmt, args);
	b->n += (size_t)n;
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

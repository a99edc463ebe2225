#pragma once

/* A text that grows: bytes, their number, a NUL behind them. Starts as { 0 }; buf_free() ends it.
 * Growth failure ends the program like an arena's. */

#include "util/attr.h"
#include "util/decimal.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

struct buf {
	char *at;
	size_t n, cap;
};

/* Makes room for `more` bytes and the NUL. */
void buf_grow(struct buf *b, size_t more);
PRINTF(2, 3) void buf_printf(struct buf *b, const char *fmt, ...);
void buf_vprintf(struct buf *b, const char *fmt, va_list args);
/* The text so far, never NULL. */
const char *buf_text(const struct buf *b);
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

/* The rest is here to be compiled into its callers: a million rows are made of such pieces. */

static inline void buf_reserve(struct buf *b, size_t more)
{
	if (b->n >= b->cap || more >= b->cap - b->n)
		buf_grow(b, more);
}

static inline void buf_add(struct buf *b, const void *bytes, size_t n)
{
	buf_reserve(b, n);
	if (n)
		memcpy(b->at + b->n, bytes, n);
	b->n += n;
	b->at[b->n] = '\0';
}

static inline void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

static inline void buf_putc(struct buf *b, char c)
{
	buf_reserve(b, 1);
	b->at[b->n++] = c;
	b->at[b->n] = '\0';
}

static inline void buf_fill(struct buf *b, char c, size_t n)
{
	buf_reserve(b, n);
	memset(b->at + b->n, c, n);
	b->n += n;
	b->at[b->n] = '\0';
}

static inline void buf_u64(struct buf *b, uint64_t n)
{
	buf_reserve(b, DECIMAL_MAX);
	b->n = (size_t)(decimal_put(b->at + b->n, n) - b->at);
	b->at[b->n] = '\0';
}

#define AUTO_BUF __attribute__((cleanup(buf_free))) struct buf

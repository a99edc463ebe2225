#pragma once

/* A text that grows: bytes, their number, a NUL behind them. Starts as { 0 }; buf_free() ends it.
 * Growth failure ends the program like an arena's. */

#include "util/attr.h"

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *at;
	size_t n, cap;
};

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_fill(struct buf *b, char c, size_t n);
PRINTF(2, 3) void buf_printf(struct buf *b, const char *fmt, ...);
void buf_vprintf(struct buf *b, const char *fmt, va_list args);
/* The text so far, never NULL. */
const char *buf_text(const struct buf *b);
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

#define AUTO_BUF __attribute__((cleanup(buf_free))) struct buf

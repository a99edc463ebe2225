#pragma once

/* A buffered writer to a descriptor. The first failed write is remembered and ends all writing. */

#include "util/attr.h"

#include <stddef.h>
#include <stdint.h>

enum { OUT_SIZE = 64 * 1024 };

struct out {
	int fd;
	int failed; /* 0, or -errno */
	size_t n;
	char at[OUT_SIZE];
};

void out_add(struct out *o, const char *bytes, size_t n);
void out_puts(struct out *o, const char *s);
void out_putc(struct out *o, char c);
void out_u64(struct out *o, uint64_t n);
void out_i64(struct out *o, int64_t n);
PRINTF(2, 3) void out_printf(struct out *o, const char *fmt, ...);
void out_flush(struct out *o);

#include "util/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How it works: blocks of 64 KiB in a list, filled from the front. A request of more than a
 * quarter of a block gets a block of its own behind the current one, so that the rest of the
 * current block is not lost. */

enum { BLOCK_SIZE = 64 * 1024, ALIGN = 16 };

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(ALIGN) unsigned char at[];
};

struct arena {
	struct block *current;
};

void arena_die(void)
{
	static const char text[] = "tcpwhy: out of memory\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(1);
}

static struct block *block_new(size_t size, struct block *next)
{
	struct block *b = calloc(1, sizeof(*b) + size);

	if (!b)
		arena_die();
	b->size = size;
	b->next = next;
	return b;
}

struct arena *arena_new(void)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		arena_die();
	a->current = block_new(BLOCK_SIZE, NULL);
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct block *b = a->current, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct block *b = a->current;

	if (size > SIZE_MAX - sizeof(*b) - ALIGN)
		arena_die();
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (size > BLOCK_SIZE / 4) {
		b->next = block_new(size, b->next);
		b->next->used = size;
		return b->next->at;
	}
	if (b->size - b->used < size)
		a->current = b = block_new(BLOCK_SIZE, b);
	b->used += size;
	return b->at + b->used - size;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		arena_die();
	return arena_alloc(a, total);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = arena_alloc(a, len + 1);

	memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	int n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		arena_die();
	text = arena_alloc(a, (size_t)n + 1);
	va_start(args, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, args);
	va_end(args);
	return text;
}

void *xrealloc_array(void *p, size_t n, size_t size)
{
	void *moved = reallocarray(p, n ? n : 1, size ? size : 1);

	if (!moved)
		arena_die();
	return moved;
}

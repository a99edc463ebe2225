/* Preloaded into a program: the n-th allocation fails, N from the environment's FAIL_ALLOCATION; 0: none.
 * The number of allocations is written to descriptor 3 at the end. For a build without sanitizers. */

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t align, size_t size);

static unsigned long seen, fails_at;

static bool fails(void)
{
	if (++seen != fails_at)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(n, size, &total) || fails() ? NULL : __libc_realloc(p, total);
}

void *aligned_alloc(size_t align, size_t size)
{
	return fails() ? NULL : __libc_memalign(align, size);
}

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAIL_ALLOCATION");

	fails_at = at ? strtoul(at, NULL, 10) : 0;
	seen = 0;
}

__attribute__((destructor)) static void end(void)
{
	dprintf(3, "%lu 0\n", seen);
}

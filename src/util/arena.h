#pragma once

/* Memory with one lifetime: everything taken from an arena goes when the arena goes.
 *
 * Blocks come zeroed and aligned for any type, and never move. Nothing is freed alone. A failed
 * allocation ends the program (arena_die(), status 1): a half-filled look must never be reported
 * as a whole one. An arena belongs to whoever called arena_new(). */

#include "util/attr.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);

void *arena_alloc(struct arena *a, size_t size);
/* n * size with the overflow checked. */
void *arena_array(struct arena *a, size_t n, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
PRINTF(2, 3) char *arena_printf(struct arena *a, const char *fmt, ...);

/* malloc family for what must grow or be freed alone; the same end on failure. */
void *xrealloc_array(void *p, size_t n, size_t size);

NORETURN void arena_die(void);

#pragma once

/* Rows of `list --sort`: kept until all are there, then handed back in order. Unknown values come last, and
 * rows with the same value in the order in which they came. */

#include "report/columns.h"

struct sorting;

/* "age", or "-age": the largest first. NULL: no such column, and that is said. */
struct sorting *sorting_new(const char *spec);
void sorting_free(struct sorting *s);
void sorting_add(struct sorting *s, const struct report *r, const struct conn *c);
/* The sockets that were added; they must still be there. */
void sorting_each(struct sorting *s, void (*take)(void *ctx, const struct sock *sock), void *ctx);

#pragma once

/* The filter language: the grammar of ss(8) and tcpwhy's own predicates, see tcpwhy-filter(7).
 *
 * A filter judges a struct conn. The part that the kernel can judge is compiled to a state mask and
 * INET_DIAG_REQ_BYTECODE; compiled code never rejects what filter_match() accepts, so matching
 * every row again afterwards is always right. One exception: whether a port was chosen by the kernel
 * (`autobound`) it alone knows, and filter_match() goes by the range. */

#include "model/conn.h"
#include "util/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter;

struct filter_error {
	size_t at;        /* offset in the text, for the caret */
	char *text;       /* the whole expression as it was read; the caller frees */
	char what[160];   /* what is wrong and what was expected there */
};

enum filter_needs {
	FILTER_NEEDS_INFO = 1,
	FILTER_NEEDS_OWNER = 2,
	FILTER_NEEDS_RULES = 4,
	FILTER_NEEDS_HOST = 8, /* the namespace's sysctls */
};

/* The words of the command line, joined by blanks. No words: a filter that accepts everything.
 * NULL: *error is filled. */
struct filter *filter_parse(const char *const *words, size_t n, struct filter_error *error);
void filter_free(struct filter *f);

/* The conditions and the groups of states by name, for the completions. NULL: none further. */
const char *filter_word_at(size_t i);
const char *filter_state_group_at(size_t i);

/* What the caller must look up before filter_match(). */
unsigned filter_needs(const struct filter *f);
/* The states any accepted socket can be in, if the expression names states; else `fallback`. */
uint32_t filter_states(const struct filter *f, uint32_t fallback);
/* Bytecode for the kernel; 0 with *ret NULL when there is nothing for it to judge. The caller
 * frees. */
size_t filter_bytecode(const struct filter *f, void **ret);

/* `rules`: ids that claimed the connection, ended by NULL; may be NULL if not needed. */
bool filter_match(const struct filter *f, const struct conn *c, const char *const *rules);

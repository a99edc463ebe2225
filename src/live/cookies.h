#pragma once

/* Which cookies one dump has shown already, and in which row of the look.
 *
 * Cookies are unique on a host and a socket never leaves its namespace, so each dump has a set of
 * its own. Starts as { 0 } or by cookies_clear(); cookies_free() ends it. */

#include "model/look.h"
#include "util/hash.h"
#include "util/index.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cookie_word {
	uint64_t number; /* cookie / 64 */
	uint64_t bits;
};

struct cookies {
	struct hash_key key;
	struct index by_number;
	struct cookie_word *words;
	size_t n_words, cap_words, last;
	struct index by_row; /* made when the first duplicate comes */
	size_t n_rows;       /* rows of the look that are in by_row, from `first` on */
};

void cookies_clear(struct cookies *c);
void cookies_free(struct cookies *c);

/* true: new, and now known. */
bool cookies_mark(struct cookies *c, uint64_t cookie);
/* The row of a cookie among look->socks[first ...]; NULL: it was not kept. */
struct sock *cookies_find(struct cookies *c, struct look *look, size_t first, uint64_t cookie);

#pragma once

/* How long connections of a capture were silent before the FIN or RST that ended them: a histogram,
 * and the times that stand out of it because a timer made them. `whose` is untranslated (N_()). */

#include <stddef.h>
#include <stdint.h>

enum { N_IDLE = 8, MAX_IDLE_PEAKS = 4 };

struct idle_peak {
	uint32_t seconds; /* give or take one */
	uint64_t n;       /* connections */
	const char *whose; /* known timer of that length, which it may be; NULL: none is known */
};

struct idle_sum {
	uint64_t n[N_IDLE]; /* below each of idle_bounds_s, and longer */
	uint64_t n_all;
	struct idle_peak peaks[MAX_IDLE_PEAKS]; /* most connections first */
	size_t n_peaks;
};

extern const uint32_t idle_bounds_s[N_IDLE - 1];

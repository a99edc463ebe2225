#include "model/gap.h"

#include <stdlib.h>
#include <string.h>

void gap_add(struct gaps *gaps, const char *what, const char *object, const char *reason,
	     const char *effect)
{
	for (size_t i = 0; i < gaps->n; i++) {
		struct gap *g = &gaps->at[i];

		if (strcmp(g->what, what) == 0 && strcmp(g->reason, reason) == 0 &&
		    strcmp(g->effect, effect) == 0) {
			g->count++;
			return;
		}
	}
	if (gaps->n == gaps->cap) {
		gaps->cap = gaps->cap ? gaps->cap * 2 : 8;
		gaps->at = xrealloc_array(gaps->at, gaps->cap, sizeof(*gaps->at));
	}
	gaps->at[gaps->n++] = (struct gap){ what, object, reason, effect, 1 };
}

void gaps_free(struct gaps *gaps)
{
	free(gaps->at);
	*gaps = (struct gaps){ 0 };
}

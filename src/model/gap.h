#pragma once

/* Something that could not be seen. A gap is data, not an error: it feeds UNKNOWN and is shown after
 * the findings. Strings live in the arena of whoever found the gap; they may hold bytes from
 * outside and are escaped only when printed. */

#include "util/arena.h"

#include <stddef.h>

/* Its presence tells a recording what the look of then knew. */
#define GAP_FLIGHT "flight"

struct gap {
	const char *what;   /* the kind, stable, for scripts: "owners", "netns", "capture" … */
	const char *object; /* which one: "/proc/812/fd", "dump.pcap" */
	const char *reason; /* why: "permission denied" */
	const char *effect; /* what follows for the report, a translated sentence */
	size_t count;       /* how many alike were folded into this one */
};

struct gaps {
	struct gap *at;
	size_t n, cap;
};

/* Copies nothing: the strings must outlive the list. Same what, reason and effect: counted on the
 * existing entry, whose object stays the first one's. */
void gap_add(struct gaps *gaps, const char *what, const char *object, const char *reason,
	     const char *effect);
void gaps_free(struct gaps *gaps);

#pragma once

/* Silences and the timers behind them. Boxes on the path and servers forget idle connections after
 * fixed times; a silence of just that length, on several connections, is one of them. */

#include "model/flow.h"
#include "model/idle.h"

#include <stdint.h>

struct idle_limit {
	uint32_t seconds;
	const char *whose; /* untranslated */
};

/* A usual timer that is at most `within_s` away; NULL: there is none. */
const struct idle_limit *idle_limit_near(uint32_t seconds, uint32_t within_s);
/* The one usual timer of more than `above_ns` and at most `most_ns`; NULL: there is none, or several. */
const struct idle_limit *idle_limit_between(int64_t above_ns, int64_t most_ns);

/* The silence before a connection's first reset, and before its FIN or reset, where a timer that watches for
 * silence may have ended it. TIME_NONE: none has, or nobody knows how long it was silent. */
int64_t idle_before_rst(const struct flow *f);
int64_t idle_before_end(const struct flow *f);

enum { IDLE_SECONDS = 7300 }; /* longer silences are counted, but not told apart */

/* Starts as { 0 }. */
struct idle_count {
	uint32_t by_second[IDLE_SECONDS];
	/* Those that no other connection shares: a pool last used in one moment that dies in another is one. */
	uint32_t moments[IDLE_SECONDS];
	int64_t last_ns[IDLE_SECONDS];
	struct idle_sum sum;
};

#define IDLE_APART_NS INT64_C(3000000000) /* endings of one length further apart than that began apart, too */

/* Of a connection that ended then. */
void idle_add(struct idle_count *c, int64_t idle_ns, int64_t end_ns);
/* Fills in the peaks of c->sum. */
void idle_find_peaks(struct idle_count *c);

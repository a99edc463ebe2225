#pragma once

/* What is wrong with a network namespace or the machine, whatever single connections do: harmful
 * settings and tables that are nearly full. settings.c and judge.c know the rows by these numbers. */

#include "rules/rule.h"

enum {
	HARMFUL_TW_RECYCLE,
	HARMFUL_FIN_TIMEOUT_OVER,
	HARMFUL_FIN_TIMEOUT_LOW,
	HARMFUL_TW_BUCKETS_LOW,
	HARMFUL_TIMESTAMPS_OFF,
	HARMFUL_ABORT_ON_OVERFLOW,
	HARMFUL_RETRIES2_LOW,
	HARMFUL_ORPHAN_RETRIES_LOW,
	HARMFUL_MAX_ORPHANS_LOW,
	HARMFUL_PORT_RANGE,
	HARMFUL_CHALLENGE_ACK_LIMIT,
	HARMFUL_SOMAXCONN_LOW,
	HARMFUL_CONNTRACK_SHORT,
	N_HARMFUL,
	HOST_TW_OVERFLOW = N_HARMFUL,
	HOST_ORPHANS,
	HOST_CONNTRACK,
};

/* What a harmful setting's group holds, its texts in the arena. */
void host_fill_audit(struct group *g, const struct audit_row *row, struct arena *arena);
/* Is the table worth a word? Unknown numbers are not: nobody could look. */
bool host_tw_is_full(const struct netns *ns, uint64_t minisocks);
bool host_orphans_are_many(const struct netns *ns, const struct host *host);
bool host_conntrack_is_full(const struct netns *ns);

#pragma once

/* The rows of the table, by name. Their order is the order in which they speak: of two checks that
 * are equally bad, the first names the culprit. */

#include "model/check.h"

enum {
	CHECK_CLOSE_WAIT_LEFT,
	CHECK_CLOSE_WAIT_NOFILE,
	CHECK_CLOSE_WAIT_COUNT,
	CHECK_CLOSE_WAIT_AGE,
	CHECK_PORTS_LEFT,
	CHECK_PORTS,
	CHECK_ACCEPT_QUEUE,
	CHECK_ACCEPT_QUEUE_OVERFLOWS,
	CHECK_ORPHANS,
	CHECK_ORPHANS_ABORTS,
	CHECK_CONNTRACK,
	CHECK_TW_BUCKETS,
	CHECK_TW_BUCKETS_OVERFLOWS,
	CHECK_FIN_WAIT_2,
	N_CHECK_ROWS,
};

extern const struct check_row check_rows[N_CHECK_ROWS];

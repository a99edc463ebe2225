#pragma once

/* The segments of one captured connection in order, with the state of both ends after each: what an
 * engineer draws on paper. Data in the middle is folded. Lives in the arena it was made in. */

#include "model/flow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rung_kind {
	RUNG_SYN,
	RUNG_SYN_ACK,
	RUNG_DATA,
	RUNG_FIN,
	RUNG_ACK,
	RUNG_RST,
	RUNG_PROBE,  /* keepalive or zero window */
	RUNG_FOLDED, /* n_more segments of both sides with more_bytes of payload */
};

struct rung {
	int64_t at_ns;
	enum rung_kind kind;
	enum side from;
	bool is_again;  /* the same was sent before */
	bool acks_fin;  /* the first ACK of the other side's FIN */
	uint32_t len;   /* payload; with a FIN too */
	enum state state[N_SIDES]; /* after it; STATE_UNKNOWN: not implied */
	uint32_t n_more;
	uint64_t more_bytes;
};

enum { MAX_RUNGS = 400 };

struct ladder {
	uint32_t flow_id;
	bool is_untimed; /* the times of its rungs only tell their order */
	struct rung *at;
	size_t n, cap;
	uint64_t n_left_out; /* over MAX_RUNGS */
};

#pragma once

/* Connections as packets show them, from which the rows of these tests differ. */

#include "model/flow.h"

enum { S = 1000000000 }; /* nanoseconds */

/* Open, all of it captured. */
static inline struct flow base(void)
{
	return (struct flow){
		.opened_seen = true,
		.handshake_done = true,
		.end[SIDE_CLIENT] = { .at.port = 40000, .seen = true },
		.end[SIDE_SERVER] = { .at.port = 80, .seen = true },
		.first_ns = 0,
		.last_payload_ns = TIME_NONE,
		.half_close_ns = TIME_NONE,
		.idle_before_end_ns = TIME_NONE,
		.survived_pause_ns = TIME_NONE,
		.capture_end_ns = 100LL * S,
		.pattern = PATTERN_OPEN,
		.content = CONTENT_FULL,
	};
}

static inline struct flow refused(void)
{
	struct flow f = base();

	f.handshake_done = false;
	f.pattern = PATTERN_REFUSED;
	f.n_rsts = f.n_rst_packets = 1;
	f.rsts[0] = (struct flow_rst){ .from = SIDE_SERVER, .with_ack = true,
				       .shape = RST_SHAPE_REPLY, .trigger = TRIGGER_SYN,
				       .answers_trigger = true, .own_fin_gap_ns = TIME_NONE };
	return f;
}

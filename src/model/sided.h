#pragma once

/* One connection in two captures, taken at its two ends: what one end sent and the other never saw,
 * and what an end seems to have sent and did not.
 *
 * Index 0 is the first capture, 1 the second. `offset_ns` is what the second capture's clock shows
 * more than the first's. Lives in the arena of whoever compared them. */

#include "model/flow.h"

enum { MAX_SIDED = 8 };

struct sided_segment {
	bool is_rst; /* else a FIN */
	enum side from;
	uint32_t seq;
	int64_t at_ns;    /* by the clock of the capture that holds it */
	unsigned seen_in; /* which capture */
	bool was_sent;    /* seen at its sender's end: lost on the way. false: forged, nobody sent it */
	bool is_certain;  /* the other capture is whole, and went on for long enough when it should have come */
};

struct sided_flow {
	const struct flow *flow[2]; /* NULL: not in that capture */
	enum side at[2];            /* at which end each capture was taken */
	bool is_translated;         /* the addresses differ: NAT in between */
	struct sided_segment missing[MAX_SIDED]; /* where the other capture would have held it */
	size_t n_missing;
};

struct sided_sum {
	uint64_t n_both, n_only[2];
	bool has_offset;
	int64_t offset_ns, within_ns; /* give or take */
	bool is_capped;
};

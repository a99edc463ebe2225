#pragma once

/* One picture of `tcpwhy watch`: who holds what now, how fast it grows, and when it is full. Made by
 * watch/ from a look; lists live in the look's arena and point into it. Rates are tenths a second. */

#include "model/conn.h"
#include "model/finding.h"
#include "model/look.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_owner_kind {
	FRAME_PROCESS,
	FRAME_SEVERAL, /* inferred, and several processes fit */
	FRAME_KERNEL, /* closed by their applications: orphans and TIME-WAITs */
	FRAME_HIDDEN, /* who holds them could not be seen */
	FRAME_NEW,    /* who holds them has not been asked yet: they came since owners were read */
};

struct frame_owner {
	enum frame_owner_kind kind;
	const struct proc *proc; /* FRAME_PROCESS */
	enum owner_status status; /* of the two: of that of its connections of which most is known */
	uint64_t n[STATE_MAX];   /* of the teardown states */
	uint64_t n_held;         /* CLOSE-WAITs that it has descriptors of: others do not fill it up */
	bool has_rate;           /* false: it was not there at the picture before */
	int64_t gain;            /* CLOSE-WAITs */
	struct age oldest;       /* of CLOSE-WAIT and FIN-WAIT-2 */
	bool is_filling;         /* those have grown all along */
	uint64_t left_ms;        /* then: until it is out of descriptors */
};

struct frame {
	const struct look *look;
	const struct findings *findings;
	uint64_t n[STATE_MAX]; /* of what was selected, teardown states */
	bool has_rates;
	int64_t rate[STATE_MAX];
	struct frame_owner *owners; /* [n_owners] */
	size_t n_owners;
};

#pragma once

/* The inside of the flow table: what capture.c feeds it and what its own files share.
 *
 * Segments are decoded straight into the batch: flowtab_slot() gives the place, flowtab_push()
 * takes it. A batch is worked off when it is full, and at flowtab_end(). */

#include "wire/decode.h"
#include "wire/dups.h"
#include "wire/flowstore.h"
#include "wire/flowtab.h"
#include "wire/hosts.h"

enum {
	BATCH = 64,
	MAX_CAPTURES = 64, /* told apart; later ones share the last place */
	MAX_TUNNEL_NAMES = 256,
};

/* What decides about the content of one capture. */
struct capture_sum {
	int64_t first_ns, last_ns; /* TIME_NONE: no segment */
	int64_t end_ns;            /* of its last piece, where it was given in several files */
	uint64_t plain;            /* segments without SYN, FIN and RST */
	uint64_t control;
	uint64_t header_cut;       /* and packets of which not even the flags were captured */
	bool is_untimed;           /* it has no time stamps: what stands for them only tells the order */
	uint64_t fins, flows, lossy_flows;
	uint64_t dropped;          /* by the kernel */
	/* SYN-ACKs that were neither sent again nor reset: somebody acknowledged them. */
	int64_t unanswered_syn_acks;
	enum content content;      /* as of flowtab_end() */
};

struct tunnel_text {
	uint32_t code;
	const char *text;
};

struct flowtab {
	struct flowstore store;
	struct segment batch[BATCH];
	unsigned n_batch;
	struct dups dups;
	struct hosts hosts;
	struct capture_sum captures[MAX_CAPTURES];
	unsigned n_captures;
	uint16_t gap_ms;     /* that of the record in work, before its present segment */
	uint64_t refused;    /* segments of connections that found no room */
	uint64_t n_duplicates; /* dropped */
	uint32_t n_void;
	bool is_thorough;    /* no short way for usual segments: what tests compare it with */
	struct arena *arena; /* of the names */
	struct tunnel_text tunnels[MAX_TUNNEL_NAMES];
	size_t n_tunnels;
	/* Only these segments, and each shown when it has been worked off: ladder.c. NULL: all, none. */
	bool (*wants)(void *ctx, const struct segment *s);
	void (*see)(void *ctx, struct flowtab *t, const struct segment *s);
	void *ctx;
};

/* A capture begins, its segments come with its number, it ends: one after the other, or several at
 * once in order of time. */
uint8_t flowtab_begin(struct flowtab *t);
void flowtab_end(struct flowtab *t, uint8_t capture, uint64_t dropped_by_kernel);
enum content flowtab_content(const struct flowtab *t, uint8_t capture);

static inline struct segment *flowtab_slot(struct flowtab *t)
{
	return &t->batch[t->n_batch];
}

void flowtab_run(struct flowtab *t);

static inline void flowtab_push(struct flowtab *t)
{
	flowstore_hash(&t->store, &t->batch[t->n_batch]);
	if (++t->n_batch == BATCH)
		flowtab_run(t);
}

/* Of track.c: the segment's record is found or made, and brought up to date. */
void track_segment(struct flowtab *t, const struct segment *s);

#pragma once

/* One TCP connection as a capture saw it, from both ends.
 *
 * Times are nanoseconds of the capture's own clock since the epoch; TIME_NONE where there is none.
 * In a capture without time stamps that is everywhere but in `acked_ns`, which says whether.
 * A flow is a *view*, filled by flowtab_each() from compact records, and is valid during that call
 * (flow_keep() copies one into an arena). "Not seen" is not "did not happen": `opened_seen`,
 * `is_lossy`, `is_one_sided` and the capture's `content` say how much may be concluded.
 * `packets` and `bytes` count what each side sent; bytes are payload in unique sequence space.
 * Source: RFC 9293 sections 3.5, 3.6 and 3.10.7; Linux net/ipv4/tcp_input.c, tcp_fin(). */

#include "model/addr.h"
#include "model/gap.h"
#include "model/state.h"
#include "util/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIME_NONE INT64_MIN

/* A pause worth a word: below, people and programs pause all the time, and no box forgets so soon. */
#define IDLE_PAUSE_NS INT64_C(30000000000)

enum side { SIDE_CLIENT, SIDE_SERVER };
enum { N_SIDES = 2, MAX_FLOW_RSTS = 4 };

enum closed_first { CLOSED_NOBODY, CLOSED_CLIENT, CLOSED_SERVER, CLOSED_BOTH };

enum pattern {
	PATTERN_FOUR_WAY,
	PATTERN_THREE_SEGMENT,
	PATTERN_SIMULTANEOUS,
	PATTERN_HALF_CLOSED,
	PATTERN_RESET,
	PATTERN_RESET_AFTER_FIN,
	PATTERN_REFUSED,
	PATTERN_SILENT,
	PATTERN_OPEN,
};
enum { N_PATTERNS = PATTERN_OPEN + 1 };

/* How much of the traffic a capture holds; recognised by itself. */
enum content { CONTENT_FULL, CONTENT_FIN_RST_ONLY, CONTENT_PARTIAL };

/* What the application on one end must have seen, as far as packets imply anything. */
enum saw {
	SAW_UNKNOWN,
	SAW_EOF,
	SAW_ECONNRESET,
	SAW_EPIPE,
	SAW_ETIMEDOUT,
	SAW_ECONNREFUSED,
	SAW_ECONNABORTED,
};

/* The segment of the other side that came last before a reset. */
enum trigger {
	TRIGGER_NONE, /* nothing from the other side was seen */
	TRIGGER_SYN,
	TRIGGER_SYN_ACK,
	TRIGGER_DATA,
	TRIGGER_FIN, /* with or without payload */
	TRIGGER_ACK, /* bare */
	TRIGGER_PROBE, /* keepalive or zero-window */
	TRIGGER_RST,
};

/* The two families of resets; wire.md 2.1. */
enum rst_shape {
	RST_SHAPE_ACTIVE, /* RST|ACK, a window or timestamps: a living socket gave up */
	RST_SHAPE_REPLY,  /* bare, window 0, no options; or RST|ACK with seq 0 to a SYN */
	RST_SHAPE_ODD,    /* neither: a middlebox or another stack */
};

struct flow_fin {
	bool seen;
	bool is_inferred; /* not captured, but the other side acknowledged its number */
	uint32_t seq;     /* number of the FIN itself, behind any payload */
	int64_t at_ns, last_ns, acked_ns; /* first copy, last copy, first ACK that covers it */
	uint32_t retransmissions;
	bool covers_peer_fin; /* the first copy's ack covers the other side's FIN */
};

struct flow_rst {
	enum side from;
	int64_t at_ns;
	uint32_t seq, ack;
	bool with_ack;
	uint32_t repeats;       /* further resets of the same side for the same cause */
	enum rst_shape shape;
	uint16_t window;        /* as on the wire, unscaled */
	uint8_t ttl;
	uint8_t host_ttl;       /* a refusal: of the SYN-ACKs of the same address; 0: few, or several */
	uint16_t ip_id;
	bool is_inet6;
	bool has_timestamps, has_options, has_payload, df;
	/* What went before it, all from the sender's point of view. */
	enum trigger trigger;
	int64_t trigger_gap_ns; /* from that segment to the reset; TIME_NONE */
	bool answers_trigger;   /* seq is exactly that segment's ack (or 0 and ack its end) */
	bool after_own_fin, own_fin_acked, after_peer_fin, peer_fin_acked;
	int64_t own_fin_gap_ns; /* from its own first FIN to the reset; TIME_NONE */
	uint64_t peer_bytes_since_own; /* payload the peer sent after this side's last payload */
	uint64_t peer_bytes_after_own_fin;
	uint64_t sender_bytes, peer_bytes;  /* payload sent so far by each */
	int64_t idle_ns;        /* since the last segment of any kind but its trigger */
	uint32_t probes_unanswered; /* keepalive probes of the sender without answer, at the end */
	int64_t probe_interval_ns;
	uint32_t retransmissions_unanswered; /* of the sender, at the end */
	bool sender_went_on;    /* valid segments of the same sender came after it */
	bool seq_is_next;       /* seq == the sender's nxt */
	bool ttl_differs, window_is_odd, options_are_odd, id_is_odd; /* against the sender's segments */
	bool is_challenge_pair; /* an inexact RST, a challenge ACK, then the exact one */
	bool of_old_incarnation; /* its number lies in the previous connection of this pair */
	/* A capture taken at its sender's end does not hold it (model/sided.h). */
	bool not_sent, not_sent_is_certain;
};

struct flow_keepalive {
	bool seen;
	enum side from;
	uint32_t probes;
	int64_t interval_ns;
	bool answered;
};

struct flow_end {
	struct endpoint at;
	uint64_t packets, bytes;
	uint32_t retransmissions;      /* data and SYN copies */
	uint32_t unanswered;           /* copies of its last segments nobody answered, at the end */
	int64_t idle_before_unanswered_ns; /* silence before the first of them; TIME_NONE */
	struct flow_fin fin;
	enum state state;              /* at the end of the capture; STATE_UNKNOWN: not implied */
	enum saw saw;
	bool isn_known, has_acked;     /* has_acked: it has acknowledged something of the other end */
	uint32_t isn;
	uint32_t nxt, ack_max;
	bool seen;                     /* any packet of this side */
};

struct flow {
	uint32_t id; /* 1, 2, … in order of first packets */
	bool opened_seen;
	bool handshake_done;
	struct flow_end end[N_SIDES];
	int64_t first_ns, last_ns;
	int64_t last_payload_ns;       /* last payload or FIN, before the end; TIME_NONE */
	int64_t capture_end_ns;        /* last time stamp of the whole capture */
	enum pattern pattern;
	enum closed_first closed_first;
	int64_t half_close_ns;         /* first FIN to the other side's first FIN; TIME_NONE */
	uint64_t half_close_bytes;     /* payload by the other side in between */
	int64_t idle_before_end_ns;    /* gap before the FIN or RST that ended it; TIME_NONE */
	/* The longest silence of both ends, of IDLE_PAUSE_NS or more, after which one spoke and the other
	 * answered: nobody had forgotten the connection by then. TIME_NONE: there was none. */
	int64_t survived_pause_ns;
	uint32_t n_rsts;               /* in rsts[] */
	uint32_t n_rst_packets;        /* all of them */
	struct flow_keepalive keepalive;
	bool is_lossy, is_one_sided;
	bool is_untimed;               /* its capture has no time stamps: times and durations are TIME_NONE */
	enum content content;          /* of the capture it came from */
	const char *tunnel;            /* "vxlan", "gre", … outermost first; NULL: none */
	struct flow_rst rsts[MAX_FLOW_RSTS]; /* last: what is not used is not cleared, or kept */
};

/* What one capture file or interface gave. Strings live in the capture's arena. */
struct skip {
	const char *reason; /* stable word: "not-ip", "short-tcp", "fragment" … */
	uint64_t n;
};

enum { MAX_SKIPS = 24, MAX_LINK_TYPES = 8 };

struct capture_info {
	const char *name;              /* file or interface, as the user wrote it */
	uint64_t packets, tcp_packets, bytes;
	int64_t first_ns, last_ns;     /* TIME_NONE: empty, or without time stamps */
	bool is_untimed;               /* zero in every packet: it has no time stamps */
	bool is_nano;                  /* the source's precision is nanoseconds, else microseconds */
	const char *link_types[MAX_LINK_TYPES];
	size_t n_link_types;
	enum content content;
	bool is_cut;                   /* ended within a record */
	const char *error;             /* why it could not be read to the end; NULL */
	struct skip skips[MAX_SKIPS];
	size_t n_skips;
	uint64_t dropped_by_kernel;
	/* At the cap: connections that made room (closed ones; others, of a single segment), segments of
	 * those that found none, and details of kept ones for which there was no memory. */
	uint64_t flows_left, flows_left_open, segments_refused, notes_refused;
	const char *overflow;          /* the same in words; NULL: all were kept */
	const char *headers_cut;       /* packets whose connection is not known for that, in words; NULL: none */
	const char *time_back;         /* where its clock goes back, by a second or more, in words; NULL: nowhere */
};

const char *pattern_name(enum pattern p);
const char *content_name(enum content c);
const char *saw_name(enum saw s);          /* NULL for SAW_UNKNOWN */
const char *side_name(enum side s);        /* "client", "server" */
const char *closed_first_name(enum closed_first c); /* "client", "server", "both"; NULL nobody */

struct flow *flow_keep(const struct flow *view, struct arena *arena);
/* When that side had sent its FIN, at the latest: one that was not captured, when it was acknowledged. TIME_NONE:
 * nothing tells. */
int64_t flow_fin_ns(const struct flow *f, enum side side);

static inline enum side side_other(enum side s)
{
	return s == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
}

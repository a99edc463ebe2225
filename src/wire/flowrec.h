#pragma once

/* What a flow table keeps of a connection: two cache lines for every flow, notes for the few that
 * need more.
 *
 * End 0 and 1 of a record are the lower and the higher endpoint, not client and server: who opened
 * is decided when a view is made. Times are 48-bit differences to the first packet, in nanoseconds
 * (39 hours each way) or, in a record that ran out of them, microseconds (four years); see
 * rec_time(). Notes are typed, singly linked, and never freed alone. */

#include "model/flow.h"
#include "wire/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum when { WHEN_LAST, WHEN_LAST_1, WHEN_PAYLOAD, WHEN_FIN, WHEN_FIN_1, N_WHEN };

enum end_flag {
	END_SEEN = 1 << 0,         /* sent any packet */
	END_FIRST = 1 << 1,        /* sent the first packet of the flow */
	END_SYN = 1 << 2,          /* sent a SYN without ACK */
	END_SYN_ACK = 1 << 3,
	END_ISN = 1 << 4,          /* isn is an ISN, not just the lowest number seen */
	END_ACKED = 1 << 5,        /* ack_max is known */
	END_FIN = 1 << 6,
	END_FIN_INFERRED = 1 << 7, /* only its acknowledgement was seen */
	END_FIN_COVERS = 1 << 8,   /* its first copy acknowledges the other side's FIN */
	END_WENT_ON = 1 << 9,      /* sent something new after its FIN */
	END_TURN = 1 << 10,        /* the last payload was its */
	END_LOSSY = 1 << 11,       /* some of its segments are missing in the capture */
	END_TS = 1 << 12,          /* uses timestamps */
	END_ID = 1 << 13,          /* ip_id_high is known */
	END_TTLS = 1 << 14,        /* has sent with more than one TTL */
	END_WINDOW = 1 << 15,      /* window is known */
};

enum flow_flag {
	FLOW_INET6 = 1 << 0,
	FLOW_COARSE = 1 << 1,    /* times are microseconds */
	FLOW_RESET = 1 << 2,     /* a reset that ends it was seen, and nothing that denies it */
	FLOW_DONE = 1 << 3,      /* handshake complete */
	FLOW_VOID = 1 << 4,      /* belongs to its predecessor: not a connection of its own */
	FLOW_REUSED = 1 << 5,    /* an earlier connection of the pair is in the table */
	FLOW_REFUSED = 1 << 6,   /* the reset answered a SYN */
};

struct rec_end {
	uint32_t isn;     /* END_ISN; else the lowest number seen */
	uint32_t nxt;     /* highest seq + len + SYN + FIN; resets do not count */
	uint32_t ack_max; /* END_ACKED */
	uint32_t fin_seq; /* END_FIN */
	uint32_t packets;
	uint32_t fin_acked; /* how long after the FIN: rec_fin_acked(); 0 not yet */
	uint16_t window;
	uint16_t flags;
	uint8_t ttl, ip_id_high;
	uint8_t wraps;    /* of nxt - isn */
	uint8_t last;     /* enum trigger of its last segment */
};

#define GAP_LONG UINT16_MAX

struct rec {
	int64_t base_ns;  /* time of the first packet in file order */
	uint32_t addr[2]; /* IPv4 in network order; IPv6: addr[0] counts in the table of pairs */
	uint16_t port[2];
	uint8_t flags;
	uint8_t capture;
	uint16_t end_gap_ms; /* silence before the first FIN or RST; GAP_LONG: see the note */
	uint32_t when_low[N_WHEN];
	uint16_t when_high[N_WHEN];
	uint16_t gap_ms;     /* silence before the last segment; GAP_LONG: see the note */
	uint32_t turn;       /* nxt of the END_TURN side when its turn began */
	uint32_t notes;      /* first of the list; 0 none */
	struct rec_end end[2];
};

_Static_assert(sizeof(struct rec_end) == 32 && sizeof(struct rec) == 128, "two cache lines");

enum note_kind { NOTE_FLOW, NOTE_END, NOTE_RST, NOTE_HALF, N_NOTE_KINDS };

struct note {
	uint32_t next; /* 0: none */
	uint8_t kind, end;
	uint16_t repeats; /* NOTE_RST */
};

/* Odd things of the whole connection. */
struct note_flow {
	struct note note;
	uint32_t tunnel;
	uint32_t before;       /* the pair's earlier connection, its number plus 1; 0 none */
	int64_t first_ns;      /* TIME_NONE, or earlier than base_ns */
	int64_t gap_ns, end_gap_ns;
	/* The last long pause; 0: none. Whether it was survived is asked when the next one comes, or at the
	 * end: the other end's packets have become more by then, which costs its segments nothing. */
	int64_t pause_ns;
	int64_t survived_ns;   /* the longest that was; 0: none */
	uint32_t pause_packets; /* of the other end, when this one spoke: */
	uint32_t pause_end;
};

/* Retransmissions, probes and other trouble of one end. */
struct note_end {
	struct note note;
	uint32_t retransmissions, fin_retransmissions;
	uint32_t unanswered;         /* copies and probes since the other side last spoke */
	uint32_t probes, probes_unanswered;
	uint32_t last_ack;           /* of its last segment, where that was not ack_max */
	uint32_t hole;               /* lowest number of a gap that may still fill */
	bool has_last_ack, has_hole, probes_are_window;
	int64_t fin_last_ns, fin_acked_ns;
	int64_t probe_ns;            /* the last one */
	int64_t probe_interval_ns;   /* between the last two */
	int64_t hole_ns;
	int64_t idle_ns;             /* silence before what was first sent again, while unanswered */
};

/* This end sent payload after the other side's FIN. */
struct note_half {
	struct note note;
	uint32_t nxt; /* before the first byte of it */
};

/* A reset, with what was known when it came. The bits are those of struct flow_rst. */
struct note_rst {
	struct note note;
	int64_t at_ns;
	int64_t trigger_gap_ns, idle_ns, probe_interval_ns;
	uint64_t sender_bytes, peer_bytes, peer_bytes_since_own;
	uint32_t seq, ack;
	uint32_t peer_bytes_after_own_fin;
	uint16_t window, ip_id;
	uint16_t probes_unanswered, retransmissions_unanswered;
	uint8_t ttl, shape, trigger;
	bool with_ack : 1, has_timestamps : 1, has_options : 1, has_payload : 1, df : 1;
	bool answers_trigger : 1, after_own_fin : 1, own_fin_acked : 1, after_peer_fin : 1;
	bool peer_fin_acked : 1, sender_went_on : 1, seq_is_next : 1, ttl_differs : 1;
	bool window_is_odd : 1, options_are_odd : 1, id_is_odd : 1, is_challenge_pair : 1;
	bool of_old_incarnation : 1, is_exact : 1;
};

#include "wire/reset.h"

/* How it works: a segment first finds its *incarnation* (a pair of endpoints may be used again and
 * again; incarnation.c), then moves the sender's and the receiver's numbers. All comparisons are
 * signed differences against what the same end said last; order is file order, never time.
 *
 * Duplicated packets are dropped before they count. A segment below nxt is a retransmission unless
 * it is a probe (an empty segment, or a byte already acknowledged, at nxt - 1). A segment above nxt
 * leaves a hole, which either fills (reordering) or is acknowledged (the capture lost packets). */

enum {
	NS_PER_MS = 1000000,
	NS_PER_S = 1000000000,
	MAX_LOSS = 1 << 24, /* bytes a capture may have lost in one piece */
	MAX_WINDOW = 1 << 30,
};

static uint16_t gap_ms(struct flowtab *t, struct rec *r, int64_t gap_ns, bool is_end)
{
	struct note_flow *n;

	if (gap_ns < NS_PER_MS)
		return 0;
	if (gap_ns < (int64_t)GAP_LONG * NS_PER_MS)
		return (uint16_t)(gap_ns / NS_PER_MS);
	n = rec_note_flow(t, r);
	if (n && is_end)
		n->end_gap_ns = gap_ns;
	else if (n)
		n->gap_ns = gap_ns;
	return GAP_LONG;
}

static void note_time_back(struct flowtab *t, struct rec *r, int64_t at_ns)
{
	if (at_ns >= r->base_ns)
		return;
	struct note_flow *n = rec_note_flow(t, r);
	if (n && (n->first_ns == TIME_NONE || at_ns < n->first_ns))
		n->first_ns = at_ns;
}

static void pause_settle(struct flowtab *t, struct rec *r, struct note_flow *n)
{
	n->survived_ns = rec_survived(r, n, rec_note(t, r, NOTE_END, n->pause_end));
	n->pause_ns = 0;
}

/* Only while the connection is open: how long its opening and its end may take is ruled by other timers. A
 * reset is no answer: whoever sends it has forgotten the connection, or ends it. */
static void track_pause(struct flowtab *t, struct rec *r, const struct segment *s, int64_t gap_ns)
{
	uint16_t both = r->end[0].flags | r->end[1].flags;
	bool is_open = !(both & END_FIN) && (r->flags & FLOW_DONE || !(both & (END_SYN | END_SYN_ACK)));
	bool is_reset = s->flags & TCP_RST;
	struct note_flow *n;

	if (!is_reset && (gap_ns < IDLE_PAUSE_NS || !is_open))
		return;
	n = is_reset ? rec_note(t, r, NOTE_FLOW, 0) : rec_note_flow(t, r);
	if (!n)
		return;
	pause_settle(t, r, n);
	if (is_reset)
		return;
	n->pause_ns = gap_ns;
	n->pause_end = s->side;
	n->pause_packets = r->end[!s->side].packets;
}

/* Before the segment counts: silence, and the clock. */
static void track_time(struct flowtab *t, struct rec *r, const struct segment *s)
{
	int64_t last = rec_last(r);

	if (last == TIME_NONE) {
		r->base_ns = s->at_ns;
		r->end[s->side].flags |= END_FIRST;
		return;
	}
	if (s->at_ns < last)
		note_time_back(t, r, s->at_ns);
	if (!((r->end[0].flags | r->end[1].flags) & END_FIN) && !(r->flags & FLOW_RESET) &&
	    (s->flags & (TCP_FIN | TCP_RST)))
		r->end_gap_ms = gap_ms(t, r, s->at_ns - last, true);
	if (!(s->flags & TCP_RST))
		r->gap_ms = gap_ms(t, r, s->at_ns - last, false);
	track_pause(t, r, s, s->at_ns - last);
}

/* What the next reset of this end is compared with. Handshake, payload and ACK all do, but the id
 * of a SYN-ACK is always 0 on Linux. */
static void track_baseline(struct rec_end *e, const struct segment *s)
{
	if (e->packets > 1 && e->ttl != s->ttl)
		e->flags |= END_TTLS;
	e->ttl = s->ttl;
	if (s->ip_id) {
		e->ip_id_high = (uint8_t)(s->ip_id >> 8);
		e->flags |= END_ID;
	}
	if (s->has_ts)
		e->flags |= END_TS;
	if (s->is_header_cut)
		return;
	e->window = s->window;
	e->flags |= END_WINDOW;
}

static void advance(struct rec_end *e, uint32_t to)
{
	if (!seq_after(to, e->nxt))
		return;
	if (to - e->isn < e->nxt - e->isn && e->wraps < UINT8_MAX)
		e->wraps++;
	e->nxt = to;
}

static void note_lossy(struct flowtab *t, struct rec *r, unsigned end)
{
	if (!((r->end[0].flags | r->end[1].flags) & END_LOSSY))
		t->captures[r->capture].lossy_flows++;
	r->end[end].flags |= END_LOSSY;
}

/* How long everybody was silent before the segment that is now sent again. */
static int64_t gap_before(struct flowtab *t, struct rec *r)
{
	const struct note_flow *n = rec_note(t, r, NOTE_FLOW, 0);

	/* Several may have followed a long pause before one was sent again; the other end's would have ended it. */
	if (n && rec_pause_lasts(r, n))
		return n->pause_ns;
	if (t->gap_ms != GAP_LONG)
		return (int64_t)t->gap_ms * NS_PER_MS;
	return n ? n->gap_ns : TIME_NONE;
}

/* The copy of a segment: of data, of a SYN, of a FIN. */
static void note_copy(struct flowtab *t, struct rec *r, const struct segment *s, bool is_fin)
{
	struct note_end *n = rec_note_end(t, r, s->side);

	if (!n)
		return;
	if (!n->unanswered)
		n->idle_ns = gap_before(t, r);
	n->retransmissions += !is_fin;
	n->unanswered++;
	if (is_fin) {
		n->fin_retransmissions++;
		if (s->at_ns > n->fin_last_ns)
			n->fin_last_ns = s->at_ns;
	}
}

static void note_probe(struct flowtab *t, struct rec *r, const struct segment *s)
{
	struct note_end *n = rec_note_end(t, r, s->side);

	if (!n)
		return;
	if (n->probe_ns != TIME_NONE)
		n->probe_interval_ns = s->at_ns - n->probe_ns;
	n->probe_ns = s->at_ns;
	/* One that comes after a long pause asks what data would have asked. */
	if (!n->unanswered)
		n->idle_ns = gap_before(t, r);
	n->probes++;
	n->probes_unanswered++;
	n->unanswered++;
	n->probes_are_window = (r->end[!s->side].flags & END_WINDOW) && r->end[!s->side].window == 0;
}

/* An answer ends the other side's count of unanswered segments. A copy, a probe, and data with an
 * old acknowledgement are none: they may come from an end that hears nothing. */
static void note_answer(struct flowtab *t, struct rec *r, unsigned end)
{
	struct note_end *n = rec_note(t, r, NOTE_END, !end);

	if (!n)
		return;
	n->unanswered = n->probes_unanswered = 0;
}

static void hole_open(struct flowtab *t, struct rec *r, const struct segment *s)
{
	struct note_end *n = rec_note_end(t, r, s->side);

	if (!n || n->has_hole)
		return;
	n->has_hole = true;
	n->hole = r->end[s->side].nxt;
	n->hole_ns = s->at_ns;
}

static void hole_fill(struct flowtab *t, struct rec *r, const struct segment *s)
{
	struct note_end *n = rec_note(t, r, NOTE_END, s->side);

	if (n && n->has_hole && !seq_after(s->seq, n->hole) && seq_after(s->seq + s->len, n->hole))
		n->has_hole = false;
}

/* The other side acknowledged what was never seen. On two interfaces the acknowledgement may come
 * first, so a young hole proves nothing yet. */
static void hole_check(struct flowtab *t, struct rec *r, const struct segment *s)
{
	struct note_end *n = rec_note(t, r, NOTE_END, !s->side);

	if (n && n->has_hole && seq_after(s->ack, n->hole) &&
	    s->at_ns - n->hole_ns > NS_PER_MS)
		note_lossy(t, r, !s->side);
}

static void fin_acked(struct flowtab *t, struct rec *r, unsigned end, int64_t at_ns)
{
	struct rec_end *e = &r->end[end];
	int64_t after = at_ns - rec_time(r, WHEN_FIN + end);
	struct note_end *n;

	if (rec_set_fin_acked(e, after < 0 ? 0 : after))
		return;
	n = rec_note_end(t, r, end);
	if (n)
		n->fin_acked_ns = at_ns;
	e->fin_acked = FIN_ACKED_LATE;
}

/* Only its acknowledgement was captured: exactly one more than this end is known to have sent. A
 * single lost byte would look the same, so later payload takes it back. */
static void fin_infer(struct flowtab *t, struct rec *r, unsigned end, uint32_t seq, int64_t at_ns, bool had_fin)
{
	struct rec_end *e = &r->end[end], *p = &r->end[!end];

	e->flags |= END_FIN | END_FIN_INFERRED;
	e->fin_seq = seq;
	/* The other side's FIN was known before, so this one came later: crossing ones were captured. */
	if (had_fin)
		e->flags |= END_FIN_COVERS;
	else if (p->flags & END_FIN)
		p->flags |= END_FIN_COVERS;
	rec_set_time(r, WHEN_FIN + end, at_ns);
	fin_acked(t, r, end, at_ns);
}

static void fin_forget(struct rec_end *e)
{
	e->flags &= (uint16_t)~(END_FIN | END_FIN_INFERRED | END_FIN_COVERS);
	e->fin_acked = 0;
}

/* had_fin: of the sender, before this segment. */
static void track_ack(struct flowtab *t, struct rec *r, const struct segment *s, bool had_fin)
{
	struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];
	bool knew = e->flags & END_ACKED;
	uint32_t before = e->ack_max;
	struct note_end *n;

	if (knew && seq_before(s->ack, before)) {
		n = rec_note_end(t, r, s->side);
		if (n) {
			n->last_ack = s->ack;
			n->has_last_ack = true;
		}
		return;
	}
	if (r->notes) {
		n = rec_note(t, r, NOTE_END, s->side);
		if (n)
			n->has_last_ack = false;
		hole_check(t, r, s);
	}
	if (knew && s->ack == before)
		return;
	e->ack_max = s->ack;
	e->flags |= END_ACKED;
	if (p->flags & END_FIN) {
		if (!p->fin_acked && seq_after(s->ack, p->fin_seq))
			fin_acked(t, r, !s->side, s->at_ns);
		else if ((p->flags & END_FIN_INFERRED) && s->ack != p->fin_seq + 1)
			fin_forget(p);
		return;
	}
	/* What came before all else were probes: empty segments, answered with the number behind theirs. */
	if (!knew && (p->flags & (END_SEEN | END_ISN)) == END_SEEN && p->nxt == p->isn && s->ack == p->nxt + 1)
		p->isn = p->nxt = s->ack;
	if (!(p->flags & END_SEEN)) {
		if (knew && s->ack == before + 1 && !(s->flags & TCP_SYN))
			fin_infer(t, r, !s->side, before, s->at_ns, had_fin);
		return;
	}
	if (s->ack == p->nxt + 1 && knew && !(p->flags & END_LOSSY))
		fin_infer(t, r, !s->side, p->nxt, s->at_ns, had_fin);
	else if (seq_after(s->ack, p->nxt + 1))
		hole_check(t, r, s);
}

static void track_fin(struct flowtab *t, struct rec *r, const struct segment *s)
{
	struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];
	uint32_t fin = s->seq + s->len + !!(s->flags & TCP_SYN);

	if ((e->flags & END_FIN) && !(e->flags & END_FIN_INFERRED)) {
		/* Another number is forged or broken; the first one stands. */
		note_copy(t, r, s, true);
		return;
	}
	bool was_inferred = e->flags & END_FIN_INFERRED;
	fin_forget(e);
	e->flags |= END_FIN;
	e->fin_seq = fin;
	rec_set_time(r, WHEN_FIN + s->side, s->at_ns);
	if ((p->flags & END_FIN) && (s->flags & TCP_ACK) && seq_after(s->ack, p->fin_seq))
		e->flags |= END_FIN_COVERS;
	/* Captured late: the other side had acknowledged it before, and so perhaps in its FIN. */
	if ((p->flags & END_ACKED) && seq_after(p->ack_max, fin)) {
		fin_acked(t, r, s->side, s->at_ns);
		if ((p->flags & END_FIN) && !(p->flags & END_WENT_ON) && !was_inferred)
			p->flags |= END_FIN_COVERS;
	}
}

/* Who sent payload last, and since which of its numbers. */
static void track_turn(struct rec *r, unsigned end, uint32_t first)
{
	if (r->end[end].flags & END_TURN)
		return;
	r->end[end].flags |= END_TURN;
	r->end[!end].flags &= (uint16_t)~END_TURN;
	r->turn = first;
}

static void track_payload(struct flowtab *t, struct rec *r, const struct segment *s)
{
	const struct rec_end *p = &r->end[!s->side];
	uint32_t first = s->seq + !!(s->flags & TCP_SYN);

	rec_set_time(r, WHEN_PAYLOAD, s->at_ns);
	track_turn(r, s->side, first);
	if ((p->flags & END_FIN) && !rec_note(t, r, NOTE_HALF, s->side)) {
		struct note_half *n = (void *)flowstore_note_add(&t->store, r, NOTE_HALF, s->side,
								 sizeof(*n));
		if (n)
			n->nxt = first;
	}
}

/* One below the next number, and nothing new. Where no payload was seen the number is that of the SYN or of what
 * was sent before, behind a FIN that of the FIN: then an empty segment may as well be late, unless this end had been
 * silent for a second, the least that keepalive waits. */
static bool is_probe(const struct rec *r, const struct segment *s)
{
	const struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];

	if (s->seq != e->nxt - 1 || s->len > 1 || !(s->flags & TCP_ACK) ||
	    (s->flags & (TCP_SYN | TCP_FIN)))
		return false;
	if ((e->flags & END_FIN) || e->nxt - e->isn < 2)
		return s->len == 0 && (!(e->flags & END_FIN) || e->fin_acked) && e->packets > 1 &&
		       s->at_ns - rec_time(r, WHEN_LAST + s->side) >= NS_PER_S;
	/* A byte that was never acknowledged is the last one once more. */
	return s->len == 0 || ((p->flags & END_ACKED) && !seq_before(p->ack_max, e->nxt));
}

/* A SYN-ACK that is sent again was not acknowledged: no acknowledgement is missing. */
static void note_syn_ack_copy(struct flowtab *t, struct rec *r, const struct segment *s)
{
	const struct note_end *n = rec_note(t, r, NOTE_END, s->side);

	if ((s->flags & TCP_ACK) && (!n || !n->retransmissions))
		t->captures[r->capture].unanswered_syn_acks--;
}

/* Another SYN of this incarnation with another number stands for the first until one is answered.
 * What this end seemed to say before is its successors, captured first, or was forged. */
static void track_syn(struct flowtab *t, struct rec *r, const struct segment *s)
{
	struct rec_end *e = &r->end[s->side];
	bool is_late = (e->flags & (END_SEEN | END_ISN)) == END_SEEN &&
		       e->nxt - s->seq - 1 < MAX_WINDOW;

	if ((e->flags & END_ISN) && s->seq == e->isn) {
		note_syn_ack_copy(t, r, s);
		note_copy(t, r, s, false);
		return;
	}
	e->isn = s->seq;
	e->wraps = 0;
	if (!is_late) {
		e->nxt = s->seq;
		fin_forget(e);
	}
	e->flags |= END_ISN | END_SEEN;
	if (s->flags & TCP_ACK) {
		t->captures[r->capture].unanswered_syn_acks++;
		hosts_learn(&t->hosts, &t->store.key, s);
	}
}

/* The first numbers of an end whose SYN was not seen: a base, never an ISN. */
static void track_base(struct rec_end *e, const struct segment *s)
{
	if (!(e->flags & END_SEEN)) {
		e->isn = e->nxt = s->seq;
		e->flags |= END_SEEN;
	} else if (!(e->flags & END_ISN) && seq_before(s->seq, e->isn) && !e->wraps &&
		   s->seq - e->isn > e->nxt - e->isn && (s->len > 0 || s->seq != e->isn - 1)) {
		e->isn = s->seq;
	}
}

static enum trigger kind_of(const struct segment *s, bool probe)
{
	if (s->flags & TCP_RST)
		return TRIGGER_RST;
	if (s->flags & TCP_SYN)
		return s->flags & TCP_ACK ? TRIGGER_SYN_ACK : TRIGGER_SYN;
	if (s->flags & TCP_FIN)
		return TRIGGER_FIN;
	if (probe)
		return TRIGGER_PROBE;
	return s->len ? TRIGGER_DATA : TRIGGER_ACK;
}

/* Moves the sender's numbers. Returns what kind of segment it was. */
static enum trigger track_numbers(struct flowtab *t, struct rec *r, const struct segment *s)
{
	struct rec_end *e = &r->end[s->side];
	bool is_fin = s->flags & TCP_FIN;
	uint32_t end = s->seq + s->len + !!(s->flags & TCP_SYN);

	if (s->flags & TCP_SYN) {
		track_syn(t, r, s);
		e->flags |= s->flags & TCP_ACK ? END_SYN_ACK : END_SYN;
	} else {
		track_base(e, s);
	}
	/* Out of sequence and without ACK: a scan, or garbage. */
	if (is_fin && !(s->flags & TCP_ACK) && s->seq != e->nxt)
		is_fin = false;
	if (is_probe(r, s)) {
		note_probe(t, r, s);
		return TRIGGER_PROBE;
	}
	bool is_new = seq_after(end + is_fin, e->nxt);
	if ((e->flags & END_FIN) && is_new) {
		e->flags |= END_WENT_ON;
		if ((e->flags & END_FIN_INFERRED) && s->len && seq_after(end, e->fin_seq) &&
		    !is_fin)
			fin_forget(e);
	}
	if (seq_after(s->seq, e->nxt))
		hole_open(t, r, s);
	else if (s->len && r->notes)
		hole_fill(t, r, s);
	if (s->len && is_new)
		track_payload(t, r, s);
	else if (s->len && !is_fin && !(s->flags & TCP_SYN))
		note_copy(t, r, s, false);
	advance(e, end);
	if (is_fin) {
		track_fin(t, r, s);
		advance(e, end + 1);
	}
	return kind_of(s, false);
}

/* An acknowledgement of what the other side's SYN does not explain, from an end that has not
 * answered it: a challenge with the numbers of an older connection, or a confused peer. */
static bool is_challenge(const struct rec *r, const struct segment *s)
{
	const struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];

	return !(e->flags & END_SEEN) && (p->flags & (END_SYN | END_SYN_ACK)) == END_SYN &&
	       (s->flags & TCP_ACK) && s->ack - p->isn - 1 > p->nxt - p->isn + MAX_LOSS;
}

/* Numbers beyond any window, and an acknowledgement that does not vouch for them; or a second
 * SYN-ACK after the handshake. */
static bool is_foreign(const struct rec *r, const struct segment *s)
{
	const struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];
	uint32_t ahead = s->seq - e->nxt;

	if (!(e->flags & END_SEEN))
		return false;
	if (s->flags & TCP_SYN)
		return (r->flags & FLOW_DONE) && s->seq != e->isn && (e->flags & END_ISN);
	if (ahead < MAX_WINDOW || 0u - ahead < MAX_WINDOW)
		return false;
	return !(s->flags & TCP_ACK) || !(p->flags & END_SEEN) ||
	       s->ack - p->nxt + MAX_LOSS > 2 * MAX_LOSS;
}

/* Its numbers are not this connection's: only that it answered, and what, is worth keeping. */
static void note_foreign(struct flowtab *t, struct rec *r, const struct segment *s)
{
	struct note_end *n = rec_note_end(t, r, s->side);

	r->end[s->side].last = s->flags & TCP_SYN ? TRIGGER_SYN_ACK : TRIGGER_ACK;
	if (!n)
		return;
	n->last_ack = s->ack;
	n->has_last_ack = true;
}

static void track_sequence(struct flowtab *t, struct rec *r, const struct segment *s)
{
	struct rec_end *e = &r->end[s->side];
	struct note_end *n;

	if (is_challenge(r, s) || is_foreign(r, s)) {
		note_foreign(t, r, s);
		return;
	}
	uint32_t nxt = e->nxt, ack = e->ack_max;
	bool had_fin = e->flags & END_FIN;
	uint32_t copies = 0;
	if (r->notes) {
		n = rec_note(t, r, NOTE_END, s->side);
		copies = n ? n->unanswered : 0;
	}
	e->last = (uint8_t)track_numbers(t, r, s);
	if (s->flags & TCP_ACK)
		track_ack(t, r, s, had_fin);
	track_baseline(e, s);
	if ((r->end[!s->side].flags & (END_SYN_ACK | END_SEEN)) == (END_SYN_ACK | END_SEEN) &&
	    (s->flags & (TCP_SYN | TCP_ACK)) == TCP_ACK)
		r->flags |= FLOW_DONE;
	if (!r->notes)
		return;
	n = rec_note(t, r, NOTE_END, s->side);
	bool is_copy = n && n->unanswered != copies;
	if (e->ack_max != ack || (!is_copy && (s->len == 0 || s->ack == r->end[!s->side].nxt)))
		note_answer(t, r, s->side);
	/* Of the other direction nothing is captured: going on is the only sign that it answered. */
	if (n && !r->end[!s->side].packets && (e->nxt != nxt || e->ack_max != ack))
		n->unanswered = n->probes_unanswered = 0;
	reset_sender_goes_on(t, r, s,
			     e->nxt != nxt || e->ack_max != ack || (had_fin != !!(e->flags & END_FIN)));
}

static void track_packet(struct flowtab *t, struct rec *r, const struct segment *s)
{
	struct rec_end *e = &r->end[s->side];

	t->gap_ms = r->gap_ms;
	track_time(t, r, s);
	if (e->packets < UINT32_MAX)
		e->packets++;
	if (s->tunnel && e->packets + r->end[!s->side].packets == 1) {
		struct note_flow *n = rec_note_flow(t, r);

		if (n)
			n->tunnel = s->tunnel;
	}
	if (s->flags & TCP_RST) {
		reset_note(t, r, s);
		if (r->notes)
			note_answer(t, r, s->side);
		e->last = TRIGGER_RST;
	} else {
		track_sequence(t, r, s);
	}
	if (e->packets == 1 || s->at_ns > rec_time(r, WHEN_LAST + s->side))
		rec_set_time(r, WHEN_LAST + s->side, s->at_ns);
}

/* Between what it acknowledged last and what the other side has sent. */
static bool acks_forward(const struct rec_end *e, const struct rec_end *p, uint32_t ack)
{
	return ack - e->ack_max <= p->nxt - e->ack_max && p->nxt - e->ack_max < MAX_WINDOW;
}

/* Of notes that ordinary segments change, there is none: at most how long everybody paused. */
static bool is_unnoted(const struct flowtab *t, const struct rec *r)
{
	const struct note *n = flowstore_note(&t->store, r->notes);

	return !n || (n->kind == NOTE_FLOW && !n->next && !(r->flags & FLOW_REUSED));
}

/* Can nothing but the sender's numbers and times change? An acknowledgement or data, next in sequence, in
 * an open connection about which there is nothing to note. */
static bool is_usual(const struct flowtab *t, const struct rec *r, const struct segment *s)
{
	const struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];
	const unsigned need = END_SEEN | END_ACKED, never = END_FIN;

	return (s->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK &&
	       !(r->flags & (FLOW_RESET | FLOW_COARSE)) &&
	       (r->flags & FLOW_DONE || !(p->flags & END_SYN_ACK)) &&
	       (e->flags & (need | never)) == need && (p->flags & (END_SEEN | never)) == END_SEEN &&
	       s->seq == e->nxt && s->len < MAX_WINDOW && acks_forward(e, p, s->ack) &&
	       e->packets < UINT32_MAX && is_unnoted(t, r);
}

/* The short way of the segments that most of every capture consists of: what track_packet() would do
 * with them, without asking about all that cannot be. false: nothing was done, they have to go there. */
static bool track_usual(const struct flowtab *t, struct rec *r, const struct segment *s)
{
	struct rec_end *e = &r->end[s->side];

	if (!is_usual(t, r, s))
		return false;
	int64_t a = rec_when(r, WHEN_LAST), b = rec_when(r, WHEN_LAST_1), last = a > b ? a : b;
	int64_t now = s->at_ns - r->base_ns;

	if (now < last || now - last >= IDLE_PAUSE_NS || now >> 47)
		return false;
	r->gap_ms = (uint16_t)((now - last) / NS_PER_MS);
	rec_when_set(r, WHEN_LAST + s->side, now);
	e->packets++;
	e->last = s->len ? TRIGGER_DATA : TRIGGER_ACK;
	e->ack_max = s->ack;
	track_baseline(e, s);
	if (s->len) {
		rec_when_set(r, WHEN_PAYLOAD, now);
		track_turn(r, s->side, s->seq);
		advance(e, s->seq + s->len);
	}
	return true;
}

void track_segment(struct flowtab *t, const struct segment *s)
{
	struct slot *slot;
	struct rec *r;

	if (dups_has(&t->dups, s)) {
		t->n_duplicates++;
		return;
	}
	slot = flowstore_find(&t->store, s);
	if (slot->rec_plus_1 && !t->is_thorough &&
	    track_usual(t, flowstore_rec(&t->store, slot->rec_plus_1 - 1), s))
		return;
	r = incarnation_of(t, s, slot);
	if (r)
		track_packet(t, r, s);
	else
		t->refused++;
}

#include "wire/reset.h"

#include <stdlib.h>

/* How it works: a reset is judged at the moment it comes, because what explains it (the segment it
 * answers, what was unread, how long nobody spoke) is overwritten by whatever comes next. Its own
 * numbers are never fed into the connection's: they may be foreign.
 *
 * Linux sends two families. Active: RST|ACK with the socket's window and timestamps, from a local
 * event. Reply: bare, window 0, no options, its seq the ack of the segment it answers. Several
 * resets of one end for one cause are one note with repeats.
 * Source: Linux tcp_send_active_reset(), tcp_v4_send_reset(), tcp_reset_check(). */

enum {
	MAX_PER_SIDE = MAX_FLOW_RSTS - 1, /* the other side always finds a place */
	MAX_WINDOW = 1 << 30,
	ID_FAR = 8,                       /* in steps of 256 ids */
};

#define CROSSING_NS INT64_C(1000000) /* what is captured so soon after was sent before */
#define LATE_NS INT64_C(10000000000) /* longer than anything is on the way */

static bool answers(const struct rec_end *e, const struct rec_end *p,
		    const struct note_end *trouble, const struct segment *s)
{
	uint32_t ack = trouble && trouble->has_last_ack ? trouble->last_ack : p->ack_max;
	bool had_ack = (p->flags & END_ACKED) || (trouble && trouble->has_last_ack);

	if (!p->packets || p->last == TRIGGER_RST)
		return false;
	/* A SYN is refused by its acknowledgement alone, whatever number the refusal has (RFC 9293
	 * section 3.10.7.3); that of Linux is 0. The copy of a SYN with data may have none (RFC 7413 section 4.1.3). */
	if (p->last == TRIGGER_SYN || !had_ack)
		return (s->seq == 0 || !(e->flags & END_SYN_ACK)) && (s->flags & TCP_ACK) &&
		       rec_is_syn_acked(p, s->ack);
	return s->seq == ack;
}

static enum rst_shape shape_of(const struct note_rst *n, const struct rec_end *e)
{
	if (n->has_payload)
		return RST_SHAPE_ODD;
	if (!n->with_ack)
		return n->window || n->has_timestamps ? RST_SHAPE_ODD : RST_SHAPE_REPLY;
	if (n->seq == 0 && n->window == 0 && !n->has_timestamps &&
	    (n->answers_trigger || !(e->flags & END_SEEN)))
		return RST_SHAPE_REPLY;
	/* A window of 0 is possible only where the receive queue was full. */
	if (n->window == 0 && !((e->flags & END_SEEN) && e->window == 0))
		return RST_SHAPE_ODD;
	if ((e->flags & END_TS) && !n->has_timestamps)
		return RST_SHAPE_ODD;
	return RST_SHAPE_ACTIVE;
}

/* Against the sender's other segments. */
static void compare(struct note_rst *n, const struct rec_end *e, const struct segment *s)
{
	uint8_t high = (uint8_t)(s->ip_id >> 8);

	n->ttl_differs = (e->flags & END_SEEN) && !(e->flags & END_TTLS) && e->ttl != s->ttl;
	n->id_is_odd = s->ip_id && !s->df && (e->flags & END_ID) &&
		       (uint8_t)(high - e->ip_id_high + ID_FAR) > 2 * ID_FAR;
	if (s->is_header_cut)
		return;
	n->window_is_odd = n->with_ack ?
		(e->flags & END_SEEN) && e->window && !s->window : s->window != 0;
	n->options_are_odd = n->with_ack && (e->flags & END_TS) && !n->has_timestamps;
}

static void note_end_facts(struct note_rst *n, const struct rec *r, const struct segment *s)
{
	const struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];

	n->after_own_fin = e->flags & END_FIN;
	/* A reply's number is an acknowledgement: above the FIN it says that the FIN had arrived. */
	n->own_fin_acked = n->after_own_fin &&
		(e->fin_acked || (n->shape == RST_SHAPE_REPLY && s->seq == e->fin_seq + 1));
	n->after_peer_fin = p->flags & END_FIN;
	n->peer_fin_acked = n->after_peer_fin &&
		(p->fin_acked || (n->with_ack && seq_after(s->ack, p->fin_seq)));
	n->seq_is_next = e->flags & END_SEEN ? s->seq == e->nxt :
					       (p->flags & END_ACKED) && s->seq == p->ack_max;
	/* Linux takes RCV.NXT - 1 too where it has received a FIN. */
	n->is_exact = n->seq_is_next || !(p->flags & END_ACKED) || s->seq == p->ack_max ||
		      (n->after_own_fin && s->seq == p->ack_max - 1) ||
		      (p->last == TRIGGER_SYN && n->answers_trigger);
}

static void note_bytes(struct flowtab *t, struct note_rst *n, const struct rec *r,
		       const struct segment *s)
{
	const struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];
	const struct note_half *half = rec_note(t, r, NOTE_HALF, !s->side);

	n->sender_bytes = rec_bytes(r, s->side);
	n->peer_bytes = rec_bytes(r, !s->side);
	n->peer_bytes_since_own = p->flags & END_TURN ? rec_payload_since(p, r->turn) : 0;
	n->peer_bytes_after_own_fin =
		half && n->after_own_fin ? rec_payload_since(p, half->nxt) : 0;
	/* Without payload in the capture the reset's own numbers tell how much there was. */
	if (n->seq_is_next || n->shape != RST_SHAPE_ACTIVE)
		return;
	if ((e->flags & END_ISN) && s->seq - e->nxt < MAX_WINDOW)
		n->sender_bytes += s->seq - e->nxt;
	if ((p->flags & END_SEEN) && s->ack - p->nxt < MAX_WINDOW)
		n->peer_bytes += s->ack - p->nxt;
}

static int64_t gap_before_last(struct flowtab *t, const struct rec *r)
{
	const struct note_flow *n;

	if (r->gap_ms != GAP_LONG)
		return (int64_t)r->gap_ms * 1000000;
	n = rec_note(t, r, NOTE_FLOW, 0);
	return n ? n->gap_ns : (int64_t)r->gap_ms * 1000000;
}

static void note_times(struct flowtab *t, struct note_rst *n, const struct rec *r,
		       const struct segment *s)
{
	int64_t last = rec_last(r);
	int64_t trigger = n->trigger == TRIGGER_NONE ? TIME_NONE :
						       rec_time(r, WHEN_LAST + !s->side);

	n->trigger_gap_ns = trigger == TIME_NONE ? TIME_NONE : s->at_ns - trigger;
	if (n->trigger_gap_ns != TIME_NONE && n->trigger_gap_ns < 0)
		n->trigger_gap_ns = 0;
	if (last == TIME_NONE)
		n->idle_ns = TIME_NONE;
	else if (n->answers_trigger && n->shape == RST_SHAPE_REPLY && trigger == last)
		n->idle_ns = gap_before_last(t, r);
	else
		n->idle_ns = s->at_ns > last ? s->at_ns - last : 0;
}

static uint16_t at_most_u16(uint32_t v)
{
	return v < UINT16_MAX ? (uint16_t)v : UINT16_MAX;
}

/* Where nothing of the other end was captured, its answers neither, the clock tells: keepalive gives up when the next
 * probe would be due. Source: Linux tcp_keepalive_timer(). */
static bool is_next_tick(const struct note_end *own, int64_t idle_ns)
{
	int64_t interval = own->probe_interval_ns;

	return interval > 0 && interval / 8 >= llabs(interval - idle_ns);
}

/* Everything known of it now. */
static struct note_rst describe(struct flowtab *t, const struct rec *r, const struct segment *s)
{
	const struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];
	const struct note_end *own = rec_note(t, r, NOTE_END, s->side);
	struct note_rst n = {
		.at_ns = s->at_ns, .seq = s->seq, .ack = s->ack,
		.window = s->window, .ip_id = s->ip_id, .ttl = s->ttl,
		.trigger = p->packets ? p->last : TRIGGER_NONE,
		.with_ack = s->flags & TCP_ACK,
		.has_timestamps = s->has_ts, .has_options = s->has_options,
		.has_payload = s->len > 0, .df = s->df,
		.probe_interval_ns = TIME_NONE,
	};

	n.answers_trigger = answers(e, p, rec_note(t, r, NOTE_END, !s->side), s);
	n.shape = (uint8_t)shape_of(&n, e);
	note_end_facts(&n, r, s);
	note_bytes(t, &n, r, s);
	note_times(t, &n, r, s);
	compare(&n, e, s);
	/* A closed window that nobody opens ends without a reset: probes of one are no reason for this one. */
	if (own)
		n.retransmissions_unanswered =
			at_most_u16(own->unanswered - own->probes_unanswered);
	/* A closed window that nobody opens ends without a reset: probes of one are no reason for this one. */
	if (own && !own->probes_are_window && (p->packets || is_next_tick(own, n.idle_ns))) {
		n.probes_unanswered = at_most_u16(own->probes_unanswered);
		if (own->probes > 1)
			n.probe_interval_ns = own->probe_interval_ns;
	}
	return n;
}

/* One cause, a second reset? The same numbers; or a reply after a reset that came from the same
 * host: to the next segment under way, or to the challenge that an inexact reset provoked. */
static bool is_repeat(const struct note_rst *old, const struct note_rst *n)
{
	if (old->seq == n->seq)
		return true;
	if (old->sender_went_on || n->shape != RST_SHAPE_REPLY || old->shape == RST_SHAPE_ODD)
		return false;
	return n->answers_trigger;
}

static struct note_rst *find_repeated(struct flowtab *t, const struct rec *r,
				      const struct note_rst *n, unsigned side)
{
	struct note *at = flowstore_note(&t->store, r->notes);
	struct note_rst *newest = NULL;
	unsigned mine = 0, all = 0;

	for (; at; at = flowstore_note(&t->store, at->next)) {
		if (at->kind != NOTE_RST)
			continue;
		all++;
		if (at->end != side)
			continue;
		mine++;
		if (!newest)
			newest = (void *)at;
		if (is_repeat((void *)at, n))
			return (void *)at;
	}
	return mine >= MAX_PER_SIDE || (mine && all >= MAX_FLOW_RSTS) ? newest : NULL;
}

static void rst_add(struct flowtab *t, struct rec *r, const struct segment *s,
		    const struct note_rst *n)
{
	struct note_rst *old = find_repeated(t, r, n, s->side);

	if (old) {
		if (old->note.repeats < UINT16_MAX)
			old->note.repeats++;
		if (!old->is_exact && n->is_exact && n->trigger == TRIGGER_ACK)
			old->is_challenge_pair = true;
		return;
	}
	old = (void *)flowstore_note_add(&t->store, r, NOTE_RST, s->side, sizeof(*old));
	if (!old)
		return;
	struct note head = old->note;
	*old = *n;
	old->note = head;
}

static bool is_newest_of_pair(struct flowtab *t, const struct rec *r, const struct segment *s)
{
	return flowstore_rec(&t->store, flowstore_find(&t->store, s)->rec_plus_1 - 1) == r;
}

/* Its number is that of a challenge, which answered our SYN with an older connection's numbers. */
static bool answers_foreign(const struct rec *r, const struct note_rst *n, const struct segment *s)
{
	return (n->trigger == TRIGGER_ACK || n->trigger == TRIGGER_SYN_ACK) && n->answers_trigger &&
	       (r->end[s->side].flags & END_SYN) && !(r->end[!s->side].flags & END_SEEN);
}

void reset_note(struct flowtab *t, struct rec *r, const struct segment *s)
{
	const struct rec_end *p = &r->end[!s->side];
	struct note_rst n = describe(t, r, s);
	bool is_newest = is_newest_of_pair(t, r, s);
	bool to_syn = n.trigger == TRIGGER_SYN && n.answers_trigger;

	n.of_old_incarnation = !is_newest || answers_foreign(r, &n, s);
	if (n.trigger == TRIGGER_SYN_ACK && n.shape == RST_SHAPE_REPLY && n.answers_trigger)
		t->captures[r->capture].unanswered_syn_acks--;
	rst_add(t, r, s, &n);
	if (n.of_old_incarnation && is_newest)
		return;
	/* Out of any window: the receiver never looked at it. */
	if (!n.is_exact && s->seq - p->ack_max + MAX_WINDOW / 64 > MAX_WINDOW)
		return;
	r->flags |= FLOW_RESET | (to_syn ? FLOW_REFUSED : 0);
}

/* An end that speaks after its own reset is alive, so somebody else sent the reset in its name; if
 * the other end then answers as if nothing had been, the reset was ignored. What it had sent before is
 * no answer, unless it says something new or comes too late for that. */
void reset_sender_goes_on(struct flowtab *t, struct rec *r, const struct segment *s, bool is_new)
{
	struct note *at = flowstore_note(&t->store, r->notes);
	bool is_ignored = false;

	for (; at; at = flowstore_note(&t->store, at->next)) {
		struct note_rst *n = (void *)at;

		if (at->kind != NOTE_RST || n->of_old_incarnation)
			continue;
		if (at->end == s->side) {
			if (is_new || s->at_ns - n->at_ns > CROSSING_NS)
				n->sender_went_on = true;
			continue;
		}
		is_ignored |= n->sender_went_on && (is_new || s->at_ns - n->at_ns > LATE_NS);
	}
	if (is_ignored)
		r->flags &= (uint8_t)~(FLOW_RESET | FLOW_REFUSED);
}

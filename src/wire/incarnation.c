#include "wire/reset.h"

/* How it works: the index knows the newest connection of a pair, which knows the one before it.
 *
 * A SYN with a number of its own begins a new connection at once; the answer shows whether that was
 * right. A peer that still holds the old one answers with the old numbers (a challenge ACK), and
 * the reset that follows carries them too: both go to the old record. If after that the old
 * numbers go on and no SYN-ACK came, the SYN was never more than a question inside the old
 * connection, and its record becomes void. Without its SYN, a new connection is one whose numbers,
 * in both directions, are beyond any window, after the old one had ended.
 * Source: RFC 5961 section 4; RFC 6191; Linux tcp_validate_incoming(), tcp_timewait_state_process(). */

enum {
	FAR = 1 << 24,      /* beyond what a window or a loss explains in a closed connection */
	VERY_FAR = 1 << 30, /* beyond any window */
};

static uint32_t apart(uint32_t a, uint32_t b)
{
	int32_t d = seq_diff(a, b);

	return d < 0 ? 0u - (uint32_t)d : (uint32_t)d;
}

/* How far the segment is from this record's numbers: the worse of both directions, or UINT32_MAX
 * if nothing is known to compare with. A reset has no meaningful acknowledgement. */
static uint32_t distance(const struct rec *r, const struct segment *s)
{
	const struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];
	bool has_seq = e->flags & END_SEEN;
	bool has_ack = (s->flags & (TCP_ACK | TCP_RST)) == TCP_ACK && (p->flags & END_SEEN);
	uint32_t seq = has_seq ? apart(s->seq, e->nxt) : 0;
	uint32_t ack = has_ack ? apart(s->ack, p->nxt) : 0;

	if (!has_seq && !has_ack)
		return UINT32_MAX;
	return seq > ack ? seq : ack;
}

/* Both directions are beyond `limit`. */
static bool is_foreign(const struct rec *r, const struct segment *s, uint32_t limit)
{
	const struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];

	return (s->flags & (TCP_ACK | TCP_RST)) == TCP_ACK && (e->flags & END_SEEN) &&
	       (p->flags & END_SEEN) && apart(s->seq, e->nxt) > limit &&
	       apart(s->ack, p->nxt) > limit;
}

/* Plus 1; 0: there is none. */
static uint32_t before_number(const struct flowtab *t, const struct rec *r)
{
	const struct note_flow *n =
		r->flags & FLOW_REUSED ? rec_note(t, r, NOTE_FLOW, 0) : NULL;

	return n ? n->before : 0;
}

static struct rec *begin(struct flowtab *t, const struct segment *s)
{
	const struct slot *slot = flowstore_find(&t->store, s);
	uint32_t old = slot->rec_plus_1, at;

	if (!flowstore_add(&t->store, s, &at))
		return NULL;
	struct rec *r = flowstore_rec(&t->store, at);
	r->capture = s->capture;
	t->captures[r->capture].flows++;
	if (!old)
		return r;
	r->flags |= FLOW_REUSED;
	struct note_flow *n = rec_note_flow(t, r);
	if (n)
		n->before = old;
	return r;
}

/* The same SYN once more, or a new connection that happens to have the same number? */
static bool is_syn_again(const struct rec *r, const struct segment *s)
{
	const struct rec_end *e = &r->end[s->side];

	if (!(e->flags & END_ISN) || e->isn != s->seq)
		return false;
	return !rec_is_closed(r) || !(r->flags & FLOW_DONE);
}

/* A SYN that stands behind its successors in the file, or crosses the other side's SYN. */
static bool is_syn_late(const struct rec *r, const struct segment *s)
{
	const struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];
	uint32_t first = s->seq + 1;

	if (e->flags & END_ISN)
		return false;
	if (e->flags & END_SEEN)
		return first == e->isn || (s->at_ns < r->base_ns && apart(first, e->isn) < FAR);
	if (p->flags & END_SYN_ACK)
		return (p->flags & END_ACKED) && !seq_before(p->ack_max, first) &&
		       apart(p->ack_max, first) < FAR;
	return (p->flags & END_SYN) && p->nxt == p->isn + 1 && !rec_is_closed(r);
}

/* Belongs to a SYN that is known, or to one that nobody captured: several with different numbers
 * may answer the same SYN (SYN cookies, a load balancer, a forger). */
static bool is_syn_ack_here(const struct rec *r, const struct segment *s)
{
	const struct rec_end *e = &r->end[s->side], *p = &r->end[!s->side];
	bool answers = rec_is_syn_acked(p, s->ack);

	if ((p->flags & END_ISN) && (answers || !rec_is_closed(r)))
		return true;
	if (!(p->flags & END_SEEN))
		return (e->flags & END_SYN_ACK) && s->ack == e->ack_max;
	if (!(e->flags & END_SEEN))
		return answers;
	return !(e->flags & END_ISN) && s->seq + 1 == e->isn;
}

static struct rec *incarnation_of_syn(struct flowtab *t, const struct segment *s, struct rec *r)
{
	bool is_here = s->flags & TCP_ACK ? is_syn_ack_here(r, s) : is_syn_late(r, s);

	if (is_here || is_syn_again(r, s))
		return r;
	if (!(r->end[s->side].flags & END_SEEN) && !r->end[!s->side].packets)
		return r; /* only resets of this end so far */
	return begin(t, s);
}

/* The newest record holds nothing but an unanswered SYN, and the old connection lives on: fold the
 * SYN into it. */
static struct rec *dissolve(struct flowtab *t, const struct segment *s, struct rec *r,
			    struct rec *old)
{
	r->flags |= FLOW_VOID;
	t->n_void++;
	for (unsigned i = 0; i < 2; i++)
		old->end[i].packets += r->end[i].packets;
	flowstore_repoint(&t->store, s, before_number(t, r) - 1);
	return old;
}

static bool is_unanswered_syn(const struct rec *r)
{
	return !((r->end[0].flags | r->end[1].flags) & END_SYN_ACK) && !(r->flags & FLOW_DONE) &&
	       !rec_is_closed(r) &&
	       (r->end[0].flags & r->end[1].flags & END_SEEN) == 0;
}

/* A refusal's own number is 0, or any: the acknowledgement tells which SYN it answers (RFC 9293 section 3.10.7.3). */
static bool answers_syn(const struct rec *r, const struct segment *s)
{
	const struct rec_end *p = &r->end[!s->side];

	return (s->flags & TCP_ACK) && (p->flags & END_SYN) && rec_is_syn_acked(p, s->ack);
}

/* A segment whose numbers suit the connection before better. */
static struct rec *incarnation_of_stray(struct flowtab *t, const struct segment *s, struct rec *r,
					struct rec *old)
{
	uint32_t here = distance(r, s), there = distance(old, s);
	bool unanswered = is_unanswered_syn(r);

	if (answers_syn(r, s) || there >= FAR || here <= there || (!unanswered && here < FAR))
		return r;
	if (unanswered && !rec_is_closed(old) && !(s->flags & TCP_RST) &&
	    (s->len || (s->flags & TCP_FIN)) && (r->end[s->side].flags & END_SYN))
		return dissolve(t, s, r, old);
	return old;
}

struct rec *incarnation_of(struct flowtab *t, const struct segment *s, const struct slot *slot)
{
	struct rec *r;

	if (!slot->rec_plus_1)
		return begin(t, s);
	r = flowstore_rec(&t->store, slot->rec_plus_1 - 1);
	if ((s->flags & (TCP_SYN | TCP_RST)) == TCP_SYN)
		return incarnation_of_syn(t, s, r);
	uint32_t old = before_number(t, r);
	if (old)
		r = incarnation_of_stray(t, s, r, flowstore_rec(&t->store, old - 1));
	if (is_foreign(r, s, rec_is_closed(r) ? FAR : VERY_FAR))
		return begin(t, s);
	return r;
}

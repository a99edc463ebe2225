#include "rules/cause.h"
#include "util/attr.h"

/* How it works: first what the place in the connection decides (a SYN, a foreign incarnation), then
 * signs that somebody else sent it, then the family, then what went before. In a capture without
 * data nothing is claimed that needs the missing segments. */

#define SECOND_NS INT64_C(1000000000)

static bool is_full(const struct flow *f)
{
	return f->content == CONTENT_FULL && !f->is_lossy && !f->is_one_sided;
}

/* Certain or likely with all packets at hand, one step less without. */
static enum certainty at_best(const struct flow *f, enum certainty c)
{
	if (is_full(f) || c == CERTAINTY_POSSIBLE)
		return c;
	return c == CERTAINTY_CERTAIN ? CERTAINTY_LIKELY : CERTAINTY_POSSIBLE;
}

static enum certainty certain(const struct flow *f, const struct flow_rst *r)
{
	(void)r;
	return at_best(f, CERTAINTY_CERTAIN);
}

static enum certainty likely(const struct flow *f, const struct flow_rst *r)
{
	(void)r;
	return at_best(f, CERTAINTY_LIKELY);
}

static enum certainty possible(const struct flow *f, const struct flow_rst *r)
{
	(void)f, (void)r;
	return CERTAINTY_POSSIBLE;
}

static bool is_active(const struct flow_rst *r)
{
	return r->shape == RST_SHAPE_ACTIVE;
}

static bool is_reply(const struct flow_rst *r)
{
	return r->shape == RST_SHAPE_REPLY;
}

/* ---- opening ---- */

static bool refused(const struct flow *f, const struct flow_rst *r)
{
	return f->pattern == PATTERN_REFUSED && r->with_ack && r->from == SIDE_SERVER &&
	       !f->handshake_done;
}

unsigned cause_routers_passed(uint8_t ttl)
{
	return (ttl <= 64 ? 64u : ttl <= 128 ? 128u : 255u) - ttl;
}

/* Refused from a place nearer than the host which answers at that address. Another TTL from the same distance is
 * another program or another option (IP_TTL, BGP's 255). */
static bool admin(const struct flow *f, const struct flow_rst *r)
{
	return refused(f, r) && r->host_ttl &&
	       cause_routers_passed(r->ttl) < cause_routers_passed(r->host_ttl);
}

static enum certainty how_refused(const struct flow *f, const struct flow_rst *r)
{
	if (!f->opened_seen)
		return CERTAINTY_POSSIBLE;
	/* Hosts answer with the number 0; other stacks do not, nor do boxes on the way. */
	return r->seq == 0 ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY;
}

static enum certainty how_admin(const struct flow *f, const struct flow_rst *r)
{
	(void)r;
	return f->opened_seen ? CERTAINTY_LIKELY : CERTAINTY_POSSIBLE;
}

/* SYN, SYN-ACK, and the side that asked does not want it any more. */
static bool abandoned(const struct flow *f, const struct flow_rst *r)
{
	return is_reply(r) && r->from == SIDE_CLIENT && r->trigger == TRIGGER_SYN_ACK &&
	       r->answers_trigger && !r->of_old_incarnation && !f->handshake_done;
}

/* A SYN was answered by the ACK of an older connection of the same addresses, whose numbers the
 * client's host rejects. */
static bool old_connection(const struct flow *f, const struct flow_rst *r)
{
	(void)f;
	return r->of_old_incarnation && is_reply(r) && !r->with_ack && r->from == SIDE_CLIENT;
}

/* Both FINs are through: what answered was TIME-WAIT. */
static bool time_wait_reuse(const struct flow *f, const struct flow_rst *r)
{
	return old_connection(f, r) && r->after_own_fin && r->after_peer_fin;
}

/* ---- who sent it? ---- */

/* A reset that was not exact, the challenge, and the exact one: RFC 5961. */
static bool challenge(const struct flow *f, const struct flow_rst *r)
{
	(void)f;
	return r->is_challenge_pair && !(is_active(r) && r->seq_is_next);
}

/* Seen where it arrived, and not where it would have been sent. */
static bool not_sent(const struct flow *f, const struct flow_rst *r)
{
	(void)f;
	return r->not_sent;
}

static enum certainty how_not_sent(const struct flow *f, const struct flow_rst *r)
{
	(void)f;
	return r->not_sent_is_certain ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY;
}

static unsigned signs(const struct flow_rst *r)
{
	return (unsigned)r->ttl_differs + r->window_is_odd + r->options_are_odd + r->id_is_odd +
	       r->has_payload + 2 * (unsigned)r->sender_went_on;
}

static bool injected(const struct flow *f, const struct flow_rst *r)
{
	(void)f;
	if (signs(r) >= 2)
		return true;
	/* One sign of itself means little; but no Linux host sends this shape. */
	return r->shape == RST_SHAPE_ODD || r->ttl_differs;
}

static enum certainty how_injected(const struct flow *f, const struct flow_rst *r)
{
	return signs(r) >= 2 ? at_best(f, CERTAINTY_LIKELY) : CERTAINTY_POSSIBLE;
}

/* ---- replies ---- */

/* Both FINs had been received; one last segment met no socket. */
static bool after_all(const struct flow *f, const struct flow_rst *r)
{
	const struct flow_fin *peer = &f->end[side_other(r->from)].fin;

	return is_reply(r) && r->after_own_fin && r->after_peer_fin &&
	       (r->peer_fin_acked || peer->acked_ns != TIME_NONE) && r->trigger != TRIGGER_FIN;
}

/* The handshake's last ACK is answered with a reset: the queue was full. */
static bool backlog(const struct flow *f, const struct flow_rst *r)
{
	bool at_once = r->trigger_gap_ns != TIME_NONE && r->trigger_gap_ns < SECOND_NS / 10;

	(void)f;
	return is_reply(r) && r->from == SIDE_SERVER && r->trigger == TRIGGER_ACK && at_once &&
	       r->answers_trigger && !r->after_own_fin && !r->after_peer_fin &&
	       r->sender_bytes == 0 && r->peer_bytes == 0;
}

/* The sender had closed, then something came that only a reader could have taken. With the last of it the peer's
 * FIN may come: FIN-WAIT-2 acknowledges a FIN alone. Source: Linux tcp_timewait_state_process(),
 * tcp_rcv_state_process(). */
static bool after_close(const struct flow *f, const struct flow_rst *r)
{
	(void)f;
	if (!r->after_own_fin || !is_reply(r) || r->with_ack)
		return false;
	if (r->after_peer_fin || r->trigger == TRIGGER_FIN)
		return r->peer_bytes_after_own_fin > 0 && !r->peer_fin_acked;
	return r->trigger != TRIGGER_ACK && r->trigger != TRIGGER_PROBE;
}

static enum certainty how_after_close(const struct flow *f, const struct flow_rst *r)
{
	bool data_seen = r->peer_bytes_after_own_fin > 0 && r->answers_trigger &&
			 r->trigger == TRIGGER_DATA;

	if (r->after_peer_fin)
		return at_best(f, CERTAINTY_LIKELY);
	if (!data_seen)
		return f->content == CONTENT_FULL ? CERTAINTY_POSSIBLE : CERTAINTY_LIKELY;
	return f->is_lossy ? CERTAINTY_LIKELY : CERTAINTY_CERTAIN;
}

/* TCP_LINGER2 below 0: the ACK of the FIN itself meets nobody. */
static bool linger2_reply(const struct flow *f, const struct flow_rst *r)
{
	(void)f;
	return is_reply(r) && r->after_own_fin && !r->after_peer_fin &&
	       r->trigger == TRIGGER_ACK && r->answers_trigger &&
	       r->own_fin_gap_ns != TIME_NONE && r->own_fin_gap_ns < SECOND_NS &&
	       r->peer_bytes_after_own_fin == 0;
}

/* A segment of a connection that the sender's host does not know, or not any more. */
static bool unknown_there(const struct flow *f, const struct flow_rst *r)
{
	(void)f;
	return is_reply(r) && !r->with_ack;
}

static enum certainty how_unknown_there(const struct flow *f, const struct flow_rst *r)
{
	return r->answers_trigger ? at_best(f, CERTAINTY_LIKELY) : CERTAINTY_POSSIBLE;
}

/* ---- active ---- */

static bool keepalive(const struct flow *f, const struct flow_rst *r)
{
	(void)f;
	return is_active(r) && r->probes_unanswered > 0;
}

static enum certainty how_keepalive(const struct flow *f, const struct flow_rst *r)
{
	/* Two at an equal distance are a timer; one may be a coincidence. */
	return at_best(f, r->probes_unanswered >= 2 ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY);
}

/* Two copies and more that nobody answered: longer than a tail probe, and no accident. The kernel itself
 * gives data up without a reset, so somebody's own patience had ended. */
static bool gave_up(const struct flow *f, const struct flow_rst *r)
{
	(void)f;
	return is_active(r) && r->retransmissions_unanswered >= 2;
}

/* A server that never said a byte to a client that never did either. */
static bool listener_closed(const struct flow *f, const struct flow_rst *r)
{
	return is_active(r) && r->from == SIDE_SERVER && f->opened_seen && !r->after_own_fin &&
	       !r->after_peer_fin && r->sender_bytes == 0 && r->peer_bytes == 0;
}

/* A client that had its answer: whether it read that, packets do not tell. */
static bool has_answer(const struct flow_rst *r)
{
	return r->from == SIDE_CLIENT && r->sender_bytes > 0 && r->peer_bytes_since_own > 0;
}

/* The peer spoke last, or after the sender's FIN, and close() found that unread. */
static bool unread(const struct flow *f, const struct flow_rst *r)
{
	(void)f;
	if (!is_active(r) || r->peer_bytes == 0 || has_answer(r))
		return false;
	if (r->after_own_fin)
		return r->peer_bytes_after_own_fin > 0;
	return r->peer_bytes_since_own > 0 || r->sender_bytes == 0;
}

static bool deliberate(const struct flow *f, const struct flow_rst *r)
{
	(void)f;
	return is_active(r);
}

static enum certainty how_deliberate(const struct flow *f, const struct flow_rst *r)
{
	/* In FIN-WAIT-2 it may as well be TCP_LINGER2 below 0. */
	return r->after_own_fin || has_answer(r) ? CERTAINTY_POSSIBLE : at_best(f, CERTAINTY_LIKELY);
}

static const struct cause rows[] = {
	{ "rst-injected", not_sent, how_not_sent },
	{ "rst-admin", admin, how_admin },
	{ "rst-refused", refused, how_refused },
	{ "rst-connect-abandoned", abandoned, likely },
	{ "rst-time-wait-reuse", time_wait_reuse, likely },
	{ "rst-half-open", old_connection, likely },
	{ "rst-challenge", challenge, certain },
	{ "rst-injected", injected, how_injected },
	{ "rst-after-fin-complete", after_all, certain },
	{ "rst-backlog-overflow", backlog, likely },
	{ "rst-linger-zero", linger2_reply, possible },
	{ "rst-after-close", after_close, how_after_close },
	{ "rst-no-such-connection", unknown_there, how_unknown_there },
	{ "rst-keepalive-timeout", keepalive, how_keepalive },
	{ "rst-user-timeout", gave_up, possible },
	{ "rst-listener-closed", listener_closed, possible },
	{ "rst-unread-data", unread, likely },
	{ "rst-linger-zero", deliberate, how_deliberate },
};

void cause_name_all(const struct flow *f, struct rst_cause causes[static MAX_FLOW_RSTS])
{
	for (size_t i = 0; i < MAX_FLOW_RSTS; i++) {
		causes[i] = (struct rst_cause){ 0 };
		for (size_t k = 0; i < f->n_rsts && k < ARRAY_LEN(rows); k++) {
			if (!rows[k].matches(f, &f->rsts[i]))
				continue;
			causes[i].rule = rows[k].rule;
			causes[i].certainty = rows[k].how_sure(f, &f->rsts[i]);
			break;
		}
	}
}

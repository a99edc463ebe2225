#include "wire/teardown.h"

/* How it works: see the table in teardown.c. Where the capture holds no bare acknowledgements, an
 * acknowledged FIN shows only in what followed; where nothing shows it, the state is unknown. So it is where
 * nothing of the other end was captured, whose own FIN shows in what this one acknowledges. */

/* A FIN that nobody acknowledges is sent again within a fraction of a second. If for so long no copy
 * came, it was acknowledged, in a capture that holds no acknowledgements. */
#define QUIET_NS INT64_C(3000000000)

/* Has this end's FIN arrived? `unknown`: this capture cannot tell. */
static bool fin_arrived(const struct flow *f, enum side side, bool *ret_unknown)
{
	const struct flow_fin *fin = &f->end[side].fin;

	*ret_unknown = false;
	if (!fin->seen)
		return false;
	if (fin->acked_ns != TIME_NONE || f->end[side_other(side)].fin.covers_peer_fin)
		return true;
	if (f->content != CONTENT_FIN_RST_ONLY && !f->is_one_sided)
		return false;
	/* Nobody sent it again for so long: it was acknowledged. */
	if (!fin->retransmissions && f->capture_end_ns - fin->last_ns > QUIET_NS)
		return true;
	*ret_unknown = fin->retransmissions == 0 || f->is_one_sided;
	return false;
}

static enum state state_before_fin(const struct flow *f, enum side side)
{
	const struct flow_end *client = &f->end[SIDE_CLIENT], *server = &f->end[SIDE_SERVER];

	if (f->handshake_done || !f->opened_seen)
		return STATE_ESTABLISHED;
	if (side == SIDE_CLIENT && client->has_acked)
		return STATE_ESTABLISHED;
	/* A SYN-ACK that is repeated and never acknowledged may never have arrived, or its answers were lost. */
	if (side == SIDE_CLIENT && server->isn_known)
		return f->content == CONTENT_FULL && server->unanswered ? STATE_UNKNOWN : STATE_ESTABLISHED;
	if (side == SIDE_CLIENT)
		return STATE_SYN_SENT;
	if (!server->isn_known)
		return STATE_UNKNOWN;
	return f->content == CONTENT_FULL ? STATE_SYN_RECV : STATE_UNKNOWN;
}

static enum state state_of(const struct flow *f, enum side side)
{
	const struct flow_fin *own = &f->end[side].fin;
	bool own_unknown, peer_unknown;
	bool own_acked = fin_arrived(f, side, &own_unknown);
	bool peer_came = fin_arrived(f, side_other(side), &peer_unknown);

	if (!own->seen) {
		if (peer_unknown)
			return STATE_UNKNOWN;
		return peer_came ? STATE_CLOSE_WAIT : state_before_fin(f, side);
	}
	if (own_unknown || peer_unknown)
		return STATE_UNKNOWN;
	if (!peer_came)
		return own_acked ? STATE_FIN_WAIT_2 : STATE_FIN_WAIT_1;
	if (own->covers_peer_fin)
		return own_acked ? STATE_CLOSED : STATE_LAST_ACK;
	return own_acked ? STATE_TIME_WAIT : STATE_CLOSING;
}

/* What a reset did to the application of the end that received it. */
static enum saw saw_of_reset(const struct flow *f, const struct flow_rst *rst)
{
	bool to_prober = rst->shape == RST_SHAPE_ACTIVE && rst->probes_unanswered;

	if (f->pattern == PATTERN_REFUSED)
		return SAW_ECONNREFUSED;
	if (to_prober)
		return SAW_UNKNOWN; /* it had not answered for long: nothing reached it */
	if (rst->from == SIDE_CLIENT && f->opened_seen && !f->handshake_done && f->content == CONTENT_FULL &&
	    rst->sender_bytes + rst->peer_bytes == 0)
		return SAW_UNKNOWN; /* no program had been given that connection */
	if (!rst->after_own_fin)
		return SAW_ECONNRESET;
	/* The reader had its end of file before; only data it still sent met the reset. */
	return rst->shape == RST_SHAPE_REPLY && rst->trigger != TRIGGER_FIN &&
	       rst->trigger != TRIGGER_ACK ? SAW_EPIPE : SAW_EOF;
}

/* Of the application whose own end sent the reset: it saw something only if a timer had ended it. */
static enum saw saw_of_sender(const struct flow_rst *rst)
{
	if (rst->shape == RST_SHAPE_ACTIVE && rst->probes_unanswered)
		return SAW_ETIMEDOUT;
	/* It had given up before: its host no longer knew the connection. */
	if (rst->shape == RST_SHAPE_REPLY && rst->retransmissions_unanswered > 1)
		return SAW_ETIMEDOUT;
	return SAW_UNKNOWN;
}

static void saw_resets(struct flow *f)
{
	for (uint32_t i = 0; i < f->n_rsts; i++) {
		const struct flow_rst *rst = &f->rsts[i];
		struct flow_end *to = &f->end[side_other(rst->from)], *from = &f->end[rst->from];

		if (to->saw == SAW_UNKNOWN)
			to->saw = saw_of_reset(f, rst);
		if (from->saw == SAW_UNKNOWN)
			from->saw = saw_of_sender(rst);
	}
}

void teardown_states(struct flow *f, bool is_reset)
{
	bool unknown;

	if (is_reset && (f->pattern == PATTERN_RESET || f->pattern == PATTERN_RESET_AFTER_FIN ||
			 f->pattern == PATTERN_REFUSED)) {
		saw_resets(f);
		for (unsigned i = 0; i < N_SIDES; i++)
			f->end[i].state = STATE_CLOSED;
		return;
	}
	for (unsigned i = 0; i < N_SIDES; i++) {
		f->end[i].state = state_of(f, i);
		if (fin_arrived(f, side_other(i), &unknown))
			f->end[i].saw = SAW_EOF;
	}
}

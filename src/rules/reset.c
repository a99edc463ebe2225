#include "rules/reset.h"
#include "rules/facts.h"
#include "rules/words.h"

#include <string.h>

/* How it works: Linux sends two kinds of resets. An *active* one is a living socket giving up; a
 * *reply* answers a segment that met no socket, or the wrong one. The shape decides the family, what
 * went before decides the cause. Source: Linux net/ipv4/tcp_output.c, tcp_send_active_reset();
 * tcp_ipv4.c, tcp_v4_send_reset(). */

static bool is_refusal(const struct flow *f, const struct flow_rst *r)
{
	return f->pattern == PATTERN_REFUSED && r->with_ack && r->from == SIDE_SERVER &&
	       !f->handshake_done;
}

/* The sender had closed, then a segment arrived that only a reader could have taken. */
static bool is_after_close(const struct flow_rst *r)
{
	return r->after_own_fin && r->shape == RST_SHAPE_REPLY && !r->with_ack &&
	       !r->after_peer_fin && r->trigger != TRIGGER_FIN;
}

static enum certainty after_close_certainty(const struct flow *f, const struct flow_rst *r)
{
	bool data_seen = r->peer_bytes_after_own_fin > 0 && r->answers_trigger &&
			 r->trigger == TRIGGER_DATA;

	if (!data_seen)
		return f->content == CONTENT_FULL ? CERTAINTY_POSSIBLE : CERTAINTY_LIKELY;
	return f->is_lossy ? CERTAINTY_LIKELY : CERTAINTY_CERTAIN;
}

void reset_name_causes(const struct flow *f, struct rst_cause causes[static MAX_FLOW_RSTS])
{
	for (size_t i = 0; i < MAX_FLOW_RSTS; i++) {
		const struct flow_rst *r = &f->rsts[i];

		causes[i] = (struct rst_cause){ 0 };
		if (i >= f->n_rsts)
			continue;
		if (is_refusal(f, r)) {
			causes[i].rule = "rst-refused";
			causes[i].certainty = f->opened_seen ? CERTAINTY_CERTAIN :
							       CERTAINTY_POSSIBLE;
		} else if (is_after_close(r)) {
			causes[i].rule = "rst-after-close";
			causes[i].certainty = after_close_certainty(f, r);
		}
	}
}

/* The first reset with this cause; NULL: none. */
static const struct flow_rst *rst_with_cause(const struct conn *c, const char *id,
					     enum certainty *ret_certainty)
{
	for (size_t i = 0; i < c->flow->n_rsts && i < MAX_FLOW_RSTS; i++) {
		if (!c->rst_causes[i].rule || strcmp(c->rst_causes[i].rule, id) != 0)
			continue;
		if (ret_certainty)
			*ret_certainty = c->rst_causes[i].certainty;
		return &c->flow->rsts[i];
	}
	return NULL;
}

static enum verdict refused(const struct conn *c, const struct bounds *b)
{
	(void)b;
	return rst_with_cause(c, "rst-refused", NULL) ? VERDICT_FIRES : VERDICT_SILENT;
}

static enum certainty refused_certainty(const struct conn *c)
{
	enum certainty sure = CERTAINTY_POSSIBLE;

	rst_with_cause(c, "rst-refused", &sure);
	return sure;
}

static bool weigh_refused(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	/* One refused connection may be somebody probing; a second is a client that wants in. */
	f->severity = g->count > 1 ? SEVERITY_PROBLEM : SEVERITY_NOTE;
	finding_fact(f, "first_at", FACT_TIME_NS, g->first_fin_ns);
	finding_fact_text(f, "application_saw", "ECONNREFUSED (111; Windows 10061)");
	return true;
}

static enum verdict after_close(const struct conn *c, const struct bounds *b)
{
	(void)b;
	return rst_with_cause(c, "rst-after-close", NULL) ? VERDICT_FIRES : VERDICT_SILENT;
}

static enum certainty after_close_sure(const struct conn *c)
{
	enum certainty sure = CERTAINTY_POSSIBLE;

	rst_with_cause(c, "rst-after-close", &sure);
	return sure;
}

static bool weigh_after_close(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_WARNING;
	finding_fact(f, "first_at", FACT_TIME_NS, g->first_fin_ns);
	finding_fact_sentence(f, "closed_side", g->side == SIDE_CLIENT ? N_("client") : N_("server"));
	finding_fact_sentence(f, "sending_side",
			      g->side == SIDE_CLIENT ? N_("server") : N_("client"));
	if (g->bytes > 0)
		finding_fact(f, "data_after_close", FACT_BYTES, (int64_t)g->bytes);
	if (g->longest_ns > 0)
		finding_fact(f, "longest_after_fin", FACT_MS, g->longest_ns / 1000000);
	finding_fact_text(f, "application_saw", "EOF, then EPIPE (32) on write");
	return true;
}

void reset_gather(struct group *g, const struct conn *c)
{
	const struct flow *f = c->flow;
	int64_t at = f->first_ns;
	uint64_t span = 0;

	for (size_t i = 0; i < f->n_rsts && i < MAX_FLOW_RSTS; i++) {
		const struct flow_rst *r = &f->rsts[i];

		if (!c->rst_causes[i].rule || strcmp(c->rst_causes[i].rule, g->rule->text.id) != 0)
			continue;
		at = r->at_ns;
		g->side = r->from;
		g->bytes += r->peer_bytes_after_own_fin;
		if (r->own_fin_gap_ns != TIME_NONE && r->own_fin_gap_ns > 0)
			span = (uint64_t)r->own_fin_gap_ns;
		break;
	}
	if (span > g->longest_ns)
		g->longest_ns = span;
	if (g->first_fin_ns == TIME_NONE || at < g->first_fin_ns)
		g->first_fin_ns = at;
}

const struct rule reset_rules[] = {
	{
		.text = {
			.id = "rst-refused",
			.title = N_("nobody listens there"),
			.says = N_("{count} {count:connection|connections} to {peer} "
				   "{count:was|were} refused: the SYN was answered with a reset."),
			.why = N_("No listener owned that address and port when the SYN came, or a "
				  "firewall rejected it with a reset, which looks the same. The "
				  "client's connect() failed at once."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("On the server: does anything listen there, on this "
					     "address and address family?"),
				  .command = "ss -ltn" },
				{ .kind = FIX_CODE,
				  .text = N_("Retry with backoff where the server may be restarting; "
					     "hand the listening socket over in rolling restarts.") },
			},
			.avoid = { N_("tcp_abort_on_overflow, or retrying without a pause.") },
			.refs = "RFC 9293 sections 3.5.2 and 3.10.7.1; connect(2)",
		},
		.scope = SCOPE_FLOW,
		.claims = refused,
		.how_sure = refused_certainty,
		.weigh = weigh_refused,
	},
	{
		.text = {
			.id = "rst-after-close",
			.title = N_("data for a program that had already closed"),
			.says = N_("On {count} {count:connection|connections} with {peer} the "
				   "{closed_side} had closed, the {sending_side} went on sending, and "
				   "got a reset."),
			.why = N_("close() ends both directions: the kernel sent a FIN and has nobody "
				  "left to give data to, so the next data is answered with a reset. "
				  "The sender's first write succeeds, read() gives the end of the "
				  "stream, the next write fails with EPIPE."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("The side that closes: shutdown(SHUT_WR), read to the end "
					     "with a time and a size limit, then close().") },
				{ .kind = FIX_CODE,
				  .text = N_("The side that sends: stop when read() returns 0, and "
					     "treat EPIPE as the end.") },
			},
			.avoid = {
				N_("SO_LINGER with a timeout: it does not read what still comes in."),
				N_("sleep() before close(): it hides the race and loses it later."),
			},
			.refs = "RFC 9293 section 3.6.1; RFC 2525 section 2.17; Linux "
				"net/ipv4/tcp_input.c, tcp_rcv_state_process()",
		},
		.scope = SCOPE_FLOW,
		.claims = after_close,
		.how_sure = after_close_sure,
		.weigh = weigh_after_close,
	},
};
const size_t n_reset_rules = ARRAY_LEN(reset_rules);

#include "rules/facts.h"
#include "rules/rule.h"
#include "rules/words.h"

/* How it works: the half-close. One side has sent its FIN and had it acknowledged; the other side's
 * kernel is then in CLOSE-WAIT and waits for its program. The capture must have lasted longer than
 * the wait it complains of: an end of capture is not an end of patience. */

static uint64_t wait_bound_ns(const struct bounds *b)
{
	return b->suspicious * 1000000;
}

/* Which side's FIN is out and acknowledged while the other side has sent neither FIN nor RST. */
static bool first_closer(const struct flow *f, enum side *ret)
{
	for (enum side s = SIDE_CLIENT; s <= SIDE_SERVER; s++) {
		if (!f->end[s].fin.seen || f->end[side_other(s)].fin.seen)
			continue;
		if (f->n_rst_packets > 0)
			return false;
		*ret = s;
		return true;
	}
	return false;
}

static enum verdict unanswered(const struct conn *c, const struct bounds *b)
{
	const struct flow *f = c->flow;
	enum side closer;

	if (!first_closer(f, &closer))
		return VERDICT_SILENT;
	/* Nothing of the other side was captured: its FIN may have passed elsewhere. */
	if (f->is_one_sided || !f->end[side_other(closer)].seen)
		return VERDICT_UNKNOWN;
	int64_t fin_ns = flow_fin_ns(f, closer);
	if (fin_ns == TIME_NONE || f->capture_end_ns == TIME_NONE || f->capture_end_ns < fin_ns)
		return VERDICT_UNKNOWN;
	if ((uint64_t)(f->capture_end_ns - fin_ns) < wait_bound_ns(b))
		return VERDICT_UNKNOWN;
	if (f->content != CONTENT_FIN_RST_ONLY && f->end[closer].fin.acked_ns == TIME_NONE)
		return VERDICT_SILENT; /* not even acknowledged: another story */
	return VERDICT_FIRES;
}

/* The first FIN is known by its acknowledgement alone. */
static bool closed_unseen(const struct flow *f)
{
	enum side closer;

	return first_closer(f, &closer) && f->end[closer].fin.is_inferred;
}

static void hear_of_unanswered(struct group *g, const struct conn *c)
{
	g->n_inferred += closed_unseen(c->flow);
}

static enum certainty unanswered_certainty(const struct conn *c)
{
	const struct flow *f = c->flow;
	/* One number more than was captured is a FIN, or the last byte of a talk: nothing tells which. */
	bool weaker = f->content != CONTENT_FULL || f->is_lossy || closed_unseen(f);

	return weaker ? lowered(CERTAINTY_LIKELY) : CERTAINTY_LIKELY;
}

static bool weigh_unanswered(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct flow *example = g->examples ? g->examples[0].flow : NULL;
	enum side closer;

	(void)b;
	f->severity = SEVERITY_WARNING;
	finding_fact(f, "first_at", FACT_TIME_NS, g->first_fin_ns);
	if (!example || !first_closer(example, &closer))
		return true;
	finding_fact_sentence(f, "closed_side", closer == SIDE_CLIENT ? N_("client") : N_("server"));
	finding_fact_sentence(f, "waiting_side",
			      closer == SIDE_CLIENT ? N_("server") : N_("client"));
	finding_fact(f, "waited", FACT_MS,
		     (example->capture_end_ns - flow_fin_ns(example, closer)) / 1000000)
		->at_least = true;
	if (g->n_inferred)
		finding_fact(f, "fins_not_captured", FACT_COUNT, (int64_t)g->n_inferred);
	if (g->n_inferred == g->count)
		f->says = N_("On {count} {count:connection|connections} with {peer} the {waiting_side} "
			     "acknowledged one number more than was captured of the {closed_side}: its FIN, "
			     "or a byte that the capture lost. It had not closed by the end of the capture, "
			     "{waited} later.");
	return true;
}

static enum verdict long_half_close(const struct conn *c, const struct bounds *b)
{
	const struct flow *f = c->flow;

	/* A half-close of no length is what a server does that closes on EOF. */
	if (f->half_close_ns == TIME_NONE || f->half_close_ns <= 0 ||
	    f->pattern == PATTERN_SIMULTANEOUS)
		return VERDICT_SILENT;
	return (uint64_t)f->half_close_ns >= wait_bound_ns(b) &&
			       f->half_close_ns >= (int64_t)SECOND_MS * 1000000 ?
		       VERDICT_FIRES :
		       VERDICT_SILENT;
}

static enum certainty long_half_close_certainty(const struct conn *c)
{
	const struct flow *f = c->flow;

	return f->end[0].fin.is_inferred || f->end[1].fin.is_inferred ? CERTAINTY_LIKELY :
									CERTAINTY_CERTAIN;
}

static bool weigh_long_half_close(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct flow *example = g->examples ? g->examples[0].flow : NULL;

	(void)b;
	f->severity = SEVERITY_WARNING;
	if (!example)
		return true;
	/* A download that runs on after the request's end is what half-close was made for. */
	if (g->count == 1 && example->half_close_bytes > 0)
		f->severity = SEVERITY_NOTE;
	bool client_first = example->closed_first == CLOSED_CLIENT;
	finding_fact(f, "half_close", FACT_MS, example->half_close_ns / 1000000);
	finding_fact(f, "bytes_meanwhile", FACT_BYTES, (int64_t)example->half_close_bytes);
	finding_fact_sentence(f, "closed_side", client_first ? N_("client") : N_("server"));
	finding_fact_sentence(f, "waiting_side", client_first ? N_("server") : N_("client"));
	finding_fact(f, "first_at", FACT_TIME_NS, g->first_fin_ns);
	return true;
}

static enum verdict crossing(const struct conn *c, const struct bounds *b)
{
	(void)b;
	return c->flow->pattern == PATTERN_SIMULTANEOUS ? VERDICT_FIRES : VERDICT_SILENT;
}

/* Both FINs were captured, or one is known by its acknowledgement alone. */
static enum certainty how_crossing(const struct conn *c)
{
	const struct flow *f = c->flow;

	return f->end[0].fin.is_inferred || f->end[1].fin.is_inferred ? CERTAINTY_LIKELY :
									CERTAINTY_CERTAIN;
}

static bool weigh_crossing(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_NOTE;
	finding_fact(f, "first_at", FACT_TIME_NS, g->first_fin_ns);
	return true;
}

const struct rule ending_rules[] = {
	{
		.text = {
			.id = "simultaneous-close",
			.title = N_("both closed at once"),
			.says = N_("On {count} {count:connection|connections} with {peer} both ends closed before "
				   "either knew of the other's FIN. No harm is done."),
			.why = N_("Neither FIN acknowledges the other: they crossed. Both ends pass through "
				  "CLOSING, and both stay in TIME-WAIT. Timers of the same length at both "
				  "ends do it, or a protocol in which both may say the last word."),
			.fixes = { { .kind = FIX_OPERATION, .text = N_("Nothing has to be done.") } },
			.refs = "RFC 9293 section 3.6, figure 13",
		},
		.scope = SCOPE_FLOW,
		.claims = crossing,
		.how_sure = how_crossing,
		.weigh = weigh_crossing,
	},
	{
		.text = {
			.id = "fin-unanswered",
			.title = N_("one side closed, the other never did"),
			.says = N_("On {count} {count:connection|connections} with {peer} the "
				   "{closed_side} closed and the {waiting_side} had not closed by the "
				   "end of the capture, {waited} later."),
			.why = N_("The FIN was acknowledged by the other side's kernel, which then sits "
				  "in CLOSE-WAIT until its program calls close(). The closer waits in "
				  "FIN-WAIT-2: up to tcp_fin_timeout if it called close(), without a "
				  "limit if it only called shutdown(). A FIN that was not captured is "
				  "known by its acknowledgement, as is one byte that the capture lost: "
				  "then it is no more than possible."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("The {waiting_side}'s program: close() when read() returns "
					     "0. On that host `tcpwhy` names the process.") },
				{ .kind = FIX_SOCKOPT,
				  .text = N_("The {closed_side}: a receive timeout after shutdown(), or "
					     "TCP_LINGER2 with close().") },
			},
			.avoid = { N_("nf_conntrack_tcp_timeout_close_wait: it ends a firewall's entry, "
				      "not the socket.") },
			.refs = "RFC 9293 sections 3.6 and 3.6.1",
		},
		.scope = SCOPE_FLOW,
		.claims = unanswered,
		.how_sure = unanswered_certainty,
		.hear = hear_of_unanswered,
		.weigh = weigh_unanswered,
	},
	{
		.text = {
			.id = "half-close-long",
			.title = N_("a long wait between the two FINs"),
			.says = N_("On {count} {count:connection|connections} with {peer} the "
				   "{waiting_side} took {half_close} to close after the {closed_side} "
				   "had, and sent {bytes_meanwhile} meanwhile."),
			.why = N_("Between the two FINs the slower side was in CLOSE-WAIT. A Linux "
				  "firewall forgets a half-closed connection after 60 s of silence; "
				  "what comes later is then dropped or reset."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("The {waiting_side}'s program: close as soon as read() "
					     "returns 0 and the answer is out.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("If a firewall is on the path, keep half-closes below its "
					     "limit, or raise it there."),
				  .command = "sysctl net.netfilter.nf_conntrack_tcp_timeout_close_wait" },
			},
			.avoid = { N_("Lowering conntrack's close_wait timeout 'against CLOSE_WAIT'.") },
			.refs = "RFC 9293 section 3.6.1; Linux "
				"Documentation/networking/nf_conntrack-sysctl.rst",
		},
		.scope = SCOPE_FLOW,
		.claims = long_half_close,
		.how_sure = long_half_close_certainty,
		.weigh = weigh_long_half_close,
	},
};
const size_t n_ending_rules = ARRAY_LEN(ending_rules);

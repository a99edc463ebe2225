#include "rules/facts.h"
#include "rules/idle.h"
#include "rules/rule.h"
#include "rules/words.h"

/* How it works: what nobody answered, and what nobody said for too long. A capture without data
 * knows neither: there these rules are silent.
 *
 * Boxes on the path forget an idle connection after a fixed time. A single gap of that length may be
 * chance; the same one, to the second, on several connections is a timer. So is one time that parts
 * the pauses which ended in silence from those which did no harm. */

#define SECOND_NS INT64_C(1000000000)

enum {
	/* Three copies: 0.2 + 0.4 + 0.8 s of silence at the smallest RTO are no accident. */
	LOST = 3,
	A_FEW = 2,
	SAME_GAPS = GROUP_MOMENTS_MAX,
	USUAL_KEEPIDLE_S = 60,
	NS_PER_MS = 1000000,
};

static bool is_whole(const struct flow *f)
{
	return f->content == CONTENT_FULL && !f->is_lossy && !f->is_one_sided;
}

/* The side whose FIN is repeated most, if at least `least` times; acknowledged at last or not. */
static bool repeated_fin(const struct flow *f, bool acked, uint32_t least, enum side *ret)
{
	for (enum side s = SIDE_CLIENT; s <= SIDE_SERVER; s++) {
		const struct flow_fin *fin = &f->end[s].fin;

		if (!fin->seen || fin->is_inferred || fin->retransmissions < least ||
		    (fin->acked_ns != TIME_NONE) != acked)
			continue;
		*ret = s;
		return true;
	}
	return false;
}

static enum verdict fin_not_acked(const struct conn *c, const struct bounds *b)
{
	enum side side;

	(void)b;
	return is_whole(c->flow) && repeated_fin(c->flow, false, LOST, &side) &&
			       c->flow->n_rst_packets == 0 ?
		       VERDICT_FIRES :
		       VERDICT_SILENT;
}

static enum verdict fin_retransmitted(const struct conn *c, const struct bounds *b)
{
	enum side side;

	(void)b;
	return is_whole(c->flow) && repeated_fin(c->flow, true, A_FEW, &side) ? VERDICT_FIRES :
									       VERDICT_SILENT;
}

static void fact_fin_copies(struct finding *f, const struct group *g, bool acked)
{
	const struct flow *example = g->examples ? g->examples[0].flow : NULL;
	enum side side;

	finding_fact(f, "first_at", FACT_TIME_NS, g->first_fin_ns);
	if (!example || !repeated_fin(example, acked, A_FEW, &side))
		return;
	const struct flow_fin *fin = &example->end[side].fin;
	finding_fact_sentence(f, "sent_by", side == SIDE_CLIENT ? N_("client") : N_("server"));
	finding_fact(f, "copies", FACT_COUNT, fin->retransmissions);
	if (fin->at_ns != TIME_NONE)
		finding_fact(f, "for", FACT_MS, (fin->last_ns - fin->at_ns) / 1000000);
}

static bool weigh_fin_not_acked(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_WARNING;
	fact_fin_copies(f, g, false);
	return true;
}

static bool weigh_fin_retransmitted(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = g->count >= LOST ? SEVERITY_WARNING : SEVERITY_NOTE;
	fact_fin_copies(f, g, true);
	return true;
}

static enum verdict silent_end(const struct conn *c, const struct bounds *b)
{
	(void)b;
	return is_whole(c->flow) && c->flow->pattern == PATTERN_SILENT ? VERDICT_FIRES :
									 VERDICT_SILENT;
}

static enum certainty how_silent_end(const struct conn *c)
{
	(void)c;
	return CERTAINTY_POSSIBLE;
}

static bool weigh_silent_end(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_WARNING;
	finding_fact(f, "first_at", FACT_TIME_NS, g->first_fin_ns);
	return true;
}

/* A pause, then something that nobody ever answered; 0: none. */
static int64_t fatal_pause(const struct flow *f)
{
	int64_t longest = 0;

	for (enum side s = SIDE_CLIENT; s <= SIDE_SERVER; s++)
		if (f->end[s].unanswered >= LOST && f->end[s].idle_before_unanswered_ns > longest)
			longest = f->end[s].idle_before_unanswered_ns;
	return longest >= IDLE_PAUSE_NS ? longest : 0;
}

static enum verdict idle_middlebox(const struct conn *c, const struct bounds *b)
{
	(void)b;
	return is_whole(c->flow) && c->flow->pattern == PATTERN_SILENT && fatal_pause(c->flow) ?
		       VERDICT_FIRES :
		       VERDICT_SILENT;
}

static bool has_paused(const struct conn *c)
{
	const struct flow *f = c->flow;

	return (f->survived_pause_ns > 0 || f->pattern == PATTERN_SILENT) && is_whole(f);
}

static void hear_of_pauses(struct group *g, const struct conn *c)
{
	const struct flow *f = c->flow;
	int64_t fatal = f->pattern == PATTERN_SILENT ? fatal_pause(f) : 0;

	if (f->survived_pause_ns > 0) {
		g->n_survivors++;
		if (f->survived_pause_ns > g->longest_survived_ns)
			g->longest_survived_ns = f->survived_pause_ns;
	}
	if (fatal && (!g->shortest_fatal_ns || fatal < g->shortest_fatal_ns))
		g->shortest_fatal_ns = fatal;
	g->n_sudden += f->pattern == PATTERN_SILENT && !fatal &&
		       (f->end[SIDE_CLIENT].unanswered >= LOST || f->end[SIDE_SERVER].unanswered >= LOST);
}

/* "keepidle": for TCP_KEEPIDLE, in seconds. */
static void fact_keepidle(struct finding *f, int64_t at_most_ns)
{
	int64_t s = at_most_ns / SECOND_NS;

	finding_fact(f, "keepidle", FACT_COUNT, s < USUAL_KEEPIDLE_S ? s : USUAL_KEEPIDLE_S);
}

static void fact_matches(struct finding *f, const struct idle_limit *known)
{
	if (known)
		finding_fact_sentence(f, "matches", known->whose);
}

/* Timers and clocks tick by the second: what lies closer together is the same. */
static bool is_longer(int64_t ns, int64_t than_ns)
{
	return ns >= than_ns + SECOND_NS;
}

static void fact_pauses(struct finding *f, const struct group *g)
{
	int64_t keepidle_ns = g->shortest_fatal_ns / 2; /* a probe may be lost */

	finding_fact(f, "pause", FACT_MS, g->shortest_fatal_ns / NS_PER_MS);
	if (g->n_survivors) {
		finding_fact(f, "survived", FACT_MS, g->longest_survived_ns / NS_PER_MS);
		finding_fact(f, "survivors", FACT_COUNT, (int64_t)g->n_survivors);
	}
	if (g->n_sudden)
		finding_fact(f, "without_pause", FACT_COUNT, (int64_t)g->n_sudden);
	finding_fact(f, "first_at", FACT_TIME_NS, g->first_fin_ns);
	if (g->n_survivors && g->longest_survived_ns < keepidle_ns)
		keepidle_ns = g->longest_survived_ns;
	fact_keepidle(f, keepidle_ns);
}

static bool weigh_idle_middlebox(const struct group *g, const struct bounds *b, struct finding *f)
{
	bool is_split = is_longer(g->shortest_fatal_ns, g->longest_survived_ns);
	bool is_one_server = !g->subject.is_rest; /* what forgets stands on the way to it */
	bool is_known = g->count >= SAME_GAPS && g->n_survivors && !g->n_sudden && !g->lacks_witnesses;

	(void)b;
	f->severity = g->count >= SAME_GAPS ? SEVERITY_WARNING : SEVERITY_NOTE;
	fact_pauses(f, g);
	if (is_one_server && !is_split) {
		f->says = N_("{count} {count:connection|connections} with {peer} {count:was|were} idle for "
			     "{pause}{count:| or more}, and what was sent then was never answered. Other "
			     "pauses, of up to {survived}, did no harm: no fixed time explains it.");
	} else if (is_one_server && is_known) {
		f->certainty = CERTAINTY_LIKELY;
		f->says = N_("{count} connections with {peer} were idle for {pause} or more, and what was "
			     "sent then was never answered; {survivors} idle for up to {survived} "
			     "{survivors:was|were} answered. Something on the way forgets them between "
			     "{survived} and {pause}.");
		fact_matches(f, idle_limit_between(g->longest_survived_ns, g->shortest_fatal_ns));
	}
	return true;
}

/* The idle time before the reset, to the second; 0: too short to be a timer, or none. */
static uint32_t idle_seconds(const struct conn *c)
{
	int64_t idle_ns = is_whole(c->flow) ? idle_before_rst(c->flow) : TIME_NONE;

	if (idle_ns == TIME_NONE)
		return 0;
	int64_t s = (idle_ns + SECOND_NS / 2) / SECOND_NS;

	return s >= IDLE_PAUSE_NS / SECOND_NS && s < UINT32_MAX ? (uint32_t)s : 0;
}

/* A gap of 61 s and one of 59 s are the same timer of 60. */
static uint32_t idle_limit(const struct conn *c)
{
	uint32_t s = idle_seconds(c);
	const struct idle_limit *limit = s ? idle_limit_near(s, 1) : NULL;

	return limit ? limit->seconds : s;
}

static enum verdict idle_timeout(const struct conn *c, const struct bounds *b)
{
	(void)b;
	return idle_seconds(c) ? VERDICT_FIRES : VERDICT_SILENT;
}

static enum certainty how_idle_timeout(const struct conn *c)
{
	(void)c;
	return CERTAINTY_LIKELY;
}

/* A pool that was last used in one moment and whose server died in another shows the same silence on all its
 * connections, and no timer. Resets of moments further apart than silences of one kind differ had other
 * beginnings, too: only these count one by one. */
static void hear_of_reset(struct group *g, const struct conn *c)
{
	int64_t at_ns = c->flow->rsts[0].at_ns;

	for (size_t i = 0; i < g->n_moments; i++)
		if (at_ns - g->moments_ns[i] < IDLE_APART_NS && g->moments_ns[i] - at_ns < IDLE_APART_NS)
			return;
	if (g->n_moments < GROUP_MOMENTS_MAX)
		g->moments_ns[g->n_moments++] = at_ns;
}

static bool weigh_idle_timeout(const struct group *g, const struct bounds *b, struct finding *f)
{
	uint32_t limit = g->examples ? idle_limit(&g->examples[0]) : 0;

	(void)b;
	if (g->n_moments < SAME_GAPS || limit == 0)
		return false;
	f->severity = SEVERITY_WARNING;
	finding_fact(f, "idle", FACT_MS, (int64_t)limit * SECOND_MS);
	finding_fact(f, "first_at", FACT_TIME_NS, g->first_fin_ns);
	fact_keepidle(f, limit * SECOND_NS / 2);
	fact_matches(f, idle_limit_near(limit, 0));
	return true;
}

#define FIX_POOL_SHORTER                                                                           \
	{ .kind = FIX_CODE,                                                                        \
	  .text = N_("Keep pooled connections for less than that, and repeat idempotent requests.") }
#define FIX_BOX_LONGER                                                                             \
	{ .kind = FIX_OPERATION,                                                                   \
	  .text = N_("Raise the idle time of the box, or let it send a reset when it forgets.") }
#define AVOID_KEEPALIVE_TIME                                                                       \
	N_("Lowering tcp_keepalive_time: programs that do not set SO_KEEPALIVE do not notice.")

const struct rule silence_rules[] = {
	{
		.text = {
			.id = "fin-not-acked",
			.title = N_("a FIN nobody acknowledged"),
			.says = N_("On {count} {count:connection|connections} with {peer} the {sent_by} "
				   "repeated its FIN {copies} times over {for}, and nobody answered."),
			.why = N_("The other host, or the way to it, was gone when this side closed: "
				  "it stays in FIN-WAIT-1 or LAST-ACK until its kernel gives up, "
				  "without a reset. A firewall that has forgotten the connection drops "
				  "FINs just so."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("Find where they are lost: capture on the other host at the "
					     "same time.") },
				{ .kind = FIX_SYSCTL,
				  .text = N_("Give up earlier, only where thousands pile up."),
				  .command = "sysctl -w net.ipv4.tcp_orphan_retries=4",
				  .proposed = "4",
				  .risk = N_("the last bytes of answers over lossy paths are lost") },
			},
			.avoid = { N_("tcp_fin_timeout: it begins when the FIN has been "
				      "acknowledged.") },
			.refs = "RFC 9293 section 3.8.1; Linux net/ipv4/tcp_timer.c, "
				"tcp_orphan_retries()",
		},
		.scope = SCOPE_FLOW,
		.claims = fin_not_acked,
		.weigh = weigh_fin_not_acked,
	},
	{
		.text = {
			.id = "fin-retransmitted",
			.title = N_("a FIN had to be repeated"),
			.says = N_("On {count} {count:connection|connections} with {peer} the {sent_by} "
				   "had to repeat its FIN, up to {copies} times over {for}, before it "
				   "was acknowledged."),
			.why = N_("The FIN or its ACK was lost, or the other host was slow to answer. "
				  "The first repetition may be a probe of the tail (RFC 8985) and "
				  "means little; several are loss."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("Look for loss on the path, and for a firewall that drops "
					     "FINs of connections it has forgotten.") },
			},
			.refs = "RFC 9293 section 3.8.1; RFC 8985 section 7",
		},
		.scope = SCOPE_FLOW,
		.claims = fin_retransmitted,
		.weigh = weigh_fin_retransmitted,
	},
	{
		.text = {
			.id = "silent-end",
			.title = N_("one side went on, the other fell silent"),
			.says = N_("{count} {count:connection|connections} with {peer} {count:ends|end} "
				   "with segments nobody answered, without FIN or RST."),
			.why = N_("A host that crashed, a cable, or a box that dropped the connection: "
				  "data or probes went out and nothing came back. The sender's "
				  "program gets ETIMEDOUT after tcp_retries2 (15 minutes) or "
				  "TCP_USER_TIMEOUT; Linux sends no reset then."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("Was the silent host down, or is a firewall in between that "
					     "forgets idle connections?") },
				{ .kind = FIX_SOCKOPT,
				  .text = N_("TCP_USER_TIMEOUT bounds how long unanswered data is "
					     "waited for."),
				  .proposed = "30000" },
			},
			.avoid = { N_("Longer timeouts: the connection is dead either way.") },
			.refs = "tcp(7), tcp_retries2 and TCP_USER_TIMEOUT; Linux "
				"net/ipv4/tcp_timer.c, tcp_write_timeout()",
		},
		.scope = SCOPE_FLOW,
		.claims = silent_end,
		.how_sure = how_silent_end,
		.weigh = weigh_silent_end,
	},
	{
		.text = {
			.id = "idle-timeout-middlebox",
			.title = N_("silence after a pause"),
			.says = N_("{count} {count:connection|connections} with {peer} {count:was|were} idle for "
				   "{pause}{count:| or more}, and what was sent then was never answered."),
			.why = N_("A NAT or firewall that has forgotten an idle connection drops what comes "
				  "later, without a word. A host that went away during the pause looks the "
				  "same: how long the pauses were that did no harm tells them apart. It is likely "
				  "where three or more did harm, and all of them were longer than any that did "
				  "none."),
			.fixes = {
				{ .kind = FIX_SOCKOPT,
				  .text = N_("SO_KEEPALIVE with TCP_KEEPIDLE below half of the shortest of these "
					     "pauses, and TCP_USER_TIMEOUT."),
				  .proposed = "{keepidle}/10/6" },
				FIX_POOL_SHORTER, FIX_BOX_LONGER,
			},
			.avoid = { AVOID_KEEPALIVE_TIME },
			.refs = "RFC 5382 section 5; RFC 9293 section 3.8.4",
		},
		.scope = SCOPE_FLOW,
		.claims = idle_middlebox,
		.how_sure = how_silent_end,
		.is_witness = has_paused,
		.hear = hear_of_pauses,
		.weigh = weigh_idle_middlebox,
	},
	{
		.text = {
			.id = "rst-idle-timeout",
			.title = N_("reset after the same idle time, again and again"),
			.says = N_("{count} connections with {peer} were reset after {idle} of silence "
				   "each: that is a timer, not chance."),
			.why = N_("A proxy, load balancer, NAT or firewall forgets connections that are "
				  "idle for so long, or the server closes them. Whoever speaks next "
				  "gets a reset. Three or more, seconds apart, are told from one event "
				  "that hit several connections at once: a server that died."),
			.fixes = {
				{ .kind = FIX_SOCKOPT,
				  .text = N_("SO_KEEPALIVE with TCP_KEEPIDLE below half of that time."),
				  .proposed = "{keepidle}/10/6" },
				FIX_POOL_SHORTER, FIX_BOX_LONGER,
			},
			.avoid = { AVOID_KEEPALIVE_TIME },
			.refs = "RFC 5382 section 5; RFC 9293 section 3.8.4",
		},
		.scope = SCOPE_FLOW,
		.claims = idle_timeout,
		.how_sure = how_idle_timeout,
		.hear = hear_of_reset,
		.kind_of = idle_limit,
		.weigh = weigh_idle_timeout,
	},
};
const size_t n_silence_rules = ARRAY_LEN(silence_rules);

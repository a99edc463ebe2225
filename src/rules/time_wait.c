#include "rules/catalogue.h"
#include "rules/facts.h"
#include "rules/rule.h"
#include "rules/words.h"

/* How it works: a TIME-WAIT is no fault. It becomes one in a single way: each keeps a local port
 * from being used again towards the same destination, so a client that closes first can run out of
 * ports (the port family). What is said here is only who closes first. */

enum { CROWD = 1000 }; /* fewer are what any client leaves behind in a minute */

static enum verdict active_closer(const struct conn *c, const struct bounds *b)
{
	(void)c;
	(void)b;
	return VERDICT_FIRES;
}

static bool weigh_active_closer(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	if (g->count < CROWD)
		return false;
	f->severity = SEVERITY_NOTE;
	f->certainty = CERTAINTY_CERTAIN;
	/* Each lasts 60 s, so that many began within the last minute; some may have been reused. */
	finding_fact(f, "closes_per_second", FACT_COUNT, (int64_t)(g->count / 60));
	fact_ends(f, g);
	fact_inferred_owner(f, g);
	fact_fin(f, g);
	return true;
}

const struct rule time_wait_rules[] = {
	{
		.text = {
			.id = "time-wait-active-closer",
			.title = N_("this host closes first"),
			.says = N_("{count} connections are in TIME-WAIT because this host closed them "
				   "first, about {closes_per_second} a second; the last ends in "
				   "{ends_last}."),
			.why = N_("Whoever sends the first FIN waits 60 s afterwards, for two reasons: "
				  "to acknowledge the peer's FIN again if that ACK was lost, and to "
				  "keep late segments away from a new connection with the same "
				  "addresses. Each costs some 256 bytes and no descriptor."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Nothing has to be done. Fewer of them: keep connections "
					     "alive and pool them, or let the client close first.") },
			},
			.avoid = {
				N_("tcp_fin_timeout: it bounds FIN-WAIT-2, TIME-WAIT lasts 60 s "
				   "whatever it says."),
				N_("Lowering tcp_max_tw_buckets: it destroys them, and the protection "
				   "with them."),
				N_("tcp_tw_recycle: removed in Linux 4.12, and it broke clients behind "
				   "NAT."),
				N_("SO_LINGER with zero: it resets the peer and throws data away."),
			},
			.refs = "RFC 9293 section 3.6; RFC 1337; Linux include/net/tcp.h, "
				"TCP_TIMEWAIT_LEN",
		},
		.scope = SCOPE_SERVICE,
		.states = STATE_BIT(STATE_TIME_WAIT),
		.advice = ADVICE_PORTS,
		.claims = active_closer,
		.weigh = weigh_active_closer,
		.otherwise = &ordinary_rules[ORDINARY_TIME_WAIT],
	},
};
const size_t n_time_wait_rules = ARRAY_LEN(time_wait_rules);

#include "rules/catalogue.h"
#include "rules/facts.h"
#include "rules/rule.h"
#include "rules/words.h"

/* How it works: a TIME-WAIT is no fault. It is in the way of a client that closes first and runs out
 * of local ports towards one destination (the port family), and of a server that starts again and
 * binds its port without SO_REUSEADDR. Else what is said is only who closes first. */

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

/* Clients of NFS choose a reserved port by themselves. Source: Linux net/sunrpc/xprtsock.c, xs_bind(). */
static bool is_of_nfs(const struct pair *p)
{
	enum { RESERVED = 1024, NFS = 2049 };

	return p->local.port < RESERVED && p->peer.port == NFS;
}

/* A client's port lies in the range of those that the kernel chooses, or is the higher one. */
static enum verdict blocks_bind(const struct conn *c, const struct bounds *b)
{
	const struct sysctls *ctl = &c->netns->sysctls;
	uint16_t local = c->sock->pair.local.port;

	(void)b;
	if (is_of_nfs(&c->sock->pair))
		return VERDICT_SILENT;
	if (c->listener || !ctl->port_low.known || !ctl->port_high.known ||
	    (local >= ctl->port_low.value && local <= ctl->port_high.value))
		return VERDICT_SILENT;
	return c->sock->pair.peer.port > local ? VERDICT_FIRES : VERDICT_SILENT;
}

const struct rule time_wait_rules[] = {
	{
		.text = {
			.id = "time-wait-blocks-bind",
			.title = N_("a server's port that TIME-WAITs keep taken"),
			.says = N_("Nobody listens on {local} now, and {count} {count:TIME-WAIT keeps|"
				   "TIME-WAITs keep} it taken for {ends_last} yet: a server that "
				   "binds it without SO_REUSEADDR fails with EADDRINUSE."),
			.why = N_("A port with connections in TIME-WAIT is in use. bind() takes it "
				  "nevertheless if the new socket and the old ones had SO_REUSEADDR set "
				  "and nobody listens there: TIME-WAIT tells old segments from new ones "
				  "by their addresses, and those are other connections."),
			.fixes = {
				{ .kind = FIX_SOCKOPT,
				  .text = N_("SO_REUSEADDR before bind(), in every version of the server: "
					     "on Linux it never lets two servers listen on one port. An "
					     "old version without it still costs this one wait.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("Or wait {ends_last}: nothing is left then. Who cannot wait "
					     "removes them."),
				  .command = "ss -tK state time-wait sport = :{local_port}",
				  .risk = N_("late segments of the old connections find the new server") },
			},
			.avoid = {
				N_("SO_REUSEPORT instead: it helps only if the old ones had it, too, "
				   "and later lets a second server share the port unnoticed."),
				N_("tcp_fin_timeout, tcp_tw_reuse: neither shortens TIME-WAIT, and bind() "
				   "does not ask them."),
			},
			.refs = "socket(7), SO_REUSEADDR; Linux net/ipv4/inet_connection_sock.c, "
				"inet_bind_conflict(), inet_csk_get_port()",
		},
		.scope = SCOPE_LOCAL,
		.states = STATE_BIT(STATE_TIME_WAIT),
		.claims = blocks_bind,
		.weigh = weigh_certain_note,
	},
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

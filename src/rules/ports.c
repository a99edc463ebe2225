#include "rules/facts.h"
#include "rules/rule.h"
#include "rules/words.h"

/* How it works: a 4-tuple may exist once. Towards one destination address and port, one source
 * address has as many connections as ip_local_port_range has ports, and a TIME-WAIT holds its port
 * for 60 s. Ports of different destinations do not add up. */

/* At the pace of the last ten seconds, less what they gave back. A pace that is over proves nothing,
 * so this is said only while more come than go. */
static void fact_full_in(struct finding *f, const struct port_budget *p, uint32_t taken)
{
	if (p->new_10s <= p->drain_10s || taken >= p->capacity)
		return;
	finding_fact(f, "full_in", FACT_MS,
		     (int64_t)((p->capacity - taken) * 10 * SECOND_MS / (p->new_10s - p->drain_10s)));
}

static bool weigh_exhaustion(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct port_budget *p = g->ports;
	const struct sysctls *ctl = &p->netns->sysctls;
	uint32_t taken = p->used - p->reusable;
	uint32_t share = (uint32_t)((uint64_t)taken * 100 / p->capacity);

	(void)b;
	/* At 80 % there is time to act; at 95 % the search in connect() is long and bursts fail. */
	if (share < 80)
		return false;
	f->severity = share >= 95 ? SEVERITY_PROBLEM : SEVERITY_WARNING;
	f->certainty = taken >= p->capacity ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY;
	finding_fact(f, "used", FACT_COUNT, p->used);
	finding_fact(f, "capacity", FACT_COUNT, p->capacity);
	finding_fact(f, "share", FACT_PERCENT, share);
	finding_fact(f, "in_time_wait", FACT_COUNT, p->time_wait);
	finding_fact(f, "reusable", FACT_COUNT, p->reusable);
	finding_fact(f, "free_again_in_10s", FACT_COUNT, (int64_t)p->drain_10s);
	finding_fact(f, "new_in_10s", FACT_COUNT, (int64_t)p->new_10s);
	finding_fact(f, "per_minute_at_most", FACT_COUNT, p->capacity);
	fact_full_in(f, p, taken);
	fact_setting(f, "tw_reuse", &ctl->tw_reuse);
	fact_setting(f, "port_low", &ctl->port_low);
	fact_setting(f, "port_high", &ctl->port_high);
	fact_inferred_owner(f, g);
	return true;
}

const struct rule port_rules[] = {
	{
		.text = {
			.id = "time-wait-port-exhaustion",
			.title = N_("the local ports towards one destination run out"),
			.says = N_("{used} of {capacity} local ports towards {peer} are taken ({share}), "
				   "{in_time_wait} of them by TIME-WAIT; when they are used up, "
				   "connect() fails with EADDRNOTAVAIL."),
			.why = N_("Every connection from one address to one destination needs a local "
				  "port of its own, and a TIME-WAIT blocks its port for 60 s. So at "
				  "most {per_minute_at_most} new connections a minute can be kept up "
				  "towards it."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Keep connections to this destination alive and pool "
					     "them: a new one for each request is what uses the "
					     "ports up.") },
				{ .kind = FIX_SOCKOPT,
				  .text = N_("Use more source addresses; bind() them with "
					     "IP_BIND_ADDRESS_NO_PORT, else each bind takes a port "
					     "away from all destinations.") },
				{ .kind = FIX_SYSCTL,
				  .text = N_("Let connect() take over TIME-WAITs that are older than a "
					     "second (needs TCP timestamps at both ends)."),
				  .command = "sysctl -w net.ipv4.tcp_tw_reuse=1",
				  .current = "tw_reuse", .proposed = "1",
				  .risk = N_("small: it relies on the peer's timestamps") },
				{ .kind = FIX_SYSCTL,
				  .text = N_("Widen the range, and reserve the ports of services inside "
					     "it."),
				  .command = "sysctl -w net.ipv4.ip_local_port_range='10240 60999'",
				  .risk = N_("a service that starts later may find its port taken: "
					     "list it in ip_local_reserved_ports") },
			},
			.avoid = {
				N_("tcp_fin_timeout: it does not shorten TIME-WAIT."),
				N_("tcp_tw_recycle: removed in Linux 4.12."),
				N_("Lowering tcp_max_tw_buckets, or SO_LINGER with zero: both give up "
				   "what TIME-WAIT protects."),
				N_("SO_REUSEADDR: it is ignored where the kernel chooses the port."),
			},
			.refs = "ip(7), ip_local_port_range; Linux net/ipv4/inet_hashtables.c, "
				"__inet_hash_connect(); net/ipv4/tcp_ipv4.c, tcp_twsk_unique()",
		},
		.scope = SCOPE_DESTINATION,
		.advice = ADVICE_PORTS,
		.weigh = weigh_exhaustion,
	},
};
const size_t n_port_rules = ARRAY_LEN(port_rules);

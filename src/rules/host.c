#include "rules/host.h"
#include "rules/facts.h"
#include "rules/words.h"

/* How it works: settings.c says which settings are harmful here; their words stand in these rows. The
 * tables are judged by their share: at 80 % there is time to act, at 95 % a burst fails. */

enum {
	NEAR_PERCENT = 80, FULL_PERCENT = 95,
	/* Penalised orphans count up to fourfold against the limit. Source: Linux net/ipv4/tcp_timer.c,
	 * tcp_out_of_resources(). */
	ORPHANS_PERCENT = 25,
};

static int64_t share(int64_t used, struct setting limit)
{
	return limit.known && limit.value > 0 ? used * 100 / limit.value : 0;
}

bool host_tw_is_full(const struct netns *ns, uint64_t minisocks)
{
	/* The limit alone proves nothing: connections may be few. The counter since boot does. */
	return share((int64_t)minisocks, ns->sysctls.max_tw_buckets) >= 90 ||
	       (ns->counters.tw_overflow.known && ns->counters.tw_overflow.value > 0);
}

bool host_orphans_are_many(const struct netns *ns, const struct host *host)
{
	return host->orphans.known &&
	       share(host->orphans.value, ns->sysctls.max_orphans) >= ORPHANS_PERCENT;
}

bool host_conntrack_is_full(const struct netns *ns)
{
	return ns->sysctls.conntrack_count.known &&
	       share(ns->sysctls.conntrack_count.value, ns->sysctls.conntrack_max) >= NEAR_PERCENT;
}

static bool weigh_harmful(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = g->rule == &host_rules[HARMFUL_TW_RECYCLE] ? SEVERITY_PROBLEM : SEVERITY_WARNING;
	f->certainty = CERTAINTY_CERTAIN;
	finding_fact_text(f, "setting", g->setting);
	finding_fact(f, "value", FACT_COUNT, g->value);
	return true;
}

static bool weigh_tw_overflow(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct netns *ns = g->subject.netns;
	bool is_full = share(g->value, ns->sysctls.max_tw_buckets) >= 90;

	(void)b;
	f->severity = is_full ? SEVERITY_WARNING : SEVERITY_NOTE;
	f->certainty = CERTAINTY_CERTAIN;
	finding_fact(f, "minisocks", FACT_COUNT, g->value);
	fact_setting(f, "max_tw_buckets", &ns->sysctls.max_tw_buckets);
	finding_fact(f, "overflows", FACT_COUNT,
		     ns->counters.tw_overflow.known ? ns->counters.tw_overflow.value : 0);
	if (!is_full)
		f->says = N_("{overflows} connections were ended without TIME-WAIT since this namespace was "
			     "made: at times the limit of {max_tw_buckets} was reached.");
	return true;
}

static bool weigh_orphans(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct netns *ns = g->subject.netns;
	int64_t percent = share(g->value, ns->sysctls.max_orphans);

	(void)b;
	f->severity = percent >= NEAR_PERCENT ? SEVERITY_PROBLEM :
		      percent >= 50	      ? SEVERITY_WARNING :
						SEVERITY_NOTE;
	f->certainty = CERTAINTY_CERTAIN;
	finding_fact(f, "orphans", FACT_COUNT, g->value);
	fact_setting(f, "max_orphans", &ns->sysctls.max_orphans);
	finding_fact(f, "share", FACT_PERCENT, percent);
	fact_counter(f, "aborted_for_memory", &ns->counters.abort_on_memory);
	return true;
}

static bool weigh_conntrack(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct netns *ns = g->subject.netns;
	int64_t percent = share(g->value, ns->sysctls.conntrack_max);

	(void)b;
	f->severity = percent >= FULL_PERCENT ? SEVERITY_PROBLEM : SEVERITY_WARNING;
	f->certainty = CERTAINTY_CERTAIN;
	finding_fact(f, "tracked", FACT_COUNT, g->value);
	fact_setting(f, "conntrack_max", &ns->sysctls.conntrack_max);
	finding_fact(f, "share", FACT_PERCENT, percent);
	return true;
}

#define HARMFUL(index, its_id, its_title, its_why, its_command)                                    \
	[index] = {                                                                                \
		.text = {                                                                          \
			.id = its_id,                                                              \
			.title = its_title,                                                        \
			.says = N_("{setting} is {value} here."),                                  \
			.why = its_why,                                                            \
			.fixes = { { .kind = FIX_SYSCTL,                                           \
				     .text = N_("Set it back. `tcpwhy audit` shows what else it does."),  \
				     .command = its_command, .current = "value" } },               \
			.refs = "Linux Documentation/networking/ip-sysctl.rst",                     \
		},                                                                                 \
		.scope = SCOPE_NETNS,                                                              \
		.weigh = weigh_harmful,                                                            \
	}

const struct rule host_rules[] = {
	HARMFUL(HARMFUL_TW_RECYCLE, "sysctl-harmful-tw-recycle", N_("clients behind NAT are refused"),
		N_("Clients behind one NAT are refused at random."),
		"sysctl -w net.ipv4.tcp_tw_recycle=0"),
	HARMFUL(HARMFUL_FIN_TIMEOUT_OVER, "sysctl-harmful-fin-timeout-over-60", N_("FIN-WAIT-2 lasts another time than is written"),
		N_("Above 60 the real time is 2 x (value - 60) seconds, half of "
		   "it as a full socket."),
		"sysctl -w net.ipv4.tcp_fin_timeout=60"),
	HARMFUL(HARMFUL_FIN_TIMEOUT_LOW, "sysctl-harmful-fin-timeout-low", N_("slow peers are reset"),
		N_("Peers that answer slowly after our FIN are reset."),
		"sysctl -w net.ipv4.tcp_fin_timeout=30"),
	HARMFUL(HARMFUL_TW_BUCKETS_LOW, "sysctl-harmful-tw-buckets-low", N_("TIME-WAITs are destroyed"),
		N_("At the limit TIME-WAITs are destroyed at once, and what they "
		   "protect with them."),
		"sysctl -w net.ipv4.tcp_max_tw_buckets=131072"),
	HARMFUL(HARMFUL_TIMESTAMPS_OFF, "sysctl-harmful-timestamps-off", N_("TCP timestamps are off"),
		N_("Without them TIME-WAITs cannot be reused, and old segments "
		   "are not told from new ones (PAWS)."),
		"sysctl -w net.ipv4.tcp_timestamps=1"),
	HARMFUL(HARMFUL_ABORT_ON_OVERFLOW, "sysctl-harmful-abort-on-overflow", N_("bursts become hard errors"),
		N_("A short burst becomes a hard error for clients that would "
		   "have succeeded a second later."),
		"sysctl -w net.ipv4.tcp_abort_on_overflow=0"),
	HARMFUL(HARMFUL_RETRIES2_LOW, "sysctl-harmful-retries2-low", N_("short outages end every connection"),
		N_("Short outages (a failover, a switch that reloads) end every "
		   "connection; RFC 1122 asks for 100 s, which is 8."),
		"sysctl -w net.ipv4.tcp_retries2=15"),
	HARMFUL(HARMFUL_ORPHAN_RETRIES_LOW, "sysctl-harmful-orphan-retries-low", N_("the end of responses is lost"),
		N_("The end of a response is given up after a second or two of "
		   "loss."),
		"sysctl -w net.ipv4.tcp_orphan_retries=0"),
	HARMFUL(HARMFUL_MAX_ORPHANS_LOW, "sysctl-harmful-max-orphans-low", N_("innocent clients are reset at close"),
		N_("Innocent clients are reset at close: trouble begins at a "
		   "quarter of the limit."),
		"sysctl -w net.ipv4.tcp_max_orphans=65536"),
	HARMFUL(HARMFUL_PORT_RANGE, "sysctl-harmful-port-range", N_("too few local ports, or the wrong ones"),
		N_("Too few ports allow few connections to one destination at a "
		   "time; ports below 1024 are those of system services."),
		"sysctl -w net.ipv4.ip_local_port_range='32768 60999'"),
	HARMFUL(HARMFUL_CHALLENGE_ACK_LIMIT, "sysctl-harmful-challenge-ack-limit", N_("strangers can guess connections"),
		N_("A small limit for the whole host lets strangers guess "
		   "connections (CVE-2016-5696)."),
		"sysctl -w net.ipv4.tcp_challenge_ack_limit=1000"),
	HARMFUL(HARMFUL_SOMAXCONN_LOW, "sysctl-harmful-somaxconn-low", N_("every accept queue is cut short"),
		N_("Every listener's queue is cut to it; after raising it call "
		   "listen() again or restart."),
		"sysctl -w net.core.somaxconn=4096"),
	[HOST_TW_OVERFLOW] = {
		.text = {
			.id = "time-wait-bucket-overflow",
			.title = N_("the table of TIME-WAITs is full"),
			.says = N_("{minisocks} of {max_tw_buckets} places for TIME-WAIT and closed "
				   "FIN-WAIT-2 are taken; above the limit connections end without "
				   "either."),
			.why = N_("What should enter TIME-WAIT, or FIN-WAIT-2 after close(), is destroyed "
				  "at once: the peer's late data or FIN is answered with a reset, and old "
				  "segments may meet a new connection."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Fewer of them: keep connections alive and pool them, or "
					     "let the client close first.") },
				{ .kind = FIX_SYSCTL,
				  .text = N_("Raise the limit: 256 bytes each."),
				  .command = "sysctl -w net.ipv4.tcp_max_tw_buckets=262144",
				  .current = "max_tw_buckets", .proposed = "262144" },
			},
			.avoid = { N_("Lowering it: that is what does the harm.") },
			.refs = "Linux net/ipv4/tcp_minisocks.c, tcp_time_wait()",
		},
		.scope = SCOPE_NETNS,
		.weigh = weigh_tw_overflow,
	},
	[HOST_ORPHANS] = {
		.text = {
			.id = "orphans-near-limit",
			.title = N_("many closed connections cannot get rid of their data"),
			.says = N_("{orphans} connections nobody owns any more still have something to "
				   "send; the limit is {max_orphans} ({share})."),
			.why = N_("Above the limit the kernel resets connections at close(), whoever they "
				  "belong to. Orphans that make no progress count up to fourfold, so "
				  "that may begin at a quarter."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("Find the peers that do not answer or do not read: "
					     "fin-wait-1-peer-gone and fin-wait-1-zero-window name "
					     "them.") },
				{ .kind = FIX_SYSCTL,
				  .text = N_("Give up earlier."),
				  .command = "sysctl -w net.ipv4.tcp_orphan_retries=4",
				  .proposed = "4",
				  .risk = N_("the last bytes of answers over lossy paths are lost") },
			},
			.avoid = { N_("Raising tcp_max_orphans without memory for it: up to 64 KiB each.") },
			.refs = "tcp(7), tcp_max_orphans; Linux net/ipv4/tcp_timer.c, "
				"tcp_out_of_resources()",
		},
		.scope = SCOPE_NETNS,
		.weigh = weigh_orphans,
	},
	[HOST_CONNTRACK] = {
		.text = {
			.id = "conntrack-near-limit",
			.title = N_("the firewall's table of connections is nearly full"),
			.says = N_("{tracked} of {conntrack_max} entries of the connection tracking table "
				   "are in use ({share}); when it is full, new connections are dropped."),
			.why = N_("Every connection through this namespace, closed ones for two minutes "
				  "more, needs an entry. A full table drops the packets of new ones "
				  "without a word to their programs."),
			.fixes = {
				{ .kind = FIX_SYSCTL,
				  .text = N_("Raise it, with nf_conntrack_buckets at a quarter to all of "
					     "it."),
				  .command = "sysctl -w net.netfilter.nf_conntrack_max=524288",
				  .current = "conntrack_max", .proposed = "524288",
				  .risk = N_("memory, some 300 bytes an entry") },
				{ .kind = FIX_OPERATION,
				  .text = N_("Take heavy flows out of it: a notrack rule in nftables.") },
			},
			.avoid = { N_("Short timeouts for established connections: they are cut "
				      "silently.") },
			.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst",
		},
		.scope = SCOPE_NETNS,
		.weigh = weigh_conntrack,
	},
};
const size_t n_host_rules = ARRAY_LEN(host_rules);

#include "rules/host.h"
#include "rules/facts.h"
#include "rules/words.h"
#include "util/buf.h"

#include <inttypes.h>

/* How it works: settings.c says which settings are harmful here; their words stand in these rows. The
 * tables are judged by their share: at 80 % there is time to act, at 95 % a burst fails. One look
 * cannot see a counter rise: what counters say is of the whole time since the namespace was made, so
 * alone they make no more than a note. */

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
	const struct setting *count = &ns->sysctls.conntrack_count;

	/* Early drops alone prove a full table: packets are refused for other reasons as well. */
	return (count->known && share(count->value, ns->sysctls.conntrack_max) >= NEAR_PERCENT) ||
	       (ns->counters.conntrack_early_drops.known &&
		ns->counters.conntrack_early_drops.value > 0);
}

/* "net/ipv4/x" as sysctl(8) writes it. */
static const char *dotted(const char *path, struct arena *arena)
{
	char *name = arena_strdup(arena, path);

	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '.';
	return name;
}

/* Two numbers in quotes, if wanted for the shell; NULL: one, or none. */
static const char *range(const struct audit_value *v, const char *quote, struct arena *arena)
{
	AUTO_BUF text = { 0 };

	if (v->n < 2)
		return NULL;
	buf_printf(&text, "%s%" PRId64 " %" PRId64 "%s", quote, v->at[0], v->at[1], quote);
	return arena_strdup(arena, buf_text(&text));
}

void host_fill_audit(struct group *g, const struct audit_row *row, struct arena *arena)
{
	g->audit.row = row;
	g->audit.name = dotted(row->name, arena);
	g->audit.value = range(&row->value, "", arena);
	g->audit.usual = range(&row->usual, "", arena);
	g->audit.proposed = range(&row->proposed, "'", arena);
}

static void fact_value(struct finding *f, const char *name, const struct audit_value *v,
		       const char *range)
{
	if (range)
		finding_fact_text(f, name, range);
	else if (v->n == 1)
		finding_fact(f, name, FACT_COUNT, v->at[0]);
}

static const char *says_of_ports(const struct audit_value *v)
{
	if (v->at[0] < 1024)
		return N_("{setting} is {value}: ports of system services are given to connections.");
	if (v->at[1] - v->at[0] < 4095)
		return N_("{setting} is {value}: so few ports allow few connections to one destination at a "
			  "time.");
	return N_("{setting} is {value}: a listener's port lies in it and is not reserved, so a connection may "
		  "take it while the service restarts.");
}

static bool weigh_harmful(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct audit_row *row = g->audit.row;

	(void)b;
	f->severity = row->is_problem ? SEVERITY_PROBLEM : SEVERITY_WARNING;
	f->certainty = CERTAINTY_CERTAIN;
	finding_fact_text(f, "setting", g->audit.name);
	fact_value(f, "value", &row->value, g->audit.value);
	fact_value(f, "default", &row->usual, g->audit.usual);
	fact_value(f, "proposed", &row->proposed, g->audit.proposed);
	if (g->rule == &host_rules[HARMFUL_PORT_RANGE])
		f->says = says_of_ports(&row->value);
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
		f->says = N_("{overflows} {overflows:connection was|connections were} ended without TIME-WAIT since this namespace was "
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
	f->severity = percent >= FULL_PERCENT ? SEVERITY_PROBLEM :
		      percent >= NEAR_PERCENT ? SEVERITY_WARNING :
						SEVERITY_NOTE;
	f->certainty = CERTAINTY_CERTAIN;
	fact_counter(f, "early_drops", &ns->counters.conntrack_early_drops);
	fact_counter(f, "refused", &ns->counters.conntrack_drops);
	if (percent < NEAR_PERCENT)
		f->says = N_("The connection tracking table of {conntrack_max} entries was full since this "
			     "namespace was made: {early_drops} entries were thrown out early.");
	finding_fact(f, "tracked", FACT_COUNT, g->value);
	fact_setting(f, "conntrack_max", &ns->sysctls.conntrack_max);
	finding_fact(f, "share", FACT_PERCENT, percent);
	return true;
}

#define HARMFUL(index, its_id, its_title, its_says, its_why, its_command, its_proposed, its_risk,  \
		its_avoid, its_refs)                                                               \
	[index] = {                                                                                \
		.text = {                                                                          \
			.id = its_id,                                                              \
			.title = its_title,                                                        \
			.says = its_says,                                                          \
			.why = its_why,                                                            \
			.fixes = { { .kind = FIX_SYSCTL,                                           \
				     .text = N_("Set it back. `tcpwhy audit` shows what else it does."), \
				     .command = its_command, .current = "value",                   \
				     .proposed = its_proposed, .risk = its_risk } },               \
			.avoid = { its_avoid },                                                    \
			.refs = its_refs,                                                          \
		},                                                                                 \
		.scope = SCOPE_NETNS,                                                              \
		.weigh = weigh_harmful,                                                            \
	}

const struct rule host_rules[] = {
	HARMFUL(HARMFUL_TW_RECYCLE, "sysctl-harmful-tw-recycle",
		N_("clients behind NAT are refused"),
		N_("{setting} is {value}: clients behind one NAT are refused at random."),
		N_("It drops SYNs whose timestamp is lower than the last one of the same address, "
		   "and the hosts behind one NAT have different clocks. Since Linux 4.10 every "
		   "connection has its own, and it refuses everybody."),
		"sysctl -w net.ipv4.tcp_tw_recycle=0", "0",
		NULL,
		N_("Any other value \"for TIME-WAIT\": pool connections, or set tcp_tw_reuse on the "
		   "client."),
		"Linux 4.11 Documentation/networking/ip-sysctl.txt, net/ipv4/tcp_metrics.c, tcp_peer_is_proven()"),
	HARMFUL(HARMFUL_FIN_TIMEOUT_OVER, "sysctl-harmful-fin-timeout-over-60",
		N_("FIN-WAIT-2 lasts another time than is written"),
		N_("{setting} is {value}: the real time is twice the part above 60."),
		N_("Above 60 the real time is 2 x (value - 60) seconds, half of it as a full "
		   "socket. 61 to 119 are shorter than written, more than 120 is longer."),
		"sysctl -w net.ipv4.tcp_fin_timeout=60", "60",
		NULL,
		N_("Expecting it to change TIME-WAIT: that is 60 s whatever it says."),
		"Linux net/ipv4/tcp.c, __tcp_close(); net/ipv4/tcp_timer.c, tcp_keepalive_timer()"),
	HARMFUL(HARMFUL_FIN_TIMEOUT_LOW, "sysctl-harmful-fin-timeout-low",
		N_("slow peers are reset"),
		N_("{setting} is {value}: peers that answer slowly after our FIN are reset."),
		N_("A connection we closed waits so long for the peer's end. What comes later, "
		   "data or the peer's own FIN, is answered with a reset: the peer sees EPIPE or "
		   "ECONNRESET."),
		"sysctl -w net.ipv4.tcp_fin_timeout=30", "30",
		N_("closed connections of peers that never close stay longer"),
		N_("Lowering it against TIME-WAIT or CLOSE-WAIT: it touches neither."),
		"Linux net/ipv4/tcp.c, __tcp_close(); tcp(7)"),
	HARMFUL(HARMFUL_TW_BUCKETS_LOW, "sysctl-harmful-tw-buckets-low",
		N_("TIME-WAITs are destroyed"),
		N_("{setting} is {value}: above it TIME-WAITs are destroyed as they are made."),
		N_("At the limit TIME-WAITs and closed FIN-WAIT-2 are destroyed at once, and what "
		   "they protect with them: the last ACK is not repeated, and old segments meet "
		   "new connections."),
		"sysctl -w net.ipv4.tcp_max_tw_buckets={proposed}", "{proposed}",
		N_("256 bytes each"),
		N_("Lowering it to have fewer TIME-WAITs: they cost neither descriptors nor "
		   "processor time."),
		"Linux net/ipv4/tcp_minisocks.c, tcp_time_wait(); net/ipv4/inet_timewait_sock.c, inet_twsk_alloc()"),
	HARMFUL(HARMFUL_TIMESTAMPS_OFF, "sysctl-harmful-timestamps-off",
		N_("TCP timestamps are off"),
		N_("{setting} is {value}: TIME-WAITs cannot be reused, and old segments are not "
		   "recognised."),
		N_("Without them TIME-WAITs cannot be reused, and old segments are not told from "
		   "new ones (PAWS)."),
		"sysctl -w net.ipv4.tcp_timestamps=1", "1",
		NULL,
		N_("Turning them off for security: since Linux 4.10 they tell no uptime."),
		"RFC 7323, section 5; Linux net/ipv4/tcp_ipv4.c, tcp_twsk_unique()"),
	HARMFUL(HARMFUL_ABORT_ON_OVERFLOW, "sysctl-harmful-abort-on-overflow",
		N_("bursts become hard errors"),
		N_("{setting} is {value}: a client whose handshake ends at a full accept queue is "
		   "reset."),
		N_("A short burst becomes a hard error for clients that would have succeeded a "
		   "second later. SYNs are still dropped in silence while the queue is full."),
		"sysctl -w net.ipv4.tcp_abort_on_overflow=0", "0",
		NULL,
		N_("Setting it to make clients fail fast: most meet the full queue with their "
		   "SYN, and that is not answered."),
		"Linux net/ipv4/tcp_minisocks.c, tcp_check_req()"),
	HARMFUL(HARMFUL_RETRIES2_LOW, "sysctl-harmful-retries2-low",
		N_("short outages end every connection"),
		N_("{setting} is {value}: every connection with data under way ends in an outage "
		   "of less than 100 s."),
		N_("Short outages (a failover, a switch that reloads) end every connection; RFC "
		   "1122 asks for 100 s, which is 8."),
		"sysctl -w net.ipv4.tcp_retries2=15", "15",
		N_("dead peers are noticed later, after some 15 minutes"),
		N_("Lowering it for one program: TCP_USER_TIMEOUT does that for its sockets alone."),
		"RFC 1122, section 4.2.3.5; Linux net/ipv4/tcp_timer.c, tcp_model_timeout()"),
	HARMFUL(HARMFUL_ORPHAN_RETRIES_LOW, "sysctl-harmful-orphan-retries-low",
		N_("the end of responses is lost"),
		N_("{setting} is {value}: what a closed connection still has to send is given up "
		   "after a second or two."),
		N_("The end of a response is given up after a second or two of loss. 0 is the "
		   "default and means 8, some 100 s."),
		"sysctl -w net.ipv4.tcp_orphan_retries=0", "0",
		N_("closed connections to dead peers stay for 100 s"),
		N_("1 as \"the fewest\": 3 to 5 are short as well and survive a lost packet."),
		"Linux net/ipv4/tcp_timer.c, tcp_orphan_retries()"),
	HARMFUL(HARMFUL_MAX_ORPHANS_LOW, "sysctl-harmful-max-orphans-low",
		N_("innocent clients are reset at close"),
		N_("{setting} is {value}: with more closed connections under way than that, "
		   "others are reset."),
		N_("Innocent clients are reset at close: trouble begins at a quarter of the limit."),
		"sysctl -w net.ipv4.tcp_max_orphans={proposed}", "{proposed}",
		N_("up to 64 KiB of memory each"),
		N_("Lowering it against orphans: find the peers that do not answer."),
		"Linux net/ipv4/tcp_timer.c, tcp_out_of_resources(); tcp(7)"),
	HARMFUL(HARMFUL_PORT_RANGE, "sysctl-harmful-port-range",
		N_("too few local ports, or the wrong ones"),
		N_("{setting} is {value}."),
		N_("Too few ports allow few connections to one destination at a time. Ports below "
		   "1024 are those of system services, and any service whose port lies inside "
		   "unreserved may find it taken when it starts."),
		"sysctl -w net.ipv4.ip_local_port_range={proposed}", "{proposed}",
		NULL,
		N_("1024 65535 for more connections: reserve the ports of services, or use more "
		   "addresses."),
		"Linux Documentation/networking/ip-sysctl.rst, ip_local_port_range, ip_local_reserved_ports"),
	HARMFUL(HARMFUL_CHALLENGE_ACK_LIMIT, "sysctl-harmful-challenge-ack-limit",
		N_("strangers can guess connections"),
		N_("{setting} is {value}: so small a limit tells strangers which connections "
		   "exist."),
		N_("A small limit for the whole host lets strangers guess connections "
		   "(CVE-2016-5696)."),
		"sysctl -w net.ipv4.tcp_challenge_ack_limit=1000", "1000",
		NULL,
		NULL,
		"RFC 5961, section 10; CVE-2016-5696; Linux net/ipv4/tcp_input.c, tcp_send_challenge_ack()"),
	HARMFUL(HARMFUL_SOMAXCONN_LOW, "sysctl-harmful-somaxconn-low",
		N_("every accept queue is cut short"),
		N_("{setting} is {value}: every accept queue is cut to it."),
		N_("Every listener's queue is cut to it; after raising it call listen() again or "
		   "restart."),
		"sysctl -w net.core.somaxconn=4096", "4096",
		NULL,
		N_("Raising it alone: the program's own backlog is the other bound."),
		"listen(2); Linux net/socket.c, __sys_listen()"),
	HARMFUL(HARMFUL_CONNTRACK_SHORT, "sysctl-harmful-conntrack-short",
		N_("the firewall forgets half-closed connections"),
		N_("{setting} is {value}: a half-closed connection that is silent longer is "
		   "forgotten by the firewall."),
		N_("When one side has closed and the other sends on, the firewall keeps its entry "
		   "so long. What comes later is dropped or reset, and both ends hang in "
		   "FIN-WAIT-2, CLOSE-WAIT or LAST-ACK."),
		"sysctl -w net.netfilter.nf_conntrack_tcp_timeout_close_wait=60", "60",
		N_("more entries in the table"),
		N_("Lowering it to end CLOSE-WAIT: it is the firewall's memory, no socket ends by "
		   "it."),
		"Linux net/netfilter/nf_conntrack_proto_tcp.c, tcp_timeouts[]"),
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

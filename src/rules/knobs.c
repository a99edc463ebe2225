#include "rules/knobs.h"
#include "rules/host.h"
#include "util/attr.h"
#include "util/i18n.h"

/* How it works: sysctls.def gives name, unit and meaning; the rows here add the rest. A judge says
 * nothing about a value that is in order. Thresholds are kept so wide that no default of any kernel,
 * however small its machine, is warned of. */

enum {
	NEAR_PERCENT = 80, FULL_PERCENT = 95,
	/* The reckoning of retries begins here. Source: Linux include/net/tcp.h, TCP_RTO_MIN. */
	RTO_MIN_MS = 200,
	RTO_MAX_MS = 120000,
};

void knob_say(const struct judgement *j, enum audit_verdict verdict, const char *why)
{
	j->row->verdict = verdict;
	j->row->why = why;
}

void knob_harm(const struct judgement *j, int row)
{
	knob_say(j, AUDIT_WARNING, host_rules[row].text.why);
	j->row->rule = host_rules[row].text.id;
	j->row->rule_row = row;
}

void knob_propose(const struct judgement *j, int64_t value)
{
	j->row->proposed = (struct audit_value){ .n = 1, .at = { value } };
}

int64_t knob_hash_size(const struct sysctls *ctl)
{
	/* Negative: the initial namespace's table. Source: Linux net/ipv4/sysctl_net_ipv4.c,
	 * proc_tcp_ehash_entries(). */
	int64_t n = ctl->ehash_entries.known ? ctl->ehash_entries.value : 0;

	return n < 0 ? -n : n;
}

static const struct sysctls *ctl_of(const struct judgement *j)
{
	return &j->ns->sysctls;
}

static bool is_at(struct setting s, int64_t value)
{
	return s.known && s.value == value;
}

static int64_t used_percent(const struct judgement *j)
{
	return j->row->used.known && j->value > 0 ? j->row->used.value * 100 / j->value : 0;
}

/* A table that fills: time to act, or too late. */
static bool say_full(const struct judgement *j, const char *why)
{
	int64_t percent = used_percent(j);

	if (percent < NEAR_PERCENT)
		return false;
	knob_say(j, AUDIT_WARNING, why);
	j->row->is_problem = percent >= FULL_PERCENT;
	return true;
}

static int64_t usual_or(const struct judgement *j, int64_t value)
{
	return j->row->usual.n > 0 ? j->row->usual.at[0] : value;
}

/* ---- how much is taken ---- */

static struct setting used_timewait(const struct judgement *j)
{
	return j->ns->n_timewait;
}

static struct setting used_orphans(const struct judgement *j)
{
	return j->host->orphans;
}

static struct setting used_files(const struct judgement *j)
{
	return j->host->files_open;
}

static struct setting used_conntrack(const struct judgement *j)
{
	return ctl_of(j)->conntrack_count;
}

/* ---- closing ---- */

static void judge_fin_timeout(const struct judgement *j)
{
	/* At 120 both halves of 2 x (V - 60) make 120 again. Source: Linux net/ipv4/tcp.c,
	 * __tcp_close(); tcp_timer.c, tcp_keepalive_timer(). Below 5 s a peer with one lost segment
	 * (RTO of 1 to 3 s) does not answer in time. */
	if (j->value > 60 && j->value != 120) {
		knob_harm(j, HARMFUL_FIN_TIMEOUT_OVER);
		knob_propose(j, 60);
	} else if (j->value < 5) {
		knob_harm(j, HARMFUL_FIN_TIMEOUT_LOW);
		knob_propose(j, 30);
	}
}

/* Is a low limit what the kernel itself has chosen for a small machine, or a small hash table of its
 * own (tcp_child_ehash_entries)? Where the table's size cannot be read: max_orphans and
 * max_tw_buckets are both half of it. Source: Linux net/ipv4/tcp_ipv4.c, tcp_set_hashinfo(); tcp.c,
 * tcp_init(). */
static bool is_half_of_hash(const struct judgement *j, struct setting twin)
{
	int64_t size = knob_hash_size(ctl_of(j));

	return size > 0 ? j->value >= size / 2 : is_at(twin, j->value);
}

static void judge_max_tw_buckets(const struct judgement *j)
{
	enum { FEW = 8192 }; /* 136 closes a second: TIME-WAIT lasts 60 s */
	bool is_lowered = !is_half_of_hash(j, ctl_of(j)->max_orphans);

	if (is_lowered && (j->value < FEW || (j->row->usual.n > 0 && used_percent(j) >= 50))) {
		knob_harm(j, HARMFUL_TW_BUCKETS_LOW);
		knob_propose(j, usual_or(j, 131072));
		return;
	}
	if (say_full(j, N_("It is nearly full; above it connections end without TIME-WAIT.")) ||
	    (j->ns->counters.tw_overflow.known && j->ns->counters.tw_overflow.value > 0)) {
		if (j->row->verdict == AUDIT_FINE)
			knob_say(j, AUDIT_NOTE, N_("It was full since this namespace was made: TCPTimeWaitOverflow "
						   "counts connections that ended without TIME-WAIT."));
		knob_propose(j, j->value * 2);
	}
}

static void judge_tw_reuse(const struct judgement *j)
{
	if (j->value == 1 && is_at(ctl_of(j)->timestamps, 0))
		knob_say(j, AUDIT_NOTE, N_("Without TCP timestamps it does nothing."));
}

static void judge_tw_reuse_delay(const struct judgement *j)
{
	/* RFC 7323, section 5.4: a tick of the timestamp clock lasts 1 ms to 1 s. */
	if (j->value < 1000)
		knob_say(j, AUDIT_NOTE, N_("Safe only where every peer's timestamp clock is that fast."));
}

static void judge_tw_timeout(const struct judgement *j)
{
	/* Two maximum segment lifetimes as Linux has them. Source: include/net/tcp.h,
	 * TCP_TIMEWAIT_LEN. */
	if (j->value >= 60)
		return;
	knob_say(j, AUDIT_NOTE, N_("Old segments can meet a new connection of the same ports."));
	knob_propose(j, 60);
}

static void judge_tw_recycle(const struct judgement *j)
{
	if (j->value == 0)
		return;
	knob_harm(j, HARMFUL_TW_RECYCLE);
	j->row->is_problem = true;
	knob_propose(j, 0);
}

static void judge_timestamps(const struct judgement *j)
{
	if (j->value != 0)
		return;
	knob_harm(j, HARMFUL_TIMESTAMPS_OFF);
	knob_propose(j, 1);
}

static void judge_orphan_retries(const struct judgement *j)
{
	/* 1 and 2 give up after some 0.6 and 1.4 s: less than one lost packet on a slow path. */
	if (j->value != 1 && j->value != 2)
		return;
	knob_harm(j, HARMFUL_ORPHAN_RETRIES_LOW);
	knob_propose(j, 0);
}

static void judge_max_orphans(const struct judgement *j)
{
	enum { FEW = 4096 }; /* a quarter of it, 1024 vanished clients, is an ordinary evening */

	if (j->value < FEW && !is_half_of_hash(j, ctl_of(j)->max_tw_buckets)) {
		knob_harm(j, HARMFUL_MAX_ORPHANS_LOW);
		knob_propose(j, usual_or(j, 65536));
	} else if (used_percent(j) >= 25) {
		knob_say(j, AUDIT_WARNING, N_("A quarter of it is in use; penalised orphans count fourfold, so the "
					      "limit may be met already."));
		j->row->is_problem = used_percent(j) >= NEAR_PERCENT;
	}
}

static void judge_retries2(const struct judgement *j)
{
	/* RFC 1122, section 4.2.3.5: at least 100 s, which is 8. */
	if (j->value < 8) {
		knob_harm(j, HARMFUL_RETRIES2_LOW);
		knob_propose(j, 15);
	} else if (j->value > 15) {
		knob_say(j, AUDIT_NOTE, N_("Dead connections with unsent data stay for more than 15 minutes."));
		knob_propose(j, 15);
	}
}

/* The time after which so many retries are given up. Source: Linux net/ipv4/tcp_timer.c,
 * tcp_model_timeout(). */
static int64_t give_up_ms(int64_t retries, int64_t rto_max_ms)
{
	int64_t rto_ms = RTO_MIN_MS, sum_ms = 0;

	for (int64_t i = 0; i <= retries && i < UINT8_MAX; i++) {
		sum_ms += rto_ms < rto_max_ms ? rto_ms : rto_max_ms;
		rto_ms = rto_ms < RTO_MAX_MS ? rto_ms * 2 : rto_ms;
	}
	return sum_ms;
}

static void judge_rto_max(const struct judgement *j)
{
	struct setting retries = ctl_of(j)->retries2;

	/* The same 100 s. Where tcp_retries2 alone is too low, that row says it. */
	if (!retries.known || retries.value < 8 || give_up_ms(retries.value, j->value) >= 100000)
		return;
	knob_say(j, AUDIT_NOTE, N_("With it tcp_retries2 gives up in less than the 100 s of RFC 1122."));
	knob_propose(j, RTO_MAX_MS);
}

/* Ten seconds: a lost segment is repeated within that time, a switch that reloads or a radio that
 * sleeps takes longer. */
static void judge_keepalive_time(const struct judgement *j)
{
	if (j->value < 10)
		knob_say(j, AUDIT_NOTE, N_("Probes every few seconds cost battery and radio of mobile peers."));
}

static void judge_keepalive_intvl(const struct judgement *j)
{
	struct setting probes = ctl_of(j)->keepalive_probes;

	if (probes.known && j->value * probes.value < 10)
		knob_say(j, AUDIT_NOTE, N_("With tcp_keepalive_probes, silence of less than 10 s ends a connection."));
}

/* ---- listeners ---- */

static void judge_abort_on_overflow(const struct judgement *j)
{
	if (j->value == 0)
		return;
	knob_harm(j, HARMFUL_ABORT_ON_OVERFLOW);
	knob_propose(j, 0);
}

static void judge_somaxconn(const struct judgement *j)
{
	/* The default before Linux 5.4; what is less was set by hand. */
	if (j->value >= 128)
		return;
	knob_harm(j, HARMFUL_SOMAXCONN_LOW);
	knob_propose(j, 4096);
}

static void judge_max_syn_backlog(const struct judgement *j)
{
	/* The least the kernel itself chooses. With cookies on it hardly matters. */
	if (j->value >= 128 || !is_at(ctl_of(j)->syncookies, 0))
		return;
	knob_say(j, AUDIT_NOTE, N_("Without SYN cookies so few half-open connections lock clients out."));
	knob_propose(j, usual_or(j, 2048));
}

static void judge_syncookies(const struct judgement *j)
{
	if (j->value == 0) {
		knob_say(j, AUDIT_NOTE, N_("A flood of SYNs then locks clients out."));
		knob_propose(j, 1);
	} else if (j->value == 2) {
		knob_say(j, AUDIT_NOTE, N_("Cookies for every connection are for tests: options get lost."));
		knob_propose(j, 1);
	}
}

static void judge_challenge_ack_limit(const struct judgement *j)
{
	/* 1000 is what the fix of CVE-2016-5696 chose, with noise on top; 100 was the hole. */
	if (j->value >= 1000)
		return;
	knob_harm(j, HARMFUL_CHALLENGE_ACK_LIMIT);
	knob_propose(j, 1000);
}

static void judge_invalid_ratelimit(const struct judgement *j)
{
	if (j->value == 0) {
		knob_say(j, AUDIT_NOTE, N_("Two ends that disagree may answer each other's ACKs without end."));
		knob_propose(j, 500);
	} else if (j->value > 5000) {
		/* A FIN is repeated after 0.2, 0.6, 1.4, 3 and 6.2 s: more than 5 s leaves one of
		 * them at a time without its answer. */
		knob_say(j, AUDIT_NOTE, N_("TIME-WAIT answers repeated FINs so rarely that peers stay in LAST-ACK."));
		knob_propose(j, 500);
	}
}

/* ---- the machine ---- */

static void judge_file_max(const struct judgement *j)
{
	if (say_full(j, N_("It is nearly full; above it accept() and socket() fail with ENFILE.")))
		knob_propose(j, j->value * 2);
}

/* ---- connection tracking ---- */

static void judge_conntrack_max(const struct judgement *j)
{
	const struct sysctls *ctl = ctl_of(j);

	if (say_full(j, N_("More than 80 % of the table is in use; when it is full, new connections are "
			   "dropped.")))
		knob_propose(j, j->value * 2);
	else if (j->ns->counters.conntrack_early_drops.known &&
		 j->ns->counters.conntrack_early_drops.value > 0)
		knob_say(j, AUDIT_NOTE, N_("It was full since this namespace was made: entries were thrown out "
					   "early."));
	else if (ctl->conntrack_buckets.known && ctl->conntrack_buckets.value > 0 &&
		 j->value / ctl->conntrack_buckets.value > 8)
		/* The default was 4 until Linux 5.12 and is 1 since. Twice the old one still is
		 * a chain of 8. Source: Documentation/networking/nf_conntrack-sysctl.rst. */
		knob_say(j, AUDIT_NOTE, N_("More than 8 entries a bucket: searching the full table is slow."));
}

static void judge_conntrack_close_wait(const struct judgement *j)
{
	if (j->value >= 60)
		return;
	knob_propose(j, 60);
	/* Where nothing is tracked nobody is harmed yet. */
	if (ctl_of(j)->conntrack_count.known && ctl_of(j)->conntrack_count.value > 0)
		knob_harm(j, HARMFUL_CONNTRACK_SHORT);
	else
		knob_say(j, AUDIT_NOTE, N_("Half-closed connections are forgotten early: what comes later is dropped or "
					   "reset."));
}

static void judge_conntrack_established(const struct judgement *j)
{
	/* The default of keepalive: a shorter memory cuts what keepalive would have kept. */
	if (j->value < 7200)
		knob_say(j, AUDIT_NOTE, N_("Shorter than tcp_keepalive_time's default: idle connections are cut "
					   "silently."));
}

static void judge_conntrack_fin_wait(const struct judgement *j)
{
	/* An orphan repeats its FIN with pauses of up to 51.2 s (0.2 s doubled eight times). */
	if (j->value >= 52)
		return;
	knob_say(j, AUDIT_NOTE, N_("Shorter than the pauses in which a lost FIN is repeated: it then meets no "
				   "entry."));
	knob_propose(j, 120);
}

static void judge_conntrack_time_wait(const struct judgement *j)
{
	if (j->value < 30)
		knob_say(j, AUDIT_NOTE, N_("Late segments of closed connections are taken for new ones."));
}

static void judge_conntrack_loose(const struct judgement *j)
{
	if (j->value == 0)
		knob_say(j, AUDIT_NOTE, N_("After the firewall restarts, or forgets a connection, its packets are "
					   "invalid: both ends hang."));
}

/* ---- the table ---- */

#define GONE_412 AUDIT_REMOVED, N_("removed in Linux 4.12; that it is missing is right")
#define SINCE(release) AUDIT_NO_KERNEL, N_("there since Linux " release "; this kernel has no such file")
#define ALWAYS AUDIT_NO_KERNEL, NULL
#define CONNTRACK AUDIT_NO_MODULE, NULL
#define BY_MEMORY N_("by memory")

const struct knob knobs[] = {
	{ SYSCTL_fin_timeout_s, 60, 0, NULL, HOME_NETNS, ALWAYS, NULL, judge_fin_timeout,
	  N_("It does not touch TIME-WAIT, CLOSE-WAIT, or a FIN-WAIT-2 whose descriptor is open."),
	  N_("small values reset peers that answer slowly") },
	{ SYSCTL_max_tw_buckets, NO_DEFAULT, 2, BY_MEMORY, HOME_NETNS, ALWAYS, used_timewait,
	  judge_max_tw_buckets,
	  N_("It is no target: lowering it destroys TIME-WAITs, it does not make fewer of them."),
	  N_("late segments meet new connections; peers are left in LAST-ACK") },
	{ SYSCTL_tw_reuse, 2, 0, NULL, HOME_NETNS, ALWAYS, NULL, judge_tw_reuse,
	  N_("It does nothing for a server's TIME-WAITs, and the number of TIME-WAITs does not fall."),
	  N_("small: it relies on the peer's timestamps") },
	{ SYSCTL_tw_reuse_delay_ms, 1000, 0, NULL, HOME_NETNS, SINCE("6.14"), NULL, judge_tw_reuse_delay,
	  N_("It does not shorten TIME-WAIT; it says when one may be taken over."),
	  N_("below the peer's timestamp tick old and new are mixed up") },
	{ SYSCTL_tw_timeout_s, 60, 0, NULL, HOME_NETNS, AUDIT_NO_KERNEL,
	  N_("only some vendors' kernels have it; elsewhere TIME-WAIT is a constant of 60 s"), NULL,
	  judge_tw_timeout, NULL, N_("short: old segments meet a new connection") },
	{ SYSCTL_tw_recycle, 0, 0, NULL, HOME_NETNS, GONE_412, NULL, judge_tw_recycle,
	  N_("It was never a cure: it dropped clients behind NAT."),
	  N_("clients behind one NAT are refused at random") },
	{ SYSCTL_timestamps, 1, 0, NULL, HOME_NETNS, ALWAYS, NULL, judge_timestamps,
	  N_("Turning them off is no protection and does not end TIME-WAIT."),
	  N_("off: no TIME-WAIT reuse, no PAWS, coarse RTT") },
	{ SYSCTL_rfc1337, 0, 0, NULL, HOME_NETNS, ALWAYS, NULL, NULL,
	  N_("The kernel's text long described it backwards: 1 keeps TIME-WAIT alive."), NULL },
	{ SYSCTL_orphan_retries, 0, 0, NULL, HOME_NETNS, ALWAYS, NULL, judge_orphan_retries,
	  N_("0 does not mean none: it means 8, about 100 s."),
	  N_("small values lose the end of responses over lossy paths") },
	{ SYSCTL_max_orphans, NO_DEFAULT, 2, BY_MEMORY, HOME_INITIAL, ALWAYS, used_orphans,
	  judge_max_orphans, N_("TIME-WAIT and short FIN-WAIT-2 do not count as orphans."),
	  N_("low: innocent clients are reset; high: up to 64 KiB of memory each") },
	{ SYSCTL_retries2, 15, 0, NULL, HOME_NETNS, ALWAYS, NULL, judge_retries2,
	  N_("It does not count for sockets nobody owns any more."),
	  N_("low values turn short outages into broken connections, host-wide") },
	{ SYSCTL_rto_max_ms, RTO_MAX_MS, 0, NULL, HOME_NETNS, SINCE("6.15"), NULL, judge_rto_max,
	  N_("It is no timeout: no state ends when it is over."),
	  N_("small: more packets into an overloaded path, and outages are not survived") },
	{ SYSCTL_keepalive_time_s, 7200, 0, NULL, HOME_NETNS, ALWAYS, NULL, judge_keepalive_time,
	  N_("Programs that do not set SO_KEEPALIVE do not notice; running timers keep their time."),
	  N_("small: needless traffic, and connections lost in short outages") },
	{ SYSCTL_keepalive_intvl_s, 75, 0, NULL, HOME_NETNS, ALWAYS, NULL, judge_keepalive_intvl,
	  N_("It does nothing without SO_KEEPALIVE, nor while data is unacknowledged."),
	  N_("times tcp_keepalive_probes: outages longer than that end the connection") },
	{ SYSCTL_keepalive_probes, 9, 0, NULL, HOME_NETNS, ALWAYS, NULL, NULL,
	  N_("It never ends a CLOSE-WAIT whose peer is alive: that one answers every probe."),
	  N_("1 or 2: a lost packet is taken for a dead peer") },
	{ SYSCTL_abort_on_overflow, 0, 0, NULL, HOME_NETNS, ALWAYS, NULL, judge_abort_on_overflow,
	  N_("It does not help when the queue is full already: the SYN is dropped then, too."),
	  N_("bursts become hard errors") },
	{ SYSCTL_somaxconn, 4096, 0, NULL, HOME_NETNS, ALWAYS, NULL, judge_somaxconn,
	  N_("Listeners that exist keep their backlog until listen() is called again."),
	  N_("high: clients wait in a queue that a slow program never empties") },
	{ SYSCTL_max_syn_backlog, NO_DEFAULT, 128, BY_MEMORY, HOME_NETNS, ALWAYS, NULL,
	  judge_max_syn_backlog, N_("It has no effect on closing, and hardly any while SYN cookies are on."),
	  NULL },
	{ SYSCTL_syncookies, 1, 0, NULL, HOME_NETNS, ALWAYS, NULL, judge_syncookies,
	  N_("It has no effect on closing."), N_("0: a flood of SYNs locks clients out") },
	{ SYSCTL_migrate_req, 0, 0, NULL, HOME_NETNS, SINCE("5.14"), NULL, NULL,
	  N_("It does nothing for a port with one listener."), NULL },
	{ SYSCTL_challenge_ack_limit, NO_DEFAULT, 0, N_("by kernel"), HOME_NETNS, ALWAYS, NULL,
	  judge_challenge_ack_limit, N_("It ends no state and keeps none."),
	  N_("small: strangers can find out connections (CVE-2016-5696)") },
	{ SYSCTL_invalid_ratelimit_ms, 500, 0, NULL, HOME_NETNS, SINCE("3.19"), NULL,
	  judge_invalid_ratelimit, N_("It does not limit resets."),
	  N_("0: loops of ACKs; large: peers wait longer in LAST-ACK") },
	{ SYSCTL_file_max, NO_DEFAULT, 0, BY_MEMORY, HOME_MACHINE, ALWAYS, used_files, judge_file_max,
	  N_("A process meets its own limit (RLIMIT_NOFILE) long before."), NULL },
	{ SYSCTL_nr_open, 1048576, 0, NULL, HOME_MACHINE, ALWAYS, NULL, NULL,
	  N_("It is not in force by itself: RLIMIT_NOFILE is, which is lower."), NULL },
	{ SYSCTL_conntrack_max, NO_DEFAULT, 0, BY_MEMORY, HOME_SHARED, CONNTRACK, used_conntrack,
	  judge_conntrack_max, N_("Its presence does not mean that packets are tracked: the entries in use do."),
	  N_("memory, some 300 bytes an entry") },
	{ SYSCTL_conntrack_buckets, NO_DEFAULT, 0, BY_MEMORY, HOME_SHARED, CONNTRACK, NULL, NULL,
	  N_("It limits nothing: nf_conntrack_max does."), NULL },
	{ SYSCTL_conntrack_established_s, 432000, 0, NULL, HOME_NETNS, CONNTRACK, NULL,
	  judge_conntrack_established, N_("It ends no socket: both ends think the connection lives."),
	  N_("short: idle connections are cut silently") },
	{ SYSCTL_conntrack_fin_wait_s, 120, 0, NULL, HOME_NETNS, CONNTRACK, NULL,
	  judge_conntrack_fin_wait,
	  N_("It is the firewall's name for the time before the FIN's ACK, not the socket's FIN-WAIT-2."),
	  N_("short: repeated FINs are dropped") },
	{ SYSCTL_conntrack_close_wait_s, 60, 0, NULL, HOME_NETNS, CONNTRACK, NULL,
	  judge_conntrack_close_wait,
	  N_("It is the firewall's memory: lowering it ends no socket in CLOSE-WAIT."),
	  N_("late data of half-closed connections is dropped or reset") },
	{ SYSCTL_conntrack_last_ack_s, 30, 0, NULL, HOME_NETNS, CONNTRACK, NULL, NULL,
	  N_("It is the firewall's memory and ends no socket in LAST-ACK."), NULL },
	{ SYSCTL_conntrack_time_wait_s, 120, 0, NULL, HOME_NETNS, CONNTRACK, NULL,
	  judge_conntrack_time_wait,
	  N_("It is the firewall's memory and does not shorten a socket's TIME-WAIT."), NULL },
	{ SYSCTL_conntrack_close_s, 10, 0, NULL, HOME_NETNS, CONNTRACK, NULL, NULL,
	  N_("It is what is left after a RST, not what a close takes."), NULL },
	{ SYSCTL_conntrack_syn_sent_s, 120, 0, NULL, HOME_NETNS, CONNTRACK, NULL, NULL,
	  N_("It has no effect on closing."), NULL },
	{ SYSCTL_conntrack_syn_recv_s, 60, 0, NULL, HOME_NETNS, CONNTRACK, NULL, NULL,
	  N_("It has no effect on closing."), NULL },
	{ SYSCTL_conntrack_max_retrans_s, 300, 0, NULL, HOME_NETNS, CONNTRACK, NULL, NULL, NULL,
	  N_("short: connections over a bad path are forgotten while they still try") },
	{ SYSCTL_conntrack_unacknowledged_s, 300, 0, NULL, HOME_NETNS, CONNTRACK, NULL, NULL, NULL,
	  N_("short: connections over a bad path are forgotten while they still try") },
	{ SYSCTL_conntrack_loose, 1, 0, NULL, HOME_NETNS, CONNTRACK, NULL, judge_conntrack_loose,
	  N_("It restores no address translation: that died with the entry."), NULL },
	{ SYSCTL_conntrack_be_liberal, 0, 0, NULL, HOME_NETNS, CONNTRACK, NULL, NULL,
	  N_("It does not stop resets outside the window from being invalid."),
	  N_("1: forged segments pass more easily") },
	{ SYSCTL_conntrack_ignore_invalid_rst, 0, 0, NULL, HOME_NETNS, SINCE("5.14"), NULL, NULL, NULL,
	  N_("1: forged resets pass more easily") },
};
const size_t n_knobs = ARRAY_LEN(knobs);

#include "rules/settings.h"
#include "rules/host.h"
#include "util/attr.h"
#include "util/i18n.h"

#include <stddef.h>
#include <string.h>

/* How it works: sysctls.def gives name, unit and meaning; the rows here add the default, the myth, the
 * danger and a function that judges the value. A value nobody could read is not judged. */

enum { NO_DEFAULT = INT32_MIN };

static const struct def {
	size_t offset;
	const char *path, *unit, *does;
} defs[] = {
#define SYSCTL(member, path, unit, does) { offsetof(struct sysctls, member), path, unit, does },
#include "model/sysctls.def"
#undef SYSCTL
};

/* What a judge sees, and what it may say. */
struct judgement {
	int64_t value;
	const struct sysctls *ctl;
	const struct host *host;
	struct audit_row *row;
};

static void say(const struct judgement *j, enum audit_verdict verdict, const char *why)
{
	j->row->verdict = verdict;
	j->row->why = why;
}

/* Harmful enough for a finding of its own, whose words these are. */
static void harm(const struct judgement *j, int row)
{
	say(j, AUDIT_WARNING, host_rules[row].text.why);
	j->row->rule = row;
}

static void propose(const struct judgement *j, int64_t value)
{
	j->row->proposed = (struct setting){ true, value };
}

static void judge_fin_timeout(const struct judgement *j)
{
	/* 3.5 x RTO is the least the kernel takes anyway: 5 s still covers slow peers. */
	if (j->value > 60 && j->value != 120) {
		harm(j, HARMFUL_FIN_TIMEOUT_OVER);
		propose(j, 60);
	} else if (j->value < 5) {
		harm(j, HARMFUL_FIN_TIMEOUT_LOW);
		propose(j, 30);
	}
}

static void judge_max_tw_buckets(const struct judgement *j)
{
	/* The kernel's own default is half of the hash table: at least 8192 on any server. */
	if (j->value >= 8192)
		return;
	harm(j, HARMFUL_TW_BUCKETS_LOW);
	propose(j, 131072);
}

static void judge_tw_reuse(const struct judgement *j)
{
	if (j->value == 1 && j->ctl->timestamps.known && j->ctl->timestamps.value == 0)
		say(j, AUDIT_NOTE, N_("Without TCP timestamps it does nothing."));
}

static void judge_timestamps(const struct judgement *j)
{
	if (j->value != 0)
		return;
	harm(j, HARMFUL_TIMESTAMPS_OFF);
	propose(j, 1);
}

static void judge_orphan_retries(const struct judgement *j)
{
	/* 1 and 2 give up after some 0.6 and 1.4 s: less than one lost packet on a slow path. */
	if (j->value != 1 && j->value != 2)
		return;
	harm(j, HARMFUL_ORPHAN_RETRIES_LOW);
	propose(j, 0);
}

static void judge_retries2(const struct judgement *j)
{
	/* RFC 1122, section 4.2.3.5: at least 100 s, which is 8. */
	if (j->value < 8) {
		harm(j, HARMFUL_RETRIES2_LOW);
		propose(j, 15);
	} else if (j->value > 15) {
		say(j, AUDIT_NOTE, N_("Dead connections with unsent data stay for more than 15 minutes."));
		propose(j, 15);
	}
}

static void judge_max_orphans(const struct judgement *j)
{
	if (j->value < 4096) {
		harm(j, HARMFUL_MAX_ORPHANS_LOW);
		propose(j, 65536);
	} else if (j->host->orphans.known && j->host->orphans.value * 4 >= j->value) {
		say(j, AUDIT_WARNING, N_("A quarter of it is in use; penalised orphans count fourfold, so the "
					 "limit may be met already."));
	}
}

static void judge_keepalive_time(const struct judgement *j)
{
	if (j->value < 10)
		say(j, AUDIT_NOTE, N_("Probes every few seconds cost battery and radio of mobile peers."));
}

static void judge_abort_on_overflow(const struct judgement *j)
{
	if (j->value == 0)
		return;
	harm(j, HARMFUL_ABORT_ON_OVERFLOW);
	propose(j, 0);
}

static void judge_somaxconn(const struct judgement *j)
{
	if (j->value >= 128)
		return;
	harm(j, HARMFUL_SOMAXCONN_LOW);
	propose(j, 4096);
}

static void judge_syncookies(const struct judgement *j)
{
	if (j->value == 0) {
		say(j, AUDIT_NOTE, N_("A flood of SYNs then locks clients out."));
		propose(j, 1);
	} else if (j->value == 2) {
		say(j, AUDIT_NOTE, N_("Cookies for every connection are for tests: options get lost."));
		propose(j, 1);
	}
}

static void judge_challenge_ack_limit(const struct judgement *j)
{
	if (j->value >= 1000)
		return;
	harm(j, HARMFUL_CHALLENGE_ACK_LIMIT);
	propose(j, 1000);
}

static void judge_tw_recycle(const struct judgement *j)
{
	if (j->value == 0)
		return;
	harm(j, HARMFUL_TW_RECYCLE);
	propose(j, 0);
}

static void judge_conntrack_close_wait(const struct judgement *j)
{
	if (j->value < 60) {
		say(j, AUDIT_NOTE, N_("Half-closed connections are forgotten early: what comes later is dropped or "
				      "reset."));
		propose(j, 60);
	}
}

static void judge_conntrack_established(const struct judgement *j)
{
	/* The default of keepalive: a shorter memory cuts what keepalive would have kept. */
	if (j->value < 7200)
		say(j, AUDIT_NOTE, N_("Shorter than tcp_keepalive_time's default: idle connections are cut "
				      "silently."));
}

static void judge_conntrack_time_wait(const struct judgement *j)
{
	if (j->value < 30)
		say(j, AUDIT_NOTE, N_("Late segments of closed connections are taken for new ones."));
}

static void judge_conntrack_max(const struct judgement *j)
{
	struct setting count = j->ctl->conntrack_count;

	if (!count.known || j->value <= 0 || count.value * 100 < j->value * 80)
		return;
	say(j, AUDIT_WARNING, N_("More than 80 % of the table is in use; when it is full, new connections are "
				 "dropped."));
	propose(j, j->value * 2);
}

static const struct knob {
	size_t offset;
	int64_t usual;
	bool is_machines; /* one for the whole machine */
	void (*judge)(const struct judgement *j);
	const char *does_not, *danger;
} knobs[] = {
	{ offsetof(struct sysctls, fin_timeout_s), 60, false, judge_fin_timeout,
	  N_("It does not touch TIME-WAIT, CLOSE-WAIT, or a FIN-WAIT-2 whose descriptor is open."),
	  N_("small values reset peers that answer slowly") },
	{ offsetof(struct sysctls, max_tw_buckets), NO_DEFAULT, false, judge_max_tw_buckets,
	  N_("It is no target: lowering it destroys TIME-WAITs, it does not make fewer of them."),
	  N_("late segments meet new connections; peers are left in LAST-ACK") },
	{ offsetof(struct sysctls, tw_reuse), 2, false, judge_tw_reuse,
	  N_("It does nothing for a server's TIME-WAITs, and the number of TIME-WAITs does not fall."),
	  N_("small: it relies on the peer's timestamps") },
	{ offsetof(struct sysctls, tw_reuse_delay_ms), 1000, false, NULL, NULL,
	  N_("below the peer's timestamp tick old and new are mixed up") },
	{ offsetof(struct sysctls, tw_recycle), 0, false, judge_tw_recycle,
	  N_("It was never a cure: it dropped clients behind NAT."), NULL },
	{ offsetof(struct sysctls, timestamps), 1, false, judge_timestamps,
	  N_("Turning them off is no protection and does not end TIME-WAIT."),
	  N_("off: no TIME-WAIT reuse, no PAWS, coarse RTT") },
	{ offsetof(struct sysctls, rfc1337), 0, false, NULL,
	  N_("The kernel's text long described it backwards: 1 keeps TIME-WAIT alive."), NULL },
	{ offsetof(struct sysctls, orphan_retries), 0, false, judge_orphan_retries,
	  N_("0 does not mean none: it means 8, about 100 s."),
	  N_("small values lose the end of responses over lossy paths") },
	{ offsetof(struct sysctls, max_orphans), NO_DEFAULT, true, judge_max_orphans,
	  N_("TIME-WAIT and short FIN-WAIT-2 do not count as orphans."),
	  N_("low: innocent clients are reset; high: up to 64 KiB of memory each") },
	{ offsetof(struct sysctls, retries2), 15, false, judge_retries2,
	  N_("It does not count for sockets nobody owns any more."),
	  N_("low values turn short outages into broken connections, host-wide") },
	{ offsetof(struct sysctls, keepalive_time_s), 7200, false, judge_keepalive_time,
	  N_("Programs that do not set SO_KEEPALIVE do not notice; running timers keep their time."),
	  NULL },
	{ offsetof(struct sysctls, keepalive_intvl_s), 75, false, NULL, NULL, NULL },
	{ offsetof(struct sysctls, keepalive_probes), 9, false, NULL, NULL, NULL },
	{ offsetof(struct sysctls, abort_on_overflow), 0, false, judge_abort_on_overflow,
	  N_("It does not help when the queue is full already: the SYN is dropped then, too."),
	  N_("bursts become hard errors") },
	{ offsetof(struct sysctls, somaxconn), 4096, false, judge_somaxconn,
	  N_("Listeners that exist keep their backlog until listen() is called again."), NULL },
	{ offsetof(struct sysctls, syncookies), 1, false, judge_syncookies,
	  N_("It has no effect on closing."), NULL },
	{ offsetof(struct sysctls, migrate_req), 0, false, NULL, NULL, NULL },
	{ offsetof(struct sysctls, challenge_ack_limit), NO_DEFAULT, false, judge_challenge_ack_limit, NULL,
	  NULL },
	{ offsetof(struct sysctls, file_max), NO_DEFAULT, true, NULL,
	  N_("A process meets its own limit (RLIMIT_NOFILE) long before."), NULL },
	{ offsetof(struct sysctls, conntrack_max), NO_DEFAULT, true, judge_conntrack_max, NULL,
	  N_("memory, some 300 bytes an entry") },
	{ offsetof(struct sysctls, conntrack_count), NO_DEFAULT, false, NULL, NULL, NULL },
	{ offsetof(struct sysctls, conntrack_established_s), 432000, false, judge_conntrack_established,
	  NULL, N_("short: idle connections are cut silently") },
	{ offsetof(struct sysctls, conntrack_close_wait_s), 60, false, judge_conntrack_close_wait,
	  N_("It is the firewall's memory: lowering it ends no socket in CLOSE-WAIT."),
	  N_("late data of half-closed connections is dropped or reset") },
	{ offsetof(struct sysctls, conntrack_time_wait_s), 120, false, judge_conntrack_time_wait,
	  N_("It is the firewall's memory and does not shorten a socket's TIME-WAIT."), NULL },
};

static const struct def *def_at(size_t offset)
{
	for (size_t i = 0; i < ARRAY_LEN(defs); i++)
		if (defs[i].offset == offset)
			return &defs[i];
	return NULL;
}

static void fill(const struct knob *k, const struct netns *ns, const struct host *host,
		 struct audit_row *row)
{
	const struct def *def = def_at(k->offset);
	const struct setting *value = (const void *)((const char *)&ns->sysctls + k->offset);

	*row = (struct audit_row){
		.name = def->path,
		.unit = def->unit,
		.value = *value,
		.usual = { k->usual != NO_DEFAULT, k->usual != NO_DEFAULT ? k->usual : 0 },
		.per_netns = !k->is_machines,
		.does = def->does,
		.does_not = k->does_not,
		.danger = k->danger,
		.rule = -1,
	};
	if (k->judge && value->known)
		k->judge(&(struct judgement){ value->value, &ns->sysctls, host, row });
}

static void fill_ports(const struct netns *ns, struct audit_row *row)
{
	/* 28232 ports are the default; below 4096 a busy client towards one service runs out. */
	enum { FEW_PORTS = 4096, PRIVILEGED = 1024 };
	const struct sysctls *ctl = &ns->sysctls;
	int64_t width = ctl->port_high.value - ctl->port_low.value + 1;

	*row = (struct audit_row){
		.name = "net/ipv4/ip_local_port_range",
		.unit = "",
		.value = ctl->port_low,
		.usual = { true, 32768 },
		.is_range = true,
		.value_high = ctl->port_high.value,
		.usual_high = 60999,
		.proposed_high = 60999,
		.per_netns = true,
		.does = N_("the ports connect() and bind(0) choose from"),
		.does_not = N_("A wider range does not help a server: its connections share one port."),
		.danger = N_("services inside the range find their port taken: reserve them"),
		.rule = -1,
	};
	if (!ctl->port_low.known || !ctl->port_high.known)
		return;
	if (width < FEW_PORTS) {
		row->verdict = AUDIT_WARNING;
		row->rule = HARMFUL_PORT_RANGE;
		row->why = N_("So few ports allow few connections to one destination at a time.");
		row->proposed = (struct setting){ true, 32768 };
	} else if (ctl->port_low.value < PRIVILEGED) {
		row->verdict = AUDIT_WARNING;
		row->rule = HARMFUL_PORT_RANGE;
		row->why = N_("Ports of system services are given to clients.");
		row->proposed = (struct setting){ true, 10240 };
	} else if (ctl->port_low.value % 2 == ctl->port_high.value % 2) {
		row->verdict = AUDIT_NOTE;
		row->why = N_("Both ends are even, or both odd: connect() and bind(0) get uneven halves.");
	}
}

size_t settings_audit(const struct netns *ns, const struct host *host,
		      struct audit_row ret[static MAX_AUDIT_ROWS])
{
	size_t n = 0;

	fill_ports(ns, &ret[n++]);
	for (size_t i = 0; i < ARRAY_LEN(knobs) && n < MAX_AUDIT_ROWS; i++)
		fill(&knobs[i], ns, host, &ret[n++]);
	return n;
}

#include "rules/settings.h"
#include "rules/host.h"
#include "rules/knobs.h"
#include "util/attr.h"
#include "util/i18n.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How it works: knobs.c has a row for every setting of one number, from which the rows of the audit are
 * filled; settings of several numbers, or of a list, are filled here one by one. A value that nobody
 * could read is not judged; why it is missing is read off what else is there. */

static const struct def {
	size_t offset;
	const char *path, *unit, *does;
} defs[] = {
#define SYSCTL(member, path, unit, does) \
	[SYSCTL_##member] = { offsetof(struct sysctls, member), path, unit, does },
#include "model/sysctls.def"
#undef SYSCTL
};

/* The limits of all TCP sockets together have files in the initial namespace alone.
 * Source: Linux net/ipv4/sysctl_net_ipv4.c, ipv4_table[] beside ipv4_net_table[]. */
static bool is_initial(const struct netns *ns)
{
	return ns->sysctls.max_orphans.known || ns->sysctls.mem_pages[0].known;
}

static struct audit_value one(int64_t value)
{
	return (struct audit_value){ .n = 1, .at = { value } };
}

/* ---- why there is no value ---- */

static void fill_absence(struct audit_row *row, const struct netns *ns, const struct knob *k)
{
	bool is_conntrack = strncmp(row->name, "net/netfilter/", 14) == 0;
	uint8_t error = ns->sysctls.error[k->id];

	if (error != 0 && error != ENOENT) {
		row->absence = AUDIT_UNREADABLE;
		row->absent_why = N_("it could not be read");
	} else if (is_conntrack && !ns->sysctls.conntrack_max.known) {
		row->absence = AUDIT_NO_MODULE;
		row->absent_why = N_("the module nf_conntrack is not loaded: nothing is tracked");
	} else if (k->home == HOME_INITIAL && !is_initial(ns)) {
		row->absence = AUDIT_INITIAL_NETNS;
		row->absent_why = N_("one for the machine: its file is in the initial network namespace");
	} else {
		row->absence = k->absence == AUDIT_NO_MODULE ? AUDIT_NO_KERNEL : k->absence;
		row->absent_why = k->absent_why ? k->absent_why : N_("this kernel has no such file");
	}
}

/* ---- settings of one number ---- */

static void fill_usual(struct audit_row *row, const struct netns *ns, const struct knob *k)
{
	int64_t size = knob_hash_size(&ns->sysctls);

	row->usual_depends = k->usual_depends;
	if (k->usual != NO_DEFAULT)
		row->usual = one(k->usual);
	else if (k->hash_part > 0 && size > 0)
		/* tcp_max_syn_backlog is at least 128, whatever the table. Source: Linux
		 * net/ipv4/tcp_ipv4.c, tcp_set_hashinfo(). */
		row->usual = one(k->hash_part == 128 && size / 128 < 128 ? 128 : size / k->hash_part);
}

static void fill_knob(const struct knob *k, const struct look *look, const struct netns *ns,
		      struct audit_row *row)
{
	const struct def *def = &defs[k->id];
	const struct setting *value = (const void *)((const char *)&ns->sysctls + def->offset);
	struct judgement j = { value->value, ns, &look->host, row };

	*row = (struct audit_row){
		.name = def->path,
		.unit = def->unit,
		.per_netns = k->home == HOME_NETNS,
		.is_set_elsewhere = k->home == HOME_SHARED && !is_initial(ns),
		.does = def->does,
		.does_not = k->does_not,
		.danger = k->danger,
		.rule_row = -1,
	};
	fill_usual(row, ns, k);
	if (!value->known) {
		fill_absence(row, ns, k);
		return;
	}
	row->value = one(value->value);
	if (k->used)
		row->used = k->used(&j);
	if (k->judge)
		k->judge(&j);
}

/* ---- tcp_mem ---- */

static void judge_mem(const struct judgement *j, const struct setting *pages)
{
	struct setting used = j->row->used;

	/* Source: Linux net/core/sock.c, __sk_mem_raise_allocated(); net/ipv4/tcp.c,
	 * tcp_check_oom(). */
	if (used.known && used.value >= pages[2].value * 95 / 100) {
		knob_say(j, AUDIT_WARNING, N_("Nearly all of it is in use: orphans are reset, and allocations fail."));
		j->row->is_problem = true;
	} else if (used.known && used.value >= pages[1].value) {
		knob_say(j, AUDIT_WARNING, N_("Above the second number TCP saves memory: windows shrink. Find who "
					      "does not read."));
	}
}

static void fill_mem(const struct look *look, const struct netns *ns, struct audit_row *row)
{
	const struct setting *pages = ns->sysctls.mem_pages;

	*row = (struct audit_row){
		.name = "net/ipv4/tcp_mem",
		.unit = "",
		.usual_depends = N_("by memory"),
		.does = N_("memory of all TCP sockets, in pages: free below the first, the most is the third"),
		.does_not = N_("TIME-WAIT is not in it; data that nobody reads is, in CLOSE-WAIT too."),
		.danger = N_("high: memory that cannot be swapped out"),
		.rule_row = -1,
	};
	if (!pages[0].known || !pages[1].known || !pages[2].known) {
		fill_absence(row, ns, &(struct knob){ .id = SYSCTL_max_orphans, .home = HOME_INITIAL,
						      .absence = AUDIT_NO_KERNEL });
		return;
	}
	row->value = (struct audit_value){
		.n = 3, .at = { pages[0].value, pages[1].value, pages[2].value },
	};
	row->used = look->host.tcp_pages;
	judge_mem(&(struct judgement){ 0, ns, &look->host, row }, pages);
}

/* ---- local ports ---- */

enum {
	LOW_PORT = 32768, HIGH_PORT = 60999, /* the kernel's range */
	/* A busy client opens 70 connections a second to one service; each port rests for 60 s. */
	FEW_PORTS = 4096,
	PRIVILEGED = 1024,
};

/* In a list that was read: "8080,9148-9153". */
static bool list_has(const char *list, long port)
{
	const char *at = list;

	while (*at) {
		char *end;
		long first = strtol(at, &end, 10), last = first;

		if (end == at)
			return false;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (port >= first && port <= last)
			return true;
		at = end + (*end == ',');
	}
	return false;
}

/* A listener in the range whose port is not reserved: after its restart a connection may have taken the
 * port. 0: none. Ports that the kernel chose itself, for bind(0), cannot be told apart: only those
 * below `below` count. */
static int64_t find_endangered(const struct look *look, const struct netns *ns, int64_t below)
{
	const struct sysctls *ctl = &ns->sysctls;

	for (size_t i = 0; i < look->n_socks; i++) {
		const struct sock *s = &look->socks[i];
		int64_t port = s->pair.local.port;

		if (s->state == STATE_LISTEN && &look->netns[s->netns] == ns && port < below &&
		    port >= ctl->port_low.value && port <= ctl->port_high.value &&
		    ctl->reserved && !list_has(ctl->reserved, (long)port))
			return port;
	}
	return 0;
}

static void propose_range(struct audit_row *row, int64_t low)
{
	row->proposed = (struct audit_value){ .n = 2, .at = { low, HIGH_PORT } };
}

static void judge_ports(const struct judgement *j, const struct look *look)
{
	int64_t low = j->row->value.at[0], high = j->row->value.at[1];

	if (high - low + 1 < FEW_PORTS) {
		knob_harm(j, HARMFUL_PORT_RANGE);
		j->row->why = N_("So few ports allow few connections to one destination at a time.");
		propose_range(j->row, LOW_PORT);
	} else if (low < PRIVILEGED) {
		knob_harm(j, HARMFUL_PORT_RANGE);
		j->row->why = N_("Ports of system services are given to clients.");
		propose_range(j->row, 10240);
	} else if (find_endangered(look, j->ns, LOW_PORT)) {
		/* Above the kernel's own low end nobody has chosen the overlap. */
		knob_harm(j, HARMFUL_PORT_RANGE);
		j->row->why = N_("A listener's port lies in it and is not reserved: while the service restarts, a "
				 "connection may take its port.");
		propose_range(j->row, LOW_PORT);
	} else if (low % 2 == high % 2) {
		knob_say(j, AUDIT_NOTE, N_("Both ends are even, or both odd: connect() and bind(0) get uneven halves."));
		j->row->proposed = (struct audit_value){ .n = 2, .at = { low, high - 1 } };
	}
}

static void fill_ports(const struct look *look, const struct netns *ns, struct audit_row *row)
{
	const struct sysctls *ctl = &ns->sysctls;

	*row = (struct audit_row){
		.name = "net/ipv4/ip_local_port_range",
		.unit = "",
		.usual = { .n = 2, .at = { LOW_PORT, HIGH_PORT } },
		.per_netns = true,
		.does = N_("the ports connect() and bind(0) choose from"),
		.does_not = N_("A wider range does not help a server: its connections share one port."),
		.danger = N_("services inside the range find their port taken: reserve them"),
		.rule_row = -1,
	};
	if (!ctl->port_low.known || !ctl->port_high.known) {
		row->absence = AUDIT_UNREADABLE;
		row->absent_why = N_("it could not be read");
		return;
	}
	row->value = (struct audit_value){ .n = 2, .at = { ctl->port_low.value, ctl->port_high.value } };
	judge_ports(&(struct judgement){ 0, ns, &look->host, row }, look);
}

static void fill_reserved(const struct look *look, const struct netns *ns, struct audit_row *row)
{
	const struct sysctls *ctl = &ns->sysctls;

	*row = (struct audit_row){
		.name = "net/ipv4/ip_local_reserved_ports",
		.unit = "",
		.usual = { .n = 1, .list = "" },
		.per_netns = true,
		.does = N_("ports of that range which the kernel never chooses by itself"),
		.does_not = N_("It keeps nobody from binding such a port explicitly."),
		.danger = N_("writing it replaces the whole list; each port is one less for connect()"),
		.rule_row = -1,
	};
	if (!ctl->reserved) {
		row->absence = AUDIT_UNREADABLE;
		row->absent_why = N_("it could not be read");
		return;
	}
	row->value = (struct audit_value){ .n = 1, .list = ctl->reserved };
	if (ctl->port_low.known && ctl->port_high.known && ctl->port_low.value >= LOW_PORT &&
	    find_endangered(look, ns, HIGH_PORT + 1)) {
		row->verdict = AUDIT_NOTE;
		row->why = N_("A listener's port lies in ip_local_port_range. If it is a service with a fixed port, "
			      "reserve it: while it restarts, a connection may take the port.");
	}
}

size_t settings_audit(const struct look *look, const struct netns *ns,
		      struct audit_row ret[static MAX_AUDIT_ROWS])
{
	size_t n = 0;

	fill_ports(look, ns, &ret[n++]);
	fill_reserved(look, ns, &ret[n++]);
	fill_mem(look, ns, &ret[n++]);
	for (size_t i = 0; i < n_knobs && n < MAX_AUDIT_ROWS; i++)
		fill_knob(&knobs[i], look, ns, &ret[n++]);
	return n;
}

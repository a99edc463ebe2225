#include "rules/facts.h"
#include "rules/rule.h"
#include "util/i18n.h"

#include <string.h>

/* How it works: a listening socket lives until its last descriptor is closed, and fork() and exec()
 * pass descriptors on. Two ways to see one that was passed on by mistake:
 *
 *   beside the server    another program's descriptor, started by who listens: harmless until the
 *                        server is restarted and cannot bind its port
 *   instead of it        only processes are left whose group's leader is gone, none waits for
 *                        connections, and clients queue up that nobody will ever accept
 *
 * Workers that share their listener on purpose run their parent's program, and so does a server's
 * new version; supervisors that open listeners for others are known by name. */

static bool is_other_program(const struct proc *a, const struct proc *b)
{
	return strcmp(a->comm, b->comm) != 0 && (!a->exe || !b->exe || strcmp(a->exe, b->exe) != 0);
}

static bool gives_listeners(const struct proc *p)
{
	static const char *const supervisors[] = {
		"systemd", "systemd-socket-", "inetd", "xinetd", "s6-fdholderd", "s6-ipcserver-so",
		"supervisord", "circusd", "einhorn", "dockerd",
	};

	for (size_t i = 0; i < ARRAY_LEN(supervisors); i++)
		if (strcmp(p->comm, supervisors[i]) == 0)
			return true;
	return p->pid == 1;
}

static const struct proc *find_holder(const struct sock_full *l, pid_t pid)
{
	for (uint32_t i = 0; i < l->n_holders; i++)
		if (l->holders[i].proc->pid == pid)
			return l->holders[i].proc;
	return NULL;
}

/* A holder that runs another program than its parent, which holds the listener as well. */
static const struct proc *passed_on(const struct sock_full *l, const struct proc **ret_parent)
{
	for (uint32_t i = 0; i < l->n_holders; i++) {
		const struct proc *p = l->holders[i].proc;
		const struct proc *parent = find_holder(l, p->ppid);

		if (!parent || gives_listeners(parent) || !is_other_program(p, parent))
			continue;
		*ret_parent = parent;
		return p;
	}
	return NULL;
}

/* Where a thread waits that is no server's: asleep, or for another process. What is not named here
 * may be waiting for connections. Source: Linux kernel/time/hrtimer.c, kernel/exit.c, fs/pipe.c,
 * kernel/signal.c. */
static bool waits_elsewhere(const struct proc *p)
{
	static const char *const places[] = {
		"hrtimer_nanosleep", "do_nanosleep", "do_wait", "pipe_read", "pipe_wait",
		"anon_pipe_read", "sys_pause", "__do_sys_pause", "__x64_sys_pause", "__arm64_sys_pause",
		"sigsuspend", "do_sigtimedwait",
	};

	for (size_t i = 0; p->wchan && i < ARRAY_LEN(places); i++)
		if (strcmp(p->wchan, places[i]) == 0)
			return true;
	return false;
}

/* All that is left of a server: the group it was started in has lost its leader. Of several threads
 * another may be the one that accepts. */
static bool is_left_behind(const struct sock_full *l)
{
	for (uint32_t i = 0; i < l->n_holders; i++) {
		const struct proc *p = l->holders[i].proc;

		if (!p->leader_is_gone || p->n_threads != 1 || !waits_elsewhere(p))
			return false;
	}
	return l->n_holders > 0 && l->rqueue > 0;
}

/* A queue is never empty for long while clients come; but no client waits for a minute where anybody
 * accepts. */
static bool is_waited_for(const struct conn *c, const struct bounds *b)
{
	return c->oldest_client_ms >= b->suspicious;
}

static enum verdict held_by_child(const struct conn *c, const struct bounds *b)
{
	const struct sock_full *l = c->sock->full;
	const struct proc *parent;

	if (!l)
		return VERDICT_SILENT;
	return passed_on(l, &parent) || (is_left_behind(l) && is_waited_for(c, b)) ? VERDICT_FIRES :
										     VERDICT_SILENT;
}

static void say_passed_on(struct finding *f, const struct proc *child, const struct proc *parent)
{
	f->subject.proc = child;
	f->severity = SEVERITY_NOTE;
	/* A manager of sockets hands them to other programs on purpose. */
	f->certainty = CERTAINTY_POSSIBLE;
	finding_fact(f, "listener_pid", FACT_COUNT, parent->pid);
	finding_fact_text(f, "listener_comm", parent->comm);
}

static bool weigh_held_by_child(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct sock_full *l = g->listener->full;
	const struct proc *parent, *child = passed_on(l, &parent);

	(void)b;
	if (child) {
		say_passed_on(f, child, parent);
	} else {
		f->subject.proc = l->holders[0].proc;
		f->severity = SEVERITY_WARNING;
		f->certainty = CERTAINTY_LIKELY;
		finding_fact(f, "queue", FACT_COUNT, l->rqueue);
		finding_fact(f, "waiting", FACT_MS, (int64_t)g->oldest_client_ms);
		finding_fact_text(f, "waits_in", f->subject.proc->wchan);
		f->says = N_("{local} is held by {comm}[{pid}] alone, which outlived the server that "
			     "started it and accepts nobody: {queue} {queue:client waits|clients "
			     "wait} for nothing, {waiting} so far, and no new server can bind the "
			     "port.");
	}
	finding_fact(f, "pid", FACT_COUNT, f->subject.proc->pid);
	return true;
}

const struct rule listener_rules[] = {
	{
		.text = {
			.id = "listener-held-by-child",
			.title = N_("a listener in the hands of a child that does not serve it"),
			.says = N_("{comm}[{pid}], a program started by {listener_comm}[{listener_pid}], has "
				   "inherited the listener on {local}: while it runs, a restart of the "
				   "server fails with EADDRINUSE."),
			.why = N_("A listening socket ends with its last descriptor. A child that inherited "
				  "one keeps the port taken after the server is gone, SO_REUSEADDR or not, "
				  "and connections are still established into a queue that nobody "
				  "empties."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Open listeners with SOCK_CLOEXEC (or set FD_CLOEXEC): exec() "
					     "then closes them. A child without exec() closes them "
					     "itself, first of all.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("Ask what the child is, then end it: the port is free at once."),
				  .command = "ps -o pid,ppid,lstart,cmd -p {pid}; kill {pid}",
				  .risk = N_("what the child does for the server is not finished") },
			},
			.avoid = { N_("SO_REUSEPORT in the new server: both listeners then get clients, and "
				      "those of the child wait for ever."),
				   N_("Restarting the server alone: it cannot bind while the child lives.") },
			.refs = "fork(2); execve(2); socket(2), SOCK_CLOEXEC; Linux "
				"net/ipv4/inet_connection_sock.c, inet_csk_get_port()",
		},
		.scope = SCOPE_LISTENER,
		.states = STATE_BIT(STATE_LISTEN),
		.claims = held_by_child,
		.weigh = weigh_held_by_child,
	},
};
const size_t n_listener_rules = ARRAY_LEN(listener_rules);

#include "rules/facts.h"
#include "rules/limits.h"
#include "rules/words.h"

/* How it works: two limits that make connections pile up or fail, asked of a listener and of a
 * process instead of a connection that is being closed. */

enum {
	/* At 80 % there is time to act at usual growth; at 95 % a burst of accept() fails. */
	NEAR_PERCENT = 80, FULL_PERCENT = 95,
	/* Whoever set a limit below this meant it. */
	SMALLEST_LIMIT = 64,
	/* A fifth of the descriptors: then the leak is the cause and the limit is not. */
	LEAK_PERCENT = 20,
	/* A backlog of 0 or 1 is a program that wants one client at a time. */
	SMALLEST_BACKLOG = 2,
};

static enum verdict queue_full(const struct conn *c, const struct bounds *b)
{
	const struct sock_full *full = c->sock->full;

	(void)b;
	/* A queue is full when it holds one more than the backlog. */
	return full && full->wqueue >= SMALLEST_BACKLOG && full->rqueue > full->wqueue ?
		       VERDICT_FIRES :
		       VERDICT_SILENT;
}

static bool weigh_queue_full(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct counters *counters = &g->subject.netns->counters;

	(void)b;
	f->severity = SEVERITY_PROBLEM;
	f->certainty = CERTAINTY_CERTAIN;
	finding_fact(f, "queue", FACT_COUNT, g->rqueue);
	finding_fact(f, "backlog", FACT_COUNT, g->wqueue);
	fact_setting(f, "somaxconn", &g->subject.netns->sysctls.somaxconn);
	fact_counter(f, "listen_overflows", &counters->listen_overflows);
	fact_counter(f, "listen_drops", &counters->listen_drops);
	fact_proc(f, g);
	return true;
}

static uint64_t percent(const struct proc *p)
{
	return p->n_fds * 100 / p->fd_limit;
}

bool limits_is_near(const struct proc *p)
{
	return p->has_fds && p->fd_limit >= SMALLEST_LIMIT && p->fd_limit < UINT64_MAX / 100 &&
	       percent(p) >= NEAR_PERCENT;
}

static bool weigh_nofile(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct proc *p = g->subject.proc;

	(void)b;
	f->severity = percent(p) >= FULL_PERCENT ? SEVERITY_PROBLEM : SEVERITY_WARNING;
	f->certainty = CERTAINTY_CERTAIN;
	finding_fact(f, "tcp_sockets", FACT_COUNT, (int64_t)g->n_sockets);
	finding_fact(f, "close_wait", FACT_COUNT, (int64_t)g->n_close_wait);
	fact_proc(f, g);
	if (g->n_close_wait * 100 >= p->n_fds * LEAK_PERCENT)
		f->says = N_("{fd_used} of {fd_limit} descriptors are in use, {close_wait} of them "
			     "connections in CLOSE-WAIT that only close() in this program gives "
			     "back.");
	return true;
}

static bool weigh_dead(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct proc *p = g->subject.proc;
	bool eats_limit = p->has_fds && p->fd_limit > 0 &&
			  (p->n_fds >= p->fd_limit || p->n_dead * 2 >= p->fd_limit - p->n_fds);
	struct fact *fds;

	(void)b;
	f->severity = eats_limit ? SEVERITY_PROBLEM : SEVERITY_WARNING;
	/* A socket that was never connected looks the same. */
	f->certainty = p->dead_is_unsure ? CERTAINTY_POSSIBLE : CERTAINTY_LIKELY;
	if (p->dead_is_unsure)
		f->says = N_("{count} descriptors of {comm}[{pid}] belong to TCP sockets that are in no listing: "
			     "their connections ended and nobody called close(), or they are in a network "
			     "namespace that could not be listed.");
	f->count = p->n_dead;
	fds = finding_fact(f, "fds", FACT_LIST, 0);
	fds->list = p->dead_fds;
	fds->n_list = p->n_dead < PROC_MAX_DEAD ? p->n_dead : PROC_MAX_DEAD;
	fds->n_list_all = p->n_dead;
	fact_proc(f, g);
	return true;
}

const struct rule limit_rules[] = {
	[LIMIT_ACCEPT_QUEUE] = {
		.text = {
			.id = "accept-queue-full",
			.title = N_("the listener's queue is full"),
			.says = N_("The accept queue of {local} is full: {queue} connections wait, the "
				   "backlog is {backlog}. New clients get no answer and try again."),
			.why = N_("A finished handshake waits in this queue for accept(). When it is "
				  "full the kernel drops the last ACK of further handshakes and new "
				  "SYNs, silently: clients see slow connects, then timeouts. The "
				  "program accepts too slowly, or not at all."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Accept in a loop until EAGAIN, on a thread that does "
					     "nothing else, and handle EMFILE.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("See what the process does instead of accepting."),
				  .command = "cat /proc/{pid}/limits; cat /proc/{pid}/task/*/stack" },
				{ .kind = FIX_SYSCTL,
				  .text = N_("Against bursts only: raise the backlog of listen() and "
					     "somaxconn, which caps it, then listen() again."),
				  .command = "sysctl -w net.core.somaxconn=4096",
				  .current = "backlog", .proposed = "4096",
				  .risk = N_("clients wait longer before they fail") },
			},
			.avoid = { N_("tcp_abort_on_overflow: it turns a delay into a hard error, and a "
				      "full queue still drops the SYNs.") },
			.refs = "listen(2); accept(2); Linux include/net/sock.h, sk_acceptq_is_full(); "
				"net/ipv4/tcp_ipv4.c, tcp_v4_syn_recv_sock()",
		},
		.scope = SCOPE_LISTENER,
		.states = STATE_BIT(STATE_LISTEN),
		.advice = ADVICE_ACCEPT,
		.claims = queue_full,
		.weigh = weigh_queue_full,
	},
	[LIMIT_NOFILE] = {
		.text = {
			.id = "nofile-near-limit",
			.title = N_("a process is about to run out of descriptors"),
			.says = N_("{fd_used} of {fd_limit} descriptors are in use; at the limit "
				   "accept(), socket() and open() fail with EMFILE."),
			.why = N_("Every connection is a descriptor until it is closed. At the soft "
				  "limit of RLIMIT_NOFILE accept() fails, finished handshakes stay in "
				  "the queue, and an event loop that ignores EMFILE spins."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Close what is leaked: the other findings of this process "
					     "name it. Handle EMFILE: keep a spare descriptor, accept "
					     "with it and close at once.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("To gain time, raise the limit of the running process; "
					     "LimitNOFILE= in its unit for the next start."),
				  .command = "prlimit --pid {pid} --nofile=65536:65536",
				  .risk = N_("a leak reaches the higher limit as well") },
			},
			.avoid = { N_("Raising the limit as the cure of a leak.") },
			.refs = "getrlimit(2), RLIMIT_NOFILE; accept(2), EMFILE; proc(5)",
		},
		.scope = SCOPE_PROCESS,
		.weigh = weigh_nofile,
	},
	[LIMIT_DEAD] = {
		.text = {
			.id = "dead-socket-leaked-fd",
			.title = N_("descriptors of connections that no longer exist"),
			.says = N_("{count} descriptors of {comm}[{pid}] belong to TCP sockets that are in no "
				   "listing: most likely their connections ended, and nobody called "
				   "close()."),
			.why = N_("After a reset, a failed keepalive, or the last ACK of a close the kernel is "
				  "done with a connection; ss and netstat show nothing. The descriptor "
				  "stays until close(), and each counts against the limit. Sockets that "
				  "were never connected look the same, and so do those of a network "
				  "namespace that nothing else keeps."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("close() on every error path (ECONNRESET, EPIPE, ETIMEDOUT), "
					     "not only at the end of the stream.") },
				FIX_RESTART_AS_STOP_GAP,
			},
			.avoid = { N_("Looking for them in ss: they are not there."),
				   N_("SO_KEEPALIVE: it ends connections, not descriptors.") },
			.refs = "close(2); proc(5), /proc/PID/fd; Linux net/ipv4/tcp.c, tcp_done()",
		},
		.scope = SCOPE_PROCESS,
		.advice = ADVICE_LEAK,
		.weigh = weigh_dead,
	},
};
const size_t n_limit_rules = ARRAY_LEN(limit_rules);

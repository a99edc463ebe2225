#include "rules/facts.h"
#include "rules/rule.h"
#include "rules/words.h"

#include <string.h>

/* How it works: CLOSE-WAITs that close_wait.c would explain by Recv-Q, where the owner explains
 * them better: it is stopped, it is not alone, it is nobody that can be seen, or it is a client that
 * keeps connections for later. Asked before close_wait.c. */

static enum verdict stopped(const struct conn *c, const struct bounds *b)
{
	if (c->owner != OWNER_KNOWN || !proc_is_stopped(c->holders[0].proc))
		return VERDICT_SILENT;
	return !c->age.known || c->age.ms >= b->suspicious ? VERDICT_FIRES : VERDICT_SILENT;
}

static bool weigh_stopped(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct proc *p = g->subject.proc;

	(void)b;
	f->severity = g->listener_proc == p ? SEVERITY_PROBLEM : SEVERITY_WARNING;
	f->certainty = CERTAINTY_CERTAIN;
	if (p->tracer > 0) {
		finding_fact(f, "tracer_pid", FACT_COUNT, p->tracer);
		f->says = N_("{count} {count:connection|connections} the peer has closed "
			     "{count:waits|wait} for a process that a debugger or tracer, pid "
			     "{tracer_pid}, has stopped.");
	} else if (!proc_has_stop_state(p)) {
		f->says = N_("{count} {count:connection|connections} the peer has closed "
			     "{count:waits|wait} for a process whose control group is frozen.");
	}
	fact_fds(f, g);
	fact_proc(f, g);
	fact_fin(f, g);
	return true;
}

/* Does it listen there, or another one of its name? Workers may have a listener each (SO_REUSEPORT). */
static bool is_of_the_server(const struct conn *c, const struct proc *p)
{
	for (size_t i = 0; i < c->n_listener_holders; i++)
		if (strcmp(c->listener_holders[i].proc->comm, p->comm) == 0)
			return true;
	return false;
}

/* A program passed on by exec() is another one than the listener's; inetd-style service, whose
 * connection is descriptor 0, and systemd's, which is 3 by its first argument, are meant so. */
static bool is_stray(const struct conn *c)
{
	enum { FIRST_PASSED_FD = 3 };

	if (c->n_holders != 1 || c->holders[0].fd <= FIRST_PASSED_FD || c->n_listener_holders == 0)
		return false;
	return !is_of_the_server(c, c->holders[0].proc);
}

static enum verdict shared(const struct conn *c, const struct bounds *b)
{
	if (c->owner != OWNER_KNOWN || !(conn_is_shared(c) || is_stray(c)))
		return VERDICT_SILENT;
	return !c->age.known || c->age.ms >= b->suspicious ? VERDICT_FIRES : VERDICT_SILENT;
}

static enum certainty how_shared(const struct conn *c)
{
	/* Several holders are a fact. A single one that does not own the listener may be a child
	 * that forgot to close, or one that was given the connection on purpose. */
	return conn_is_shared(c) ? CERTAINTY_CERTAIN : CERTAINTY_POSSIBLE;
}

static bool weigh_shared(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_WARNING;
	if (g->n_shared > 0) {
		struct fact *pids = finding_fact(f, "holders", FACT_LIST, 0);

		pids->list = g->sharers;
		pids->n_list = g->n_sharers;
		pids->n_list_all = g->n_sharers;
		if (g->n_shared < g->count) {
			finding_fact(f, "shared", FACT_COUNT, (int64_t)g->n_shared);
			f->says = N_("{count} connections the peer has closed are held by {comm}[{pid}], "
				     "{shared} of them by other processes as well (pids {holders}): "
				     "close() in one of them sends nothing.");
		}
	} else if (g->listener_proc) {
		finding_fact(f, "listener_pid", FACT_COUNT, g->listener_proc->pid);
		finding_fact_text(f, "listener_comm", g->listener_proc->comm);
		f->says = N_("{count} {count:connection|connections} to a port that "
			     "{listener_comm}[{listener_pid}] listens on {count:is|are} held by "
			     "{comm}[{pid}] alone, closed by the peer {oldest} ago and not by it.");
	}
	fact_fds(f, g);
	fact_proc(f, g);
	fact_fin(f, g);
	return true;
}

/* Everything could be read, and nobody has a descriptor of it. */
static enum verdict kernel_held(const struct conn *c, const struct bounds *b)
{
	if (c->owner != OWNER_HIDDEN || c->basis != BASIS_NOT_FOUND)
		return VERDICT_SILENT;
	return !c->age.known || c->age.ms >= b->suspicious ? VERDICT_FIRES : VERDICT_SILENT;
}

/* Services that the kernel itself speaks. */
static const char *kernel_service(uint16_t port)
{
	static const struct {
		uint16_t first, last;
		const char *name;
	} services[] = {
		{ 445, 445, "SMB" },       { 2049, 2049, "NFS" },     { 3260, 3260, "iSCSI" },
		{ 3300, 3300, "Ceph" },    { 4420, 4420, "NVMe/TCP" }, { 6789, 6789, "Ceph" },
		{ 7788, 7799, "DRBD" },    { 21064, 21064, "DLM" },
	};

	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		if (port >= services[i].first && port <= services[i].last)
			return services[i].name;
	return NULL;
}

static bool weigh_kernel_held(const struct group *g, const struct bounds *b, struct finding *f)
{
	const char *service = kernel_service(g->subject.peer.port);

	(void)b;
	f->severity = g->count >= 10 ? SEVERITY_WARNING : SEVERITY_NOTE;
	/* The port is one sign more; which of the others it is, nobody can see. */
	f->certainty = service ? CERTAINTY_LIKELY : CERTAINTY_POSSIBLE;
	if (g->n_in_flight > 0 && !service) {
		const struct in_flight *in = &g->in_flight[0];

		/* One place where it can be, and as many descriptors as are missing. */
		if (g->n_in_flight == 1 && !g->flight_is_partial && in->n >= g->count)
			f->certainty = CERTAINTY_LIKELY;
		finding_fact_text(f, "receiver", in->proc->comm);
		finding_fact(f, "receiver_pid", FACT_COUNT, in->proc->pid);
		finding_fact(f, "receiver_fd", FACT_COUNT, in->fd);
		finding_fact(f, "in_flight", FACT_COUNT, (int64_t)in->n);
		f->says = N_("No process has a descriptor of {count:this connection|these connections}, "
			     "closed by the peer {oldest} ago; {in_flight} {in_flight:descriptor|descriptors} "
			     "sent through a UNIX socket {in_flight:waits|wait} in descriptor {receiver_fd} of "
			     "{receiver}[{receiver_pid}] to be received.");
	}
	if (service) {
		finding_fact_text(f, "service", service);
		f->says = N_("{count} {count:connection|connections} to {peer} {count:has|have} no "
			     "process at all; the port is that of {service}, which the kernel "
			     "speaks itself.");
	}
	fact_fin(f, g);
	return true;
}

/* We connected, the server closed while the connection was idle, and nobody has looked since: the
 * FIN alone, or a TLS close_notify (24 to 40 bytes with any cipher) in front of it. */
static enum verdict idle_pool(const struct conn *c, const struct bounds *b)
{
	enum { TLS_CLOSE_MIN = 24, TLS_CLOSE_MAX = 40 };
	const struct sock_full *full = c->sock->full;
	uint32_t bytes = full->rqueue - 1;

	if (c->owner != OWNER_KNOWN || c->listener || full->wqueue > 0 || full->rqueue == 0 ||
	    c->sock->pair.peer.port >= c->sock->pair.local.port)
		return VERDICT_SILENT;
	if (bytes != 0 && (bytes < TLS_CLOSE_MIN || bytes > TLS_CLOSE_MAX))
		return VERDICT_SILENT;
	return !c->age.known || c->age.ms >= b->suspicious ? VERDICT_FIRES : VERDICT_SILENT;
}

static bool weigh_idle_pool(const struct group *g, const struct bounds *b, struct finding *f)
{
	enum { LARGE_POOL = 32 }; /* connections to one destination; usual limits are 2 to 20 */
	bool is_forgotten = g->oldest.known && g->oldest.ms >= b->forgotten;

	f->severity = g->count > LARGE_POOL || is_forgotten ? SEVERITY_WARNING : SEVERITY_NOTE;
	/* A program that is stuck looks the same in one look. */
	f->certainty = CERTAINTY_POSSIBLE;
	fact_fds(f, g);
	fact_proc(f, g);
	fact_fin(f, g);
	return true;
}

static enum verdict epoll_deaf(const struct conn *c, const struct bounds *b)
{
	const struct sock_full *full = c->sock->full;

	if (c->owner != OWNER_KNOWN || full->rqueue == 0 ||
	    (full->watch != WATCH_DEAF && full->watch != WATCH_ABSENT))
		return VERDICT_SILENT;
	return !c->age.known || c->age.ms >= b->suspicious ? VERDICT_FIRES : VERDICT_SILENT;
}

static enum certainty how_epoll_deaf(const struct conn *c)
{
	/* In no set at all it may be another thread's, which reads without one. */
	return c->sock->full->watch == WATCH_DEAF ? CERTAINTY_LIKELY : CERTAINTY_POSSIBLE;
}

/* EPOLLERR and EPOLLHUP are always there and tell nothing. */
static const char *mask_name(uint32_t events)
{
	enum { ONESHOT = 1 << 30, OUT = 4, ALWAYS = 0x18 };

	if ((events & ~(uint32_t)ALWAYS) == ONESHOT || events == ONESHOT)
		return N_("EPOLLONESHOT, used up and not armed again");
	return events & OUT ? N_("EPOLLOUT only") : N_("neither EPOLLIN nor EPOLLRDHUP");
}

static bool weigh_epoll_deaf(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_WARNING;
	if (g->n_absent == g->count) {
		f->says = N_("{count} {count:connection|connections} the peer has closed {count:is|"
			     "are} in none of the epoll sets of {comm}[{pid}]: its event loop does "
			     "not hear that they ended.");
	} else {
		finding_fact_sentence(f, "watched_for", mask_name(g->watch_events));
	}
	fact_fds(f, g);
	fact_proc(f, g);
	fact_fin(f, g);
	return true;
}

const struct rule owner_rules[] = {
	{
		.text = {
			.id = "close-wait-stopped-process",
			.title = N_("the process that should close is stopped"),
			.says = N_("{count} {count:connection|connections} the peer has closed "
				   "{count:waits|wait} for a process that a signal has stopped."),
			.why = N_("A stopped process cannot read and cannot close. Its kernel side goes "
				  "on: handshakes are finished, data and FINs acknowledged, so clients "
				  "see a server that is there and never answers."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("Let it go on: SIGCONT, detach the debugger, or thaw its "
					     "control group."),
				  .command = "kill -CONT {pid}" },
				{ .kind = FIX_OPERATION,
				  .text = N_("See who stopped it: its state, its tracer, its control "
					     "group."),
				  .command = "grep -E 'State|TracerPid' /proc/{pid}/status; "
					     "cat /proc/{pid}/cgroup" },
			},
			.avoid = { AVOID_FIN_TIMEOUT_CLOSE_WAIT,
				   N_("Restarting it unseen: whoever stopped it may have had a "
				      "reason.") },
			.refs = "signal(7); proc(5), /proc/PID/stat; Linux kernel/signal.c, "
				"do_signal_stop() and do_freezer_trap()",
		},
		.scope = SCOPE_PROCESS,
		.states = STATE_BIT(STATE_CLOSE_WAIT),
		.needs = NEED_AGE,
		.of_mptcp = true,
		.claims = stopped,
		.weigh = weigh_stopped,
	},
	{
		.text = {
			.id = "close-wait-shared-fd",
			.title = N_("another process holds the connection, too"),
			.says = N_("{count} {count:connection|connections} the peer has closed "
				   "{count:is|are} held by more than one process (pids {holders}): "
				   "close() in one of them sends nothing."),
			.why = N_("A descriptor inherited over fork() or exec(), or passed over a UNIX "
				  "socket, is one more reference to the same connection. The FIN goes "
				  "out when the last of them is closed, whatever the other processes "
				  "do."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Open with SOCK_CLOEXEC, accept with accept4(..., "
					     "SOCK_CLOEXEC), and close inherited descriptors in the "
					     "child after fork().") },
				{ .kind = FIX_CODE,
				  .text = N_("shutdown(SHUT_WR) where the FIN must go now: it acts on "
					     "the connection, not on the descriptor.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("End the process that holds it by mistake, after looking "
					     "at what it is."),
				  .command = "ps -o pid,ppid,lstart,cmd -p {pid}; ls -l /proc/{pid}/fd" },
			},
			.avoid = { N_("Restarting only the parent: the child keeps the connection."),
				   AVOID_FIN_TIMEOUT_CLOSE_WAIT },
			.refs = "fork(2); open(2), O_CLOEXEC; accept4(2); close(2); shutdown(2)",
		},
		.scope = SCOPE_PROCESS,
		.states = STATE_BIT(STATE_CLOSE_WAIT),
		.needs = NEED_AGE,
		.of_mptcp = true,
		.claims = shared,
		.how_sure = how_shared,
		.weigh = weigh_shared,
	},
	{
		.text = {
			.id = "close-wait-kernel-held",
			.title = N_("no process holds it"),
			.says = N_("{count} {count:connection|connections} with {peer} the peer has "
				   "closed {count:has|have} an inode, but no process here has a "
				   "descriptor of {count:it|them}."),
			.why = N_("Every process could be read. What remains: the kernel itself holds "
				  "it (NFS, SMB, iSCSI, NVMe, DRBD, Ceph), it is on its way through a "
				  "UNIX socket (SCM_RIGHTS) that nobody reads, or its process lives in "
				  "a pid namespace above this one."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Who passes descriptors on: receive every message, also "
					     "when busy, and close the UNIX socket when done. What is "
					     "in it is closed with it.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("Look for a mount or module that uses the peer's port."),
				  .command = "grep -E 'nfs|cifs|ceph' /proc/mounts; lsmod" },
				{ .kind = FIX_OPERATION,
				  .text = N_("In a container, look again on the host."),
				  .command = "sudo tcpwhy -A state close-wait" },
			},
			.avoid = { AVOID_FIN_TIMEOUT_CLOSE_WAIT },
			.refs = "unix(7), SCM_RIGHTS; Linux net/socket.c, sock_create_kern()",
		},
		.scope = SCOPE_DESTINATION,
		.states = STATE_BIT(STATE_CLOSE_WAIT),
		.needs = NEED_AGE,
		.of_mptcp = true,
		.claims = kernel_held,
		.weigh = weigh_kernel_held,
	},
	{
		.text = {
			.id = "close-wait-idle-pool",
			.title = N_("parked connections the server has closed"),
			.says = N_("{count} {count:connection|connections} to {peer} {count:was|were} "
				   "closed by the server, {oldest} ago, while nobody here was looking: "
				   "most often {count:it is|they are} parked in a pool, and the next "
				   "request on {count:it|one of them} fails."),
			.why = N_("The server's idle timeout is shorter than this client's pool keeps "
				  "connections. The client finds out when it uses one: write() may "
				  "still succeed, then comes a reset (EPIPE or ECONNRESET). A client "
				  "that is stuck looks the same in one look."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Keep idle connections for less than the server does, "
					     "remove those that become readable while idle, test one "
					     "before using it, and repeat idempotent requests.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("Raise the server's idle timeout above the client's: "
					     "keepalive_timeout in nginx, timeout http-keep-alive in "
					     "HAProxy, Server.IdleTimeout in Go.") },
			},
			.avoid = {
				N_("SO_KEEPALIVE to get rid of them: the server's kernel answers, or "
				   "the row goes and the descriptor stays."),
				AVOID_FIN_TIMEOUT_CLOSE_WAIT,
			},
			.refs = "RFC 9112 section 9.3; RFC 9293 section 3.6; RFC 8446 section 6.1",
		},
		.scope = SCOPE_PROCESS_DESTINATION,
		.states = STATE_BIT(STATE_CLOSE_WAIT),
		.needs = NEED_AGE | NEED_RQUEUE,
		.advice = ADVICE_POOL,
		.claims = idle_pool,
		.weigh = weigh_idle_pool,
	},
	{
		.text = {
			.id = "close-wait-epoll-deaf",
			.title = N_("the event loop does not listen for the end"),
			.says = N_("{count} {count:connection|connections} the peer has closed "
				   "{count:is|are} watched by {comm}[{pid}] for {watched_for}: its "
				   "event loop does not hear that they ended."),
			.why = N_("The end of the stream makes a descriptor readable (EPOLLIN) and sets "
				  "EPOLLRDHUP. A loop that takes both out while it is busy with a "
				  "connection, or does not arm EPOLLONESHOT again, never learns that "
				  "the peer has left; EPOLLHUP comes only when both sides have."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Keep EPOLLRDHUP in the mask while reading is paused, arm "
					     "EPOLLONESHOT again on every path, and with EPOLLET read "
					     "until EAGAIN.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("See the masks of its epoll sets: events without 1 "
					     "(EPOLLIN) and 2000 (EPOLLRDHUP) hear nothing."),
				  .command = "grep -H tfd /proc/{pid}/fdinfo/*" },
			},
			.avoid = { AVOID_FIN_TIMEOUT_CLOSE_WAIT, AVOID_KEEPALIVE_CLOSE_WAIT },
			.refs = "epoll_ctl(2), EPOLLRDHUP and EPOLLONESHOT; proc(5), "
				"/proc/PID/fdinfo; Linux net/ipv4/tcp.c, tcp_poll()",
		},
		.scope = SCOPE_PROCESS,
		.states = STATE_BIT(STATE_CLOSE_WAIT),
		.needs = NEED_AGE | NEED_RQUEUE,
		.claims = epoll_deaf,
		.how_sure = how_epoll_deaf,
		.weigh = weigh_epoll_deaf,
	},
};
const size_t n_owner_rules = ARRAY_LEN(owner_rules);

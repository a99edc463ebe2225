#include "rules/facts.h"
#include "rules/rule.h"
#include "rules/words.h"

/* How it works: the peer has sent its FIN, we acknowledged it, and only this host's application can
 * go on. What Recv-Q holds tells how far the application got (the FIN counts one):
 *
 *   inode 0    nobody has accepted the connection       close-wait-never-accepted
 *   rq > 1     rq - 1 bytes and the FIN lie unread      close-wait-data-unread
 *   rq = 1     the FIN alone lies unread                close-wait-eof-unread
 *   rq = 0     everything was taken out                 close-wait-leaked-fd
 *
 * rq = 0 does not prove that the program *saw* the end: the recv() that takes the last queued byte
 * takes a queued FIN with it. Of MPTCP rq is memory: more than 0 is data unread, 0 says nothing
 * about the end; nor does 0 or 1 where the kernel decrypts (kTLS). Source: Linux net/ipv4/tcp.c, tcp_recvmsg_locked(), found_fin_ok. */

/* An unknown age may be any: the row's needs decide what that makes of the verdict. */
static bool may_be_old(const struct conn *c, uint64_t ms)
{
	return !c->age.known || c->age.ms >= ms;
}

/* In the accept queue a descriptor does not exist yet, so inode 0 has no other meaning here. */
static enum verdict never_accepted(const struct conn *c, const struct bounds *b)
{
	if (!sock_is_unaccepted(c->sock))
		return VERDICT_SILENT;
	return may_be_old(c, b->young) ? VERDICT_FIRES : VERDICT_SILENT;
}

static bool weigh_never_accepted(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct sock *l = g->listener; /* of several the one with the longest queue */
	bool is_full = l && l->full && l->full->rqueue > l->full->wqueue;
	bool is_one_queue = g->n_listeners == 1;

	f->severity = is_full || !g->oldest.known || g->oldest.ms >= b->suspicious ?
			      SEVERITY_PROBLEM :
			      SEVERITY_WARNING;
	/* That nobody accepted them is certain; whose queue they are in only with one listener. */
	f->certainty = l && is_one_queue ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY;
	if (l && l->full) {
		finding_fact(f, "queue", FACT_COUNT, l->full->rqueue);
		finding_fact(f, "backlog", FACT_COUNT, l->full->wqueue);
		finding_fact(f, "listeners", FACT_COUNT, (int64_t)g->n_listeners);
	}
	if (!is_one_queue && g->n_candidates > 1 && g->n_queued > 0) {
		struct fact *queues;

		fact_candidates(f, g);
		queues = finding_fact(f, "queues", FACT_LIST, 0);
		queues->list = g->queues;
		queues->n_list = g->n_candidates;
		queues->n_list_all = g->n_owners;
		f->says = N_("{count} {count:client|clients} connected to {local}, gave up and closed, and "
			     "nobody ever accepted {count:it|them}: {candidates} processes that listen there "
			     "have clients waiting (pids {candidate_pids}: {queues}).");
	}
	fact_counter(f, "listen_overflows", &g->subject.netns->counters.listen_overflows);
	fact_proc(f, g);
	fact_fin(f, g);
	if (is_full && !is_one_queue)
		f->says = N_("{count} {count:client|clients} connected to {local}, gave up and closed, and "
			     "nobody ever accepted {count:it|them}: of {listeners} accept queues one is full "
			     "({queue} waiting, backlog {backlog}), new clients that come to it get no answer.");
	else if (is_full)
		f->says = N_("{count} {count:client|clients} connected to {local}, gave up and closed, "
			     "and nobody ever accepted {count:it|them}: the accept queue is full "
			     "({queue} waiting, backlog {backlog}), new clients get no answer.");
	return true;
}

static enum verdict data_unread(const struct conn *c, const struct bounds *b)
{
	if (sock_is_unaccepted(c->sock) || c->sock->full->rqueue <= 1)
		return VERDICT_SILENT;
	return may_be_old(c, b->suspicious) ? VERDICT_FIRES : VERDICT_SILENT;
}

static bool weigh_data_unread(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	/* Ten: one slow request is a case, ten are a stuck program. */
	f->severity = g->count >= 10 ? SEVERITY_PROBLEM : SEVERITY_WARNING;
	f->certainty = CERTAINTY_CERTAIN;
	finding_fact(f, "unread", FACT_BYTES, (int64_t)(g->rqueue - g->count));
	fact_waits(f, g);
	fact_fds(f, g);
	fact_proc(f, g);
	fact_fin(f, g);
	return true;
}

static enum verdict eof_unread(const struct conn *c, const struct bounds *b)
{
	if (sock_is_unaccepted(c->sock) || c->sock->full->rqueue != 1 ||
	    c->sock->full->wqueue > 0)
		return VERDICT_SILENT;
	return may_be_old(c, b->suspicious) ? VERDICT_FIRES : VERDICT_SILENT;
}

/* Ten, or ten minutes: a failing path rather than one slow request. */
static bool is_many_or_old(const struct group *g, const struct bounds *b)
{
	return g->count >= 10 || (g->oldest.known && g->oldest.ms >= b->old);
}

static bool weigh_eof_unread(const struct group *g, const struct bounds *b, struct finding *f)
{
	f->severity = is_many_or_old(g, b) ? SEVERITY_WARNING : SEVERITY_NOTE;
	f->certainty = CERTAINTY_CERTAIN;
	if (g->n_hears == g->count && g->count > 0)
		f->says = N_("{count} {count:connection|connections} the peer has closed "
			     "{count:has|have} not been looked at since, although the program's "
			     "epoll watches {count:it|them}: the loop itself is stuck; the oldest "
			     "has waited {oldest}.");
	fact_waits(f, g);
	fact_fds(f, g);
	fact_proc(f, g);
	fact_fin(f, g);
	return true;
}

static enum verdict leaked_fd(const struct conn *c, const struct bounds *b)
{
	const struct sock_full *full = c->sock->full;

	/* Of kTLS the FIN may lie there although the program has seen the end. */
	bool is_empty = full->rqueue == 0 || (full->has_tls_rx && full->rqueue == 1);

	if (sock_is_unaccepted(c->sock) || !is_empty || full->wqueue > 0)
		return VERDICT_SILENT;
	/* Still answering: a long response goes out after the client has shut down its side. */
	if (full->info.len >= SOCK_INFO_LEN_BASIC &&
	    full->info.last_data_sent_ms < full->info.last_ack_recv_ms &&
	    full->info.last_data_sent_ms < b->suspicious)
		return VERDICT_SILENT;
	return may_be_old(c, b->suspicious) ? VERDICT_FIRES : VERDICT_SILENT;
}

static bool weigh_leaked_fd(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct proc *p = g->subject.proc;
	bool eats_limit = p && p->fd_limit > p->n_fds && p->has_fds &&
			  g->count * 2 >= p->fd_limit - p->n_fds;

	if (p && p->has_fds && p->fd_limit > 0 && p->n_fds >= p->fd_limit)
		eats_limit = true;
	if (eats_limit)
		f->severity = SEVERITY_PROBLEM;
	else
		f->severity = is_many_or_old(g, b) ? SEVERITY_WARNING : SEVERITY_NOTE;
	/* One look cannot prove a leak, time can: nobody computes an answer for an hour on ten
	 * connections. These two do not scale with --min-age: they are evidence, not taste. */
	if (g->count >= 10 && g->oldest.known && g->oldest.ms >= HOUR_MS)
		f->certainty = CERTAINTY_CERTAIN;
	else if (g->count >= 10 || (g->oldest.known && g->oldest.ms >= 10 * MINUTE_MS))
		f->certainty = CERTAINTY_LIKELY;
	else
		f->certainty = CERTAINTY_POSSIBLE;
	if (g->n_mptcp > 0) {
		/* No Recv-Q tells whether the end has been read. */
		f->certainty = lowered(f->certainty);
		finding_fact(f, "mptcp", FACT_COUNT, (int64_t)g->n_mptcp);
	}
	if (g->n_tls_rx > 0) {
		f->certainty = lowered(f->certainty);
		finding_fact(f, "kernel_tls", FACT_COUNT, (int64_t)g->n_tls_rx);
	}
	if (g->n_tls_rx == g->count)
		f->says = N_("{count} {count:connection|connections} the peer closed, which the kernel decrypts "
			     "(kTLS), {count:is|are} still open here; the oldest has waited {oldest}. Whether "
			     "the program has read the end cannot be seen.");
	if (g->n_mptcp == g->count)
		f->says = N_("{count} MPTCP {count:connection|connections} the peer closed "
			     "{count:is|are} still open here; the oldest has waited {oldest}. Whether "
			     "the program has read the end cannot be seen.");
	fact_fds(f, g);
	fact_proc(f, g);
	if (g->n_shared > 0)
		finding_fact(f, "shared_with_others", FACT_COUNT, (int64_t)g->n_shared);
	fact_fin(f, g);
	return true;
}

const struct rule close_wait_rules[] = {
	{
		.text = {
			.id = "close-wait-never-accepted",
			.title = N_("the client has left before anybody accepted it"),
			.says = N_("{count} {count:client|clients} connected to {local}, gave up and "
				   "closed, and nobody ever accepted {count:it|them}."),
			.why = N_("The kernel finishes a handshake alone and puts the connection in "
				  "the listener's queue. There it waits for accept(). The client saw a "
				  "connection, perhaps sent a request, and closed; the kernel "
				  "acknowledged that, too. Only accept() takes it out: the program "
				  "does not call it fast enough, or not at all."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Accept in a loop until EAGAIN, on a thread that does "
					     "nothing else, and handle EMFILE: keep a spare descriptor "
					     "to accept and close with.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("See what the process does instead of accepting: its "
					     "stacks, its descriptors against the limit."),
				  .command = "cat /proc/{pid}/limits; cat /proc/{pid}/task/*/stack" },
				{ .kind = FIX_SYSCTL,
				  .text = N_("A longer queue only helps against bursts: raise "
					     "somaxconn and the backlog of listen(), then call "
					     "listen() again or restart."),
				  .command = "sysctl -w net.core.somaxconn=4096",
				  .current = "backlog", .proposed = "4096",
				  .risk = N_("clients wait longer before they fail") },
			},
			.avoid = {
				N_("tcp_abort_on_overflow: it turns a delay into a hard error, and a "
				   "full queue still drops the SYNs."),
				AVOID_FIN_TIMEOUT_CLOSE_WAIT,
			},
			.refs = "accept(2); listen(2); RFC 9293 section 3.6; Linux "
				"net/ipv4/tcp_ipv4.c, tcp_v4_syn_recv_sock()",
		},
		.scope = SCOPE_LISTENER,
		.states = STATE_BIT(STATE_CLOSE_WAIT),
		.of_mptcp = true,
		.advice = ADVICE_ACCEPT,
		.claims = never_accepted,
		.weigh = weigh_never_accepted,
	},
	{
		.text = {
			.id = "close-wait-data-unread",
			.title = N_("data and the end of stream wait unread"),
			.says = N_("{unread} and the end of the stream wait unread on {count} "
				   "{count:connection|connections} the peer has closed; the oldest "
				   "has waited {oldest}."),
			.why = N_("The peer sent data, then closed. Neither has been read: the program "
				  "is stuck elsewhere or too slow. If it closes now without reading, "
				  "the kernel sends RST instead of FIN, and what is still queued for "
				  "the peer is lost."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Keep reading until read() returns 0, then close(). Move "
					     "slow work off the thread that reads, and give every "
					     "downstream call a timeout.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("Find out where its threads wait before restarting it."),
				  .command = "cat /proc/{pid}/task/*/stack; gdb -p {pid} -batch -ex "
					     "'thread apply all bt'" },
			},
			.avoid = {
				N_("Larger receive buffers: they only hide how far behind it is."),
				AVOID_FIN_TIMEOUT_CLOSE_WAIT, AVOID_LINGER_CLOSE_WAIT,
			},
			.refs = "tcp(7); RFC 9293 section 3.6; RFC 2525 section 2.17",
		},
		.scope = SCOPE_PROCESS,
		.states = STATE_BIT(STATE_CLOSE_WAIT),
		.needs = NEED_OWNER | NEED_AGE | NEED_RQUEUE,
		.of_mptcp = true,
		.advice = ADVICE_STUCK,
		.claims = data_unread,
		.weigh = weigh_data_unread,
	},
	{
		.text = {
			.id = "close-wait-eof-unread",
			.title = N_("the end of stream has not been read"),
			.says = N_("{count} {count:connection|connections} the peer has closed "
				   "{count:has|have} not been looked at since: the end of the stream "
				   "is still unread; the oldest has waited {oldest}."),
			.why = N_("Recv-Q is 1, and that one is the peer's FIN. The thread that serves "
				  "the connection is blocked elsewhere, or nobody watches this "
				  "descriptor. The kernel waits for the application, without any "
				  "timer."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Watch idle connections too (EPOLLIN | EPOLLRDHUP), never "
					     "block the serving thread in a call without a timeout, and "
					     "test a pooled connection before using it.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("Find out where its threads wait."),
				  .command = "cat /proc/{pid}/task/*/stack; gdb -p {pid} -batch -ex "
					     "'thread apply all bt'" },
			},
			.avoid = { AVOID_FIN_TIMEOUT_CLOSE_WAIT, AVOID_KEEPALIVE_CLOSE_WAIT,
				   AVOID_LINGER_CLOSE_WAIT },
			.refs = "epoll_ctl(2); RFC 9293 section 3.6; Linux net/ipv4/tcp_diag.c, "
				"tcp_diag_get_info()",
		},
		.scope = SCOPE_PROCESS,
		.states = STATE_BIT(STATE_CLOSE_WAIT),
		.needs = NEED_OWNER | NEED_AGE | NEED_RQUEUE,
		.advice = ADVICE_STUCK,
		.claims = eof_unread,
		.weigh = weigh_eof_unread,
	},
	{
		.text = {
			.id = "close-wait-leaked-fd",
			.title = N_("everything was read, close() was forgotten"),
			.says = N_("{count} {count:connection|connections} the peer closed "
				   "{count:is|are} still open here; the oldest has waited {oldest}."),
			.why = N_("The other side said it has finished. This program took everything "
				  "out of the socket, most likely saw the end of the stream, and never "
				  "called close(). The kernel has no timer for that: only close() in "
				  "this process ends it. Each one costs a descriptor; at the limit "
				  "accept() and open() fail with EMFILE."),
			.fixes = { FIX_CLOSE_ON_EOF, FIX_RESTART_AS_STOP_GAP },
			.avoid = { AVOID_FIN_TIMEOUT_CLOSE_WAIT, AVOID_KEEPALIVE_CLOSE_WAIT,
				   AVOID_LINGER_CLOSE_WAIT, AVOID_SS_KILL,
				   N_("Raising the descriptor limit as a cure: it buys time only.") },
			.refs = "close(2); RFC 9293 section 3.6; Linux net/ipv4/tcp_input.c, tcp_fin()",
		},
		.scope = SCOPE_PROCESS,
		.states = STATE_BIT(STATE_CLOSE_WAIT),
		.needs = NEED_OWNER | NEED_AGE | NEED_STATE,
		.of_mptcp = true,
		.advice = ADVICE_LEAK,
		.claims = leaked_fd,
		.weigh = weigh_leaked_fd,
	},
};
const size_t n_close_wait_rules = ARRAY_LEN(close_wait_rules);

#include "rules/facts.h"
#include "rules/rule.h"
#include "rules/words.h"

/* How it works: our FIN is acknowledged, the peer's has not come. Who keeps the socket decides:
 *
 *   a descriptor (inode)    shutdown() was called, not close(): no timer at all    held
 *   nobody                  close() was called: tcp_fin_timeout or TCP_LINGER2     orphan
 *
 * Source: Linux net/ipv4/tcp.c, __tcp_close(); tcp_timer.c, tcp_keepalive_timer(). */

static enum verdict held(const struct conn *c, const struct bounds *b)
{
	const struct sock_full *full = c->sock->full;

	if (!full || full->inode == 0)
		return VERDICT_SILENT;
	/* A half-close that still brings data is doing what it was made for. */
	if (full->info.len >= SOCK_INFO_LEN_BASIC &&
	    full->info.last_data_recv_ms < b->suspicious)
		return VERDICT_SILENT;
	return !c->age.known || c->age.ms >= b->suspicious ? VERDICT_FIRES : VERDICT_SILENT;
}

static bool weigh_held(const struct group *g, const struct bounds *b, struct finding *f)
{
	bool is_old = g->oldest.known && g->oldest.ms >= b->old;

	f->severity = g->count >= 10 || is_old ? SEVERITY_WARNING : SEVERITY_NOTE;
	/* That no timer ends it is what the kernel says; whether it is meant is the program's. */
	f->certainty = CERTAINTY_CERTAIN;
	finding_fact(f, "with_keepalive", FACT_COUNT, (int64_t)g->n_keepalive);
	fact_fds(f, g);
	fact_proc(f, g);
	fact_fin(f, g);
	if (g->rqueue > 0) {
		/* Then the other end may be waiting for us. */
		finding_fact(f, "unread", FACT_BYTES, (int64_t)g->rqueue);
		f->says = N_("{count} half-closed {count:connection has|connections have} {unread} of "
			     "the answer lying unread here, for {oldest}: this program has said that "
			     "it sends no more, and does not read.");
	} else if (fact_culprit(f, g)) {
		f->says = N_("{count} half-closed {count:connection waits|connections wait} for the "
			     "peer to close, for {oldest}; on this host {culprit}[{culprit_pid}] holds "
			     "the other end of {culprit_holds} of them in CLOSE-WAIT "
			     "({culprit_holds:descriptor|one is descriptor} {culprit_fd}).");
	}
	return true;
}

static enum verdict orphan(const struct conn *c, const struct bounds *b)
{
	(void)b;
	return sock_is_orphan(c->sock) ? VERDICT_FIRES : VERDICT_SILENT;
}

static bool weigh_orphan(const struct group *g, const struct bounds *b, struct finding *f)
{
	const struct sysctls *ctl = &g->subject.netns->sysctls;

	(void)b;
	/* They share the limit of TIME-WAIT; a thousand, or a tenth of it, is worth a look. */
	bool many = g->count >= 1000 ||
		    (ctl->max_tw_buckets.known &&
		     (int64_t)g->count * 10 >= ctl->max_tw_buckets.value && g->count >= 100);
	f->severity = many ? SEVERITY_WARNING : SEVERITY_NOTE;
	f->certainty = CERTAINTY_CERTAIN;
	fact_ends(f, g);
	fact_setting(f, "fin_timeout_s", &ctl->fin_timeout_s);
	fact_inferred_owner(f, g);
	fact_fin(f, g);
	if (fact_culprit(f, g))
		f->says = N_("{count} {count:connection|connections} we closed {count:waits|wait} for "
			     "the peer's end, {ends_last} at most; on this host {culprit}[{culprit_pid}] "
			     "holds the other end of {culprit_holds} of them in CLOSE-WAIT "
			     "({culprit_holds:descriptor|one is descriptor} {culprit_fd}).");
	return true;
}

const struct rule fin_wait_rules[] = {
	{
		.text = {
			.id = "fin-wait-2-held",
			.title = N_("half-closed by shutdown(), waiting without a limit"),
			.says = N_("{count} half-closed {count:connection waits|connections wait} for "
				   "the peer to close, for {oldest} already, and nothing limits that "
				   "wait."),
			.why = N_("The program said 'I have finished sending' with shutdown() and "
				  "still holds the descriptor, so the kernel leaves the rest to it: no "
				  "timer runs, and without SO_KEEPALIVE even a peer that is long gone "
				  "is never noticed. It may be a deliberate half-close that waits for "
				  "an answer."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Give the wait after shutdown(SHUT_WR) a deadline (poll() "
					     "with a timeout, SO_RCVTIMEO), then close(): from there "
					     "the kernel allows at most tcp_fin_timeout.") },
				{ .kind = FIX_SOCKOPT,
				  .text = N_("SO_KEEPALIVE with TCP_KEEPIDLE, TCP_KEEPINTVL and "
					     "TCP_KEEPCNT, so that a dead peer ends it."),
				  .proposed = "60/10/6",
				  .risk = N_("a living peer answers the probes and keeps it for ever") },
				{ .kind = FIX_OPERATION,
				  .text = N_("Look at the other end: its program is in CLOSE-WAIT and "
					     "has not closed.") },
			},
			.avoid = {
				N_("tcp_fin_timeout: it applies only after close(), not while a "
				   "descriptor is open."),
				N_("ss -K: the peer gets a reset, the descriptor stays open."),
			},
			.refs = "shutdown(2); RFC 9293 section 3.6.1; Linux net/ipv4/tcp.c, "
				"tcp_shutdown() and __tcp_close()",
		},
		.scope = SCOPE_PROCESS,
		.states = STATE_BIT(STATE_FIN_WAIT_2),
		.needs = NEED_OWNER | NEED_AGE | NEED_STATE,
		.of_mptcp = true,
		.claims = held,
		.weigh = weigh_held,
	},
	{
		.text = {
			.id = "fin-wait-2-orphan",
			.title = N_("closed here, the peer keeps its half open"),
			.says = N_("{count} {count:connection|connections} we closed {count:waits|wait} "
				   "for the peer's end; the kernel drops the last of them in "
				   "{ends_last} by itself."),
			.why = N_("We closed and the peer acknowledged, but its program has not closed "
				  "yet. Nobody here owns the connection any more, so tcp_fin_timeout "
				  "(or TCP_LINGER2) bounds the wait. It costs no descriptor. A FIN or "
				  "data that arrives later is answered with a reset."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("The peer's program is the one to mend: it sits in "
					     "CLOSE-WAIT and does not close.") },
				{ .kind = FIX_SOCKOPT,
				  .text = N_("TCP_LINGER2 on servers that close first towards clients "
					     "that never do."),
				  .proposed = "5",
				  .risk = N_("late data of a slow peer meets a reset") },
				{ .kind = FIX_SYSCTL,
				  .text = N_("Shorten the wait for all, only where thousands pile up."),
				  .command = "sysctl -w net.ipv4.tcp_fin_timeout=30",
				  .current = "fin_timeout_s", .proposed = "30",
				  .risk = N_("late data of slow peers meets a reset") },
			},
			.avoid = {
				N_("tcp_fin_timeout above 60: the real time is then 2 x (V - 60) "
				   "seconds, not V."),
				N_("Expecting tcp_fin_timeout to shorten TIME-WAIT: that is 60 s "
				   "whatever it says."),
			},
			.refs = "tcp(7), tcp_fin_timeout and TCP_LINGER2; Linux net/ipv4/tcp.c, "
				"__tcp_close(); net/ipv4/tcp_minisocks.c, tcp_time_wait()",
		},
		.scope = SCOPE_SERVICE,
		.states = STATE_BIT(STATE_FIN_WAIT_2),
		.claims = orphan,
		.weigh = weigh_orphan,
	},
};
const size_t n_fin_wait_rules = ARRAY_LEN(fin_wait_rules);

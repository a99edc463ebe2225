#include "rules/reset.h"
#include "rules/cause.h"
#include "rules/facts.h"
#include "rules/words.h"

#include <string.h>

/* How it works: cause.c has named each reset; here stand the words, and what one such reset or many
 * of them weigh. */

/* The first reset with this cause; NULL: none. */
static const struct flow_rst *first_with_cause(const struct conn *c, const char *rule, size_t *ret_at)
{
	for (size_t i = 0; i < c->flow->n_rsts && i < MAX_FLOW_RSTS; i++) {
		if (!c->rst_causes[i].rule || strcmp(c->rst_causes[i].rule, rule) != 0)
			continue;
		*ret_at = i;
		return &c->flow->rsts[i];
	}
	return NULL;
}

bool reset_has_cause(const struct conn *c, const char *rule, enum certainty *ret_certainty)
{
	size_t at;

	if (!first_with_cause(c, rule, &at))
		return false;
	*ret_certainty = c->rst_causes[at].certainty;
	return true;
}

static bool weigh_refused(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	/* One refused connection may be somebody probing; a second to the same server is a client that wants in. */
	f->severity = g->count < 2 ? SEVERITY_NOTE : g->subject.is_rest ? SEVERITY_WARNING : SEVERITY_PROBLEM;
	finding_fact(f, "first_at", FACT_TIME_NS, g->first_fin_ns);
	finding_fact_text(f, "application_saw", "ECONNREFUSED (111; Windows 10061)");
	return true;
}

static bool weigh_admin(const struct group *g, const struct bounds *b, struct finding *f)
{
	weigh_refused(g, b, f);
	/* Somebody's rule, most likely: one refusal is what it is for, many may be a rule too much. */
	f->severity = g->count > 1 ? SEVERITY_WARNING : SEVERITY_NOTE;
	/* Each of many hosts has its own distance. */
	if (g->subject.is_rest) {
		f->says = N_("{count} {count:connection|connections} to {peer} {count:was|were} refused by "
			     "something nearer than the host that was asked: the resets passed fewer routers "
			     "than the host's answers to other SYNs.");
		return true;
	}
	finding_fact(f, "routers_passed", FACT_COUNT, cause_routers_passed(g->ttl));
	finding_fact(f, "routers_to_host", FACT_COUNT, cause_routers_passed(g->host_ttl));
	return true;
}

static bool weigh_after_close(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_WARNING;
	finding_fact(f, "first_at", FACT_TIME_NS, g->first_fin_ns);
	finding_fact_sentence(f, "closed_side", g->side == SIDE_CLIENT ? N_("client") : N_("server"));
	finding_fact_sentence(f, "sending_side",
			      g->side == SIDE_CLIENT ? N_("server") : N_("client"));
	if (g->bytes > 0)
		finding_fact(f, "data_after_close", FACT_BYTES, (int64_t)g->bytes);
	if (g->longest_ns > 0)
		finding_fact(f, "longest_after_fin", FACT_MS, g->longest_ns / 1000000);
	finding_fact_text(f, "application_saw", "EOF, then EPIPE (32) on write");
	return true;
}

/* What every finding about resets shows: when, by whom, and what the other side's program met. */
static void fact_reset(struct finding *f, const struct group *g)
{
	finding_fact(f, "first_at", FACT_TIME_NS, g->first_fin_ns);
	finding_fact_sentence(f, "sent_by", g->side == SIDE_CLIENT ? N_("client") : N_("server"));
	/* A second is the least that anybody would call idle. */
	if (g->longest_ns >= 1000000000)
		finding_fact(f, "idle_before", FACT_MS, (int64_t)(g->longest_ns / 1000000));
	if (g->saw)
		finding_fact_text(f, "application_saw", g->saw);
}

static bool weigh_warning(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_WARNING;
	fact_reset(f, g);
	return true;
}

static bool weigh_injected(const struct group *g, const struct bounds *b, struct finding *f)
{
	if (f->certainty == CERTAINTY_CERTAIN)
		f->says = N_("{count} {count:reset|resets} in the name of the {sent_by} of {peer} "
			     "{count:was|were} not sent by it: the capture taken at its end does not "
			     "hold {count:it|them}. A box on the way sent {count:it|them}.");
	return weigh_warning(g, b, f);
}

static bool weigh_unread(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_WARNING;
	if (g->bytes > 0)
		finding_fact(f, "bytes_before", FACT_BYTES, (int64_t)g->bytes);
	fact_reset(f, g);
	return true;
}

static bool weigh_note(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_NOTE;
	fact_reset(f, g);
	return true;
}

static bool weigh_problem(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_PROBLEM;
	fact_reset(f, g);
	return true;
}

/* Several of one listener in one instant are its end; one may be anything a server does. */
static bool weigh_listener_closed(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_WARNING;
	if (g->count >= 2 && !g->subject.is_rest && g->first_fin_ns != TIME_NONE &&
	    g->last_ns - g->first_fin_ns < 10 * 1000000)
		f->certainty = CERTAINTY_LIKELY;
	fact_reset(f, g);
	return true;
}

/* A pool that resets idle connections on purpose does no harm; many in the middle of talk do. */
static bool weigh_linger_zero(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = g->count >= 10 ? SEVERITY_WARNING : SEVERITY_NOTE;
	if (f->certainty == CERTAINTY_POSSIBLE)
		f->says = N_("{count} {count:connection|connections} with {peer} {count:was|were} aborted by "
			     "the {sent_by}: SO_LINGER with 0, TCP_LINGER2 below 0, an administrator "
			     "(ss -K), or data it had not read.");
	fact_reset(f, g);
	return true;
}

/* errno(3) of the program at the other end; NULL: the packets imply nothing. */
static const char *saw_words(enum saw saw)
{
	switch (saw) {
	case SAW_ECONNRESET:
		return "ECONNRESET (104; Windows 10054)";
	case SAW_EPIPE:
		return "EOF, then EPIPE (32) on write";
	case SAW_ECONNREFUSED:
		return "ECONNREFUSED (111; Windows 10061)";
	case SAW_ETIMEDOUT:
		return "ETIMEDOUT (110; Windows 10060)";
	case SAW_ECONNABORTED:
		return "ECONNABORTED (103; Windows 10053)";
	case SAW_EOF:
		return "EOF";
	case SAW_UNKNOWN:
		break;
	}
	return NULL;
}

void reset_gather(struct group *g, const struct conn *c)
{
	const struct flow *f = c->flow;
	int64_t at = f->first_ns;
	uint64_t span = 0;
	size_t i;
	const struct flow_rst *r = first_with_cause(c, g->rule->text.id, &i);

	if (r) {
		at = r->at_ns;
		g->side = r->from;
		g->bytes += g->rule->counts_after_fin ? r->peer_bytes_after_own_fin :
							r->peer_bytes_since_own;
		if (g->rule->counts_after_fin && r->own_fin_gap_ns != TIME_NONE &&
		    r->own_fin_gap_ns > 0)
			span = (uint64_t)r->own_fin_gap_ns;
		else if (!g->rule->counts_after_fin && r->idle_ns != TIME_NONE && r->idle_ns > 0)
			span = (uint64_t)r->idle_ns;
		g->saw = saw_words(f->end[side_other(r->from)].saw);
		g->ttl = r->ttl;
		g->host_ttl = r->host_ttl;
	}
	if (span > g->longest_ns)
		g->longest_ns = span;
	if (g->first_fin_ns == TIME_NONE || at < g->first_fin_ns)
		g->first_fin_ns = at;
	if (at > g->last_ns)
		g->last_ns = at;
}

const struct rule reset_rules[] = {
	{
		.text = {
			.id = "rst-refused",
			.title = N_("nobody listens there"),
			.says = N_("{count} {count:connection|connections} to {peer} "
				   "{count:was|were} refused: the SYN was answered with a reset."),
			.why = N_("No listener owned that address and port when the SYN came, or a "
				  "firewall rejected it with a reset, which looks the same. The "
				  "client's connect() failed at once."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("On the server: does anything listen there, on this "
					     "address and address family?"),
				  .command = "ss -ltn" },
				{ .kind = FIX_CODE,
				  .text = N_("Retry with backoff where the server may be restarting; "
					     "hand the listening socket over in rolling restarts.") },
			},
			.avoid = { N_("tcp_abort_on_overflow, or retrying without a pause.") },
			.refs = "RFC 9293 sections 3.5.2 and 3.10.7.1; connect(2)",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_refused,
	},
	{
		.text = {
			.id = "rst-after-close",
			.title = N_("data for a program that had already closed"),
			.says = N_("On {count} {count:connection|connections} with {peer} the "
				   "{closed_side} had closed, the {sending_side} went on sending, and "
				   "got a reset."),
			.why = N_("close() ends both directions: the kernel sent a FIN and has nobody "
				  "left to give data to, so the next data is answered with a reset. "
				  "The sender's first write succeeds, read() gives the end of the "
				  "stream, the next write fails with EPIPE."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("The side that closes: shutdown(SHUT_WR), read to the end "
					     "with a time and a size limit, then close().") },
				{ .kind = FIX_CODE,
				  .text = N_("The side that sends: stop when read() returns 0, and "
					     "treat EPIPE as the end.") },
			},
			.avoid = {
				N_("SO_LINGER with a timeout: it does not read what still comes in."),
				N_("sleep() before close(): it hides the race and loses it later."),
			},
			.refs = "RFC 9293 section 3.6.1; RFC 2525 section 2.17; Linux "
				"net/ipv4/tcp_input.c, tcp_rcv_state_process()",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.counts_after_fin = true,
		.weigh = weigh_after_close,
	},
	{
		.text = {
			.id = "rst-admin",
			.title = N_("refused by a box before the host"),
			.says = N_("{count} {count:connection|connections} to {peer} {count:was|were} refused by "
				   "something nearer than that host: its {count:reset|resets} passed "
				   "{routers_passed} {routers_passed:router|routers}, the host's answers to "
				   "other SYNs {routers_to_host}."),
			.why = N_("A firewall on the way rejects that port (REJECT with a reset), a load balancer "
				  "has no server for it, or the address is that of a host which answers itself "
				  "and hands other ports on to a container or a machine behind it. The server "
				  "itself has most likely not seen the SYN."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("Do not look on the server: read the rules of the firewall or balancer in "
					     "front of it, and which ports the container's host publishes.") },
				{ .kind = FIX_OPERATION,
				  .text = N_("Where that port ought to be open, this tells how far the SYN gets."),
				  .command = "traceroute -T -p {peer_port} {peer_addr}" },
			},
			.avoid = { N_("Restarting the service: its SYNs do not reach it.") },
			.refs = "RFC 9293 section 3.5.2; Linux net/ipv4/netfilter/nf_reject_ipv4.c, "
				"nf_send_reset()",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_admin,
	},
	{
		.text = {
			.id = "rst-connect-abandoned",
			.title = N_("the client did not want the connection any more"),
			.says = N_("{count} {count:connection|connections} to {peer} "
				   "{count:was|were} given up by the client before the server's "
				   "answer came."),
			.why = N_("The SYN-ACK met no socket that waits for it: connect() had "
				   "been given up (a timeout, a closed program), or the SYN was a "
				   "scan that never wanted a connection."),
			.fixes = { { .kind = FIX_OPERATION, .text = N_("Compare the time from SYN to SYN-ACK with the client's connect "
				   "timeout.") } },
			.refs = "RFC 9293 section 3.5.2; connect(2)",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_note,
	},
	{
		.text = {
			.id = "rst-time-wait-reuse",
			.title = N_("a port was used again too soon"),
			.says = N_("{count} new {count:connection|connections} to {peer} met the "
				   "TIME-WAIT of an old one with the same ports and had to ask "
				   "twice."),
			.why = N_("The new SYN was not later than the old connection (no time "
				   "stamps, or another host behind the same address), so TIME-WAIT "
				   "answered with its old ACK; the client's reset ended it, and "
				   "the SYN was repeated."),
			.fixes = { { .kind = FIX_SYSCTL, .text = N_("Keep TCP time stamps on, on both ends: they tell new from old."),
				.command = "sysctl -w net.ipv4.tcp_timestamps=1", .proposed = "1" },
				{ .kind = FIX_CODE, .text = N_("Let more ports or addresses take turns, or keep connections "
				   "open.") } },
			.avoid = { N_("tcp_tw_recycle: it is gone since Linux 4.12 and dropped "
				   "clients behind NAT."),
				N_("tcp_rfc1337: TIME-WAIT then survives the reset, and the SYN "
				   "waits for its end.") },
			.refs = "RFC 9293 section 3.6.1; Linux net/ipv4/tcp_minisocks.c, tcp_timewait_state_process()",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_warning,
	},
	{
		.text = {
			.id = "rst-half-open",
			.title = N_("the server still held the client's previous connection"),
			.says = N_("{count} new {count:connection|connections} to {peer} met an "
				   "old one with the same ports that the server still holds; the "
				   "client's reset cleared it away."),
			.why = N_("The client's host lost its half of the old connection (a "
				   "crash, a reboot, a NAT that gave the port to somebody else). "
				   "Its SYN is answered with an ACK of the old numbers, which it "
				   "resets; then the SYN is repeated and works."),
			.fixes = { { .kind = FIX_SOCKOPT, .text = N_("SO_KEEPALIVE on the server, so that dead clients are noticed "
				   "before they come back."), .proposed = "60/10/6" },
				{ .kind = FIX_OPERATION, .text = N_("A NAT in between must not give a port away within the server's "
				   "idle time.") } },
			.refs = "RFC 9293 section 3.5.1, figure 9; RFC 5961 section 4",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_warning,
	},
	{
		.text = {
			.id = "rst-challenge",
			.title = N_("an inexact reset was challenged"),
			.says = N_("On {count} {count:connection|connections} with {peer} a reset "
				   "in the window, but not at the exact number, was challenged "
				   "with an ACK, and an exact one came."),
			.why = N_("RFC 5961 makes blind resets harmless: only the exact next "
				   "number ends a connection. The sender of the reset was genuine "
				   "and answered the challenge."),
			.fixes = { { .kind = FIX_OPERATION, .text = N_("Nothing: this is the protocol at work.") } },
			.refs = "RFC 5961 section 3; Linux net/ipv4/tcp_input.c, tcp_validate_incoming()",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_note,
	},
	{
		.text = {
			.id = "rst-injected",
			.title = N_("the reset does not look like its sender"),
			.says = N_("{count} {count:reset|resets} in the name of the {sent_by} of "
				   "{peer} {count:does|do} not look like that host's other "
				   "segments: a box on the way may have sent {count:it|them}."),
			.why = N_("Hop limit, window, options or IP id contradict the supposed "
				   "sender, or it went on speaking as if it had sent no reset. "
				   "Firewalls, intrusion prevention and censorship forge resets; "
				   "so does a REJECT rule on a router. Another route or a proxy "
				   "explains a hop limit alone."),
			.fixes = { { .kind = FIX_OPERATION, .text = N_("Capture on both hosts at once: a forged reset was sent by "
				   "neither, and its counter OutRsts did not move.") },
				{ .kind = FIX_OPERATION, .text = N_("Ask what stands in between, and for its rules and idle times.") } },
			.avoid = { N_("Dropping every reset in a firewall: real ones are needed, too.") },
			.refs = "RFC 5961; RFC 3360",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_injected,
	},
	{
		.text = {
			.id = "rst-after-fin-complete",
			.title = N_("a reset after everything was over"),
			.says = N_("{count} {count:connection|connections} with {peer} had been "
				   "closed by both ends when a late segment was answered with a "
				   "reset. No harm is done."),
			.why = N_("Both FINs were through. A repeated ACK or an old segment met "
				   "no socket any more, or TIME-WAIT's answer to one did."),
			.fixes = { { .kind = FIX_OPERATION, .text = N_("Nothing has to be done.") } },
			.refs = "RFC 9293 section 3.5.2; RFC 1337",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_note,
	},
	{
		.text = {
			.id = "rst-backlog-overflow",
			.title = N_("connected, and reset at once"),
			.says = N_("{count} {count:client|clients} of {peer} finished the "
				   "handshake and {count:was|were} reset at once: most likely the "
				   "accept queue was full and tcp_abort_on_overflow is set."),
			.why = N_("The client's last ACK found no room in the listener's queue. "
				   "By default Linux drops it and the client retries; with "
				   "tcp_abort_on_overflow it is reset. A listener that was closed "
				   "in that moment looks the same."),
			.fixes = { { .kind = FIX_CODE, .text = N_("Accept faster: a loop until EAGAIN on a thread of its own, "
				   "with a larger backlog against bursts.") },
				{ .kind = FIX_SYSCTL, .text = N_("Let a full queue delay instead of reject."),
				.command = "sysctl -w net.ipv4.tcp_abort_on_overflow=0", .proposed = "0" } },
			.refs = "tcp(7), tcp_abort_on_overflow; Linux net/ipv4/tcp_minisocks.c, tcp_check_req()",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_problem,
	},
	{
		.text = {
			.id = "rst-no-such-connection",
			.title = N_("the other host does not know the connection"),
			.says = N_("On {count} {count:connection|connections} with {peer} a "
				   "segment met no connection at the {sent_by} and was answered "
				   "with a reset."),
			.why = N_("The host that sent it has no such connection, or not any more: "
				   "it was restarted or failed over, it gave up silently "
				   "(retransmissions, FIN-WAIT-2 after tcp_fin_timeout), or a NAT "
				   "or load balancer without the state answered in its name."),
			.fixes = { { .kind = FIX_SOCKOPT, .text = N_("Where it happens after idle times: SO_KEEPALIVE with "
				   "TCP_KEEPIDLE below half of the box's idle time."),
				.proposed = "60/10/6" },
				{ .kind = FIX_CODE, .text = N_("Keep pooled connections for less than that, and repeat "
				   "idempotent requests.") },
				{ .kind = FIX_OPERATION, .text = N_("Was the host restarted or failed over at that time?") } },
			.avoid = { N_("Lowering tcp_keepalive_time: programs that do not set "
				   "SO_KEEPALIVE do not notice.") },
			.refs = "RFC 9293 section 3.5.1, figure 10; Linux net/ipv4/tcp_ipv4.c, tcp_v4_rcv()",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_warning,
	},
	{
		.text = {
			.id = "rst-keepalive-timeout",
			.title = N_("keepalive probes went unanswered"),
			.says = N_("On {count} {count:connection|connections} with {peer} the "
				   "{sent_by}'s keepalive probes were not answered; it gave up and "
				   "sent a reset."),
			.why = N_("The peer is dead or the way to it is cut. The side that probed "
				   "gets ETIMEDOUT; the reset only helps a peer that can still "
				   "hear."),
			.fixes = { { .kind = FIX_OPERATION, .text = N_("Find the dead host or the cut: address resolution, route, "
				   "firewall.") },
				{ .kind = FIX_SOCKOPT, .text = N_("TCP_KEEPIDLE + TCP_KEEPINTVL x TCP_KEEPCNT is the time to "
				   "detection: choose it, do not inherit two hours.") } },
			.avoid = { N_("Raising the times blindly: the connection is dead either way.") },
			.refs = "RFC 9293 section 3.8.4; tcp(7); Linux net/ipv4/tcp_timer.c, tcp_keepalive_timer()",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_warning,
	},
	{
		.text = {
			.id = "rst-user-timeout",
			.title = N_("aborted while nobody answered"),
			.says = N_("On {count} {count:connection|connections} with {peer} the {sent_by} repeated "
				   "what it had sent, got no answer, and gave up with a reset."),
			.why = N_("Linux ends a connection whose data is not acknowledged in silence, after "
				  "tcp_retries2 or TCP_USER_TIMEOUT. A reset means that somebody closed it "
				  "before: a timeout of the program with SO_LINGER and 0, or with input it had "
				  "not read, or a kernel short of memory for orphans (tcp_max_orphans)."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("Find why the other host did not answer: it, or the way to it, was "
					     "gone before the reset.") },
				{ .kind = FIX_SOCKOPT,
				  .text = N_("TCP_USER_TIMEOUT instead of a timer and an abort: one bound, kept by "
					     "the kernel."),
				  .proposed = "30000" },
			},
			.avoid = { N_("Longer timeouts alone: the answers were lost all the same.") },
			.refs = "tcp(7), TCP_USER_TIMEOUT; Linux net/ipv4/tcp_timer.c, "
				"tcp_write_timeout(), tcp_out_of_resources()",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_warning,
	},
	{
		.text = {
			.id = "rst-listener-closed",
			.title = N_("reset before anybody served them"),
			.says = N_("{count} {count:connection|connections} to {peer} "
				   "{count:was|were} reset before either side said a word: "
				   "{count:it was|they were} most likely waiting in a queue when "
				   "the listener was closed."),
			.why = N_("Closing a listener resets every connection nobody has "
				   "accepted. A server that accepts and aborts (SO_LINGER with 0) "
				   "looks the same."),
			.fixes = { { .kind = FIX_CODE, .text = N_("Before stopping: accept what is queued, or hand the listening "
				   "socket over to the new process.") },
				{ .kind = FIX_SYSCTL, .text = N_("With SO_REUSEPORT, let the queue move to another listener."),
				.command = "sysctl -w net.ipv4.tcp_migrate_req=1", .proposed = "1" } },
			.refs = "listen(2); Linux net/ipv4/inet_connection_sock.c, inet_csk_listen_stop()",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_listener_closed,
	},
	{
		.text = {
			.id = "rst-unread-data",
			.title = N_("closed with data unread"),
			.says = N_("On {count} {count:connection|connections} with {peer} the "
				   "{sent_by} most likely closed without reading what it had been "
				   "sent; its kernel sent a reset instead of a FIN."),
			.why = N_("close(), or the end of a process, with unread data in the "
				   "receive queue aborts the connection, so that the peer knows "
				   "its data was lost. It also discards what is still on its way "
				   "to the peer. SO_LINGER with 0 and ss -K look the same on the "
				   "wire."),
			.fixes = { { .kind = FIX_CODE, .text = N_("Read to the end before close(); to reject a request early, "
				   "send the answer, shutdown(SHUT_WR), read what comes with a "
				   "time and a size limit, then close().") },
				{ .kind = FIX_OPERATION, .text = N_("Did the process crash or was it killed at that time? Its "
				   "unread requests are lost.") },
				{ .kind = FIX_OPERATION, .text = N_("On the host that sent it, TCPAbortOnClose counts these."),
				.command = "nstat -az TcpExtTCPAbortOnClose" } },
			.avoid = { N_("SO_LINGER with a timeout: it does not read what is unread."),
				N_("sleep() before close(): it hides the race and loses it later.") },
			.refs = "RFC 2525 section 2.17; Linux net/ipv4/tcp.c, __tcp_close()",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_unread,
	},
	{
		.text = {
			.id = "rst-linger-zero",
			.title = N_("aborted on purpose"),
			.says = N_("{count} {count:connection|connections} with {peer} "
				   "{count:was|were} aborted by the {sent_by} with nothing left "
				   "unread: SO_LINGER with 0, TCP_LINGER2 below 0, or an "
				   "administrator (ss -K)."),
			.why = N_("A living socket sent it of its own accord. SO_LINGER {{1,0} "
				   "skips FIN and TIME-WAIT and throws away what is not yet sent; "
				   "some servers and load balancers end idle clients so."),
			.fixes = { { .kind = FIX_CODE, .text = N_("Remove SO_LINGER with 0 except for aborts: setSoLinger(true, "
				   "0) in Java, SetLinger(0) in Go, reset_timedout_connection in "
				   "nginx, option nolinger in HAProxy.") } },
			.avoid = { N_("Calling it a network fault: a program or an administrator did "
				   "it.") },
			.refs = "socket(7), SO_LINGER; Linux net/ipv4/tcp.c, __tcp_close() and tcp_abort()",
		},
		.scope = SCOPE_FLOW,
		.is_reset = true,
		.weigh = weigh_linger_zero,
	},
};
const size_t n_reset_rules = ARRAY_LEN(reset_rules);

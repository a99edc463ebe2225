#include "rules/facts.h"
#include "rules/rule.h"
#include "rules/words.h"

/* How it works: something of ours is not acknowledged, the FIN or data in front of it. The timer
 * says what the kernel waits for:
 *
 *   on        it repeats a segment nobody acknowledges: the peer or the path is gone
 *   persist   nothing could be sent: the peer's window is closed, or this host itself refused
 *
 * A persist timer is no proof of a closed window: what this host's own firewall or routing refuses counts as
 * never sent. The window tells the two apart. That a living peer answers the probes shows in last_ack_recv.
 * Source: Linux net/ipv4/tcp_timer.c, tcp_retransmit_timer() and tcp_probe_timer(); tcp_output.c,
 * tcp_write_xmit(), tcp_write_wakeup() and tcp_send_probe0(). */

enum {
	/* 0.2 + 0.4 + 0.8 s at the smallest RTO: three losses in a row are no accident. */
	LOST = 3,
	/* Probes are at most 120 s apart (TCP_RTO_MAX), so a living peer has answered since. */
	PROBES_APART_MS = 130 * SECOND_MS,
	MANY = 10,
	CROWD = 100,
	MUCH = 1 << 20,
};

static bool is_repeating(const struct sock *s)
{
	return s->timer == TIMER_ON && s->retrans >= LOST;
}

/* Every answer sets the count of probes back, but not how long the next one waits: for a peer that
 * lives and does not read only the backoff tells. Source: Linux net/ipv4/tcp_input.c, tcp_ack(). */
static enum verdict probing(const struct sock *s)
{
	if (s->timer != TIMER_PERSIST)
		return VERDICT_SILENT;
	if (s->retrans >= LOST)
		return VERDICT_FIRES;
	if (s->full->info.len < SOCK_INFO_LEN_BASIC)
		return VERDICT_UNKNOWN;
	return s->full->info.backoff >= LOST ? VERDICT_FIRES : VERDICT_SILENT;
}

enum window {
	WINDOW_UNKNOWN,
	WINDOW_CLOSED,
	WINDOW_SEEMS_CLOSED,
	WINDOW_SEEMS_OPEN,
	WINDOW_OPEN,
};

/* Of a socket whose persist timer runs. The kernel tells its size from 5.4 on. Before, that data was tried
 * after the last answer: the probe of a closed window carries none, and sets no time. Nor does a FIN alone, which
 * counts one. Source: Linux net/ipv4/tcp_output.c, __tcp_transmit_skb(), tcp_event_data_sent(). */
static enum window window_of(const struct sock *s)
{
	const struct sock_info *info = &s->full->info;

	if (info->len >= SOCK_INFO_LEN_SND_WND)
		return info->snd_wnd ? WINDOW_OPEN : WINDOW_CLOSED;
	if (info->len < SOCK_INFO_LEN_BASIC || s->full->wqueue <= 1)
		return WINDOW_UNKNOWN;
	return info->last_ack_recv_ms > info->last_data_sent_ms ? WINDOW_SEEMS_OPEN : WINDOW_SEEMS_CLOSED;
}

/* A window that keeps a socket from sending: the peer's program does not read. */
static enum certainty how_closed(const struct sock *s)
{
	enum window window = window_of(s);

	if (window == WINDOW_UNKNOWN || s->full->info.last_ack_recv_ms >= PROBES_APART_MS)
		return CERTAINTY_POSSIBLE;
	return window == WINDOW_CLOSED ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY;
}

static void fact_stuck(struct finding *f, const struct group *g)
{
	finding_fact(f, "unacknowledged", FACT_BYTES, (int64_t)g->wqueue);
	if (g->n_persist < g->count)
		finding_fact(f, "most_retransmissions", FACT_COUNT, g->most_retrans);
	fact_ends(f, g);
	fact_fin(f, g);
}

static enum verdict send_stuck(const struct conn *c, const struct bounds *b)
{
	(void)b;
	if (c->sock->full->wqueue == 0)
		return VERDICT_SILENT;
	return is_repeating(c->sock) ? VERDICT_FIRES : probing(c->sock);
}

/* That it is stuck is beyond doubt; where, only if the peer answers. */
static enum certainty how_send_stuck(const struct conn *c)
{
	return is_repeating(c->sock) || how_closed(c->sock) == CERTAINTY_CERTAIN ? CERTAINTY_CERTAIN :
										    CERTAINTY_LIKELY;
}

static bool weigh_send_stuck(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_WARNING;
	fact_stuck(f, g);
	fact_proc(f, g);
	if (g->n_persist == g->count)
		f->says = N_("{count} {count:connection|connections} to {peer}, closed by the peer, "
			     "still {count:has|have} {unacknowledged} to send, and {peer} takes "
			     "nothing: its window is closed.");
	return true;
}

static enum verdict peer_gone(const struct conn *c, const struct bounds *b)
{
	(void)b;
	return c->sock->full && is_repeating(c->sock) ? VERDICT_FIRES : VERDICT_SILENT;
}

static bool weigh_peer_gone(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = g->count >= CROWD ? SEVERITY_WARNING : SEVERITY_NOTE;
	f->certainty = CERTAINTY_LIKELY;
	fact_stuck(f, g);
	fact_setting(f, "orphan_retries", &g->subject.netns->sysctls.orphan_retries);
	return true;
}

static uint64_t conntrack_close_wait_ms(const struct netns *ns)
{
	const struct setting *s = &ns->sysctls.conntrack_close_wait_s;

	/* Its default: the firewall may be another machine. */
	return s->known && s->value > 0 ? (uint64_t)s->value * SECOND_MS : 60 * SECOND_MS;
}

static enum verdict forgotten(const struct conn *c, const struct bounds *b)
{
	(void)b;
	if (!c->sock->full || !is_repeating(c->sock))
		return VERDICT_SILENT;
	return half_close_ms(c) >= conntrack_close_wait_ms(c->netns) ? VERDICT_FIRES : VERDICT_SILENT;
}

static bool other_end_waits(const struct conn *c)
{
	return c->other_end && c->other_end->state == STATE_FIN_WAIT_2;
}

/* A peer that is gone looks the same, unless it is here and waits. That this host tracks connections is
 * no proof: whether it drops what it does not know is a matter of its rules. */
static enum certainty how_forgotten(const struct conn *c)
{
	return other_end_waits(c) ? CERTAINTY_LIKELY : CERTAINTY_POSSIBLE;
}

static bool weigh_forgotten(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = g->count >= MANY ? SEVERITY_WARNING : SEVERITY_NOTE;
	finding_fact(f, "half_closed", FACT_MS, (int64_t)g->longest_half_close_ms);
	fact_setting(f, "conntrack_close_wait", &g->subject.netns->sysctls.conntrack_close_wait_s);
	fact_setting(f, "tracked_here", &g->subject.netns->sysctls.conntrack_count);
	fact_stuck(f, g);
	return true;
}

/* A dump reads a socket while it works: only what has rested for long is no moment. */
static enum verdict no_timer(const struct conn *c, const struct bounds *b)
{
	const struct sock *s = c->sock;

	if (!s->full || s->timer != TIMER_OFF || s->full->wqueue == 0)
		return VERDICT_SILENT;
	if (s->full->info.len < SOCK_INFO_LEN_BASIC)
		return VERDICT_UNKNOWN;
	return s->full->info.last_ack_recv_ms >= b->suspicious &&
			       s->full->info.last_data_sent_ms >= b->suspicious ?
		       VERDICT_FIRES :
		       VERDICT_SILENT;
}

static bool weigh_no_timer(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_NOTE;
	/* One look cannot tell a socket that rests from one that closed a moment ago. */
	f->certainty = CERTAINTY_POSSIBLE;
	fact_stuck(f, g);
	return true;
}

static enum verdict zero_window(const struct conn *c, const struct bounds *b)
{
	(void)b;
	return c->sock->full ? probing(c->sock) : VERDICT_SILENT;
}

static enum certainty how_zero_window(const struct conn *c)
{
	return how_closed(c->sock);
}

static bool weigh_zero_window(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = g->count >= MANY || g->wqueue >= MUCH ? SEVERITY_WARNING : SEVERITY_NOTE;
	fact_stuck(f, g);
	fact_setting(f, "orphan_retries", &g->subject.netns->sysctls.orphan_retries);
	if (f->certainty == CERTAINTY_POSSIBLE)
		f->says = N_("{count} {count:connection|connections} we closed cannot send what is "
			     "left ({unacknowledged}, the FIN included): either {peer} does not "
			     "read, or is gone, or this host's own firewall or routing refuses it.");
	return true;
}

/* An open window, and nothing leaves. One that is smaller than what waits explains it no longer than until the
 * first probe, which takes as much as fits. The rules of a closed window come after this one. */
static enum verdict refused_here(const struct conn *c, const struct bounds *b)
{
	const struct sock *s = c->sock;

	(void)b;
	return s->full && s->full->wqueue > 0 && window_of(s) >= WINDOW_SEEMS_OPEN ? probing(s) : VERDICT_SILENT;
}

static enum certainty how_refused_here(const struct conn *c)
{
	return window_of(c->sock) == WINDOW_OPEN ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY;
}

static bool weigh_refused_here(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = g->count >= MANY || g->wqueue >= MUCH ? SEVERITY_WARNING : SEVERITY_NOTE;
	fact_stuck(f, g);
	if (g->least_window)
		finding_fact(f, "peer_window", FACT_BYTES, g->least_window);
	finding_fact(f, "most_tries", FACT_COUNT, g->most_retrans);
	return true;
}

static enum verdict crossed(const struct conn *c, const struct bounds *b)
{
	/* How long is rarely known in this state: then a repeated FIN says that it is no moment. */
	if (!c->age.known)
		return c->sock->retrans >= LOST ? VERDICT_FIRES : VERDICT_SILENT;
	return c->age.ms >= b->young ? VERDICT_FIRES : VERDICT_SILENT;
}

static bool weigh_crossed(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = g->count >= MANY ? SEVERITY_WARNING : SEVERITY_NOTE;
	f->certainty = CERTAINTY_CERTAIN;
	fact_stuck(f, g);
	return true;
}

#define FIX_FIND_THE_LOSS                                                                          \
	{ .kind = FIX_OPERATION,                                                                   \
	  .text = N_("Find out where they are lost: is the peer up, is there a route, does a "       \
		     "firewall drop FINs of connections it has forgotten?"),                       \
	  .command = "ip route get {peer_addr}; ip neigh show {peer_addr}" }
#define FIX_ORPHAN_RETRIES                                                                         \
	{ .kind = FIX_SYSCTL,                                                                      \
	  .text = N_("Give up earlier, only where thousands pile up; 0 means 8 tries, about 100 s."), \
	  .command = "sysctl -w net.ipv4.tcp_orphan_retries=4",                                    \
	  .current = "orphan_retries", .proposed = "4",                                            \
	  .risk = N_("the last bytes of answers over lossy paths are lost") }
#define FIX_KILL(state)                                                                            \
	{ .kind = FIX_OPERATION,                                                                   \
	  .text = N_("End them now instead of waiting for the kernel to give up."),                \
	  .command = "ss -tK state " state " dst {peer_addr}",                                     \
	  .risk = N_("what was not delivered is lost, and a peer that lives gets a reset") }
#define FIX_USER_TIMEOUT                                                                           \
	{ .kind = FIX_SOCKOPT,                                                                     \
	  .text = N_("TCP_USER_TIMEOUT: how long sent data may stay unacknowledged, before and "     \
		     "after close()."),                                                            \
	  .proposed = "30000",                                                                     \
	  .risk = N_("a longer outage than that ends the connection") }
#define AVOID_LINGER_BLOCKS                                                                        \
	N_("SO_LINGER with a timeout: close() then blocks the thread, and the peer takes nothing "  \
	   "faster.")

const struct rule unacked_rules[] = {
	{
		.text = {
			.id = "send-refused-here",
			.title = N_("this host itself does not let it out"),
			.says = N_("{count} {count:connection|connections} to {peer} still {count:has|have} "
				   "{unacknowledged} to send and {count:is|are} being closed; the peer's "
				   "window is open, and this host does not let it out."),
			.why = N_("The kernel tried to send and was refused on this host: by a rule of its "
				  "firewall for outgoing packets, by a BPF program of the cgroup, because "
				  "the route or the local address is gone, as when a VPN or an interface goes "
				  "down, or, rarely, for want of memory (tcp_mem). Nothing of it is on the "
				  "wire; the network and the peer have no part in it. TCP takes a refusal for "
				  "no loss but waits as before a closed window (timer persist), tries again "
				  "with growing pauses and gives up, by default after "
				  "about 108 s, or 15 minutes while somebody holds the descriptor."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("Look for what refuses: the route and its source address, then "
					     "rules for outgoing packets."),
				  .command = "ip route get {peer_addr}; ip addr; nft list ruleset" },
				{ .kind = FIX_OPERATION,
				  .text = N_("If the way will not come back: end them. The peer is not told."),
				  .command = "ss -tK dst {peer_addr}",
				  .risk = N_("it ends every TCP connection to that address") },
				FIX_USER_TIMEOUT,
			},
			.avoid = { N_("Looking for it in the network or at the peer: it has not left this "
				      "host."),
				   N_("Other retries: they end it sooner or later and mend nothing.") },
			.refs = "Linux net/ipv4/tcp_output.c, tcp_write_xmit(), tcp_write_wakeup() and "
				"tcp_send_probe0(); net/ipv4/tcp_timer.c, tcp_probe_timer()",
		},
		.scope = SCOPE_PEER,
		.states = STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_LAST_ACK),
		.claims = refused_here,
		.how_sure = how_refused_here,
		.weigh = weigh_refused_here,
	},
	{
		.text = {
			.id = "close-wait-send-stuck",
			.title = N_("an answer the peer does not take"),
			.says = N_("{count} {count:connection|connections} to {peer}, closed by the "
				   "peer, still {count:has|have} {unacknowledged} to send, and nobody "
				   "acknowledges: {most_retransmissions} tries so far."),
			.why = N_("The peer ended its sending side, which is no reason to stop "
				  "answering, but what we send is not taken any more. The kernel "
				  "repeats it for 15 minutes by default, and as long as the peer "
				  "answers probes of a closed window."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Limit the time a response may take to send, and stop on "
					     "EPIPE or ECONNRESET.") },
				FIX_USER_TIMEOUT,
				{ .kind = FIX_SYSCTL,
				  .text = N_("tcp_retries2 shortens the wait for the whole host; not "
					     "below 8."),
				  .command = "sysctl -w net.ipv4.tcp_retries2=10",
				  .proposed = "10",
				  .risk = N_("short outages end connections everywhere") },
			},
			.avoid = { N_("Larger send buffers: more is lost in the end.") },
			.refs = "tcp(7), TCP_USER_TIMEOUT and tcp_retries2; RFC 9293 section 3.8.3; "
				"Linux net/ipv4/tcp_timer.c, tcp_write_timeout()",
		},
		.scope = SCOPE_PEER,
		.states = STATE_BIT(STATE_CLOSE_WAIT),
		.claims = send_stuck,
		.how_sure = how_send_stuck,
		.weigh = weigh_send_stuck,
	},
	{
		.text = {
			.id = "fin-wait-1-peer-gone",
			.title = N_("our FIN is repeated, nobody answers"),
			.says = N_("{count} {count:connection|connections} we closed {count:repeats|"
				   "repeat} the FIN towards {peer} ({most_retransmissions} tries so "
				   "far), and nobody answers."),
			.why = N_("We closed, and neither the FIN nor the data in front of it is "
				  "acknowledged: the peer, or the way to it, is gone. The kernel "
				  "gives up by itself, after about 100 s if nobody holds the "
				  "descriptor any more, after 15 minutes otherwise."),
			.fixes = { FIX_FIND_THE_LOSS, FIX_ORPHAN_RETRIES, FIX_KILL("fin-wait-1") },
			.avoid = { N_("tcp_fin_timeout: it begins when the FIN has been "
				      "acknowledged.") },
			.refs = "RFC 9293 section 3.8.1; tcp(7), tcp_orphan_retries; Linux "
				"net/ipv4/tcp_timer.c, tcp_orphan_retries()",
		},
		.scope = SCOPE_PEER,
		.states = STATE_BIT(STATE_FIN_WAIT_1),
		.claims = peer_gone,
		.weigh = weigh_peer_gone,
	},
	{
		.text = {
			.id = "fin-wait-1-zero-window",
			.title = N_("closed, but the peer does not take the rest"),
			.says = N_("{count} {count:connection|connections} we closed still "
				   "{count:holds|hold} {unacknowledged} (the FIN included) that {peer} "
				   "does not read: its window is closed."),
			.why = N_("close() returned, the kernel still has data to deliver in front of "
				  "the FIN, and the peer's program does not read. Nobody here owns "
				  "the connection; the kernel probes for some minutes and gives up. A "
				  "connection that was only shut down stays as long as the peer "
				  "answers."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Let the peer's program confirm what it read, and abort "
					     "clients that are too slow on purpose (SO_LINGER with 0, "
					     "then close()).") },
				FIX_USER_TIMEOUT, FIX_ORPHAN_RETRIES, FIX_KILL("fin-wait-1"),
			},
			.avoid = { AVOID_LINGER_BLOCKS },
			.refs = "RFC 9293 section 3.8.6.1; Linux net/ipv4/tcp_timer.c, "
				"tcp_probe_timer()",
		},
		.scope = SCOPE_PEER,
		.states = STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_LAST_ACK),
		.claims = zero_window,
		.how_sure = how_zero_window,
		.weigh = weigh_zero_window,
	},
	{
		.text = {
			.id = "fin-wait-1-no-timer",
			.title = N_("unsent or unacknowledged, and no timer runs"),
			.says = N_("{count} {count:connection|connections} we closed {count:holds|hold} "
				   "{unacknowledged} for {peer} that nobody has acknowledged, and no "
				   "timer of the kernel runs to repeat it."),
			.why = N_("While something is unacknowledged a timer runs. It does not where the "
				  "segment still lies in a queue of this host (a throttled or stopped "
				  "device), and in a few kernels after a socket was destroyed by an "
				  "administrator. A connection that closed in this very moment looks "
				  "the same: look again."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("Look a second time. If it is still there, look for queues that "
					     "do not move, and at the driver."),
				  .command = "tc -s qdisc; ss -tnoi dst {peer_addr}" },
			},
			.avoid = { N_("tcp_orphan_retries: what is never repeated is never counted.") },
			.refs = "Linux net/ipv4/tcp_output.c, tcp_write_xmit() and tcp_send_fin(); "
				"net/ipv4/tcp_timer.c",
		},
		.scope = SCOPE_PEER,
		.states = STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_LAST_ACK) |
			  STATE_BIT(STATE_CLOSING),
		.claims = no_timer,
		.weigh = weigh_no_timer,
	},
	{
		.text = {
			.id = "half-close-conntrack",
			.title = N_("a firewall has forgotten the half-closed connection"),
			.says = N_("{count} {count:connection|connections} that {peer} closed first "
				   "{count:was|were} half-closed for {half_closed} before we followed, and "
				   "nobody answers our FIN: a firewall on the way may have forgotten "
				   "{count:it|them}."),
			.why = N_("Connection tracking remembers a half-closed connection for 60 s by "
				  "default (nf_conntrack_tcp_timeout_close_wait). What comes later belongs "
				  "to no connection it knows and is dropped: our FIN never arrives, and "
				  "the peer waits in FIN-WAIT-2 for it. A peer that is gone looks the "
				  "same from here."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Close soon after the peer has, or send something at least "
					     "every 30 s until then: each segment renews the entry.") },
				{ .kind = FIX_SYSCTL,
				  .text = N_("Let the firewall remember longer; set it there, with room in "
					     "nf_conntrack_max."),
				  .command = "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_close_wait=600",
				  .current = "conntrack_close_wait", .proposed = "600",
				  .risk = N_("more entries in the table") },
				FIX_FIND_THE_LOSS,
			},
			.avoid = { N_("Lowering that timeout 'against CLOSE_WAIT': it is the firewall's "
				      "memory, no socket ends by it."),
				   N_("tcp_fin_timeout: it is about FIN-WAIT-2.") },
			.refs = "Linux net/netfilter/nf_conntrack_proto_tcp.c, tcp_timeouts; "
				"Documentation/networking/nf_conntrack-sysctl.rst",
		},
		.scope = SCOPE_PEER,
		.states = STATE_BIT(STATE_LAST_ACK),
		.claims = forgotten,
		.how_sure = how_forgotten,
		.weigh = weigh_forgotten,
	},
	{
		.text = {
			.id = "last-ack-peer-gone",
			.title = N_("the peer closed and left; our FIN gets no answer"),
			.says = N_("{count} {count:connection|connections} that {peer} closed first "
				   "{count:repeats|repeat} our own FIN ({most_retransmissions} tries so "
				   "far), and nobody answers."),
			.why = N_("The peer closed, we followed later, and by then it was gone: "
				  "rebooted, or a firewall on the way forgot the half-closed "
				  "connection (conntrack does so after 60 s by default). The kernel "
				  "gives up by itself, after about 100 s."),
			.fixes = {
				{ .kind = FIX_CODE,
				  .text = N_("Close soon after the peer has: within the firewall's "
					     "time for half-closed connections.") },
				FIX_FIND_THE_LOSS, FIX_ORPHAN_RETRIES, FIX_KILL("last-ack"),
			},
			.avoid = { N_("tcp_fin_timeout: it is about FIN-WAIT-2.") },
			.refs = "RFC 9293 section 3.6; Linux net/ipv4/tcp_timer.c, "
				"tcp_orphan_retries(); net/netfilter/nf_conntrack_proto_tcp.c, "
				"tcp_timeouts",
		},
		.scope = SCOPE_PEER,
		.states = STATE_BIT(STATE_LAST_ACK),
		.claims = peer_gone,
		.weigh = weigh_peer_gone,
	},
	{
		.text = {
			.id = "closing-simultaneous",
			.title = N_("both closed at once, the last ACK is missing"),
			.says = N_("{count} {count:connection|connections} with {peer} {count:was|were} "
				   "closed by both ends at once, and our FIN is still not "
				   "acknowledged."),
			.why = N_("Both FINs crossed. Each end waits for the ACK of its own; ours, or "
				  "the ACK of it, was lost. It is harmless and ends by itself. Where "
				  "it is frequent, both ends run the same idle timer."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("Give the two ends different idle timeouts, the client "
					     "the shorter one.") },
				FIX_FIND_THE_LOSS,
			},
			.refs = "RFC 9293 section 3.6, figure 13",
		},
		.scope = SCOPE_PEER,
		.states = STATE_BIT(STATE_CLOSING),
		.claims = crossed,
		.weigh = weigh_crossed,
	},
};
const size_t n_unacked_rules = ARRAY_LEN(unacked_rules);

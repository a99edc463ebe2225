#include "join/lifetime.h"

/* How it works: the kernel keeps no time of birth for a state. What it keeps are "milliseconds
 * since" in tcp_info and the time left on a timer; each gives a bound:
 *
 *   CLOSE-WAIT        last_ack_recv: the FIN carried an ACK. Refreshed by answers to our own probes
 *                     and data, never by the peer's keepalives: at least; exact if nothing of ours
 *                     left after the peer's last data
 *   FIN-WAIT-2 held   last_ack_recv: the ACK of our FIN, or later data: at least
 *   FIN-WAIT-1, LAST-ACK, CLOSING   the retransmission timeouts that must have passed: at least; of data in
 *                     front of the FIN they may have passed long before close(): not given
 *   TIME-WAIT         length - expires: at least, a repeated FIN starts it again
 *   FIN-WAIT-2 minisock  fin_timeout - expires is an *upper* bound (TCP_LINGER2): not given
 *
 * A capture that saw the FIN gives the time itself.
 *
 * MPTCP: its DATA_FIN comes with an ACK, too, and every later one refreshes that time: at least. Before
 * 6.10 only the subflows keep such times: that of the one that heard from the peer last. It has
 * no timer in CLOSE-WAIT and ends with its last subflow, which nobody can foretell; closed by its
 * application, the timer that runs in FIN-WAIT-2 is its end. Source: Linux net/mptcp/options.c,
 * ack_update_msk(); protocol.c, mptcp_close_timeout(). */

enum {
	TIMEWAIT_MS = 60000, /* TCP_TIMEWAIT_LEN, include/net/tcp.h */
	RTO_MIN_MS = 200,
	RTO_MAX_MS = 120000, /* TCP_RTO_MAX: the default, and the most that can be set */
	ORPHAN_RETRIES_DEFAULT = 8, /* what 0 means, tcp_orphan_retries() */
	RETRIES2_DEFAULT = 15,
	CLOCK_SLACK_MS = 1000, /* captures and sockets are read at slightly different times */
};

static struct age at_least(uint64_t ms)
{
	return (struct age){ .known = true, .ms = ms };
}

static struct age exactly(uint64_t ms)
{
	return (struct age){ .known = true, .is_exact = true, .ms = ms };
}

static uint64_t timewait_ms(const struct conn *c)
{
	const struct setting *vendor = &c->netns->sysctls.tw_timeout_s;

	return vendor->known && vendor->value > 0 ? (uint64_t)vendor->value * 1000 : TIMEWAIT_MS;
}

/* Is the FIN the last that the peer was heard of? Not if it may have acknowledged since what we sent, or sent
 * again, after its last data: the FIN may have come with that data. Both times begin with the connection.
 * They are 32 bits of milliseconds, and tell nothing of what happened 49.7 days ago or earlier.
 * Source: Linux net/ipv4/tcp_output.c, tcp_event_data_sent(), through which repeated data goes, too;
 * tcp_minisocks.c, tcp_create_openreq_child(); tcp_input.c, tcp_finish_connect(); tcp.c, tcp_get_info(). */
static bool is_fin_last_heard(const struct conn *c, const struct sock_info *info)
{
	int64_t uptime_ms = c->netns->uptime_ms;

	return c->sock->timer == TIMER_OFF && c->sock->full->wqueue == 0 &&
	       info->last_data_sent_ms >= info->last_data_recv_ms && uptime_ms > 0 && uptime_ms <= UINT32_MAX;
}

static struct age age_from_info(const struct conn *c)
{
	const struct sock *s = c->sock;
	const struct sock_info *info = c->subflow ? &c->subflow->full->info : &s->full->info;

	if (info->len < SOCK_INFO_LEN_BASIC)
		return (struct age){ 0 };
	if (s->full->is_mptcp)
		return s->state == STATE_CLOSE_WAIT || s->state == STATE_FIN_WAIT_2 ?
			       at_least(info->last_ack_recv_ms) :
			       (struct age){ 0 };
	if (s->state == STATE_CLOSE_WAIT)
		return is_fin_last_heard(c, info) ? exactly(info->last_ack_recv_ms) :
						    at_least(info->last_ack_recv_ms);
	if (s->state == STATE_FIN_WAIT_2)
		return at_least(info->last_ack_recv_ms);
	if (s->timer == TIMER_ON && s->full->wqueue == 1)
		return at_least(sock_tried_ms(s));
	return (struct age){ 0 };
}

/* When the segment that began the present state was seen; TIME_NONE if it was not. */
static int64_t state_began_ns(const struct conn *c)
{
	const struct flow_fin *ours = &c->flow->end[c->our_side].fin;
	const struct flow_fin *theirs = &c->flow->end[side_other(c->our_side)].fin;

	if (c->sock->state == STATE_CLOSE_WAIT)
		return theirs->seen && !theirs->is_inferred ? theirs->at_ns : TIME_NONE;
	if (c->sock->state == STATE_FIN_WAIT_2)
		return ours->seen ? ours->acked_ns : TIME_NONE;
	if (STATE_BIT(c->sock->state) & (STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_LAST_ACK)))
		return ours->seen && !ours->is_inferred ? ours->at_ns : TIME_NONE;
	return TIME_NONE;
}

static struct age age_from_packets(const struct conn *c, int64_t look_time_ns, struct age kernel)
{
	int64_t began = c->flow && !c->flow->is_untimed ? state_began_ns(c) : TIME_NONE;

	if (began == TIME_NONE || began > look_time_ns)
		return kernel;
	uint64_t ms = (uint64_t)(look_time_ns - began) / 1000000;
	/* The kernel's lower bound is certain: a capture that contradicts it has another clock. */
	if (kernel.known && ms + CLOCK_SLACK_MS < kernel.ms)
		return kernel;
	return exactly(ms);
}

struct age lifetime_age(const struct conn *c, int64_t look_time_ns)
{
	const struct sock *s = c->sock;
	struct age age = { 0 };

	if (s->state == STATE_TIME_WAIT) {
		uint64_t length = timewait_ms(c);

		return at_least(length > s->expires_ms ? length - s->expires_ms : 0);
	}
	if (!(STATE_BIT(s->state) & STATES_TEARDOWN))
		return age;
	if (s->full)
		age = age_from_info(c);
	return age_from_packets(c, look_time_ns, age);
}

uint64_t lifetime_retries_ms(int64_t retries, uint64_t rto_max_ms)
{
	uint64_t total = 0, rto = RTO_MIN_MS;

	if (retries > 255)
		retries = 255;
	for (int64_t i = 0; i <= retries; i++) {
		total += rto;
		rto = rto * 2 > rto_max_ms ? rto_max_ms : rto * 2;
	}
	return total;
}

static struct ends ends_in(enum ends_by by, uint64_t ms)
{
	return (struct ends){ .by = by, .in_known = true, .in_ms = ms };
}

static struct ends ends_somehow(enum ends_by by)
{
	return (struct ends){ .by = by };
}

static int64_t setting_or(struct setting s, int64_t otherwise)
{
	return s.known ? s.value : otherwise;
}

/* The longest pause between two repetitions. A socket may have one of its own, which cannot be seen. */
static uint64_t rto_max_ms(const struct sysctls *ctl)
{
	int64_t ms = setting_or(ctl->rto_max_ms, RTO_MAX_MS);

	return ms > 0 && ms <= RTO_MAX_MS ? (uint64_t)ms : RTO_MAX_MS;
}

/* A retransmission timer runs. The kernel gives up at the first one that finds the time of the retries over
 * since the first repetition. An orphan whose pauses have become the longest there are has no retries left
 * unless tcp_orphan_retries says so. An error that a router reported, TCP_USER_TIMEOUT, and memory that runs
 * short end it earlier, and cannot be seen: at most. Source: Linux net/ipv4/tcp_timer.c,
 * tcp_write_timeout(), tcp_orphan_retries(), retransmits_timed_out(), tcp_model_timeout(). */
static struct ends ends_by_retries(const struct conn *c)
{
	const struct sysctls *ctl = &c->netns->sysctls;
	const struct sock *s = c->sock;
	const struct sock_opts *o = s->full->opts;
	bool is_orphan = s->full->inode == 0;
	int64_t retries = is_orphan ? setting_or(ctl->orphan_retries, 0) :
				      setting_or(ctl->retries2, RETRIES2_DEFAULT);
	uint64_t longest_ms = rto_max_ms(ctl), rto_ms = s->full->info.rto_us / 1000, in_ms = s->expires_ms;
	uint64_t tried_ms = sock_tried_ms(s), first_ms = sock_first_rto_ms(s);

	if (s->full->info.len < SOCK_INFO_LEN_BASIC)
		return ends_somehow(ENDS_RETRIES);
	bool may_become_0 = is_orphan && retries == 0;
	uint64_t whole_ms = lifetime_retries_ms(may_become_0 ? ORPHAN_RETRIES_DEFAULT : retries, longest_ms);
	/* Before the first repetition: it will be at this timer. */
	int64_t since_ms = tried_ms > first_ms ? (int64_t)(tried_ms - first_ms) : 0;
	if (s->retrans == 0)
		since_ms = -(int64_t)in_ms;
	if (!is_orphan && o && (o->known & OPTS_USER_TIMEOUT) && o->user_timeout_ms > 0) {
		int64_t left_ms = (int64_t)o->user_timeout_ms - since_ms;

		return ends_in(ENDS_USER_TIMEOUT, left_ms > (int64_t)in_ms ? (uint64_t)left_ms : in_ms);
	}
	for (;;) {
		if (may_become_0 && rto_ms >= longest_ms)
			whole_ms = lifetime_retries_ms(0, longest_ms);
		if (since_ms + (int64_t)in_ms >= (int64_t)whole_ms)
			return ends_in(ENDS_RETRIES, in_ms);
		rto_ms = rto_ms * 2 > longest_ms || rto_ms == 0 ? longest_ms : rto_ms * 2;
		in_ms += rto_ms;
	}
}

/* A FIN-WAIT-2 orphan above 60 s is a full socket for V - 60 s and a minisock for as long again. */
static struct ends ends_long_fin_wait_2(const struct conn *c)
{
	int64_t second_ms = (setting_or(c->netns->sysctls.fin_timeout_s, 0) - 60) * 1000;

	if (second_ms <= 0 || c->sock->expires_ms > (uint64_t)second_ms)
		return ends_somehow(ENDS_FIN_TIMEOUT); /* TCP_LINGER2: the second half is unknown */
	return ends_in(ENDS_FIN_TIMEOUT, c->sock->expires_ms + (uint64_t)second_ms);
}

/* When does keepalive end it? Once a probe was not answered the rest can be counted: the timer that
 * runs, then an interval for every probe that is left; with TCP_USER_TIMEOUT instead as soon as a timer
 * finds the peer silent for that long. A peer that answers keeps it for ever, and without the socket's
 * own values (--sockopts) nobody knows. Source: Linux net/ipv4/tcp_timer.c, tcp_keepalive_timer(). */
static struct ends ends_by_keepalive(const struct sock *s)
{
	const struct sock_opts *o = s->full->opts;
	const struct sock_info *info = &s->full->info;
	uint64_t in_ms = s->expires_ms, silent;

	if (!o || !(o->known & OPTS_KEEPALIVE) || !o->keepalive || s->retrans == 0 ||
	    info->len < SOCK_INFO_LEN_BASIC)
		return ends_somehow(ENDS_KEEPALIVE);
	uint64_t interval_ms = (uint64_t)o->interval_s * 1000;
	if (!(o->known & OPTS_USER_TIMEOUT) || o->user_timeout_ms == 0) {
		if (o->probes > s->retrans)
			in_ms += (uint64_t)(o->probes - s->retrans) * interval_ms;
		return ends_in(ENDS_KEEPALIVE, in_ms);
	}
	silent = info->last_ack_recv_ms < info->last_data_recv_ms ? info->last_ack_recv_ms :
								    info->last_data_recv_ms;
	silent += in_ms;
	if (silent < o->user_timeout_ms && interval_ms > 0)
		in_ms += (o->user_timeout_ms - silent + interval_ms - 1) / interval_ms * interval_ms;
	return ends_in(ENDS_USER_TIMEOUT, in_ms);
}

static struct ends ends_without_fin_unacked(const struct conn *c)
{
	switch ((enum timer)c->sock->timer) {
	case TIMER_OFF:
		return ends_somehow(ENDS_NEVER);
	case TIMER_KEEPALIVE:
		return ends_by_keepalive(c->sock);
	case TIMER_ON:
		return ends_by_retries(c);
	case TIMER_PERSIST:
		return ends_somehow(c->sock->retrans == 0 ? ENDS_NEVER : ENDS_RETRIES);
	case TIMER_TIMEWAIT:
		break;
	}
	return ends_somehow(ENDS_UNKNOWN);
}

static struct ends ends_of_mptcp(const struct sock *s)
{
	if (s->state == STATE_FIN_WAIT_2 && s->full->inode == 0 && s->timer == TIMER_KEEPALIVE)
		return ends_in(ENDS_FIN_TIMEOUT, s->expires_ms);
	return ends_somehow(ENDS_UNKNOWN);
}

struct ends lifetime_ends(const struct conn *c)
{
	const struct sock *s = c->sock;

	if (s->state == STATE_TIME_WAIT)
		return ends_in(ENDS_TIMEWAIT, s->expires_ms);
	if (!(STATE_BIT(s->state) & STATES_TEARDOWN))
		return ends_somehow(ENDS_UNKNOWN);
	if (!s->full)
		return ends_in(ENDS_FIN_TIMEOUT, s->expires_ms);
	if (s->full->is_mptcp)
		return ends_of_mptcp(s);
	if (s->state == STATE_CLOSE_WAIT)
		return ends_without_fin_unacked(c);
	if (s->state == STATE_FIN_WAIT_2)
		return s->full->inode == 0 ? ends_long_fin_wait_2(c) : ends_without_fin_unacked(c);
	if (s->timer == TIMER_ON)
		return ends_by_retries(c);
	if (s->timer == TIMER_PERSIST)
		return ends_somehow(s->full->inode != 0 && s->retrans == 0 ? ENDS_NEVER :
									      ENDS_RETRIES);
	return ends_somehow(ENDS_UNKNOWN);
}

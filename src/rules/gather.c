#include "rules/gather.h"
#include "rules/facts.h"

/* Of two FINs the one that was not captured has no time of its own: who closed first is known by the numbers. */
static bool closed_before_peer(const struct conn *c)
{
	const struct flow_fin *ours = &c->flow->end[c->our_side].fin;
	const struct flow_fin *theirs = &c->flow->end[side_other(c->our_side)].fin;

	if (!ours->seen || !theirs->seen)
		return ours->seen;
	if (ours->is_inferred || theirs->is_inferred)
		return (c->flow->closed_first == CLOSED_CLIENT) == (c->our_side == SIDE_CLIENT);
	return ours->at_ns <= theirs->at_ns;
}

static void gather_packets(struct group *g, const struct conn *c)
{
	bool ours = closed_before_peer(c);
	enum side first = ours ? c->our_side : side_other(c->our_side);
	const struct flow_fin *fin = &c->flow->end[first].fin;
	int64_t at_ns = flow_fin_ns(c->flow, first);

	if (!fin->seen)
		return;
	g->n_with_fin++;
	if (g->n_with_fin > 1 && at_ns == TIME_NONE)
		return;
	if (g->first_fin_ns != TIME_NONE && g->first_fin_ns <= at_ns)
		return;
	g->first_fin_ns = at_ns;
	g->first_fin_is_ours = ours;
	g->fin_acked = fin->acked_ns != TIME_NONE;
	g->may_miss_acks = c->flow->content != CONTENT_FULL;
	g->closed_first = c->flow->closed_first;
	g->our_side = c->our_side;
}

static void gather_culprit(struct group *g, const struct conn *c)
{
	size_t at = 0;

	if (!c->other_proc || c->other_end->state != STATE_CLOSE_WAIT)
		return;
	while (at < g->n_culprits && g->culprits[at].proc != c->other_proc)
		at++;
	if (at == GROUP_CULPRITS_MAX)
		return;
	if (at == g->n_culprits)
		g->culprits[g->n_culprits++] = (struct culprit){ .proc = c->other_proc, .fd = c->other_fd };
	g->culprits[at].n++;
	g->culprits[at].is_far |= c->other_end->netns != c->sock->netns;
}

static void gather_sharers(struct group *g, const struct conn *c)
{
	for (size_t i = 0; i < c->n_holders && i < MAX_CONN_HOLDERS; i++) {
		uint32_t pid = (uint32_t)c->holders[i].proc->pid;
		size_t at = 0;

		while (at < g->n_sharers && g->sharers[at] != pid)
			at++;
		if (at == g->n_sharers && at < GROUP_SHARERS_MAX)
			g->sharers[g->n_sharers++] = pid;
	}
}

/* Its owner, where that one listens as well; else one that does. */
static const struct proc *listener_proc(const struct conn *c)
{
	for (size_t i = 0; c->owner == OWNER_KNOWN && i < c->n_listener_holders; i++)
		if (c->listener_holders[i].proc == c->holders[0].proc)
			return c->holders[0].proc;
	return c->n_listener_holders > 0 ? c->listener_holders[0].proc : NULL;
}

/* Connections of one port, or to one destination, have the same. */
void gather_candidates(struct group *g, const struct conn *c)
{
	size_t n = 0;

	if (c->n_holders <= g->n_owners)
		return;
	g->n_owners = c->n_holders;
	if (c->owner != OWNER_ATTRIBUTED && c->owner != OWNER_UNACCEPTED)
		return;
	for (; n < c->n_holders && n < MAX_CONN_HOLDERS; n++)
		g->candidates[n] = (uint32_t)c->holders[n].proc->pid;
	g->n_candidates = n;
	g->queues = c->queues;
	g->n_queued = c->n_queued;
}

static void gather_keepalive(struct group *g, const struct sock_opts *o)
{
	const struct sock_opts *first = g->opts_keepalive;

	g->n_opts_keepalive++;
	if (!first)
		g->opts_keepalive = o;
	else
		g->keepalives_differ |= first->idle_s != o->idle_s || first->probes != o->probes ||
					first->interval_s != o->interval_s;
}

static void gather_linger(struct group *g, const struct sock_opts *o)
{
	g->n_opts_linger++;
	if (!g->opts_linger)
		g->opts_linger = o;
	else
		g->lingers_differ |= g->opts_linger->linger_s != o->linger_s;
}

static void gather_opts(struct group *g, const struct sock_opts *o)
{
	g->n_opts++;
	if (!g->opts)
		g->opts = o;
	else
		g->timeouts_differ |= g->opts->known != o->known ||
				      g->opts->user_timeout_ms != o->user_timeout_ms ||
				      g->opts->linger2_s != o->linger2_s;
	if ((o->known & OPTS_KEEPALIVE) && o->keepalive)
		gather_keepalive(g, o);
	if ((o->known & OPTS_LINGER) && o->linger)
		gather_linger(g, o);
	g->n_opts_reuseaddr += (o->known & OPTS_REUSEADDR) && o->reuseaddr;
}

void gather_sock(struct group *g, const struct conn *c)
{
	const struct sock *s = c->sock;
	const struct sock_full *full = s->full;

	g->state = s->state;
	if (!c->age.known)
		g->n_age_unknown++;
	else if (!g->oldest.known || c->age.ms > g->oldest.ms)
		g->oldest = c->age;
	g->n_hidden += c->owner == OWNER_HIDDEN;
	g->n_mptcp += sock_is_mptcp(s);
	g->n_keepalive += s->timer == TIMER_KEEPALIVE;
	g->n_persist += s->timer == TIMER_PERSIST;
	if (s->retrans > g->most_retrans)
		g->most_retrans = s->retrans;
	if (half_close_ms(c) > g->longest_half_close_ms)
		g->longest_half_close_ms = half_close_ms(c);
	if (conn_is_shared(c)) {
		g->n_shared++;
		gather_sharers(g, c);
	}
	gather_candidates(g, c);
	g->basis = c->basis;
	g->in_flight = c->in_flight;
	g->n_in_flight = c->n_in_flight;
	g->flight_is_partial = c->flight_is_partial;
	if (s->state == STATE_LISTEN) {
		g->listener = s;
		g->oldest_client_ms = c->oldest_client_ms;
	}
	if (c->listener && !g->listener) {
		g->listener = c->listener;
		g->n_listeners = c->n_listeners;
		g->listener_proc = listener_proc(c);
	}
	if (c->ends.in_known) {
		g->ends_at_most |= c->ends.by == ENDS_RETRIES;
		if (c->ends.in_ms < g->ends_first_ms)
			g->ends_first_ms = c->ends.in_ms;
		if (c->ends.in_ms > g->ends_last_ms)
			g->ends_last_ms = c->ends.in_ms;
	}
	if (c->owner == OWNER_KNOWN) {
		if (g->n_fds < GROUP_FDS_MAX)
			g->fds[g->n_fds] = (uint32_t)c->holders[0].fd;
		g->n_fds++;
	}
	if (full) {
		g->n_tls_rx += full->has_tls_rx;
		g->n_hears += full->watch == WATCH_HEARS;
		g->n_absent += full->watch == WATCH_ABSENT;
		if (full->watch_events)
			g->watch_events = full->watch_events;
		if (full->opts)
			gather_opts(g, full->opts);
		if (full->info.snd_wnd && (!g->least_window || full->info.snd_wnd < g->least_window))
			g->least_window = full->info.snd_wnd;
		g->rqueue += full->rqueue;
		g->wqueue += full->wqueue;
	}
	gather_culprit(g, c);
	if (c->flow)
		gather_packets(g, c);
}

void gather_sockets_of(struct group *g, const struct look *look)
{
	for (size_t i = 0; i < look->n_socks; i++) {
		const struct sock *s = &look->socks[i];

		for (uint32_t h = 0; s->full && h < s->full->n_holders; h++) {
			if (s->full->holders[h].proc != g->subject.proc)
				continue;
			/* An MPTCP socket and its first subflow are one descriptor. */
			g->n_sockets += !sock_is_mptcp(s);
			g->n_close_wait += s->state == STATE_CLOSE_WAIT;
			break;
		}
	}
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void gather_group(struct group *into, const struct group *from)
{
	into->state = from->state;
	into->count += from->count;
	into->n_age_unknown += from->n_age_unknown;
	into->n_owners = from->n_owners;
	if (from->oldest.known && (!into->oldest.known || from->oldest.ms > into->oldest.ms))
		into->oldest = from->oldest;
	if (from->ends_first_ms < into->ends_first_ms)
		into->ends_first_ms = from->ends_first_ms;
	into->ends_at_most |= from->ends_at_most;
	into->ends_last_ms = larger(into->ends_last_ms, from->ends_last_ms);
}

#include "rules/facts.h"
#include "util/i18n.h"

void fact_fds(struct finding *f, const struct group *g)
{
	struct fact *fact;

	if (g->n_fds == 0)
		return;
	fact = finding_fact(f, "fds", FACT_LIST, 0);
	fact->list = g->fds;
	fact->n_list = g->n_fds < GROUP_FDS_MAX ? g->n_fds : GROUP_FDS_MAX;
	fact->n_list_all = g->n_fds;
}

void fact_proc(struct finding *f, const struct group *g)
{
	const struct proc *p = g->subject.proc;

	if (!p)
		return;
	finding_fact(f, "pid", FACT_COUNT, p->pid);
	if (!p->has_fds || p->fd_limit == 0)
		return;
	finding_fact(f, "fd_used", FACT_COUNT, (int64_t)p->n_fds);
	finding_fact(f, "fd_limit", FACT_COUNT, (int64_t)p->fd_limit);
	finding_fact(f, "fd_share", FACT_PERCENT, (int64_t)(p->n_fds * 100 / p->fd_limit));
}

void fact_waits(struct finding *f, const struct group *g)
{
	if (g->subject.proc && g->subject.proc->wchan)
		finding_fact_text(f, "waits_in", g->subject.proc->wchan);
}

void fact_fin(struct finding *f, const struct group *g)
{
	const char *who = NULL;

	if (g->n_with_fin == 0)
		return;
	finding_fact(f, "fin_at", FACT_TIME_NS, g->first_fin_ns);
	finding_fact_sentence(f, "fin_from", g->first_fin_is_ours ? N_("us") : N_("the peer"));
	if (g->closed_first == CLOSED_BOTH)
		who = N_("both");
	else if (g->closed_first != CLOSED_NOBODY)
		who = (g->closed_first == CLOSED_CLIENT) == (g->our_side == SIDE_CLIENT) ?
			      N_("us") :
			      N_("the peer");
	if (who)
		finding_fact_sentence(f, "closed_first", who);
	/* A capture of control segments holds hardly any ACK: then none says nothing. */
	if (g->fin_acked || !g->may_miss_acks)
		finding_fact_sentence(f, "fin_acked", g->fin_acked ? N_("yes") : N_("not seen"));
	finding_fact(f, "fins_seen", FACT_COUNT, (int64_t)g->n_with_fin);
}

void fact_ends(struct finding *f, const struct group *g)
{
	if (g->ends_first_ms == UINT64_MAX)
		return;
	finding_fact(f, "ends_first", FACT_MS, (int64_t)g->ends_first_ms)->at_most = g->ends_at_most;
	finding_fact(f, "ends_last", FACT_MS, (int64_t)g->ends_last_ms)->at_most = g->ends_at_most;
}

static void fact_seconds(struct finding *f, const char *name, int64_t seconds)
{
	finding_fact(f, name, FACT_MS, seconds * SECOND_MS);
}

/* A peer that is gone is given up after the idle time and all the probes. */
static void fact_keepalive(struct finding *f, const struct sock_opts *o)
{
	fact_seconds(f, "keepalive_idle", o->idle_s);
	fact_seconds(f, "keepalive_interval", o->interval_s);
	finding_fact(f, "keepalive_probes", FACT_COUNT, o->probes);
	fact_seconds(f, "keepalive_total", o->idle_s + (int64_t)o->interval_s * o->probes);
}

/* What the kernel says of a socket that has not set TCP_LINGER2. */
static bool is_fin_timeout(const struct group *g, int seconds)
{
	const struct netns *ns = g->subject.netns;

	return ns && ns->sysctls.fin_timeout_s.known && ns->sysctls.fin_timeout_s.value == seconds;
}

void fact_options(struct finding *f, const struct group *g)
{
	const struct sock_opts *o = g->opts;

	if (g->n_opts == 0)
		return;
	finding_fact(f, "options_read", FACT_COUNT, (int64_t)g->n_opts);
	if (o->known & OPTS_KEEPALIVE)
		finding_fact(f, "keepalive_on", FACT_COUNT, (int64_t)g->n_opts_keepalive);
	if (g->opts_keepalive && !g->keepalives_differ)
		fact_keepalive(f, g->opts_keepalive);
	if (o->known & OPTS_LINGER)
		finding_fact(f, "linger_on", FACT_COUNT, (int64_t)g->n_opts_linger);
	if (g->opts_linger && !g->lingers_differ)
		fact_seconds(f, "linger", g->opts_linger->linger_s);
	if (o->known & OPTS_REUSEADDR)
		finding_fact(f, "reuseaddr_on", FACT_COUNT, (int64_t)g->n_opts_reuseaddr);
	if (g->timeouts_differ)
		return;
	if ((o->known & OPTS_USER_TIMEOUT) && o->user_timeout_ms > 0)
		finding_fact(f, "user_timeout", FACT_MS, o->user_timeout_ms);
	if (!(o->known & OPTS_LINGER2) || is_fin_timeout(g, o->linger2_s))
		return;
	if (o->linger2_s >= 0)
		fact_seconds(f, "linger2", o->linger2_s);
	else
		finding_fact_sentence(f, "linger2", N_("none: close() does not wait in FIN-WAIT-2"));
}

void fact_setting(struct finding *f, const char *name, const struct setting *setting)
{
	if (setting->known)
		finding_fact(f, name, FACT_COUNT, setting->value);
}

bool weigh_certain_note(const struct group *g, const struct bounds *b, struct finding *f)
{
	(void)b;
	f->severity = SEVERITY_NOTE;
	f->certainty = CERTAINTY_CERTAIN;
	fact_ends(f, g);
	fact_fin(f, g);
	return true;
}

uint64_t half_close_ms(const struct conn *c)
{
	const struct sock *s = c->sock;

	/* The last ACK that came was the one in the peer's FIN. */
	if (s->state != STATE_LAST_ACK || !s->full || s->full->info.len < SOCK_INFO_LEN_BASIC ||
	    (!c->age.known && (s->timer != TIMER_ON || s->full->is_mptcp)))
		return 0;
	/* Of data in front of the FIN no age is known; but it is as long as that that nothing gets through. */
	uint64_t silent_ms = c->age.known ? c->age.ms : sock_tried_ms(s);
	return silent_ms < s->full->info.last_ack_recv_ms ? s->full->info.last_ack_recv_ms - silent_ms : 0;
}

void fact_counter(struct finding *f, const char *name, const struct setting *counter)
{
	if (counter->known && counter->value != 0)
		finding_fact(f, name, FACT_COUNT, counter->value);
}

bool fact_culprit(struct finding *f, const struct group *g)
{
	const struct culprit *most = g->culprits;

	if (g->n_culprits == 0)
		return false;
	for (size_t i = 1; i < g->n_culprits; i++)
		if (g->culprits[i].n > most->n)
			most = &g->culprits[i];
	finding_fact(f, "culprit_pid", FACT_COUNT, most->proc->pid);
	finding_fact_text(f, "culprit", most->proc->comm);
	finding_fact(f, "culprit_fd", FACT_COUNT, most->fd);
	finding_fact(f, "culprit_holds", FACT_COUNT, (int64_t)most->n);
	if (most->is_far && f->certainty == CERTAINTY_CERTAIN)
		f->certainty = CERTAINTY_LIKELY;
	return true;
}

void fact_candidates(struct finding *f, const struct group *g)
{
	finding_fact(f, "candidates", FACT_COUNT, (int64_t)g->n_owners);
	if (g->n_candidates == 0)
		return;
	struct fact *pids = finding_fact(f, "candidate_pids", FACT_LIST, 0);
	pids->list = g->candidates;
	pids->n_list = g->n_candidates;
	pids->n_list_all = g->n_owners;
}

void fact_inferred_owner(struct finding *f, const struct group *g)
{
	const struct proc *p = g->subject.proc;

	if (g->n_owners == 0)
		return;
	if (p && g->n_owners == 1) {
		finding_fact(f, "pid", FACT_COUNT, p->pid);
		finding_fact_text(f, "likely_owner", p->comm);
	} else {
		fact_candidates(f, g);
	}
	finding_fact_sentence(f, "inferred_from",
			      g->basis == BASIS_LISTENER ?
				      N_("it listens on the local port") :
				      N_("it has live connections to the same destination"));
}

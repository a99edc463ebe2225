#include "check/check.h"
#include "check/range.h"
#include "check/table.h"
#include "util/i18n.h"

#include <stdlib.h>
#include <string.h>

/* How it works: one pass gathers what each row needs; processes are tallied by sorting what each of
 * them holds. A number that privilege hides is bounded from above: only if the bound would alert
 * and the number does not is the answer UNKNOWN. */

enum { SMALLEST_BACKLOG = 2, ALL = 100000 }; /* 100 % */

struct held {
	const struct proc *proc;
	const struct netns *netns;
	bool has_fd, is_old, may_be_old;
};

/* The connection that has waited longest. */
struct oldest {
	struct conn at;
	bool is_there;
	uint64_t n_unaged;
};

struct check {
	const struct look *look;
	uint64_t old_ms;
	struct held *held;
	size_t n_held, cap_held;
	uint64_t n_hidden, n_hidden_old; /* CLOSE-WAITs of processes that were not seen */
	struct oldest close_wait, fin_wait_2;
	struct conn listener;
	int64_t listener_share;
	bool has_listener;
	struct port_budget ports;
	struct conn ports_example;
	int64_t ports_share;
	bool has_ports, ports_unknown;
	uint64_t *minis; /* [n_netns]: what counts against tcp_max_tw_buckets */
};

struct check *check_new(const struct look *look, uint64_t old_ms)
{
	struct check *k = calloc(1, sizeof(*k));
	uint64_t *minis = calloc(look->n_netns, sizeof(*minis));

	if (!k || !minis)
		arena_die();
	k->look = look;
	k->old_ms = old_ms;
	k->minis = minis;
	return k;
}

static void offer_oldest(struct oldest *o, const struct conn *c)
{
	o->n_unaged += !c->age.known;
	if (o->is_there && (!c->age.known || (o->at.age.known && c->age.ms <= o->at.age.ms)))
		return;
	o->at = *c;
	o->is_there = true;
}

static void hold(struct check *k, const struct held *h)
{
	if (k->n_held == k->cap_held) {
		k->cap_held = k->cap_held ? k->cap_held * 2 : 64;
		k->held = xrealloc_array(k->held, k->cap_held, sizeof(*k->held));
	}
	k->held[k->n_held++] = *h;
}

static bool is_parked(const struct conn *c)
{
	return c->rules[0] && strcmp(c->rules[0], "close-wait-idle-pool") == 0;
}

static bool holds_already(const struct conn *c, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (c->holders[k].proc == c->holders[i].proc)
			return true;
	return false;
}

static void close_wait(struct check *k, const struct conn *c)
{
	bool counts = !is_parked(c);
	struct held h = {
		.netns = c->netns,
		.has_fd = c->owner == OWNER_KNOWN,
		.is_old = counts && c->age.known && c->age.ms >= k->old_ms,
		.may_be_old = counts && !c->age.known,
	};
	size_t n = c->n_holders < MAX_CONN_HOLDERS ? c->n_holders : MAX_CONN_HOLDERS;

	offer_oldest(&k->close_wait, c);
	if (n == 0 || c->owner == OWNER_HIDDEN) {
		k->n_hidden += !sock_is_unaccepted(c->sock);
		k->n_hidden_old += h.is_old || h.may_be_old;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		bool again = holds_already(c, i);

		/* Every descriptor counts against the limit, every connection once. */
		h.proc = c->holders[i].proc;
		hold(k, &(struct held){ h.proc, h.netns, h.has_fd, h.is_old && !again,
					h.may_be_old && !again });
	}
}

static void listener(struct check *k, const struct conn *c)
{
	const struct sock_full *full = c->sock->full;

	if (!full || full->wqueue < SMALLEST_BACKLOG)
		return;
	int64_t share = (int64_t)full->rqueue * ALL / ((int64_t)full->wqueue + 1);
	if (k->has_listener && share <= k->listener_share)
		return;
	k->has_listener = true;
	k->listener_share = share;
	k->listener = *c;
}

void check_sock(struct check *k, const struct conn *c)
{
	const struct sock *s = c->sock;

	if (s->state == STATE_LISTEN)
		listener(k, c);
	else if (s->state == STATE_CLOSE_WAIT)
		close_wait(k, c);
	else if (s->state == STATE_FIN_WAIT_2 && s->full && s->full->inode)
		offer_oldest(&k->fin_wait_2, c);
	else if ((s->state == STATE_TIME_WAIT || (s->state == STATE_FIN_WAIT_2 && !s->full)) &&
		 s->netns < k->look->n_netns)
		k->minis[s->netns]++;
}

void check_ports(struct check *k, const struct port_budget *budget, const struct conn *example)
{
	uint64_t taken = budget->used - budget->reusable;

	if (budget->capacity == 0) {
		k->ports_unknown = true;
		return;
	}
	int64_t share = (int64_t)(taken * ALL / budget->capacity);
	if (k->has_ports && share <= k->ports_share)
		return;
	k->has_ports = true;
	k->ports_share = share;
	k->ports = *budget;
	k->ports_example = *example;
}

/* Results. */

static void value(struct check_result *r, int64_t thousandths)
{
	r->known = true;
	r->value = thousandths;
}

static void share(struct check_result *r, uint64_t used, uint64_t limit)
{
	uint64_t part;

	r->has_limit = true;
	r->used = used;
	r->limit = limit;
	if (__builtin_mul_overflow(used, (uint64_t)ALL, &part))
		part = UINT64_MAX;
	value(r, (int64_t)(limit ? part / limit : 0));
	finding_fact(&r->worst, "used", FACT_COUNT, (int64_t)used);
	finding_fact(&r->worst, "limit", FACT_COUNT, (int64_t)(limit > INT64_MAX ? INT64_MAX : limit));
	finding_fact(&r->worst, "share", FACT_PERCENT, r->value / 1000);
}

/* "leaky[812]"; what a process calls itself is escaped where it is printed. */
static void name_owner(const struct check *k, struct check_result *r, const struct proc *p,
		       const struct netns *netns)
{
	r->has_worst = true;
	r->worst.subject.kind = SUBJECT_PROCESS;
	r->worst.subject.proc = p;
	r->worst.subject.netns = netns;
	if (!p) {
		finding_fact_sentence(&r->worst, "who", N_("a process that cannot be seen"));
		return;
	}
	finding_fact(&r->worst, "pid", FACT_COUNT, p->pid);
	finding_fact_text(&r->worst, "who", arena_printf(k->look->arena, "%s[%d]", p->comm, p->pid));
}

static void name_conn(const struct check *k, struct check_result *r, const struct conn *c)
{
	name_owner(k, r, c->n_holders > 0 && c->owner != OWNER_HIDDEN ? c->holders[0].proc : NULL,
		   c->netns);
	r->worst.subject.local = c->sock->pair.local;
	r->worst.subject.peer = c->sock->pair.peer;
	r->worst.subject.has_local = true;
	r->worst.subject.has_peer = c->sock->state != STATE_LISTEN;
	r->worst.oldest = c->age;
}

static void settle(struct check_result *r)
{
	if (r->known && range_alerts(&r->crit, r->value))
		r->status = CHECK_CRITICAL;
	else if (r->known && range_alerts(&r->warn, r->value))
		r->status = CHECK_WARNING;
	else if (!r->known && (r->crit.is_set || r->warn.is_set))
		r->status = CHECK_UNKNOWN;
	else
		r->status = CHECK_OK;
}

/* It may be anything up to `most`: then fine is fine only if that would be fine, too. */
static void settle_at_most(struct check_result *r, int64_t most, const char *why)
{
	settle(r);
	if (r->status != CHECK_OK ||
	    (!range_alerts(&r->crit, most) && !range_alerts(&r->warn, most)))
		return;
	r->status = CHECK_UNKNOWN;
	r->unknown = why;
	r->known = false; /* what was seen of it would pass for all of it */
}

static int by_proc(const void *va, const void *vb)
{
	const struct held *a = va, *b = vb;

	return (a->proc->pid > b->proc->pid) - (a->proc->pid < b->proc->pid);
}

struct tally {
	const struct held *at;
	uint64_t n_fds, n_old, n_may_be;
};

/* The next process, and what it holds. */
static size_t tally_one(const struct check *k, size_t i, struct tally *ret)
{
	*ret = (struct tally){ .at = &k->held[i] };
	for (; i < k->n_held && k->held[i].proc == ret->at->proc; i++) {
		ret->n_fds += k->held[i].has_fd;
		ret->n_old += k->held[i].is_old;
		ret->n_may_be += k->held[i].may_be_old;
	}
	return i;
}

static const char hidden_owners[] =
	N_("who holds some connections in CLOSE-WAIT cannot be seen; ask as root");
static const char hidden_ages[] = N_("the age of some connections cannot be seen");

static bool is_larger_share(const struct tally *a, const struct tally *b)
{
	return !b->at || (__uint128_t)a->n_fds * b->at->proc->fd_limit >
				 (__uint128_t)b->n_fds * a->at->proc->fd_limit;
}

static void end_nofile(const struct check *k, struct check_result *r)
{
	struct tally worst = { 0 }, t;
	bool is_hidden = k->n_hidden > 0;

	for (size_t i = 0; i < k->n_held;) {
		i = tally_one(k, i, &t);
		if (t.n_fds > 0 && t.at->proc->fd_limit == 0)
			is_hidden = true;
		else if (t.n_fds > 0 && is_larger_share(&t, &worst))
			worst = t;
	}
	value(r, 0);
	if (worst.at) {
		share(r, worst.n_fds, worst.at->proc->fd_limit);
		name_owner(k, r, worst.at->proc, worst.at->netns);
	}
	settle_at_most(r, is_hidden ? ALL : r->value, hidden_owners);
}

static void end_count(const struct check *k, struct check_result *r)
{
	struct tally worst = { 0 }, t;
	uint64_t most = 0;

	for (size_t i = 0; i < k->n_held;) {
		i = tally_one(k, i, &t);
		if (t.n_old + t.n_may_be > most)
			most = t.n_old + t.n_may_be;
		if (t.n_old > worst.n_old)
			worst = t;
	}
	value(r, (int64_t)worst.n_old * 1000);
	r->used = worst.n_old;
	finding_fact(&r->worst, "used", FACT_COUNT, (int64_t)worst.n_old);
	if (worst.at)
		name_owner(k, r, worst.at->proc, worst.at->netns);
	most += k->n_hidden_old;
	settle_at_most(r, (int64_t)most * 1000, k->n_hidden_old ? hidden_owners : hidden_ages);
}

static void end_age(const struct check *k, struct check_result *r, const struct oldest *o)
{
	value(r, 0);
	if (o->is_there) {
		r->known = o->at.age.known;
		r->value = (int64_t)o->at.age.ms;
		name_conn(k, r, &o->at);
	}
	settle_at_most(r, o->n_unaged ? RANGE_HIGHEST : r->value, hidden_ages);
	if (!r->known && r->status == CHECK_UNKNOWN)
		r->unknown = hidden_ages;
}

static void end_ports(const struct check *k, struct check_result *r)
{
	value(r, 0);
	if (k->has_ports) {
		share(r, k->ports.used - k->ports.reusable, k->ports.capacity);
		name_conn(k, r, &k->ports_example);
		r->worst.subject.kind = SUBJECT_DESTINATION;
		r->worst.subject.local.port = 0; /* any of them */
	}
	settle_at_most(r, k->ports_unknown ? ALL : r->value,
		       N_("the range of local ports cannot be read"));
}

static void end_queue(const struct check *k, struct check_result *r)
{
	value(r, 0);
	if (k->has_listener) {
		const struct sock_full *full = k->listener.sock->full;

		share(r, full->rqueue, (uint64_t)full->wqueue + 1);
		name_conn(k, r, &k->listener);
		r->worst.subject.kind = SUBJECT_LISTENER;
	}
	settle(r);
}

static void end_orphans(const struct check *k, struct check_result *r)
{
	const struct setting *now = &k->look->host.orphans;
	const struct setting *most = &k->look->netns[0].sysctls.max_orphans;

	r->worst.subject.kind = SUBJECT_HOST;
	if (now->known && most->known && now->value >= 0 && most->value > 0) {
		share(r, (uint64_t)now->value, (uint64_t)most->value);
		r->has_worst = now->value > 0;
	} else if (now->known && k->look->netns[0].sysctls.max_tw_buckets.known) {
		/* Other settings are there, this one exists in the first namespace alone: not hidden,
		 * and not a matter of this one. */
		r->unknown = N_("only the first network namespace of the machine knows "
				"tcp_max_orphans");
		return;
	} else {
		r->unknown = N_("the number of orphans or its limit cannot be read");
	}
	settle(r);
}

struct table {
	const struct netns *netns;
	uint64_t used, limit;
};

static void offer_table(struct table *worst, const struct netns *netns, uint64_t used,
			uint64_t limit)
{
	if (used > 0 && (!worst->netns || (__uint128_t)used * worst->limit >
						  (__uint128_t)worst->used * limit))
		*worst = (struct table){ netns, used, limit };
}

static void end_table(struct check_result *r, const struct table *worst, bool is_unknown,
		      const char *why)
{
	r->worst.subject.kind = SUBJECT_HOST;
	value(r, 0);
	if (worst->netns) {
		share(r, worst->used, worst->limit);
		r->has_worst = true;
		r->worst.subject.netns = worst->netns;
	}
	settle_at_most(r, is_unknown ? ALL : r->value, why);
}

static void end_buckets(const struct check *k, struct check_result *r)
{
	struct table worst = { 0 };
	bool is_unknown = false;

	for (size_t i = 0; i < k->look->n_netns; i++) {
		const struct setting *most = &k->look->netns[i].sysctls.max_tw_buckets;

		if (k->minis[i] > 0 && (!most->known || most->value <= 0))
			is_unknown = true;
		else
			offer_table(&worst, &k->look->netns[i], k->minis[i], (uint64_t)most->value);
	}
	end_table(r, &worst, is_unknown, N_("tcp_max_tw_buckets cannot be read"));
}

static void end_conntrack(const struct check *k, struct check_result *r)
{
	struct table worst = { 0 };
	bool is_unknown = false, is_there = false;

	for (size_t i = 0; i < k->look->n_netns; i++) {
		const struct sysctls *ctl = &k->look->netns[i].sysctls;
		bool has_max = ctl->conntrack_max.known && ctl->conntrack_max.value > 0;

		is_there |= ctl->conntrack_count.known || ctl->conntrack_max.known;
		if (ctl->conntrack_count.known != ctl->conntrack_max.known)
			is_unknown = true;
		else if (has_max && ctl->conntrack_count.value > 0)
			offer_table(&worst, &k->look->netns[i], (uint64_t)ctl->conntrack_count.value,
				    (uint64_t)ctl->conntrack_max.value);
	}
	if (!is_there) {
		r->is_absent = true;
		r->unknown = N_("there is no connection tracking table");
		return;
	}
	end_table(r, &worst, is_unknown, N_("nf_conntrack_count or its limit cannot be read"));
}

static void end_one(const struct check *k, size_t row, struct check_result *r)
{
	switch (row) {
	case CHECK_CLOSE_WAIT_NOFILE:
		end_nofile(k, r);
		break;
	case CHECK_CLOSE_WAIT_COUNT:
		end_count(k, r);
		break;
	case CHECK_CLOSE_WAIT_AGE:
		end_age(k, r, &k->close_wait);
		break;
	case CHECK_PORTS:
		end_ports(k, r);
		break;
	case CHECK_ACCEPT_QUEUE:
		end_queue(k, r);
		break;
	case CHECK_ORPHANS:
		end_orphans(k, r);
		break;
	case CHECK_CONNTRACK:
		end_conntrack(k, r);
		break;
	case CHECK_TW_BUCKETS:
		end_buckets(k, r);
		break;
	case CHECK_FIN_WAIT_2:
		end_age(k, r, &k->fin_wait_2);
		break;
	}
}

/* What rule holds for the worst owner, where one of the same family found something there. */
static const char *rule_of(const struct check_result *r, const struct findings *findings)
{
	static const char family[] = "close-wait-";
	const struct proc *p = r->worst.subject.proc;

	for (size_t i = 0; p && r->row->rule && i < findings->n; i++) {
		const struct finding *f = &findings->at[i];

		if (f->subject.proc == p && strncmp(f->text->id, family, strlen(family)) == 0 &&
		    strncmp(r->row->rule, family, strlen(family)) == 0)
			return f->text->id;
	}
	return r->row->rule;
}

void check_end(struct check *k, const struct findings *findings, const struct check_levels *levels,
	       bool is_whole, struct check_results *ret)
{
	*ret = (struct check_results){ .n = N_CHECK_ROWS, .is_whole = is_whole };
	if (k->n_held)
		qsort(k->held, k->n_held, sizeof(*k->held), by_proc);
	for (size_t i = 0; i < N_CHECK_ROWS; i++) {
		struct check_result *r = &ret->at[i];

		r->row = &check_rows[i];
		r->warn = levels->warn[i];
		r->crit = levels->crit[i];
		end_one(k, i, r);
		r->rule = rule_of(r, findings);
		if (check_is_worse(r->status, ret->status)) {
			ret->status = r->status;
			ret->first = r;
		}
	}
	if (!is_whole && ret->status == CHECK_OK)
		ret->status = CHECK_UNKNOWN;
	free(k->held);
	free(k->minis);
	free(k);
}

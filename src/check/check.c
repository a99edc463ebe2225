#include "check/check.h"
#include "check/growth.h"
#include "check/holders.h"
#include "check/rates.h"
#include "check/settle.h"
#include "check/table.h"
#include "util/i18n.h"

#include <stdlib.h>
#include <string.h>

/* How it works: one pass gathers what each row needs; processes are tallied by sorting what each of
 * them holds. A number that privilege hides is bounded from above: only if anything up to the bound would
 * alert and what was seen does not is the answer UNKNOWN. */

enum { SMALLEST_BACKLOG = 2 };

struct check *check_new(const struct look *look, uint64_t old_ms, const struct check_past *past)
{
	struct check *k = calloc(1, sizeof(*k));
	uint64_t *minis = calloc(look->n_netns, sizeof(*minis));

	if (!k || !minis)
		arena_die();
	k->look = look;
	k->past = *past;
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
		.is_parked = !counts,
		.has_age = c->age.known,
		.age_ms = (int64_t)c->age.ms,
		.conn = k->n_close_waits++,
	};
	size_t n = c->n_holders < MAX_CONN_HOLDERS ? c->n_holders : MAX_CONN_HOLDERS;

	/* It waits in one queue, most likely in the longest. */
	if (c->owner == OWNER_UNACCEPTED && c->n_listeners > 1 && n > 1)
		n = 1;
	offer_oldest(&k->close_wait, c);
	/* The kernel's own, or on its way between processes: it fills nobody's table, and does so for as long as
	 * it lasts. */
	if (c->owner == OWNER_HIDDEN && c->basis == BASIS_NOT_FOUND)
		return;
	if (n == 0 || c->owner == OWNER_HIDDEN) {
		k->n_hidden += !sock_is_unaccepted(c->sock);
		k->n_hidden_old += h.is_old || h.may_be_old;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		bool is_again = holds_already(c, i);
		struct held one = h;

		/* Every descriptor counts against the limit, every connection once. */
		one.proc = c->holders[i].proc;
		one.is_old &= !is_again;
		one.may_be_old &= !is_again;
		hold(k, &one);
	}
}

static void listener(struct check *k, const struct conn *c)
{
	const struct sock_full *full = c->sock->full;

	rates_offer_listener(k, c);
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
	growth_offer_ports(k, budget, example);
	int64_t share = (int64_t)(taken * ALL / budget->capacity);
	if (k->has_ports && share <= k->ports_share)
		return;
	k->has_ports = true;
	k->ports_share = share;
	k->ports = *budget;
	k->ports_example = *example;
}

/* Results. */

static void end_age(const struct check *k, struct check_result *r, const struct oldest *o)
{
	settle_value(r, 0);
	if (o->is_there) {
		r->known = o->at.age.known;
		r->value = (int64_t)o->at.age.ms;
		settle_conn(k, r, &o->at);
	}
	settle_at_most(r, o->n_unaged ? RANGE_HIGHEST : r->value, holders_hidden_ages);
	if (!r->known && r->status == CHECK_UNKNOWN)
		r->unknown = holders_hidden_ages;
}

static void end_ports(const struct check *k, struct check_result *r)
{
	settle_value(r, 0);
	if (k->has_ports) {
		settle_share(r, k->ports.used - k->ports.reusable, k->ports.capacity);
		settle_conn(k, r, &k->ports_example);
		r->worst.subject.kind = SUBJECT_DESTINATION;
		r->worst.subject.local.port = 0; /* any of them */
	}
	settle_at_most(r, k->ports_unknown ? ALL : r->value, settle_no_port_range);
}

/* /proc/net/tcp, the last resort, does not say how long a queue may grow. */
static bool lacks_queues(const struct look *look)
{
	for (size_t i = 0; i < look->gaps.n; i++)
		if (strcmp(look->gaps.at[i].what, "sock_diag") == 0)
			return true;
	return false;
}

static void end_queue(const struct check *k, struct check_result *r)
{
	settle_value(r, 0);
	if (k->has_listener) {
		const struct sock_full *full = k->listener.sock->full;

		settle_share(r, full->rqueue, (uint64_t)full->wqueue + 1);
		settle_conn(k, r, &k->listener);
		r->worst.subject.kind = SUBJECT_LISTENER;
	}
	settle_at_most(r, lacks_queues(k->look) ? ALL : r->value,
		       N_("accept queues cannot be seen: sock_diag is not permitted"));
}

static void end_orphans(const struct check *k, struct check_result *r)
{
	const struct setting *now = &k->look->host.orphans;
	const struct setting *most = &k->look->netns[0].sysctls.max_orphans;

	r->worst.subject.kind = SUBJECT_HOST;
	if (now->known && most->known && now->value >= 0 && most->value > 0) {
		settle_share(r, (uint64_t)now->value, (uint64_t)most->value);
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
	settle_status(r);
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
	settle_value(r, 0);
	if (worst->netns) {
		settle_share(r, worst->used, worst->limit);
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
		r->is_harmless = true;
		r->unknown = N_("there is no connection tracking table");
		return;
	}
	end_table(r, &worst, is_unknown, N_("nf_conntrack_count or its limit cannot be read"));
}

static void end_one(const struct check *k, size_t row, struct check_result *r)
{
	switch (row) {
	case CHECK_CLOSE_WAIT_NOFILE:
		holders_nofile(k, r);
		break;
	case CHECK_CLOSE_WAIT_COUNT:
		holders_count(k, r);
		break;
	case CHECK_CLOSE_WAIT_AGE:
		end_age(k, r, &k->close_wait);
		break;
	case CHECK_CLOSE_WAIT_LEFT:
		growth_owners(k, r);
		break;
	case CHECK_PORTS_LEFT:
		growth_ports(k, r);
		break;
	case CHECK_PORTS:
		end_ports(k, r);
		break;
	case CHECK_ACCEPT_QUEUE:
		end_queue(k, r);
		break;
	case CHECK_ACCEPT_QUEUE_OVERFLOWS:
		rates_overflows(k, r);
		break;
	case CHECK_ORPHANS:
		end_orphans(k, r);
		break;
	case CHECK_ORPHANS_ABORTS:
		rates_counter(k, MEMORY_ABORTS, r);
		break;
	case CHECK_CONNTRACK:
		end_conntrack(k, r);
		break;
	case CHECK_TW_BUCKETS:
		end_buckets(k, r);
		break;
	case CHECK_TW_BUCKETS_OVERFLOWS:
		rates_counter(k, MEMORY_TW_OVERFLOWS, r);
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

bool check_remember(struct check *k, struct memory *ret)
{
	const struct memory *last = k->past.look;

	if (last && k->look->host.uptime_ms - last->uptime_ms < 3 * growth_shortest_ms(k))
		return false;
	holders_sort(k);
	growth_remember(k, ret);
	return true;
}

void check_lose(struct check *k)
{
	k->is_lost = true;
}

static bool is_of_growth(size_t row)
{
	return row == CHECK_CLOSE_WAIT_LEFT || row == CHECK_PORTS_LEFT || check_rows[row].unit == CHECK_A_MINUTE;
}

/* Else nobody would ever miss it. What was compared with an older look stays as it is. */
static void end_lost(struct check_result *r)
{
	if (r->status != CHECK_OK || r->known)
		return;
	r->is_harmless = false;
	r->unknown = N_("this look could not be kept, so growth does not show");
	settle_status(r);
}

void check_end(struct check *k, const struct findings *findings, const struct check_levels *levels,
	       bool is_whole, struct check_results *ret)
{
	*ret = (struct check_results){ .n = N_CHECK_ROWS, .is_whole = is_whole };
	holders_sort(k);
	for (size_t i = 0; i < N_CHECK_ROWS; i++) {
		struct check_result *r = &ret->at[i];

		r->row = &check_rows[i];
		r->warn = levels->warn[i];
		r->crit = levels->crit[i];
		end_one(k, i, r);
		if (k->is_lost && is_of_growth(i))
			end_lost(r);
		r->rule = rule_of(r, findings);
		if (check_is_worse(r->status, ret->status)) {
			ret->status = r->status;
			ret->first = r;
		}
	}
	holders_owners(k, ret);
	if (!is_whole && ret->status == CHECK_OK)
		ret->status = CHECK_UNKNOWN;
	free(k->held);
	free(k->busy);
	free(k->turned_away);
	free(k->minis);
	free(k);
}

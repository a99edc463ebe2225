#include "check/growth.h"
#include "check/holders.h"
#include "check/rates.h"
#include "check/settle.h"
#include "util/i18n.h"

#include <stdlib.h>

/* How it works: a leak is what came, stayed, and goes on coming. Between two looks a process must have
 * gained descriptors in CLOSE-WAIT, and those it holds must have come in both halves of that time:
 * a burst fills one half, and connections that are closed in the end leave the older half empty.
 *
 * TIME-WAITs end by themselves: a minute of the present rate is all there will ever be. Only if that
 * does not fit, or if ports grow that no timer returns, there is a time left. */

enum {
	BUSY_PERCENT = 20, /* of a destination's ports; below, a pool that is being filled looks alike */
	KEPT_PERCENT = 5,  /* what the next look may have to compare with */
	TIMEWAIT_S = 60,   /* TCP_TIMEWAIT_LEN of Linux, include/net/tcp.h */
	TIMEWAITS_NEW_S = 10, /* those of port_budget.new_10s */
};

int64_t growth_shortest_ms(const struct check *k)
{
	return k->old_ms > 60000 ? (int64_t)k->old_ms / 60 : 1000;
}

int64_t growth_since_ms(const struct check *k, struct check_result *r)
{
	const struct memory *last = k->past.look;
	int64_t ms = last ? k->look->host.uptime_ms - last->uptime_ms : 0;

	if (last && ms >= growth_shortest_ms(k))
		return ms;
	/* Whoever asked for it learns that there was nothing to compare. */
	r->is_unwatched = !last && !k->past.none;
	if (last)
		r->unknown = N_("the last look is too recent to compare");
	else
		r->unknown = r->is_unwatched ? N_("growth shows with --state") : k->past.none;
	return 0;
}

/* How long until `room` is filled by what grew by `growth` in `ms`. */
static int64_t time_left(int64_t room, int64_t growth, int64_t ms)
{
	__int128_t left = (__int128_t)(room > 0 ? room : 0) * ms / growth;

	return left > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)left;
}

/* What is known of the worst one that grows. */
struct grower {
	bool is_there;
	int64_t left_ms, gain, ms; /* `gain` in `ms` */
	uint64_t used, limit;
};

/* `hidden`: why others cannot be seen, whatever they do; NULL: all were seen. */
static void settle_left(struct check_result *r, const struct grower *g, const char *hidden)
{
	r->is_harmless = !g->is_there && !hidden;
	r->unknown = g->is_there ? NULL : hidden ? hidden : N_("nothing grows towards its limit");
	if (g->is_there) {
		settle_value(r, g->left_ms);
		finding_fact(&r->worst, "left", FACT_MS, g->left_ms);
		finding_fact(&r->worst, "gain", FACT_COUNT, g->gain * 60000 / g->ms);
		finding_fact(&r->worst, "used", FACT_COUNT, (int64_t)g->used);
		finding_fact(&r->worst, "limit", FACT_COUNT, (int64_t)g->limit);
	}
	if (hidden)
		settle_at_most(r, 0, hidden);
	else if (g->is_there)
		settle_status(r);
}

/* Processes. */

/* What one process holds, from `i` on, and in how long it came: since the last look, or all its life. */
struct stock {
	const struct held *at;
	int64_t ms, n, old_half, new_half;
};

static int64_t lived_ms(const struct host *host, const struct proc *p)
{
	return host->hz > 0 ? host->uptime_ms - (int64_t)p->start_ticks * 1000 / host->hz : INT64_MAX;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static size_t take_stock(const struct check *k, size_t i, int64_t since_ms, struct stock *ret)
{
	const struct proc *p = k->held[i].proc;

	*ret = (struct stock){ &k->held[i], least(since_ms, lived_ms(&k->look->host, p)), 0, 0, 0 };
	for (; i < k->n_held && k->held[i].proc == p; i++) {
		const struct held *h = &k->held[i];
		bool is_late = h->age_ms < ret->ms / 2;

		if (!h->has_fd || h->is_parked)
			continue;
		ret->n++;
		ret->new_half += h->has_age && is_late;
		ret->old_half += h->has_age && !is_late && h->age_ms < ret->ms;
	}
	return i;
}

static bool grower_of(const struct check *k, const struct stock *s, struct grower *ret)
{
	const struct proc *p = s->at->proc;
	const struct memory_owner *before = memory_owner(k->past.look, p);
	int64_t gain = least(s->n - (before ? before->n : 0), 2 * least(s->old_half, s->new_half));
	uint64_t used = p->has_fds ? p->n_fds : (uint64_t)s->n;

	if (gain < FEWEST || p->fd_limit == 0 || s->ms < growth_shortest_ms(k))
		return false;
	*ret = (struct grower){
		.is_there = true,
		.left_ms = time_left((int64_t)p->fd_limit - (int64_t)used, gain, s->ms),
		.gain = gain,
		.ms = s->ms,
		.used = used,
		.limit = p->fd_limit,
	};
	return true;
}

void growth_owners(const struct check *k, struct check_result *r)
{
	int64_t since_ms = growth_since_ms(k, r);
	struct grower worst = { 0 }, g;
	struct stock s;

	if (!since_ms)
		return;
	for (size_t i = 0; i < k->n_held;) {
		i = take_stock(k, i, since_ms, &s);
		if (!grower_of(k, &s, &g) || (worst.is_there && g.left_ms >= worst.left_ms))
			continue;
		worst = g;
		r->worst = (struct finding){ 0 };
		settle_owner(k, r, s.at->proc, s.at->netns);
	}
	settle_left(r, &worst, k->n_hidden > 0 ? holders_hidden_owners : NULL);
}

/* Destinations. */

static bool is_above(const struct port_budget *b, unsigned percent)
{
	return (b->used - b->reusable) * 100ull >= b->capacity * (uint64_t)percent;
}

void growth_offer_ports(struct check *k, const struct port_budget *budget, const struct conn *example)
{
	if (budget->capacity == 0 || !is_above(budget, KEPT_PERCENT))
		return;
	if (k->n_busy == k->cap_busy) {
		k->cap_busy = k->cap_busy ? k->cap_busy * 2 : 16;
		k->busy = xrealloc_array(k->busy, k->cap_busy, sizeof(*k->busy));
	}
	k->busy[k->n_busy++] = (struct busy){ *budget, *example };
}

static int64_t netns_of(const struct port_budget *b)
{
	return (int64_t)b->netns->inode;
}

static bool port_grower_of(const struct check *k, const struct port_budget *b, int64_t ms,
			   struct grower *ret)
{
	const struct memory_ports *before = memory_ports(k->past.look, netns_of(b), b->local, b->peer);
	/* What was not kept was below that. */
	int64_t most_before = (int64_t)b->capacity * KEPT_PERCENT / 100;
	int64_t held = (int64_t)b->used - b->time_wait, waiting = (int64_t)b->time_wait - b->reusable;
	int64_t more_held = held - (before ? before->held : most_before);
	int64_t more_waiting = waiting - (before ? before->waiting : most_before);
	int64_t room = (int64_t)b->capacity - held - waiting;

	/* Both for a while and now: else it was a burst, or is one. */
	more_waiting = least(more_waiting, (int64_t)b->new_10s * ms / (TIMEWAITS_NEW_S * 1000));
	if (more_waiting < 0 || b->reusable > 0)
		more_waiting = 0;
	int64_t all_waiting = more_waiting * TIMEWAIT_S * 1000 / ms;
	bool fits = held + (waiting > all_waiting ? waiting : all_waiting) <= (int64_t)b->capacity;
	int64_t gain = (more_held > 0 ? more_held : 0) + (fits ? 0 : more_waiting);
	if (gain < FEWEST || !is_above(b, BUSY_PERCENT))
		return false;
	*ret = (struct grower){
		.is_there = true,
		.left_ms = time_left(room, gain, ms),
		.gain = gain,
		.ms = ms,
		.used = (uint64_t)(held + waiting),
		.limit = b->capacity,
	};
	return true;
}

void growth_ports(const struct check *k, struct check_result *r)
{
	int64_t since_ms = growth_since_ms(k, r);
	struct grower worst = { 0 }, g;

	if (!since_ms)
		return;
	for (size_t i = 0; i < k->n_busy; i++) {
		const struct busy *busy = &k->busy[i];

		if (!port_grower_of(k, &busy->budget, since_ms, &g) ||
		    (worst.is_there && g.left_ms >= worst.left_ms))
			continue;
		worst = g;
		r->worst = (struct finding){ 0 };
		settle_conn(k, r, &busy->example);
		r->worst.subject.kind = SUBJECT_DESTINATION;
		r->worst.subject.local.port = 0; /* any of them */
	}
	settle_left(r, &worst, k->ports_unknown ? settle_no_port_range : NULL);
}

/* For the next look. */

static int most_owned_first(const void *va, const void *vb)
{
	const struct memory_owner *a = va, *b = vb;

	return (a->n < b->n) - (a->n > b->n);
}

static int most_taken_first(const void *va, const void *vb)
{
	const struct memory_ports *a = va, *b = vb;

	return (a->held + a->waiting < b->held + b->waiting) -
	       (a->held + a->waiting > b->held + b->waiting);
}

static void remember_owners(const struct check *k, struct memory *m)
{
	struct stock s;

	m->owners = arena_array(k->look->arena, k->n_held + 1, sizeof(*m->owners));
	for (size_t i = 0; i < k->n_held;) {
		i = take_stock(k, i, INT64_MAX, &s);
		if (s.n > 0)
			m->owners[m->n_owners++] = (struct memory_owner){
				s.at->proc->pid, (int64_t)s.at->proc->start_ticks, s.n };
	}
	qsort(m->owners, m->n_owners, sizeof(*m->owners), most_owned_first);
	m->n_owners = (size_t)least((int64_t)m->n_owners, MEMORY_MAX_OWNERS);
}

static void remember_ports(const struct check *k, struct memory *m)
{
	m->ports = arena_array(k->look->arena, k->n_busy + 1, sizeof(*m->ports));
	for (size_t i = 0; i < k->n_busy; i++) {
		const struct port_budget *b = &k->busy[i].budget;

		m->ports[m->n_ports++] = (struct memory_ports){
			netns_of(b), b->local, b->peer, (int64_t)b->used - b->time_wait,
			(int64_t)b->time_wait - b->reusable };
	}
	qsort(m->ports, m->n_ports, sizeof(*m->ports), most_taken_first);
	m->n_ports = (size_t)least((int64_t)m->n_ports, MEMORY_MAX_PORTS);
}

void growth_remember(const struct check *k, struct memory *ret)
{
	const struct host *host = &k->look->host;

	*ret = (struct memory){
		.boot_id = host->boot_id ? host->boot_id : "",
		.netns = memory_netns_of(k->look, k->past.all_netns),
		.uptime_ms = host->uptime_ms,
	};
	remember_owners(k, ret);
	remember_ports(k, ret);
	rates_remember(k, ret);
}

#include "check/rates.h"
#include "check/growth.h"
#include "check/settle.h"
#include "util/i18n.h"

#include <stdlib.h>

/* How it works: the counters of a namespace say how much came since the last look, those of its
 * listeners (sk_drops) where. The second count every reason, so they only choose whom to name. */

static const struct setting *counter_of(const struct netns *ns, enum memory_counter which)
{
	switch (which) {
	case MEMORY_TW_OVERFLOWS:
		return &ns->counters.tw_overflow;
	case MEMORY_LISTEN_OVERFLOWS:
		return &ns->counters.listen_overflows;
	case MEMORY_ABORTS:
		return &ns->counters.abort_on_memory;
	case N_MEMORY_COUNTERS:
		break;
	}
	return NULL;
}

/* The namespace that gained most. */
struct gainer {
	const struct netns *netns; /* NULL: none could be compared */
	int64_t gain;
	bool has_unreadable;
};

static struct gainer find_gainer(const struct check *k, enum memory_counter which)
{
	struct gainer worst = { 0 };

	for (size_t i = 0; i < k->look->n_netns; i++) {
		const struct netns *ns = &k->look->netns[i];
		const struct setting *now = counter_of(ns, which);
		const struct memory_netns *then = memory_netns(k->past.look, (int64_t)ns->inode);

		worst.has_unreadable |= !now->known;
		/* A counter never falls: it would be another namespace by the same number. */
		if (!now->known || !then || then->counters[which] < 0 || now->value < then->counters[which])
			continue;
		int64_t gain = now->value - then->counters[which];
		if (!worst.netns || gain > worst.gain) {
			worst.netns = ns;
			worst.gain = gain;
		}
	}
	return worst;
}

/* Without a look to compare with. */
static void say_total(const struct check *k, enum memory_counter which, struct check_result *r)
{
	int64_t total = 0;

	for (size_t i = 0; i < k->look->n_netns; i++) {
		const struct setting *now = counter_of(&k->look->netns[i], which);

		if (now->known && __builtin_add_overflow(total, now->value, &total))
			total = INT64_MAX;
	}
	if (total <= 0 || !r->is_unwatched)
		return;
	finding_fact(&r->worst, "total", FACT_COUNT, total);
	r->unknown = N_("{total} since the kernel began to count; growth shows with --state");
}

/* Rounded up: once a day is not never. */
static int64_t a_minute(int64_t gain, int64_t ms)
{
	__int128_t rate = ((__int128_t)gain * 60000 * 1000 + ms - 1) / ms;

	return rate > RANGE_HIGHEST ? RANGE_HIGHEST : (int64_t)rate;
}

static struct gainer judge(const struct check *k, enum memory_counter which, struct check_result *r)
{
	int64_t since_ms = growth_since_ms(k, r);
	struct gainer worst = { 0 };

	if (!since_ms) {
		say_total(k, which, r);
		return worst;
	}
	worst = find_gainer(k, which);
	if (!worst.netns && !worst.has_unreadable) {
		r->unknown = N_("growth shows from the next look on");
		return worst;
	}
	settle_value(r, a_minute(worst.gain, since_ms));
	r->worst.subject.kind = SUBJECT_HOST;
	r->worst.subject.netns = worst.netns;
	r->has_worst = worst.gain > 0;
	finding_fact(&r->worst, "gain", FACT_COUNT, worst.gain);
	finding_fact(&r->worst, "since", FACT_MS, since_ms);
	settle_at_most(r, worst.has_unreadable ? RANGE_HIGHEST : r->value,
		       N_("the counters of TCP cannot be read"));
	return worst;
}

void rates_counter(const struct check *k, enum memory_counter which, struct check_result *r)
{
	judge(k, which, r);
}

/* Listeners. */

static int64_t netns_of(const struct conn *c)
{
	return (int64_t)c->netns->inode;
}

void rates_offer_listener(struct check *k, const struct conn *c)
{
	const struct sock_full *full = c->sock->full;

	if (!full || !full->has_drops || full->drops == 0 || c->sock->cookie > INT64_MAX)
		return;
	if (k->n_turned_away == k->cap_turned_away) {
		k->cap_turned_away = k->cap_turned_away ? k->cap_turned_away * 2 : 16;
		k->turned_away = xrealloc_array(k->turned_away, k->cap_turned_away, sizeof(*k->turned_away));
	}
	k->turned_away[k->n_turned_away++] = *c;
}

static const struct conn *find_listener(const struct check *k, const struct netns *ns)
{
	const struct conn *worst = NULL;
	int64_t most = 0;

	for (size_t i = 0; i < k->n_turned_away; i++) {
		const struct conn *c = &k->turned_away[i];
		int64_t then = c->netns == ns ? memory_drops(k->past.look, netns_of(c), c->sock->cookie) : -1;

		if (then < 0 || c->sock->full->drops - then <= most)
			continue;
		worst = c;
		most = c->sock->full->drops - then;
	}
	return worst;
}

void rates_overflows(const struct check *k, struct check_result *r)
{
	struct gainer worst = judge(k, MEMORY_LISTEN_OVERFLOWS, r);
	const struct conn *listener = worst.gain > 0 ? find_listener(k, worst.netns) : NULL;

	if (listener) {
		settle_conn(k, r, listener);
		r->worst.subject.kind = SUBJECT_LISTENER;
	} else if (worst.gain > 0) {
		r->worst.says = N_("{gain} {gain:attempt|attempts} to connect turned away in {since} by full accept queues");
	}
}

/* For the next look. */

static int most_drops_first(const void *va, const void *vb)
{
	const struct memory_listener *a = va, *b = vb;

	return (a->drops < b->drops) - (a->drops > b->drops);
}

static void remember_listeners(const struct check *k, struct memory *m)
{
	m->listeners = arena_array(k->look->arena, k->n_turned_away + 1, sizeof(*m->listeners));
	for (size_t i = 0; i < k->n_turned_away; i++) {
		const struct conn *c = &k->turned_away[i];

		m->listeners[m->n_listeners++] = (struct memory_listener){
			netns_of(c), (int64_t)c->sock->cookie, c->sock->full->drops };
	}
	qsort(m->listeners, m->n_listeners, sizeof(*m->listeners), most_drops_first);
	if (m->n_listeners > MEMORY_MAX_LISTENERS)
		m->n_listeners = MEMORY_MAX_LISTENERS;
}

void rates_remember(const struct check *k, struct memory *ret)
{
	const struct look *look = k->look;

	ret->netnses = arena_array(look->arena, look->n_netns + 1, sizeof(*ret->netnses));
	for (size_t i = 0; i < look->n_netns && i < MEMORY_MAX_NETNS; i++) {
		struct memory_netns *to = &ret->netnses[ret->n_netnses++];

		to->netns = (int64_t)look->netns[i].inode;
		for (enum memory_counter which = 0; which < N_MEMORY_COUNTERS; which++) {
			const struct setting *now = counter_of(&look->netns[i], which);

			to->counters[which] = now->known && now->value >= 0 ? now->value : -1;
		}
	}
	remember_listeners(k, ret);
}

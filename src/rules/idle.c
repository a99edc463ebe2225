#include "rules/idle.h"
#include "util/attr.h"
#include "util/i18n.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* How it works: a counter a second. A peak is a second with its two neighbours (timers tick once a
 * second, packets take their time) in which connections ended at three moments at least, and at far more than
 * the silences around it, from half of it to twice as long, would put there by chance. */

#define SECOND_NS INT64_C(1000000000)

enum {
	SHORTEST_S = 30, /* below, people and programs pause all the time */
	LEAST = 3,
	SIGMAS = 6, /* one in a billion, and hundreds of seconds are looked at */
	MATCH_S = 2,
};

/* Of servers, load balancers, NAT devices and firewalls. Defaults, by their makers' documents. */
static const struct idle_limit limits[] = {
	{ 60, N_("the default of many proxies and load balancers (AWS ALB)") },
	{ 75, N_("nginx's keepalive_timeout") },
	{ 120, N_("a common server timeout") },
	{ 180, N_("a common server timeout") },
	{ 240, N_("the 4 minutes of Azure's load balancer and NAT gateway") },
	{ 300, N_("the default of many firewalls") },
	{ 350, N_("the 350 s of AWS NLB and NAT gateway") },
	{ 600, N_("the 10 minutes of Google Cloud's firewall") },
	{ 610, N_("Google's HTTP load balancer") },
	{ 900, N_("a common NAT timeout") },
	{ 1200, N_("Google Cloud NAT") },
	{ 1800, N_("a common NAT timeout") },
	{ 3600, N_("the hour of many firewalls (Cisco ASA, FortiGate)") },
	{ 7200, N_("tcp_keepalive_time's default") },
};

const struct idle_limit *idle_limit_near(uint32_t seconds, uint32_t within_s)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (seconds + within_s >= limits[i].seconds &&
		    seconds <= limits[i].seconds + within_s)
			return &limits[i];
	return NULL;
}

const struct idle_limit *idle_limit_between(int64_t above_ns, int64_t most_ns)
{
	const struct idle_limit *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		int64_t ns = limits[i].seconds * SECOND_NS;

		if (ns <= above_ns || ns > most_ns)
			continue;
		if (found)
			return NULL;
		found = &limits[i];
	}
	return found;
}

int64_t idle_before_rst(const struct flow *f)
{
	const struct flow_rst *r = &f->rsts[0];

	/* Who had asked and got no answer gave up itself: the silence is that of its own copies, as keepalive's
	 * 75 s are (Linux net/ipv4/tcp_timer.c, tcp_keepalive_timer()). */
	if (f->n_rsts == 0 || r->of_old_incarnation || r->probes_unanswered || r->retransmissions_unanswered)
		return TIME_NONE;
	/* One as long did no harm before: probes that were answered until the host went away. */
	if (r->idle_ns >= IDLE_PAUSE_NS - SECOND_NS && f->survived_pause_ns != TIME_NONE &&
	    f->survived_pause_ns + SECOND_NS > r->idle_ns)
		return TIME_NONE;
	return r->idle_ns;
}

int64_t idle_before_end(const struct flow *f)
{
	/* Without data in the capture it is the time since the last SYN, which says nothing. */
	if (f->content == CONTENT_FIN_RST_ONLY)
		return TIME_NONE;
	if (f->n_rsts > 0 && !f->end[SIDE_CLIENT].fin.seen && !f->end[SIDE_SERVER].fin.seen)
		return idle_before_rst(f);
	return f->idle_before_end_ns;
}

void idle_add(struct idle_count *c, int64_t idle_ns, int64_t end_ns)
{
	int64_t s = idle_ns > 0 ? idle_ns / SECOND_NS : 0, nearest = (idle_ns + SECOND_NS / 2) / SECOND_NS;
	unsigned at = 0;

	while (at < N_IDLE - 1 && s >= idle_bounds_s[at])
		at++;
	c->sum.n[at]++;
	c->sum.n_all++;
	if (nearest < SHORTEST_S || nearest >= IDLE_SECONDS)
		return;
	c->by_second[nearest]++;
	for (int64_t i = nearest - 1; i <= nearest + 1 && i < IDLE_SECONDS; i++)
		if (c->moments[i] && llabs(end_ns - c->last_ns[i]) < IDLE_APART_NS)
			return;
	c->moments[nearest]++;
	c->last_ns[nearest] = end_ns;
}

static uint64_t around(const uint32_t by_second[], uint32_t from, uint32_t to)
{
	uint64_t n = 0;

	for (uint32_t s = from; s <= to && s < IDLE_SECONDS; s++)
		n += by_second[s];
	return n;
}

static bool is_peak(const struct idle_count *c, uint32_t s, uint64_t *ret_n)
{
	uint64_t n = around(c->moments, s - 1, s + 1);
	/* What chance puts into three seconds of those around, in thousandths. */
	int64_t chance = (int64_t)(3000 * (around(c->moments, s / 2, 2 * s) - n) / (s + s / 2));
	int64_t above = (int64_t)n * 1000 - LEAST * 1000 - chance;

	/* The highest of its three, the first of equals. */
	if (above < 0 || c->by_second[s] <= c->by_second[s - 1] ||
	    (s + 1 < IDLE_SECONDS && c->by_second[s] < c->by_second[s + 1]))
		return false;
	*ret_n = around(c->by_second, s - 1, s + 1);
	return above * above >= SIGMAS * SIGMAS * 1000 * chance;
}

static void add_peak(struct idle_sum *sum, struct idle_peak peak)
{
	size_t at = sum->n_peaks;

	while (at > 0 && sum->peaks[at - 1].n < peak.n)
		at--;
	if (at == MAX_IDLE_PEAKS)
		return;
	sum->n_peaks += sum->n_peaks < MAX_IDLE_PEAKS;
	memmove(&sum->peaks[at + 1], &sum->peaks[at],
		(sum->n_peaks - at - 1) * sizeof(sum->peaks[0]));
	sum->peaks[at] = peak;
}

void idle_find_peaks(struct idle_count *c)
{
	uint64_t n;

	for (uint32_t s = SHORTEST_S; s < IDLE_SECONDS; s++) {
		if (c->by_second[s] == 0 || !is_peak(c, s, &n))
			continue;
		const struct idle_limit *limit = idle_limit_near(s, MATCH_S);

		add_peak(&c->sum, (struct idle_peak){ s, n, limit ? limit->whose : NULL });
	}
}

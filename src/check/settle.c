#include "check/settle.h"
#include "check/range.h"
#include "util/i18n.h"

const char settle_no_port_range[] = N_("the range of local ports cannot be read");

void settle_value(struct check_result *r, int64_t thousandths)
{
	r->known = true;
	r->value = thousandths;
}

void settle_share(struct check_result *r, uint64_t used, uint64_t limit)
{
	uint64_t part;

	r->has_limit = true;
	r->used = used;
	r->limit = limit;
	if (__builtin_mul_overflow(used, (uint64_t)ALL, &part))
		part = UINT64_MAX;
	settle_value(r, (int64_t)(limit ? part / limit : 0));
	finding_fact(&r->worst, "used", FACT_COUNT, (int64_t)used);
	finding_fact(&r->worst, "limit", FACT_COUNT, (int64_t)(limit > INT64_MAX ? INT64_MAX : limit));
	finding_fact(&r->worst, "share", FACT_PERCENT, r->value / 1000);
}

/* "leaky[812]"; what a process calls itself is escaped where it is printed. */
static void settle(const struct check *k, struct check_result *r, const struct proc *p,
		   const struct netns *netns, const char *nobody)
{
	r->has_worst = true;
	r->worst.subject.kind = SUBJECT_PROCESS;
	r->worst.subject.proc = p;
	r->worst.subject.netns = netns;
	if (!p) {
		finding_fact_sentence(&r->worst, "who", nobody);
		return;
	}
	finding_fact(&r->worst, "pid", FACT_COUNT, p->pid);
	finding_fact_text(&r->worst, "who", arena_printf(k->look->arena, "%s[%d]", p->comm, p->pid));
}

void settle_owner(const struct check *k, struct check_result *r, const struct proc *p,
		  const struct netns *netns)
{
	settle(k, r, p, netns, N_("a process that cannot be seen"));
}

void settle_conn(const struct check *k, struct check_result *r, const struct conn *c)
{
	const struct proc *p = conn_proc(c);

	settle(k, r, p, c->netns,
	       c->n_holders > 0 && !p ? N_("one of several processes") : N_("a process that cannot be seen"));
	r->worst.subject.local = c->sock->pair.local;
	r->worst.subject.peer = c->sock->pair.peer;
	r->worst.subject.has_local = true;
	r->worst.subject.has_peer = c->sock->state != STATE_LISTEN;
	r->worst.oldest = c->age;
}

static bool can_alert(const struct check_result *r, int64_t low, int64_t high)
{
	return range_can_alert(&r->crit, low, high) || range_can_alert(&r->warn, low, high);
}

/* Nothing here is negative. */
static bool can_ever_alert(const struct check_result *r)
{
	return can_alert(r, 0, RANGE_HIGHEST);
}

void settle_status(struct check_result *r)
{
	if (r->known && range_alerts(&r->crit, r->value))
		r->status = CHECK_CRITICAL;
	else if (r->known && range_alerts(&r->warn, r->value))
		r->status = CHECK_WARNING;
	else if (!r->known && can_ever_alert(r))
		r->status = CHECK_UNKNOWN;
	else
		r->status = CHECK_OK;
}

void settle_at_most(struct check_result *r, int64_t most, const char *why)
{
	bool is_lower = most < r->value; /* of a time that is left */

	settle_status(r);
	if (r->status != CHECK_OK || (r->known && most == r->value))
		return;
	if (r->known && can_alert(r, is_lower ? most : r->value, is_lower ? r->value : most))
		r->status = CHECK_UNKNOWN;
	else
		r->is_harmless = r->known && can_ever_alert(r); /* else nobody wants it judged */
	r->unknown = why;
	r->known = false; /* what was seen of it would pass for all of it */
}

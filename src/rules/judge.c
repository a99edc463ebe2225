#include "rules/judge.h"
#include "rules/catalogue.h"
#include "rules/cause.h"
#include "rules/facts.h"
#include "rules/gather.h"
#include "rules/groups.h"
#include "rules/host.h"
#include "rules/limits.h"
#include "rules/reset.h"
#include "rules/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How it works: each connection is offered to the rows of its state in order; the first that fires
 * claims it. Claims gather in groups keyed by (rule, whom it is about). At the end each group is
 * weighed once. A group that turns out too small for its rule is poured into the rule named by
 * `otherwise`, so that no socket stays without a sentence.
 *
 * A rule of packets may want to hear of connections that it does not claim. Such witnesses find the
 * group of their server, or make it: one in which nothing else is comes to nothing. */

enum { MAX_ROWS = 32 };

struct judge {
	struct arena *arena;
	struct bounds bounds;
	size_t n_shown; /* examples of a finding */
	/* The rows to ask about a socket of each state, and about a flow; ended by NULL. */
	const struct rule *by_state[STATE_MAX][MAX_ROWS + 1];
	const struct rule *of_flows[MAX_ROWS + 1], *with_witness[MAX_ROWS + 1];
	struct groups groups;
};

static void append(const struct rule *rows[], const struct rule *r)
{
	size_t n = 0;

	while (rows[n])
		n++;
	assert(n < MAX_ROWS);
	rows[n] = r;
}

static void sort_rows(struct judge *j)
{
	for (size_t i = 0; i < rules_count(); i++) {
		const struct rule *r = rules_at(i);

		if (!r->claims && !r->is_reset)
			continue;
		if (r->scope == SCOPE_FLOW)
			append(j->of_flows, r);
		if (r->is_witness)
			append(j->with_witness, r);
		for (enum state s = STATE_ESTABLISHED; s < STATE_MAX; s++)
			if (r->states & STATE_BIT(s))
				append(j->by_state[s], r);
	}
}

struct judge *judge_new(struct arena *arena, uint64_t min_age_ms, size_t n_examples)
{
	struct judge *j = calloc(1, sizeof(*j));

	if (!j)
		arena_die();
	j->arena = arena;
	j->n_shown = n_examples;
	/* One is kept where none is shown: rules read it. */
	groups_init(&j->groups, arena, n_examples ? n_examples : 1);
	j->bounds = (struct bounds){
		.young = min_age_ms / 12,
		.suspicious = min_age_ms,
		.old = min_age_ms * 10,
		.forgotten = min_age_ms * 60,
	};
	sort_rows(j);
	return j;
}

static bool is_missing(const struct rule *r, const struct conn *c)
{
	const struct sock *s = c->sock;

	if ((r->needs & NEED_OWNER) && c->owner == OWNER_HIDDEN)
		return true;
	if ((r->needs & NEED_AGE) && !c->age.known)
		return true;
	if ((r->needs & NEED_INFO) && (!s->full || s->full->info.len < SOCK_INFO_LEN_BASIC))
		return true;
	if ((r->needs & NEED_STATE) && s->full && s->full->is_subflow)
		return true;
	return (r->needs & NEED_RQUEUE) && s->full &&
	       (s->full->is_mptcp || s->full->is_subflow || s->full->has_tls_rx);
}

/* Queues, timers and retransmissions of MPTCP are not those that the rules of TCP read. */
static bool has_no_rules(const struct sock *s)
{
	return sock_is_mptcp(s) && s->state != STATE_CLOSE_WAIT && s->state != STATE_FIN_WAIT_2;
}

/* The row that claims a socket; never NULL for a teardown state. */
static const struct rule *claim_sock(const struct judge *j, const struct conn *c)
{
	bool unknown = has_no_rules(c->sock);

	for (const struct rule *const *at = j->by_state[c->sock->state]; *at; at++) {
		const struct rule *r = *at;

		if (sock_is_mptcp(c->sock) && !r->of_mptcp)
			continue;
		/* Asked with evidence missing, a rule may still say that this is not its case. */
		enum verdict v = r->claims(c, &j->bounds);

		if (v == VERDICT_FIRES && is_missing(r, c))
			v = VERDICT_UNKNOWN;
		if (v == VERDICT_FIRES)
			return r;
		unknown |= v == VERDICT_UNKNOWN;
	}
	return unknown ? rules_unjudged() : rules_ordinary(c->sock->state);
}

static void add(struct judge *j, const struct rule *r, const struct conn *c)
{
	struct group *g = groups_of(&j->groups, r, c);
	enum certainty sure = CERTAINTY_CERTAIN;

	if (!g && r->otherwise)
		add(j, r->otherwise, c);
	if (!g)
		return;
	g->count++;
	if (c->sock)
		gather_sock(g, c);
	else
		reset_gather(g, c);
	if (r->hear)
		r->hear(g, c);
	if (r->how_sure)
		sure = r->how_sure(c);
	else if (r->is_reset)
		reset_has_cause(c, r->text.id, &sure);
	if (sure < g->weakest)
		g->weakest = sure;
	groups_keep_example(&j->groups, g, c);
}

static bool fires_on_flow(const struct judge *j, const struct rule *r, const struct conn *c)
{
	enum certainty sure;

	if (r->is_reset)
		return c->flow->n_rsts > 0 && reset_has_cause(c, r->text.id, &sure);
	return r->claims(c, &j->bounds) == VERDICT_FIRES;
}

/* Names it by the rows that fire, which are the first in fired[], ended by NULL. */
static void name_flow(const struct judge *j, struct conn *c, const struct rule *fired[])
{
	size_t n = 0, n_fired = 0;

	cause_name_all(c->flow, c->rst_causes);
	for (const struct rule *const *at = j->of_flows; *at; at++) {
		if (!fires_on_flow(j, *at, c))
			continue;
		fired[n_fired++] = *at;
		if (!(*at)->kind_of && n < MAX_CONN_RULES)
			c->rules[n++] = (*at)->text.id;
	}
	c->rules[n] = NULL;
	fired[n_fired] = NULL;
}

static void name_sock(struct conn *c, const struct rule *r)
{
	/* What only a crowd makes true is not said of one. */
	c->rules[0] = r->otherwise ? r->otherwise->text.id : r->text.id;
	c->rules[1] = NULL;
}

/* For a subflow its MPTCP socket speaks. */
static bool is_judged(const struct conn *c)
{
	return (STATE_BIT(c->sock->state) & STATES_TEARDOWN) && !c->mptcp;
}

void judge_name(const struct judge *j, struct conn *c)
{
	const struct rule *fired[MAX_ROWS + 1];

	c->rules[0] = NULL;
	if (!c->sock)
		name_flow(j, c, fired);
	else if (is_judged(c))
		name_sock(c, claim_sock(j, c));
}

void judge_sock(struct judge *j, struct conn *c)
{
	const struct rule *r;

	if (!is_judged(c))
		return;
	r = claim_sock(j, c);
	name_sock(c, r);
	add(j, r, c);
}

static void hear(struct judge *j, const struct rule *r, const struct conn *c)
{
	struct group *g;

	if (!r->is_witness(c) || fires_on_flow(j, r, c))
		return;
	g = groups_of_witness(&j->groups, r, c);
	if (g)
		r->hear(g, c);
}

void judge_flow(struct judge *j, struct conn *c)
{
	const struct rule *fired[MAX_ROWS + 1];

	name_flow(j, c, fired);
	for (const struct rule *const *at = fired; *at; at++)
		add(j, *at, c);
	for (const struct rule *const *at = j->with_witness; *at; at++)
		hear(j, *at, c);
}

void judge_listener(struct judge *j, struct conn *c)
{
	size_t n = 0;

	/* Its rules do not exclude each other. */
	for (const struct rule *const *at = j->by_state[STATE_LISTEN]; *at && n < MAX_CONN_RULES; at++)
		if ((*at)->claims(c, &j->bounds) == VERDICT_FIRES) {
			c->rules[n++] = (*at)->text.id;
			add(j, *at, c);
		}
	c->rules[n] = NULL;
}

bool judge_wants_proc(const struct proc *p)
{
	return limits_is_near(p) || p->n_dead > 0;
}

static struct group *push_proc(struct judge *j, int row, const struct proc *p)
{
	const struct rule *r = &limit_rules[row];
	struct group *g = groups_push(&j->groups, r);

	*g = (struct group){
		.rule = r,
		.count = 1,
		.subject = { .kind = SUBJECT_PROCESS, .proc = p },
		.weakest = CERTAINTY_CERTAIN,
	};
	return g;
}

void judge_proc(struct judge *j, const struct look *look, const struct proc *p)
{
	if (limits_is_near(p))
		gather_sockets_of(push_proc(j, LIMIT_NOFILE, p), look);
	if (p->n_dead > 0)
		push_proc(j, LIMIT_DEAD, p);
}

static void push_host(struct judge *j, int row, const struct netns *ns,
		      const struct audit_row *audit, int64_t value)
{
	const struct rule *r = &host_rules[row];
	struct group *g = groups_push(&j->groups, r);

	*g = (struct group){
		.rule = r,
		.count = 1,
		.subject = { .kind = SUBJECT_HOST, .netns = ns },
		.weakest = CERTAINTY_CERTAIN,
		.value = value,
	};
	if (audit)
		host_fill_audit(g, audit, j->arena);
}

static uint64_t count_minisocks(const struct look *look, const struct netns *ns)
{
	uint64_t n = 0;

	for (size_t i = 0; i < look->n_socks; i++)
		n += &look->netns[look->socks[i].netns] == ns && !look->socks[i].full &&
		     (STATE_BIT(look->socks[i].state) &
		      (STATE_BIT(STATE_TIME_WAIT) | STATE_BIT(STATE_FIN_WAIT_2)));
	return n;
}

void judge_host(struct judge *j, const struct look *look, const struct netns *ns)
{
	struct audit_row *rows = arena_array(j->arena, MAX_AUDIT_ROWS, sizeof(*rows));
	size_t n = settings_audit(look, ns, rows);
	uint64_t minisocks = count_minisocks(look, ns);

	for (size_t i = 0; i < n; i++)
		if (rows[i].rule_row >= 0)
			push_host(j, rows[i].rule_row, ns, &rows[i], 0);
	if (host_tw_is_full(ns, minisocks))
		push_host(j, HOST_TW_OVERFLOW, ns, NULL, (int64_t)minisocks);
	if (host_orphans_are_many(ns, &look->host))
		push_host(j, HOST_ORPHANS, ns, NULL, look->host.orphans.value);
	if (host_conntrack_is_full(ns))
		push_host(j, HOST_CONNTRACK, ns, NULL, ns->sysctls.conntrack_count.value);
}

void judge_ports(struct judge *j, const struct port_budget *budget, const struct conn *example)
{
	const struct rule *r = &port_rules[0];
	struct port_budget *kept;
	struct group *g;

	if (budget->capacity == 0)
		return;
	kept = arena_alloc(j->arena, sizeof(*kept));
	*kept = *budget;
	g = groups_push(&j->groups, r);
	*g = (struct group){
		.rule = r,
		.count = budget->used,
		.ports = kept,
		.weakest = CERTAINTY_CERTAIN,
		.subject = {
			.kind = SUBJECT_DESTINATION,
			.netns = budget->netns,
			.peer = budget->peer,
			.local = { .addr = budget->local },
			.has_peer = true,
			.has_local = true,
			.proc = example->n_holders == 1 ? example->holders[0].proc : NULL,
		},
		.basis = example->basis,
	};
	gather_candidates(g, example);
}

static struct finding *finding_new(const struct judge *j, struct findings *all, const struct group *g)
{
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 16;
		all->at = xrealloc_array(all->at, all->cap, sizeof(*all->at));
	}
	struct finding *f = &all->at[all->n++];
	*f = (struct finding){
		.text = &g->rule->text,
		.place = all->n - 1,
		.certainty = g->weakest,
		.subject = g->subject,
		.count = g->count,
		.oldest = g->oldest,
		.examples = g->examples,
		.n_examples = g->n_examples < j->n_shown ? g->n_examples : j->n_shown,
	};
	return f;
}

static int by_number(const void *va, const void *vb)
{
	const uint32_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

static bool weigh(struct judge *j, struct findings *ret, struct group *g)
{
	struct finding *f;

	if (g->count == 0) /* only witnesses */
		return false;
	f = finding_new(j, ret, g);
	qsort(g->fds, g->n_fds < GROUP_FDS_MAX ? g->n_fds : GROUP_FDS_MAX, sizeof(*g->fds), by_number);
	f->own_fix = runtime_fix(g->subject.proc, g->rule->advice);
	if (g->rule->weigh(g, &j->bounds, f)) {
		fact_options(f, g);
		return true;
	}
	ret->n--;
	return false;
}

/* A group too small for its rule, into the group of the rule it names instead. */
static void pour(struct judge *j, const struct group *from)
{
	struct group *into;

	if (from->n_examples == 0)
		return;
	into = groups_of(&j->groups, from->rule->otherwise, &from->examples[0]);
	if (!into)
		return;
	gather_group(into, from);
	for (size_t i = 0; i < from->n_examples; i++)
		groups_keep_example(&j->groups, into, &from->examples[i]);
}

static int worst_first(const void *va, const void *vb)
{
	const struct finding *a = va, *b = vb;

	if (a->severity != b->severity)
		return a->severity < b->severity ? 1 : -1;
	if (a->certainty != b->certainty)
		return a->certainty < b->certainty ? 1 : -1;
	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	int order = strcmp(a->text->id, b->text->id);

	return order ? order : (a->place > b->place) - (a->place < b->place);
}

void judge_end(struct judge *j, struct findings *ret)
{
	const struct groups *all = &j->groups;
	struct finding *at;

	*ret = (struct findings){ .arena = j->arena, .n_uncounted = j->groups.n_uncounted };
	/* Crowds first: what they give up is poured into groups that are weighed afterwards. */
	for (size_t i = 0; i < all->n; i++)
		if (all->at[i]->rule->otherwise && !weigh(j, ret, all->at[i]))
			pour(j, all->at[i]);
	for (size_t i = 0; i < all->n; i++)
		if (!all->at[i]->rule->otherwise)
			weigh(j, ret, all->at[i]);
	if (ret->n)
		qsort(ret->at, ret->n, sizeof(*ret->at), worst_first);
	at = arena_array(j->arena, ret->n, sizeof(*at));
	if (ret->n)
		memcpy(at, ret->at, ret->n * sizeof(*at));
	free(ret->at);
	ret->at = at;
	judge_free(j);
}

void judge_free(struct judge *j)
{
	groups_free(&j->groups);
	free(j);
}

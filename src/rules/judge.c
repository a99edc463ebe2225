#include "rules/judge.h"
#include "rules/catalogue.h"
#include "rules/cause.h"
#include "rules/facts.h"
#include "rules/gather.h"
#include "rules/host.h"
#include "rules/limits.h"
#include "rules/reset.h"
#include "rules/settings.h"
#include "util/hash.h"
#include "util/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How it works: each connection is offered to the rows of its state in order; the first that fires
 * claims it. Claims gather in groups keyed by (rule, whom it is about). At the end each group is
 * weighed once. A group that turns out too small for its rule is poured into the rule named by
 * `otherwise`, so that no socket stays without a sentence.
 *
 * Strangers choose how many destinations there are. Those beyond MAX_DESTINATIONS of a rule share one
 * group; where only a crowd makes the rule true, more are told apart and the rest is in none.
 *
 * A rule of packets may want to hear of connections that it does not claim. Such witnesses find the
 * group of their server, or make it: one in which nothing else is comes to nothing. */

enum { MAX_ROWS = 32, MAX_DESTINATIONS = 1000, MAX_CROWDS = 1 << 16 };

struct group_key {
	const struct rule *rule;
	const struct proc *proc;
	const struct netns *netns;
	struct endpoint local, peer;
	uint32_t extra; /* state of an unjudged group, kind of a packet group */
};
_Static_assert(sizeof(struct group_key) == 64, "hashed whole: no padding");

struct judge {
	struct arena *arena;
	struct bounds bounds;
	size_t n_examples, n_shown; /* one is kept where none is shown: rules read it */
	/* The rows to ask about a socket of each state, and about a flow; ended by NULL. */
	const struct rule *by_state[STATE_MAX][MAX_ROWS + 1];
	const struct rule *of_flows[MAX_ROWS + 1], *with_witness[MAX_ROWS + 1];
	uint32_t n_witnessed;     /* groups that a witness made */
	uint32_t *n_destinations; /* by rules_place(): groups about one destination */
	uint64_t n_uncounted;
	struct hash_key hash_key;
	struct index by_key;
	struct group **groups;
	struct group_key *keys;
	size_t n, cap;
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
	j->n_examples = n_examples ? n_examples : 1;
	j->n_destinations = arena_array(arena, rules_count(), sizeof(*j->n_destinations));
	j->hash_key = hash_key_new();
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
	return (r->needs & NEED_RQUEUE) && s->full && (s->full->is_mptcp || s->full->is_subflow);
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

/* The ports of a server's clients tell nothing. */
static struct endpoint peer_of(const struct conn *c)
{
	struct endpoint peer = c->sock->pair.peer;

	if (c->listener || c->sock->pair.local.port < peer.port)
		peer.port = 0;
	return peer;
}

static struct group_key key_of(const struct rule *r, const struct conn *c)
{
	struct group_key key = { .rule = r };
	enum scope scope = r->scope;

	if (scope == SCOPE_FLOW) {
		key.peer = c->flow->end[SIDE_SERVER].at;
		key.extra = r->kind_of ? r->kind_of(c) : 0;
		return key;
	}
	key.netns = c->netns;
	if (scope == SCOPE_SERVICE)
		scope = c->listener ? SCOPE_LISTENER : SCOPE_DESTINATION;
	if ((scope == SCOPE_PROCESS || scope == SCOPE_PROCESS_DESTINATION) && c->n_holders > 0)
		key.proc = c->holders[0].proc;
	if (scope == SCOPE_LOCAL || (scope == SCOPE_LISTENER && c->sock->state == STATE_LISTEN))
		key.local = c->sock->pair.local;
	else if (scope == SCOPE_LISTENER && c->listener)
		key.local = c->listener->pair.local;
	else if (scope == SCOPE_DESTINATION || scope == SCOPE_PROCESS_DESTINATION)
		key.peer = c->sock->pair.peer;
	else if (scope == SCOPE_PEER)
		key.peer = peer_of(c);
	if (r == rules_unjudged())
		key.extra = c->sock->state;
	return key;
}

static enum subject_kind subject_kind_of(const struct rule *r, const struct conn *c)
{
	switch (r->scope) {
	case SCOPE_PROCESS:
	case SCOPE_PROCESS_DESTINATION:
		return SUBJECT_PROCESS;
	case SCOPE_LISTENER:
	case SCOPE_LOCAL:
		return SUBJECT_LISTENER;
	case SCOPE_DESTINATION:
	case SCOPE_PEER:
		return SUBJECT_DESTINATION;
	case SCOPE_SERVICE:
		return c->listener ? SUBJECT_LISTENER : SUBJECT_DESTINATION;
	case SCOPE_NETNS:
		return SUBJECT_HOST;
	case SCOPE_FLOW:
		return SUBJECT_DESTINATION;
	}
	return SUBJECT_HOST;
}

static struct subject subject_of(const struct rule *r, const struct conn *c,
				 const struct group_key *key, bool is_rest)
{
	struct subject s = {
		.kind = subject_kind_of(r, c),
		.netns = key->netns,
		.proc = key->proc,
		.local = key->local,
		.peer = key->peer,
		.has_local = key->local.port != 0,
		.has_peer = !is_rest && (key->peer.port != 0 || r->scope == SCOPE_PEER),
		.is_rest = is_rest,
	};

	/* An inferred owner is named only where there is one candidate. */
	if (!s.proc && !is_rest && r->scope != SCOPE_NETNS && c->n_holders == 1)
		s.proc = c->holders[0].proc;
	return s;
}

static struct group *push_group(struct judge *j, const struct group_key *key)
{
	if (j->n == j->cap) {
		j->cap = j->cap ? j->cap * 2 : 16;
		j->groups = xrealloc_array(j->groups, j->cap, sizeof(struct group *));
		j->keys = xrealloc_array(j->keys, j->cap, sizeof(*j->keys));
	}
	j->keys[j->n] = *key;
	return j->groups[j->n++] = arena_alloc(j->arena, sizeof(struct group));
}

static struct group *find_group(const struct judge *j, const struct group_key *key, uint64_t *ret_hash)
{
	uint64_t hash = hash_bytes(&j->hash_key, key, sizeof(*key));
	uint32_t at;

	*ret_hash = hash;
	for (size_t it = index_first(&j->by_key, hash); index_next(&j->by_key, hash, &it, &at);)
		if (memcmp(&j->keys[at], key, sizeof(*key)) == 0)
			return j->groups[at];
	return NULL;
}

/* Is it true of many together only? */
static bool needs_crowd(const struct rule *r)
{
	return r->otherwise || r->kind_of;
}

/* Is this a destination too many for the rule? Counts it, if it is none. */
static bool is_too_many(struct judge *j, const struct group_key *key)
{
	static const struct endpoint none;
	uint32_t *n = &j->n_destinations[rules_place(key->rule)];

	if (memcmp(&key->peer, &none, sizeof(none)) == 0)
		return false;
	if (*n >= (needs_crowd(key->rule) ? MAX_CROWDS : MAX_DESTINATIONS))
		return true;
	(*n)++;
	return false;
}

static struct group *add_group(struct judge *j, const struct rule *r, const struct conn *c,
			       const struct group_key *key, uint64_t hash, bool is_rest)
{
	struct group *g;

	index_add(&j->by_key, hash, (uint32_t)j->n);
	g = push_group(j, key);
	g->rule = r;
	g->subject = subject_of(r, c, key, is_rest);
	g->first_fin_ns = TIME_NONE;
	g->ends_first_ms = UINT64_MAX;
	g->weakest = CERTAINTY_CERTAIN;
	return g;
}

/* NULL: there is no room; counted. */
static struct group *group_of(struct judge *j, const struct rule *r, const struct conn *c)
{
	struct group_key key = key_of(r, c);
	uint64_t hash;
	struct group *g = find_group(j, &key, &hash);
	/* One that only witnesses have found so far counts as a destination from now on. */
	bool is_rest = (!g || g->count == 0) && is_too_many(j, &key);

	if (is_rest && needs_crowd(r)) {
		j->n_uncounted++;
		return NULL;
	}
	if (is_rest) {
		memset(&key.peer, 0, sizeof(key.peer));
		g = find_group(j, &key, &hash);
	}
	return g ? g : add_group(j, r, c, &key, hash, is_rest);
}

static bool is_older(const struct conn *a, const struct conn *b)
{
	if (a->age.known != b->age.known)
		return a->age.known;
	return a->age.known && a->age.ms > b->age.ms;
}

/* Most groups are of one. */
static void make_room(const struct judge *j, struct group *g)
{
	struct conn *before = g->examples;

	if (g->n_examples > 1)
		return;
	g->examples = arena_array(j->arena, g->n_examples ? j->n_examples : 1, sizeof(*g->examples));
	if (g->n_examples)
		*g->examples = *before;
}

/* The oldest ones are worth showing: a full list gives up its youngest. */
static void keep_example(struct judge *j, struct group *g, const struct conn *c)
{
	struct conn *slot = NULL;

	if (g->n_examples < j->n_examples) {
		make_room(j, g);
		slot = &g->examples[g->n_examples++];
	} else if (c->sock) {
		for (size_t i = 0; i < g->n_examples; i++)
			if (is_older(c, &g->examples[i]) &&
			    (!slot || is_older(slot, &g->examples[i])))
				slot = &g->examples[i];
	}
	if (!slot)
		return;
	*slot = *c;
	if (c->flow && !c->sock) /* a view of the flow table, gone after this call */
		slot->flow = flow_keep(c->flow, j->arena);
}

static void add(struct judge *j, const struct rule *r, const struct conn *c)
{
	struct group *g = group_of(j, r, c);
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
	keep_example(j, g, c);
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
	struct group_key key;
	struct group *g;
	uint64_t hash;

	if (!r->is_witness(c) || fires_on_flow(j, r, c))
		return;
	key = key_of(r, c);
	g = find_group(j, &key, &hash);
	if (!g && j->n_witnessed == MAX_CROWDS) {
		j->n_uncounted++;
		return;
	}
	if (!g) {
		j->n_witnessed++;
		g = add_group(j, r, c, &key, hash, false);
	}
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
	struct group *g = push_group(j, &(struct group_key){ .rule = r });

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
	struct group *g = push_group(j, &(struct group_key){ .rule = r });

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
	g = push_group(j, &(struct group_key){ .rule = r });
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
		.n_owners = example->n_holders,
		.basis = example->basis,
	};
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
	into = group_of(j, from->rule->otherwise, &from->examples[0]);
	if (!into)
		return;
	gather_group(into, from);
	for (size_t i = 0; i < from->n_examples; i++)
		keep_example(j, into, &from->examples[i]);
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
	struct finding *at;

	*ret = (struct findings){ .arena = j->arena, .n_uncounted = j->n_uncounted };
	/* Crowds first: what they give up is poured into groups that are weighed afterwards. */
	for (size_t i = 0; i < j->n; i++)
		if (j->groups[i]->rule->otherwise && !weigh(j, ret, j->groups[i]))
			pour(j, j->groups[i]);
	for (size_t i = 0; i < j->n; i++)
		if (!j->groups[i]->rule->otherwise)
			weigh(j, ret, j->groups[i]);
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
	index_free(&j->by_key);
	free(j->groups);
	free(j->keys);
	free(j);
}

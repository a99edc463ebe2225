#include "rules/groups.h"
#include "rules/catalogue.h"
#include "rules/judge.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DESTINATIONS = 1000, MAX_CROWDS = 1 << 16, MAX_WITNESSED = 1 << 14 };

struct group_key {
	const struct rule *rule;
	const struct proc *proc;
	const struct netns *netns;
	struct endpoint local, peer;
	uint32_t extra; /* state of an unjudged group, kind of a packet group, device of a listener */
};
_Static_assert(sizeof(struct group_key) == 64, "hashed whole: no padding");

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
	const struct sock *listener = c->sock->state == STATE_LISTEN ? c->sock : c->listener;
	if (scope == SCOPE_LOCAL) {
		key.local = c->sock->pair.local;
	} else if (scope == SCOPE_LISTENER && listener) {
		key.local = listener->pair.local;
		key.extra = listener->ifindex; /* another one may have the same address on another device */
	} else if (scope == SCOPE_DESTINATION || scope == SCOPE_PROCESS_DESTINATION) {
		key.peer = c->sock->pair.peer;
	} else if (scope == SCOPE_PEER) {
		key.peer = peer_of(c);
	}
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

static struct subject subject_of(const struct conn *c, const struct group_key *key, bool is_rest)
{
	const struct rule *r = key->rule;
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

static struct group *push(struct groups *all, const struct group_key *key)
{
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 16;
		all->at = xrealloc_array(all->at, all->cap, sizeof(struct group *));
		all->keys = xrealloc_array(all->keys, all->cap, sizeof(*all->keys));
	}
	all->keys[all->n] = *key;
	return all->at[all->n++] = arena_alloc(all->arena, sizeof(struct group));
}

struct group *groups_push(struct groups *all, const struct rule *r)
{
	return push(all, &(struct group_key){ .rule = r });
}

static struct group *find(const struct groups *all, const struct group_key *key, uint64_t *ret_hash)
{
	uint64_t hash = hash_bytes(&all->hash_key, key, sizeof(*key));
	uint32_t at;

	*ret_hash = hash;
	for (size_t it = index_first(&all->by_key, hash); index_next(&all->by_key, hash, &it, &at);)
		if (memcmp(&all->keys[at], key, sizeof(*key)) == 0)
			return all->at[at];
	return NULL;
}

/* Is it true of many together only? */
static bool needs_crowd(const struct rule *r)
{
	return r->otherwise || r->kind_of;
}

/* Is this a destination too many for the rule? Counts it, if it is none. */
static bool is_too_many(struct groups *all, const struct group_key *key)
{
	static const struct endpoint none;
	uint32_t *n = &all->n_destinations[rules_place(key->rule)];

	if (memcmp(&key->peer, &none, sizeof(none)) == 0)
		return false;
	if (*n >= (needs_crowd(key->rule) ? MAX_CROWDS : MAX_DESTINATIONS))
		return true;
	(*n)++;
	return false;
}

static struct group *add(struct groups *all, const struct conn *c, const struct group_key *key,
			 uint64_t hash, bool is_rest)
{
	struct group *g;

	index_add(&all->by_key, hash, (uint32_t)all->n);
	g = push(all, key);
	g->rule = key->rule;
	g->subject = subject_of(c, key, is_rest);
	g->first_fin_ns = TIME_NONE;
	g->ends_first_ms = UINT64_MAX;
	g->weakest = CERTAINTY_CERTAIN;
	return g;
}

struct group *groups_of(struct groups *all, const struct rule *r, const struct conn *c)
{
	struct group_key key = key_of(r, c);
	uint64_t hash;
	struct group *g = find(all, &key, &hash);
	/* One that only witnesses have found so far counts as a destination from now on. */
	bool is_rest = (!g || g->count == 0) && is_too_many(all, &key);

	if (is_rest && needs_crowd(r)) {
		all->n_uncounted++;
		return NULL;
	}
	if (is_rest) {
		memset(&key.peer, 0, sizeof(key.peer));
		g = find(all, &key, &hash);
	}
	if (g)
		return g;
	g = add(all, c, &key, hash, is_rest);
	if (r->is_witness && all->is_unheard) {
		g->lacks_witnesses = true;
		all->n_uncounted++;
	}
	return g;
}

struct group *groups_of_witness(struct groups *all, const struct rule *r, const struct conn *c)
{
	struct group_key key = key_of(r, c);
	uint64_t hash;
	struct group *g = find(all, &key, &hash);

	if (g)
		return g;
	if (all->n_witnessed == MAX_WITNESSED) {
		all->is_unheard = true;
		return NULL;
	}
	all->n_witnessed++;
	return add(all, c, &key, hash, false);
}

static bool is_older(const struct conn *a, const struct conn *b)
{
	if (a->age.known != b->age.known)
		return a->age.known;
	return a->age.known && a->age.ms > b->age.ms;
}

/* Most groups are of one. */
static void make_room(const struct groups *all, struct group *g)
{
	struct conn *before = g->examples;

	if (g->n_examples > 1)
		return;
	g->examples = arena_array(all->arena, g->n_examples ? all->n_examples : 1, sizeof(*g->examples));
	if (g->n_examples)
		*g->examples = *before;
}

/* The oldest ones are worth showing: a full list gives up its youngest. */
void groups_keep_example(struct groups *all, struct group *g, const struct conn *c)
{
	struct conn *slot = NULL;

	if (g->n_examples < all->n_examples) {
		make_room(all, g);
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
		slot->flow = flow_keep(c->flow, all->arena);
}

void groups_init(struct groups *all, struct arena *arena, size_t n_examples)
{
	*all = (struct groups){
		.arena = arena,
		.n_examples = n_examples,
		.n_destinations = arena_array(arena, rules_count(), sizeof(*all->n_destinations)),
		.hash_key = hash_key_new(),
	};
}

void groups_free(struct groups *all)
{
	index_free(&all->by_key);
	free(all->at);
	free(all->keys);
}

#pragma once

/* What rules have claimed, in groups: one for each rule and whom it is about.
 *
 * Strangers choose how many destinations there are. Those beyond 1000 of a rule share one group; where only
 * a crowd makes the rule true (`otherwise`, kind_of), 65536 are told apart and the rest is in none, which
 * n_uncounted counts. Groups and examples live in the arena; groups_free() releases the rest. */

#include "rules/rule.h"
#include "util/arena.h"
#include "util/hash.h"
#include "util/index.h"

struct group_key;

struct groups {
	struct arena *arena;
	size_t n_examples;        /* kept of each; at least 1 */
	struct group **at;
	struct group_key *keys;
	size_t n, cap;
	uint32_t *n_destinations; /* by rules_place(): groups about one destination */
	uint32_t n_witnessed;     /* groups that a witness made; at most 16384: */
	bool is_unheard;          /* there was no room for another */
	uint64_t n_uncounted;
	struct hash_key hash_key;
	struct index by_key;
};

void groups_init(struct groups *all, struct arena *arena, size_t n_examples);
/* Where a connection belongs that the rule has claimed; NULL: there is no room. */
struct group *groups_of(struct groups *all, const struct rule *r, const struct conn *c);
/* The same of one that only has something to tell. */
struct group *groups_of_witness(struct groups *all, const struct rule *r, const struct conn *c);
/* A new one that no connection finds: of a process, of a host. */
struct group *groups_push(struct groups *all, const struct rule *r);
/* The oldest sockets, or the first flows; of these a copy is kept. */
void groups_keep_example(struct groups *all, struct group *g, const struct conn *c);
void groups_free(struct groups *all);

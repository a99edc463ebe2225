#pragma once

/* The sockets whose owners are looked for, by inode, and the holders found so far.
 *
 * Inodes are unique on a machine (sockfs), whatever the namespace. Starts as { 0 }; wants_free()
 * ends it. Holders become part of the look with wants_assign(). */

#include "live/live.h"
#include "model/look.h"
#include "util/hash.h"
#include "util/index.h"

struct want {
	uint32_t inode;
	uint32_t n_hits;
	uint32_t first; /* of its holders, once they are in order */
};

struct hit {
	uint32_t want;
	struct holder holder;
};

struct wants {
	struct hash_key key;
	struct index index;
	struct want *at;
	size_t n, cap;
	size_t n_unowned; /* without any holder yet */
	struct hit *hits;
	size_t n_hits, cap_hits;
};

void wants_collect(struct wants *w, const struct look *look, enum owners_wanted wanted);
/* NULL: nobody asked for it. */
struct want *wants_find(const struct wants *w, uint64_t inode);
void wants_add(struct wants *w, struct want *want, struct holder holder);
/* Gives every socket its holders, in the order they were found or by pid and descriptor. */
void wants_assign(struct wants *w, struct look *look, bool in_order);
void wants_free(struct wants *w);

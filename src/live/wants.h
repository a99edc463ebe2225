#pragma once

/* The sockets whose owners are looked for, by inode, and the holders found so far.
 *
 * Inodes are unique on a machine (sockfs), whatever the namespace; an MPTCP socket and its first
 * subflow share one. Starts as { 0 }; wants_free() ends it. Holders become part of the look with
 * wants_assign(), before which its sockets must not move. */

#include "live/live.h"
#include "model/look.h"

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
	struct want *at; /* by inode, each once */
	uint64_t *socks; /* inode << 32 | place in look->socks, in order */
	size_t n, n_socks, cap_socks;
	size_t last;      /* found last */
	size_t n_unowned; /* without any holder yet */
	struct hit *hits;
	size_t n_hits, cap_hits;
};

void wants_collect(struct wants *w, const struct look *look, enum owners_wanted wanted);
/* NULL: nobody asked for it. */
struct want *wants_find(struct wants *w, uint64_t inode);
void wants_add(struct wants *w, struct want *want, struct holder holder);
/* Gives every socket its holders, in the order they were found or by pid and descriptor. */
void wants_assign(struct wants *w, struct look *look, bool in_order);
void wants_free(struct wants *w);

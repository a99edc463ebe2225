#pragma once

/* A host in memory: sockets as join/ would hand them over, checked in one call. */

#include "check/check.h"
#include "test.h"

#include <string.h>

enum { OLD_MS = 600000 };

static struct netns netns = {
	.inode = 4026531840,
	.sysctls = { .max_tw_buckets = { true, 1000 }, .max_orphans = { true, 100 } },
};
static struct proc leaky = { .pid = 812, .comm = "leaky", .fd_limit = 1000 };

struct host_conn {
	struct conn conn;
	struct sock sock;
	struct sock_full full;
};

static inline void make_conn(struct host_conn *h, enum state state, const struct proc *owner,
			     uint64_t age_ms)
{
	*h = (struct host_conn){
		.full = { .inode = 7 },
		.sock = { .state = (uint8_t)state },
		.conn = { .netns = &netns, .age = { true, true, age_ms },
			  .owner = owner ? OWNER_KNOWN : OWNER_HIDDEN, .n_holders = owner ? 1 : 0,
			  .holders = { { .proc = owner, .fd = 5 } } },
	};
	h->sock.full = &h->full;
	h->conn.sock = &h->sock;
}

static inline struct look *make_look(void)
{
	struct look *look = look_new();

	look->netns = &netns;
	look->n_netns = 1;
	look->host.orphans = (struct setting){ true, 0 };
	return look;
}

static inline const struct check_result *result(const struct check_results *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->at[i].row->name, name) == 0)
			return &all->at[i];
	fail_msg("no check %s", name);
	return NULL;
}

/* n alike; what else there is comes from the look. */
static inline void check_by(const struct look *look, struct host_conn *h, size_t n, const struct check_levels *levels,
			    bool is_whole, struct check_results *ret)
{
	static const struct check_past nothing;
	struct check *k = check_new(look, OLD_MS, &nothing);
	struct findings none = { 0 };

	h->conn.sock = &h->sock;
	for (size_t i = 0; i < n; i++)
		check_sock(k, &h->conn);
	check_end(k, &none, levels, is_whole, ret);
}

static inline void check_many(const struct look *look, struct host_conn *h, size_t n,
			      bool is_whole, struct check_results *ret)
{
	struct check_levels levels;

	check_levels_default(&levels);
	check_by(look, h, n, &levels, is_whole, ret);
}

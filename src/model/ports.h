#pragma once

/* The budget of local ports towards one destination: a 4-tuple may exist once, so every socket from
 * one source address to one destination address and port uses one port of ip_local_port_range.
 * Source: Linux net/ipv4/inet_hashtables.c, __inet_hash_connect(). */

#include "model/host.h"
#include "model/sock.h"

#include <stdint.h>

struct port_budget {
	const struct netns *netns;
	struct addr local;
	struct endpoint peer;
	uint32_t used;         /* local ports inside the range, any state */
	uint32_t time_wait;    /* of these */
	uint32_t reusable;     /* TIME-WAITs that connect() may take over now */
	uint32_t capacity;     /* ports of the range less reserved ones; 0: unknown */
	uint64_t drain_10s;    /* TIME-WAITs that end within ten seconds */
	uint64_t new_10s;      /* those that began within the last ten seconds */
	const struct sock *example;
};

struct port_budgets {
	struct port_budget *at;
	size_t n, cap;
};

#pragma once

/* What join_new() builds; shared by the files of join/ only. */

#include "join/join.h"
#include "util/hash.h"
#include "util/index.h"

struct peer_procs;

/* Which ports are in an index. Of a million TIME-WAITs most need no more than this no. */
struct port_set {
	uint64_t bits[UINT16_MAX / 64 + 1];
};

static inline void port_set_add(struct port_set *s, uint16_t port)
{
	s->bits[port / 64] |= UINT64_C(1) << (port % 64);
}

static inline bool port_set_has(const struct port_set *s, uint16_t port)
{
	return s->bits[port / 64] >> (port % 64) & 1;
}

struct join {
	const struct look *look;
	struct hash_key key;
	struct index by_pair, listeners; /* into look->socks */
	struct index by_token;           /* MPTCP sockets and their subflows, into look->socks */
	struct index by_flow;            /* into flows */
	struct index by_peer;            /* into peers */
	struct port_set listening, talked_to; /* the ports in listeners, in by_peer */
	const struct flow **flows;
	size_t n_flows, cap_flows;
	bool has_peers, has_timewaits; /* they are indexed: once somebody asks */
	struct peer_procs *peers;
	size_t n_peers, cap_peers;
};

/* The listener whose port, address and device fit best; NULL: none. *ret_n counts equally good ones. */
const struct sock *join_listener(const struct join *j, const struct sock *s, size_t *ret_n);

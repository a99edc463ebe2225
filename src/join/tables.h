#pragma once

/* What join_new() builds; shared by the files of join/ only. */

#include "join/join.h"
#include "util/hash.h"
#include "util/index.h"

struct peer_procs;

struct join {
	const struct look *look;
	struct hash_key key;
	struct index by_pair, listeners; /* into look->socks */
	struct index by_token;           /* MPTCP sockets, into look->socks */
	struct index by_flow;            /* into flows */
	struct index by_peer;            /* into peers */
	const struct flow **flows;
	size_t n_flows, cap_flows;
	struct peer_procs *peers;
	size_t n_peers, cap_peers;
};

/* The listener whose port and address fit best; NULL: none. *ret_n counts equally good ones. */
const struct sock *join_listener(const struct join *j, const struct sock *s, size_t *ret_n);

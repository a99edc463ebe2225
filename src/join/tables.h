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

/* All that the choice of a listener asks of a connection. */
struct local_end {
	struct endpoint at;
	uint16_t netns;
	uint32_t device;
};
_Static_assert(sizeof(struct local_end) == 24, "compared whole: no padding");

enum { KNOWN_ENDS = 64 };
struct known_end {
	struct local_end end;
	bool is_there;
	uint32_t set; /* among sets; one of nobody, where no listener fits */
};

/* Listeners that fit a connection equally well: SO_REUSEPORT allows several. */
struct listeners {
	const struct sock *first, *longest; /* one of them, and one with the longest queue; NULL: unknown */
	uint32_t first_at;
	int fit;
	size_t n;
	const struct holder *holders; /* one a process, the longest queues first */
	const uint32_t *queues;       /* what waits in the listeners of each */
	size_t n_holders, n_queued;   /* the first n_queued have somebody waiting */
};

struct join {
	const struct look *look;
	struct hash_key key;
	struct index by_pair, listeners; /* into look->socks */
	struct index by_token;           /* MPTCP sockets and their subflows, into look->socks */
	struct index by_flow;            /* into flows */
	struct index by_peer;            /* into peers */
	struct index by_fit;             /* into sets */
	struct port_set listening, talked_to; /* the ports in listeners, in by_peer */
	const struct flow **flows;
	size_t n_flows, cap_flows;
	bool has_peers, has_timewaits; /* they are indexed: once somebody asks */
	struct peer_procs *peers;
	size_t n_peers, cap_peers;
	struct listeners *sets;
	size_t n_sets, cap_sets;
	struct known_end known_ends[KNOWN_ENDS];
};

void listeners_add(struct join *j, uint32_t at);
/* Those that fit the connection best; NULL: there are none. It is good until the next call, what it points to
 * as long as the look. */
const struct listeners *listeners_of(struct join *j, const struct sock *s);
bool listeners_has(const struct join *j, const struct sock *s);
/* How long the oldest client that nobody has accepted waits for this listener, at least; 0: not known. */
uint64_t listeners_oldest_client(const struct join *j, const struct sock *listener);

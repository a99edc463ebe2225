#include "join/tables.h"

#include <stdlib.h>
#include <string.h>

/* How it works: one pass over all sockets of any state. A socket counts if its local port lies in
 * the ephemeral range and is no listener's port: a server's TIME-WAITs use no ephemeral port. */

struct budget_key {
	struct addr local;
	struct endpoint peer;
	uint16_t netns;
};
_Static_assert(sizeof(struct budget_key) == 36, "hashed whole: no padding");

/* May connect() take this TIME-WAIT over now? The peer's timestamps are not visible. */
static bool is_reusable(const struct sysctls *ctl, const struct sock *s)
{
	uint64_t delay_ms = ctl->tw_reuse_delay_ms.known ? (uint64_t)ctl->tw_reuse_delay_ms.value :
							   1000;
	bool loopback = addr_is_loopback(s->pair.local.addr) ||
			addr_is_loopback(s->pair.peer.addr);

	if (!ctl->tw_reuse.known || (ctl->timestamps.known && ctl->timestamps.value == 0))
		return false;
	if (ctl->tw_reuse.value != 1 && !(ctl->tw_reuse.value == 2 && loopback))
		return false;
	return s->state == STATE_TIME_WAIT && s->expires_ms + delay_ms <= 60000;
}

static uint32_t capacity(const struct sysctls *ctl)
{
	if (!ctl->port_low.known || !ctl->port_high.known)
		return 0;
	int64_t n = ctl->port_high.value - ctl->port_low.value + 1 - ctl->reserved_in_range;
	return n > 0 && n <= 65536 ? (uint32_t)n : 0;
}

static struct port_budget *budget_of(const struct join *j, struct index *ix,
				     struct port_budgets *all, const struct sock *s)
{
	struct budget_key key = { s->pair.local.addr, s->pair.peer, s->netns };
	uint64_t hash = hash_bytes(&j->key, &key, sizeof(key));
	const struct netns *netns = &j->look->netns[s->netns];
	uint32_t at;

	for (size_t it = index_first(ix, hash); index_next(ix, hash, &it, &at);) {
		struct port_budget *b = &all->at[at];

		if (b->netns == netns && addr_equal(b->local, key.local) &&
		    endpoint_equal(b->peer, key.peer))
			return b;
	}
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 64;
		all->at = xrealloc_array(all->at, all->cap, sizeof(*all->at));
	}
	index_add(ix, hash, (uint32_t)all->n);
	struct port_budget *b = &all->at[all->n++];
	*b = (struct port_budget){
		.netns = netns,
		.local = key.local,
		.peer = key.peer,
		.capacity = capacity(&netns->sysctls),
		.example = s,
	};
	return b;
}

static bool uses_ephemeral_port(const struct join *j, const struct sock *s)
{
	if (s->state == STATE_LISTEN || s->state == STATE_CLOSED || s->netns >= j->look->n_netns)
		return false;
	/* The port is its subflow's. */
	if (sock_is_mptcp(s))
		return false;
	const struct sysctls *ctl = &j->look->netns[s->netns].sysctls;

	return ctl->port_low.known && s->pair.local.port >= ctl->port_low.value &&
	       s->pair.local.port <= ctl->port_high.value && !listeners_has(j, s);
}

void join_ports(const struct join *j, uint32_t min_used, struct port_budgets *ret)
{
	struct index ix = { 0 };
	size_t kept = 0;

	*ret = (struct port_budgets){ 0 };
	for (size_t i = 0; i < j->look->n_socks; i++) {
		const struct sock *s = &j->look->socks[i];

		if (!uses_ephemeral_port(j, s))
			continue;
		struct port_budget *b = budget_of(j, &ix, ret, s);
		b->used++;
		if (s->state != STATE_TIME_WAIT)
			continue;
		b->time_wait++;
		b->reusable += is_reusable(&j->look->netns[s->netns].sysctls, s);
		b->drain_10s += s->expires_ms <= 10000;
		b->new_10s += s->expires_ms > 50000 && s->expires_ms <= 60000;
	}
	index_free(&ix);
	for (size_t i = 0; i < ret->n; i++)
		if (ret->at[i].used >= min_used)
			ret->at[kept++] = ret->at[i];
	ret->n = kept;
}

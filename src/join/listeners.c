#include "join/tables.h"

#include <stdlib.h>
#include <string.h>

/* How it works: the kernel looks for a listener by port, address and device, and where SO_REUSEPORT lets
 * several be equally good, a hash of the connection chooses. Nothing in a dump tells which one: all of them are
 * candidates. Who holds them is found once for each set of such listeners, and which set it is is remembered of
 * the last few local ends: a million connections may ask. */

enum { EXACT_FIT = 3 }; /* the best that an address alone can do */

/* Who holds one or more of the listeners, and what waits in these. */
struct claim {
	const struct holder *holder;
	uint32_t queue;
};

static uint64_t port_hash(const struct join *j, uint16_t netns, uint16_t port)
{
	return hash_u64(&j->key, (uint64_t)netns << 16 | port);
}

void listeners_add(struct join *j, uint32_t at)
{
	const struct sock *s = &j->look->socks[at];

	index_add(&j->listeners, port_hash(j, s->netns, s->pair.local.port), at);
	port_set_add(&j->listening, s->pair.local.port);
}

static bool is_same_device(const struct sock *a, const struct sock *b)
{
	return a->ifindex == b->ifindex &&
	       (!a->full || !b->full || a->full->ifindex == b->full->ifindex);
}

/* How well a listener fits a local address: exact, then a wildcard of the family, then [::]. */
static int address_fit(const struct sock *listener, const struct sock *s)
{
	bool local_is_v4 = addr_is_v4(s->pair.local.addr);

	if (local_is_v4 && listener->full && listener->full->is_v6only)
		return 0;
	if (addr_equal(listener->pair.local.addr, s->pair.local.addr))
		return EXACT_FIT;
	if (!addr_is_any(listener->pair.local.addr))
		return 0;
	if (local_is_v4 == !listener->is_inet6)
		return 2;
	return local_is_v4 ? 1 : 0;
}

/* A connection is bound to the device that its listener is bound to, so a listener of that device beats any
 * that is bound to none. Those of the latter are bound, too, where the peer's address is link-local, and to
 * their VRF with tcp_l3mdev_accept. Source: Linux net/ipv4/inet_hashtables.c, compute_score();
 * include/net/inet_sock.h, inet_request_bound_dev_if(), inet_bound_dev_eq(); net/ipv6/tcp_ipv6.c,
 * tcp_v6_init_req(). */
static int listener_fit(const struct sock *listener, const struct sock *s)
{
	int fit = address_fit(listener, s);

	if (fit == 0 || listener->ifindex == 0)
		return fit;
	return is_same_device(listener, s) ? fit + EXACT_FIT : 0;
}

/* The next listener of the connection's port in its namespace, and how well it fits. */
static const struct sock *next_fitting(const struct join *j, const struct sock *s, uint64_t hash, size_t *it,
				       uint32_t *ret_at, int *ret_fit)
{
	while (index_next(&j->listeners, hash, it, ret_at)) {
		const struct sock *l = &j->look->socks[*ret_at];

		if (l->netns != s->netns || l->pair.local.port != s->pair.local.port)
			continue;
		*ret_fit = listener_fit(l, s);
		if (*ret_fit > 0)
			return l;
	}
	return NULL;
}

/* All but the holders. */
static void find_best(const struct join *j, const struct sock *s, struct listeners *ret)
{
	uint64_t hash = port_hash(j, s->netns, s->pair.local.port);
	const struct sock *l;
	uint32_t at;
	int fit;

	for (size_t it = index_first(&j->listeners, hash); (l = next_fitting(j, s, hash, &it, &at, &fit));) {
		if (fit > ret->fit) {
			ret->first = l;
			ret->first_at = at;
			ret->fit = fit;
			ret->n = 0;
		}
		ret->n += fit == ret->fit;
	}
}

bool listeners_has(const struct join *j, const struct sock *s)
{
	struct listeners best = { 0 };

	if (port_set_has(&j->listening, s->pair.local.port))
		find_best(j, s, &best);
	return best.n > 0;
}

static int by_pid(const void *va, const void *vb)
{
	const struct claim *a = va, *b = vb;

	return (a->holder->proc->pid > b->holder->proc->pid) - (a->holder->proc->pid < b->holder->proc->pid);
}

static int longest_first(const void *va, const void *vb)
{
	const struct claim *a = va, *b = vb;

	return a->queue == b->queue ? by_pid(va, vb) : a->queue < b->queue ? 1 : -1;
}

/* Descriptors of one process are neighbours among the holders of a socket. */
static bool is_again(const struct sock_full *l, uint32_t i)
{
	return i > 0 && l->holders[i].proc == l->holders[i - 1].proc;
}

/* Every process that holds one of them, as often as it holds another one. The caller frees it. */
static struct claim *collect(const struct join *j, const struct sock *s, struct listeners *best, size_t *ret_n)
{
	uint64_t hash = port_hash(j, s->netns, s->pair.local.port);
	struct claim *claims = NULL;
	size_t n = 0, cap = 0;
	const struct sock *l;
	uint32_t at;
	int fit;

	for (size_t it = index_first(&j->listeners, hash); (l = next_fitting(j, s, hash, &it, &at, &fit));) {
		if (fit != best->fit || !l->full)
			continue;
		if (!best->longest || l->full->rqueue > best->longest->full->rqueue)
			best->longest = l;
		for (uint32_t i = 0; i < l->full->n_holders; i++) {
			if (is_again(l->full, i))
				continue;
			if (n == cap) {
				cap = cap ? cap * 2 : 16;
				claims = xrealloc_array(claims, cap, sizeof(*claims));
			}
			claims[n++] = (struct claim){ &l->full->holders[i], l->full->rqueue };
		}
	}
	*ret_n = n;
	return claims;
}

/* One of each process, those with the longest queues first. */
static size_t merge(struct claim *claims, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(claims, n, sizeof(*claims), by_pid);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && claims[kept - 1].holder->proc == claims[i].holder->proc)
			claims[kept - 1].queue += claims[i].queue;
		else
			claims[kept++] = claims[i];
	}
	if (kept > 1)
		qsort(claims, kept, sizeof(*claims), longest_first);
	return kept;
}

static void find_holders(const struct join *j, const struct sock *s, struct listeners *best)
{
	size_t n;
	struct claim *claims = collect(j, s, best, &n);
	struct arena *arena = j->look->arena;

	best->n_holders = merge(claims, n);
	struct holder *holders = arena_array(arena, best->n_holders, sizeof(*holders));
	uint32_t *queues = arena_array(arena, best->n_holders, sizeof(*queues));
	for (size_t i = 0; i < best->n_holders; i++) {
		holders[i] = *claims[i].holder;
		queues[i] = claims[i].queue;
		best->n_queued += queues[i] > 0;
	}
	best->holders = holders;
	best->queues = queues;
	free(claims);
}

static struct local_end end_of(const struct sock *s)
{
	struct local_end end = { .at = s->pair.local, .netns = s->netns, .device = s->ifindex };

	if (s->full)
		end.device = s->full->ifindex;
	else if (s->ifindex == UINT16_MAX)
		end.device = UINT32_MAX; /* that or more, see is_same_device() */
	return end;
}

/* A set is named by its first listener and by how well that one fits, which says what is equal: the address
 * itself or any, the family, the device. There are few, where local ends may be many (IP_TRANSPARENT). */
static uint32_t find_set(struct join *j, const struct sock *s)
{
	struct listeners best = { 0 };
	uint32_t at;

	find_best(j, s, &best);
	uint64_t hash = hash_u64(&j->key, (uint64_t)(best.first_at) << 8 | (uint64_t)best.fit);
	for (size_t it = index_first(&j->by_fit, hash); index_next(&j->by_fit, hash, &it, &at);)
		if (j->sets[at].first_at == best.first_at && j->sets[at].fit == best.fit)
			return at;
	if (j->n_sets == j->cap_sets) {
		j->cap_sets = j->cap_sets ? j->cap_sets * 2 : 16;
		j->sets = xrealloc_array(j->sets, j->cap_sets, sizeof(*j->sets));
	}
	if (best.n > 0)
		find_holders(j, s, &best);
	index_add(&j->by_fit, hash, (uint32_t)j->n_sets);
	j->sets[j->n_sets] = best;
	return (uint32_t)j->n_sets++;
}

const struct listeners *listeners_of(struct join *j, const struct sock *s)
{
	if (!port_set_has(&j->listening, s->pair.local.port))
		return NULL;
	struct local_end end = end_of(s);
	struct known_end *known = &j->known_ends[(end.at.port ^ end.at.addr.b[15] ^ end.device) % KNOWN_ENDS];

	if (!known->is_there || memcmp(&known->end, &end, sizeof(end)) != 0)
		*known = (struct known_end){ .end = end, .is_there = true, .set = find_set(j, s) };
	const struct listeners *l = &j->sets[known->set];
	return l->n > 0 ? l : NULL;
}

/* Few listeners have anybody in their queue when they are looked at: no index for them. */
uint64_t listeners_oldest_client(const struct join *j, const struct sock *listener)
{
	uint64_t oldest = 0;

	for (size_t i = 0; i < j->look->n_socks; i++) {
		const struct sock *s = &j->look->socks[i];

		if (s->pair.local.port != listener->pair.local.port || s->netns != listener->netns ||
		    !sock_is_unaccepted(s) || s->full->info.len < SOCK_INFO_LEN_BASIC ||
		    listener_fit(listener, s) == 0)
			continue;
		/* It exists at least since its last segment. */
		if (s->full->info.last_ack_recv_ms > oldest)
			oldest = s->full->info.last_ack_recv_ms;
	}
	return oldest;
}

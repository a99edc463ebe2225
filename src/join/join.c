#include "join/join.h"
#include "join/lifetime.h"
#include "join/tables.h"
#include "util/hash.h"
#include "util/index.h"

#include <stdlib.h>
#include <string.h>

/* How it works: four indexes over the look. Sockets by their pair (one hash serves "my flow" and,
 * with the pair swapped, "my other end"); listeners by port; flows by pair; and, for sockets that
 * have no owner any more, the processes that talk to a destination. Nothing is looked up for
 * sockets that nobody asks about. */

enum { MAX_PEER_PROCS = 8 };

/* Who on this host has live connections to one destination. */
struct peer_procs {
	uint16_t netns;
	struct endpoint peer;
	const struct holder *holders[MAX_PEER_PROCS]; /* one a process */
	size_t n;
	bool has_hidden; /* of a connection nobody was found to hold it, who may be any process */
};

static const struct netns no_netns;

static uint64_t pair_hash(const struct join *j, const struct pair *pair)
{
	return hash_bytes(&j->key, pair, sizeof(*pair));
}

static uint64_t token_hash(const struct join *j, const struct sock *s)
{
	return hash_u64(&j->key, (uint64_t)s->netns << 32 | s->full->token);
}

static uint64_t peer_hash(const struct join *j, uint16_t netns, const struct endpoint *peer)
{
	struct {
		struct endpoint peer;
		uint16_t netns;
	} key = { *peer, netns };

	_Static_assert(sizeof(key) == 20, "hashed whole: no padding");
	return hash_bytes(&j->key, &key, sizeof(key));
}

static struct peer_procs *peer_procs_find(const struct join *j, uint16_t netns,
					  const struct endpoint *peer)
{
	if (!port_set_has(&j->talked_to, peer->port))
		return NULL;
	uint64_t hash = peer_hash(j, netns, peer);
	uint32_t at;

	for (size_t it = index_first(&j->by_peer, hash); index_next(&j->by_peer, hash, &it, &at);)
		if (j->peers[at].netns == netns && endpoint_equal(j->peers[at].peer, *peer))
			return &j->peers[at];
	return NULL;
}

static void peer_procs_add(struct join *j, const struct sock *s)
{
	struct peer_procs *p = peer_procs_find(j, s->netns, &s->pair.peer);

	if (!p) {
		if (j->n_peers == j->cap_peers) {
			j->cap_peers = j->cap_peers ? j->cap_peers * 2 : 64;
			j->peers = xrealloc_array(j->peers, j->cap_peers, sizeof(*j->peers));
		}
		index_add(&j->by_peer, peer_hash(j, s->netns, &s->pair.peer),
			  (uint32_t)j->n_peers);
		port_set_add(&j->talked_to, s->pair.peer.port);
		p = &j->peers[j->n_peers++];
		*p = (struct peer_procs){ .netns = s->netns, .peer = s->pair.peer };
	}
	p->has_hidden |= s->full->n_holders == 0;
	for (uint32_t i = 0; i < s->full->n_holders; i++) {
		const struct holder *h = &s->full->holders[i];
		bool known = false;

		for (size_t k = 0; k < p->n && !known; k++)
			known = p->holders[k]->proc == h->proc;
		if (!known && p->n < MAX_PEER_PROCS)
			p->holders[p->n++] = h;
	}
}

/* A million accepted connections have a million destinations, which only orphans ask for. */
static void index_peers(struct join *j)
{
	for (size_t i = 0; i < j->look->n_socks; i++) {
		const struct sock *s = &j->look->socks[i];

		if (s->full && (s->full->n_holders > 0 || s->full->inode) && s->state != STATE_LISTEN)
			peer_procs_add(j, s);
	}
	j->has_peers = true;
}

struct join *join_new(const struct look *look)
{
	struct join *j = calloc(1, sizeof(*j));

	if (!j)
		arena_die();
	j->look = look;
	j->key = hash_key_new();
	for (size_t i = 0; i < look->n_socks; i++) {
		const struct sock *s = &look->socks[i];

		if (s->state == STATE_LISTEN) {
			listeners_add(j, (uint32_t)i);
		} else if (s->state != STATE_TIME_WAIT) {
			index_add(&j->by_pair, pair_hash(j, &s->pair), (uint32_t)i);
		}
		if (s->full && s->full->token)
			index_add(&j->by_token, token_hash(j, s), (uint32_t)i);
	}
	return j;
}

void join_free(struct join *j)
{
	if (!j)
		return;
	index_free(&j->by_pair);
	index_free(&j->listeners);
	index_free(&j->by_fit);
	index_free(&j->by_peer);
	index_free(&j->by_token);
	index_free(&j->by_flow);
	free(j->peers);
	free(j->sets);
	free(j->flows);
	free(j);
}

static struct pair flow_pair(const struct flow *flow, enum side side)
{
	return (struct pair){ flow->end[side].at, flow->end[side_other(side)].at };
}

static bool has_sock(const struct join *j, const struct pair *pair)
{
	uint64_t hash = pair_hash(j, pair);
	uint32_t at;

	for (size_t it = index_first(&j->by_pair, hash); index_next(&j->by_pair, hash, &it, &at);)
		if (pair_equal(&j->look->socks[at].pair, pair))
			return true;
	return false;
}

/* Only packets have anything to tell about them. */
static void index_timewaits(struct join *j)
{
	for (size_t i = 0; i < j->look->n_socks; i++)
		if (j->look->socks[i].state == STATE_TIME_WAIT)
			index_add(&j->by_pair, pair_hash(j, &j->look->socks[i].pair), (uint32_t)i);
	j->has_timewaits = true;
}

bool join_wants_flow(struct join *j, const struct flow *flow)
{
	struct pair pair = flow_pair(flow, SIDE_CLIENT);
	struct pair swapped = pair_swap(pair);

	if (!j->has_timewaits)
		index_timewaits(j);
	return has_sock(j, &pair) || has_sock(j, &swapped);
}

void join_add_flow(struct join *j, const struct flow *flow)
{
	if (j->n_flows == j->cap_flows) {
		j->cap_flows = j->cap_flows ? j->cap_flows * 2 : 64;
		j->flows = xrealloc_array(j->flows, j->cap_flows, sizeof(*j->flows));
	}
	j->flows[j->n_flows] = flow;
	for (enum side side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
		struct pair pair = flow_pair(flow, side);

		index_add(&j->by_flow, pair_hash(j, &pair), (uint32_t)j->n_flows);
	}
	j->n_flows++;
}

/* Can these packets be this socket's? The capture may be of an earlier connection of the same
 * addresses, or of another host behind the same ones. */
static bool is_plausible(const struct sock *s, const struct flow *flow, enum side us,
			 int64_t look_time_ns)
{
	enum { SLACK_NS = 2000000000 };
	const struct flow_fin *ours = &flow->end[us].fin;
	const struct flow_fin *theirs = &flow->end[side_other(us)].fin;

	if (flow->last_ns != TIME_NONE && flow->last_ns - SLACK_NS > look_time_ns)
		return false;
	switch ((enum state)s->state) {
	case STATE_ESTABLISHED:
		return !ours->seen && !theirs->seen;
	case STATE_CLOSE_WAIT:
		return !ours->seen;
	case STATE_FIN_WAIT_1:
	case STATE_FIN_WAIT_2:
		return !(theirs->seen && theirs->acked_ns != TIME_NONE);
	case STATE_UNKNOWN:
	case STATE_SYN_SENT:
	case STATE_SYN_RECV:
	case STATE_NEW_SYN_RECV:
	case STATE_TIME_WAIT:
	case STATE_CLOSED:
	case STATE_LAST_ACK:
	case STATE_LISTEN:
	case STATE_CLOSING:
	case STATE_MAX:
		break;
	}
	return true;
}

/* The latest plausible flow of these addresses. */
static void find_flow(const struct join *j, struct conn *c)
{
	uint64_t hash = pair_hash(j, &c->sock->pair);
	uint32_t at;

	for (size_t it = index_first(&j->by_flow, hash); index_next(&j->by_flow, hash, &it, &at);) {
		const struct flow *flow = j->flows[at];
		struct pair as_client = flow_pair(flow, SIDE_CLIENT);
		struct pair as_server = pair_swap(as_client);
		enum side us = SIDE_CLIENT;

		if (!pair_equal(&as_client, &c->sock->pair)) {
			if (!pair_equal(&as_server, &c->sock->pair))
				continue;
			us = SIDE_SERVER;
		}
		if (c->flow && c->flow->first_ns > flow->first_ns)
			continue;
		if (!is_plausible(c->sock, flow, us, j->look->host.time_ns))
			continue;
		c->flow = flow;
		c->our_side = us;
	}
}

/* Two that have a token. */
static bool is_same_mptcp(const struct sock *a, const struct sock *b)
{
	return a->netns == b->netns && a->full->token == b->full->token;
}

static void find_mptcp(const struct join *j, struct conn *c)
{
	const struct sock_full *full = c->sock->full;
	uint32_t at;

	if (!full || !full->is_subflow || !full->token)
		return;
	uint64_t hash = token_hash(j, c->sock);
	for (size_t it = index_first(&j->by_token, hash); index_next(&j->by_token, hash, &it, &at);) {
		const struct sock *s = &j->look->socks[at];

		if (s->full->is_mptcp && is_same_mptcp(s, c->sock))
			c->mptcp = s;
	}
}

/* What every older kernel leaves out of an MPTCP socket, one of its subflows has heard. */
static void find_last_heard(const struct join *j, struct conn *c)
{
	const struct sock_full *full = c->sock->full;
	uint32_t at;

	if (!sock_is_mptcp(c->sock) || !full->token || full->info.len >= SOCK_INFO_LEN_BASIC)
		return;
	uint64_t hash = token_hash(j, c->sock);
	for (size_t it = index_first(&j->by_token, hash); index_next(&j->by_token, hash, &it, &at);) {
		const struct sock *s = &j->look->socks[at];

		if (s->full->is_subflow && is_same_mptcp(s, c->sock) &&
		    s->full->info.len >= SOCK_INFO_LEN_BASIC &&
		    (!c->subflow ||
		     s->full->info.last_ack_recv_ms < c->subflow->full->info.last_ack_recv_ms))
			c->subflow = s;
	}
}

/* The socket at the other end, if it is on this host and only one fits. A TIME-WAIT has sent and received
 * everything: it has none and is none, and there may be a million of them. What goes to or from a loopback
 * address stays in its namespace. Source: RFC 1122 section 3.2.1.3 (g), RFC 4291 section 2.5.3; Linux
 * net/ipv4/route.c, ip_route_input_slow(), martians; net/ipv6/ip6_input.c, ip6_rcv_core(). */
static void find_other_end(const struct join *j, struct conn *c)
{
	if (c->sock->state == STATE_TIME_WAIT)
		return;
	struct pair swapped = pair_swap(c->sock->pair);
	bool stays = addr_is_loopback(swapped.local.addr) || addr_is_loopback(swapped.peer.addr);
	uint64_t hash = pair_hash(j, &swapped);
	const struct sock *found = NULL;
	size_t n_elsewhere = 0;
	uint32_t at;

	for (size_t it = index_first(&j->by_pair, hash); index_next(&j->by_pair, hash, &it, &at);) {
		const struct sock *s = &j->look->socks[at];

		/* An MPTCP socket has the addresses of its first subflow. */
		if (s == c->sock || s->state == STATE_TIME_WAIT || !pair_equal(&s->pair, &swapped) ||
		    sock_is_mptcp(s) != sock_is_mptcp(c->sock))
			continue;
		if (s->netns == c->sock->netns) {
			found = s;
			n_elsewhere = 0;
			break;
		}
		if (stays)
			continue;
		found = s;
		n_elsewhere++;
	}
	/* Two other namespaces with the same addresses: which of them is unknown. */
	if (!found || n_elsewhere > 1)
		return;
	c->other_end = found;
	if (found->full && found->full->n_holders > 0) {
		c->other_proc = found->full->holders[0].proc;
		c->other_fd = found->full->holders[0].fd;
	}
}

static void add_holder(struct conn *c, const struct holder *h)
{
	if (c->n_holders < MAX_CONN_HOLDERS)
		c->holders[c->n_holders] = *h;
	c->n_holders++;
}

static void add_holders_of(struct conn *c, const struct sock *s)
{
	for (uint32_t i = 0; s->full && i < s->full->n_holders; i++)
		add_holder(c, &s->full->holders[i]);
}

static void add_listeners_holders(struct conn *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_holder(c, &c->listener_holders[i]);
}

/* Sockets that were accepted or wait to be have a listener, or had one. */
static void find_listeners(struct join *j, struct conn *c)
{
	const struct listeners *l = listeners_of(j, c->sock);

	if (!l)
		return;
	c->listener = sock_is_unaccepted(c->sock) && l->longest ? l->longest : l->first;
	c->n_listeners = l->n;
	c->listener_holders = l->holders;
	c->n_listener_holders = l->n_holders;
	c->queues = l->queues;
	c->n_queued = l->n_queued;
}

/* An orphan's or TIME-WAIT's owner is gone: who is likely to have closed it? */
static void attribute(struct join *j, struct conn *c)
{
	const struct peer_procs *p;

	c->owner = OWNER_NONE;
	if (c->listener) {
		add_listeners_holders(c, c->n_listener_holders);
		if (c->n_holders > 0) {
			c->owner = OWNER_ATTRIBUTED;
			c->basis = BASIS_LISTENER;
		}
		return;
	}
	/* Of a few of the connections nothing follows: the process with most of them may be another one. */
	if (!(j->look->asked_states & STATE_BIT(STATE_ESTABLISHED)) || j->look->is_narrowed)
		return;
	if (!j->has_peers)
		index_peers(j);
	p = peer_procs_find(j, c->sock->netns, &c->sock->pair.peer);
	if (!p || p->has_hidden)
		return;
	for (size_t i = 0; i < p->n; i++)
		add_holder(c, p->holders[i]);
	c->owner = OWNER_ATTRIBUTED;
	c->basis = BASIS_SAME_DESTINATION;
}

static void find_owner(struct join *j, struct conn *c)
{
	const struct sock *s = c->sock;

	if (sock_is_unaccepted(s)) {
		c->owner = OWNER_UNACCEPTED;
		/* In one of several queues, and none of the empty ones. */
		add_listeners_holders(c, c->n_queued ? c->n_queued : c->n_listener_holders);
		return;
	}
	if (!s->full || s->full->inode == 0) {
		attribute(j, c);
		return;
	}
	add_holders_of(c, s);
	if (c->n_holders > 0) {
		c->owner = OWNER_KNOWN;
		return;
	}
	c->owner = OWNER_HIDDEN;
	if (!j->look->owners_looked)
		c->basis = BASIS_NOT_LOOKED;
	else if (j->look->owners_late)
		c->basis = BASIS_TIME_LIMIT;
	else
		c->basis = j->look->owners_complete ? BASIS_NOT_FOUND : BASIS_NO_PRIVILEGE;
	c->in_flight = j->look->in_flight;
	c->n_in_flight = j->look->n_in_flight;
	c->flight_is_partial = j->look->flight_is_partial;
}

void join_nothing(const struct join *j, const struct sock *sock, struct conn *c)
{
	c->sock = sock;
	c->netns = sock->netns < j->look->n_netns ? &j->look->netns[sock->netns] : &no_netns;
}

void join_sock(struct join *j, const struct sock *sock, struct conn *ret)
{
	*ret = (struct conn){ 0 };
	join_nothing(j, sock, ret);
	if (sock->state != STATE_LISTEN) {
		if (j->n_flows > 0)
			find_flow(j, ret);
		find_other_end(j, ret);
		find_mptcp(j, ret);
		find_listeners(j, ret);
	} else if (sock->full && sock->full->rqueue > 0) {
		ret->oldest_client_ms = listeners_oldest_client(j, sock);
	}
	find_owner(j, ret);
	find_last_heard(j, ret);
	ret->age = lifetime_age(ret, j->look->host.time_ns);
	ret->ends = lifetime_ends(ret);
}

void join_flow(const struct flow *flow, struct conn *ret)
{
	*ret = (struct conn){ .flow = flow, .netns = &no_netns, .owner = OWNER_NONE };
}

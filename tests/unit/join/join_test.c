#include "join/join.h"
#include "join/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A host in a few lines: sockets are added one by one, then joined. */

static struct netns netns[2];
static struct proc procs[4] = {
	{ .pid = 10, .comm = "server" }, { .pid = 20, .comm = "client" },
	{ .pid = 30, .comm = "other" },  { .pid = 40, .comm = "more" },
};

static struct endpoint at(const char *addr, uint16_t port)
{
	struct endpoint e = { .port = port };

	if (!addr_parse(addr, &e.addr))
		fail_msg("%s is no address", addr);
	return e;
}

static struct look *new_look(void)
{
	struct look *look = look_new();

	memset(netns, 0, sizeof(netns));
	netns[0].sysctls.port_low = (struct setting){ true, 40000 };
	netns[0].sysctls.port_high = (struct setting){ true, 40009 };
	look->netns = netns;
	look->n_netns = 2;
	look->owners_looked = look->owners_complete = true;
	look->asked_states = STATES_ALL;
	look->host.time_ns = 1000000000000;
	return look;
}

/* holder NULL: nobody found. inode 0 with is_mini false: an orphan or unaccepted. */
static size_t add(struct look *look, enum state state, struct endpoint local, struct endpoint peer,
		  uint32_t inode, const struct proc *holder)
{
	struct sock *s = look_add_sock(look);

	s->state = (uint8_t)state;
	s->pair = (struct pair){ local, peer };
	if (state != STATE_TIME_WAIT) {
		s->full = arena_alloc(look->arena, sizeof(*s->full));
		s->full->inode = inode;
	}
	if (holder) {
		struct holder *h = arena_alloc(look->arena, sizeof(*h));

		*h = (struct holder){ .proc = holder, .fd = 7 };
		s->full->holders = h;
		s->full->n_holders = 1;
	}
	return look->n_socks - 1;
}

static void set_device(struct sock *s, uint32_t device)
{
	s->ifindex = device < UINT16_MAX ? (uint16_t)device : UINT16_MAX;
	if (s->full)
		s->full->ifindex = device;
}

static struct conn conn_of(struct look *look, size_t i)
{
	struct join *j = join_new(look);
	struct conn c;

	join_sock(j, &look->socks[i], &c);
	join_free(j);
	return c;
}

static void both_ends_here(void **state)
{
	struct look *look = new_look();
	struct endpoint client = at("127.0.0.1", 40001), server = at("127.0.0.1", 80);
	size_t fin_wait = add(look, STATE_FIN_WAIT_2, client, server, 5, &procs[1]);

	(void)state;
	add(look, STATE_CLOSE_WAIT, server, client, 6, &procs[0]);
	struct conn c = conn_of(look, fin_wait);
	assert_ptr_equal(c.other_proc, &procs[0]);
	assert_int_equal(c.other_end->state, STATE_CLOSE_WAIT);
	assert_int_equal(c.owner, OWNER_KNOWN);
	look_free(look);
}

/* Each MPTCP socket has the addresses of its first subflow; ends are of a kind. */
static void subflows_find_their_socket(void **state)
{
	struct look *look = new_look();
	struct endpoint client = at("127.0.0.1", 40001), server = at("127.0.0.1", 80);
	size_t sub = add(look, STATE_ESTABLISHED, client, server, 5, &procs[1]);
	size_t other_sub = add(look, STATE_ESTABLISHED, server, client, 6, &procs[0]);
	size_t whole = add(look, STATE_FIN_WAIT_2, client, server, 5, &procs[1]);
	size_t other = add(look, STATE_CLOSE_WAIT, server, client, 6, &procs[0]);

	(void)state;
	for (size_t i = 0; i < look->n_socks; i++) {
		look->socks[i].full->is_subflow = i < 2;
		look->socks[i].full->is_mptcp = i >= 2;
		look->socks[i].full->token = i % 2 ? 22 : 11;
	}
	struct conn c = conn_of(look, sub);
	assert_ptr_equal(c.mptcp, &look->socks[whole]);
	assert_ptr_equal(c.other_end, &look->socks[other_sub]);
	c = conn_of(look, whole);
	assert_null(c.mptcp);
	assert_ptr_equal(c.other_end, &look->socks[other]);
	/* A token that was not reported joins nothing, nor one of another namespace. */
	look->socks[sub].full->token = 0;
	look->socks[whole].full->token = 0;
	assert_null(conn_of(look, sub).mptcp);
	look->socks[other].netns = 1;
	assert_null(conn_of(look, other_sub).mptcp);
	look_free(look);
}

/* An MPTCP socket that keeps no times: its age is that of the subflow that heard from the peer last. */
static void age_by_a_subflow(void **state)
{
	struct look *look = new_look();
	struct endpoint client = at("127.0.0.1", 40001), server = at("127.0.0.1", 80);
	static const uint32_t heard_ms[] = { 9000, 5000, 7000, 1000, 2000, 3000 };
	size_t youngest = 1, stranger = 3, silent = 4, no_subflow = 5, n = ARRAY_LEN(heard_ms);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		size_t at = add(look, STATE_ESTABLISHED, server, client, 6, &procs[0]);
		struct sock_full *full = look->socks[at].full;

		full->is_subflow = i != no_subflow;
		full->token = i == stranger ? 12 : 11;
		full->info = (struct sock_info){ .len = i == silent ? 0 : SOCK_INFO_LEN_BASIC,
						 .last_ack_recv_ms = heard_ms[i] };
	}
	size_t whole = add(look, STATE_CLOSE_WAIT, server, client, 6, &procs[0]);
	struct sock_full *full = look->socks[whole].full;
	full->is_mptcp = true;
	full->token = 11;
	full->info.len = 0;

	struct conn c = conn_of(look, whole);
	assert_ptr_equal(c.subflow, &look->socks[youngest]);
	assert_true(c.age.known);
	assert_false(c.age.is_exact);
	assert_int_equal(c.age.ms, 5000);
	/* Its own times, where it has them; none, where nobody has. */
	full->info = (struct sock_info){ .len = SOCK_INFO_LEN_BASIC, .last_ack_recv_ms = 6000 };
	assert_int_equal(conn_of(look, whole).age.ms, 6000);
	full->info.len = 0;
	full->token = 0;
	assert_false(conn_of(look, whole).age.known);
	look_free(look);
}

/* Finds `second`, too, under the hash of `first`, as chance may have it. */
static void share_a_hash(struct index *ix, size_t first, size_t second)
{
	size_t at = 0;

	while (ix->slots[at].at_plus_1 != first + 1)
		assert_true(++at <= ix->mask);
	uint32_t tag = ix->slots[at].tag;
	while (ix->slots[at & ix->mask].at_plus_1)
		at++;
	ix->slots[at & ix->mask] = (struct index_slot){ tag, (uint32_t)second + 1 };
}

/* Of one token in two namespaces, and of two tokens in one: nobody is joined to a stranger. */
static void one_hash_is_not_one_mptcp(void **state)
{
	static const struct {
		uint32_t token;
		uint16_t netns;
	} rows[] = { { 22, 0 }, { 11, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look *look = new_look();
		struct endpoint client = at("127.0.0.1", 40001), server = at("127.0.0.1", 80);
		size_t sub = add(look, STATE_ESTABLISHED, client, server, 5, &procs[1]);
		size_t whole = add(look, STATE_CLOSE_WAIT, client, server, 5, &procs[1]);
		struct sock_full *known = look->socks[sub].full;
		struct join *j;
		struct conn c;

		*known = (struct sock_full){ .inode = 5, .is_subflow = true, .token = 11,
					     .info = { .len = SOCK_INFO_LEN_BASIC, .last_ack_recv_ms = 5000 } };
		look->socks[whole].full->is_mptcp = true;
		look->socks[whole].full->token = 11;
		j = join_new(look);
		for (int is_subflow = 0; is_subflow < 2; is_subflow++) {
			size_t stranger = add(look, STATE_CLOSE_WAIT, client, server, 6, &procs[0]);
			struct sock_full *full = look->socks[stranger].full;

			look->socks[stranger].netns = rows[i].netns;
			full->token = rows[i].token;
			full->is_subflow = is_subflow;
			full->is_mptcp = !is_subflow;
			full->info = (struct sock_info){ .len = SOCK_INFO_LEN_BASIC, .last_ack_recv_ms = 1000 };
			share_a_hash(&j->by_token, whole, stranger);
		}
		join_sock(j, &look->socks[sub], &c);
		assert_ptr_equal(c.mptcp, &look->socks[whole]);
		join_sock(j, &look->socks[whole], &c);
		assert_ptr_equal(c.subflow, &look->socks[sub]);
		join_free(j);
		look_free(look);
	}
}

/* The same private addresses in two other namespaces: which of them is the peer is unknown. */
static void two_candidates_are_none(void **state)
{
	struct look *look = new_look();
	struct endpoint client = at("10.0.0.1", 40001), server = at("10.0.0.2", 80);
	size_t mine = add(look, STATE_FIN_WAIT_2, client, server, 5, &procs[1]);

	(void)state;
	look->socks[add(look, STATE_CLOSE_WAIT, server, client, 6, &procs[0])].netns = 1;
	assert_non_null(conn_of(look, mine).other_end);
	look->socks[add(look, STATE_CLOSE_WAIT, server, client, 7, &procs[0])].netns = 1;
	assert_null(conn_of(look, mine).other_end);
	look_free(look);
}

/* Every namespace has 127.0.0.1 and ::1, and they never meet. */
static void loopback_stays_in_its_namespace(void **state)
{
	static const struct {
		const char *client, *server;
		bool may_cross;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1", false }, { "127.0.0.1", "10.0.0.2", false },
		{ "10.0.0.1", "127.1.2.3", false },  { "::1", "::1", false },
		{ "10.0.0.1", "10.0.0.2", true },    { "fd00::1", "fd00::2", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look *look = new_look();
		struct endpoint client = at(rows[i].client, 40001), server = at(rows[i].server, 80);
		size_t mine = add(look, STATE_FIN_WAIT_2, client, server, 5, &procs[1]);
		size_t theirs = add(look, STATE_CLOSE_WAIT, server, client, 6, &procs[0]);

		look->socks[theirs].netns = 1;
		if (!!conn_of(look, mine).other_proc != rows[i].may_cross)
			fail_msg("%s and %s", rows[i].client, rows[i].server);
		look->socks[theirs].netns = 0;
		assert_ptr_equal(conn_of(look, mine).other_proc, &procs[0]);
		look_free(look);
	}
}

static void unaccepted_names_the_listener(void **state)
{
	struct look *look = new_look();
	struct endpoint any = at("0.0.0.0", 80), exact = at("10.0.0.2", 80);
	struct endpoint client = at("10.0.0.1", 40001);
	size_t child = add(look, STATE_CLOSE_WAIT, exact, client, 0, NULL);

	(void)state;
	add(look, STATE_LISTEN, any, at("0.0.0.0", 0), 8, &procs[0]);
	struct conn c = conn_of(look, child);
	assert_int_equal(c.owner, OWNER_UNACCEPTED);
	assert_ptr_equal(c.holders[0].proc, &procs[0]);

	/* The exact address wins over the wildcard, another port is nobody's. */
	add(look, STATE_LISTEN, exact, at("0.0.0.0", 0), 9, &procs[2]);
	add(look, STATE_LISTEN, at("10.0.0.2", 81), at("0.0.0.0", 0), 9, &procs[3]);
	c = conn_of(look, child);
	assert_ptr_equal(c.holders[0].proc, &procs[2]);
	assert_int_equal(c.n_listeners, 1);

	look_free(look);
}

/* SO_REUSEPORT: a listener of its own for each process, or several, and a child that nobody has accepted. */
struct reuse_row {
	const char *name;
	struct {
		int proc;
		uint32_t queue;
	} listeners[4];
	size_t n_listeners;
	int unaccepted[4], attributed[4]; /* indexes of procs, in order; ended by -1 */
	uint32_t queues[3], longest;
};

static void assert_holders(const char *name, const struct conn *c, const int *wanted)
{
	size_t n = 0;

	for (; wanted[n] >= 0; n++)
		if (n >= c->n_holders || c->holders[n].proc != &procs[wanted[n]])
			fail_msg("%s: candidate %zu", name, n);
	if (c->n_holders != n)
		fail_msg("%s: %zu candidates", name, c->n_holders);
}

static void every_listener_is_a_candidate(void **state)
{
	static const struct reuse_row rows[] = {
		{ "one has a queue", { { 0, 0 }, { 1, 6 } }, 2, { 1, -1 }, { 1, 0, -1 }, { 6, 0 }, 6 },
		{ "two have", { { 0, 2 }, { 1, 0 }, { 2, 5 } }, 3, { 2, 0, -1 }, { 2, 0, 1, -1 }, { 5, 2 }, 5 },
		{ "none has, any more", { { 1, 0 }, { 0, 0 } }, 2, { 0, 1, -1 }, { 0, 1, -1 }, { 0, 0 }, 0 },
		{ "equal ones", { { 1, 3 }, { 0, 3 } }, 2, { 0, 1, -1 }, { 0, 1, -1 }, { 3, 3 }, 3 },
		{ "of one process alone", { { 0, 1 }, { 0, 0 }, { 0, 2 } }, 3, { 0, -1 }, { 0, -1 }, { 3 }, 2 },
		{ "two threads' and a third one", { { 0, 2 }, { 1, 3 }, { 0, 2 } }, 3, { 0, 1, -1 }, { 0, 1, -1 },
		  { 4, 3 }, 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct reuse_row *row = &rows[i];
		struct look *look = new_look();
		struct endpoint here = at("10.0.0.2", 80), client = at("10.0.0.1", 40001);
		size_t child = add(look, STATE_CLOSE_WAIT, here, client, 0, NULL);
		size_t held = add(look, STATE_CLOSE_WAIT, here, at("10.0.0.1", 40002), 5, &procs[3]);
		size_t tw = add(look, STATE_TIME_WAIT, here, at("10.0.0.1", 40003), 0, NULL);

		/* Neither the wildcard nor the other namespace's is as good. */
		add(look, STATE_LISTEN, at("0.0.0.0", 80), at("0.0.0.0", 0), 20, &procs[3]);
		look->socks[add(look, STATE_LISTEN, here, at("0.0.0.0", 0), 21, &procs[3])].netns = 1;
		for (size_t k = 0; k < row->n_listeners; k++) {
			size_t l = add(look, STATE_LISTEN, here, at("0.0.0.0", 0), 10 + (uint32_t)k,
				       &procs[row->listeners[k].proc]);

			look->socks[l].full->rqueue = row->listeners[k].queue;
		}
		add(look, STATE_LISTEN, at("0.0.0.0", 80), at("0.0.0.0", 0), 22, &procs[3]);
		struct conn c = conn_of(look, child);
		assert_int_equal(c.owner, OWNER_UNACCEPTED);
		assert_int_equal(c.n_listeners, row->n_listeners);
		assert_int_equal(c.listener->full->rqueue, row->longest);
		assert_holders(row->name, &c, row->unaccepted);
		for (size_t k = 0; k < c.n_holders; k++)
			assert_int_equal(c.queues[k], row->queues[k]);
		bool is_one = c.n_holders == 1;
		assert_ptr_equal(conn_proc(&c), is_one ? c.holders[0].proc : NULL);

		/* Of what was accepted an empty queue tells nothing. */
		c = conn_of(look, tw);
		assert_int_equal(c.basis, BASIS_LISTENER);
		assert_holders(row->name, &c, row->attributed);

		/* Who holds a connection is who holds it; the listeners are known beside. */
		c = conn_of(look, held);
		assert_int_equal(c.owner, OWNER_KNOWN);
		assert_int_equal(c.n_holders, 1);
		assert_ptr_equal(conn_proc(&c), &procs[3]);
		look_free(look);
	}
}

/* A worker in the hands of which all listeners are, as nginx has them: one candidate each, and no more. */
static void listeners_that_all_hold(void **state)
{
	enum { N = 40 };
	struct look *look = new_look();
	size_t tw = add(look, STATE_TIME_WAIT, at("10.0.0.2", 80), at("10.0.0.1", 40003), 0, NULL);
	static struct proc workers[N];
	struct holder holders[2 * N];

	(void)state;
	add(look, STATE_TIME_WAIT, at("10.0.1.2", 80), at("10.0.0.1", 40003), 0, NULL);
	for (int i = 0; i < N; i++) {
		workers[i] = (struct proc){ .pid = 100 + i, .comm = "worker" };
		holders[2 * i] = (struct holder){ .proc = &workers[i], .fd = 5 };
		holders[2 * i + 1] = (struct holder){ .proc = &workers[i], .fd = 6 };
	}
	for (uint32_t i = 0; i < N; i++) {
		size_t l = add(look, STATE_LISTEN, at("0.0.0.0", 80), at("0.0.0.0", 0), 10 + i, NULL);
		struct sock_full *full = look->socks[l].full;

		full->holders = holders;
		full->n_holders = 2 * N;
		full->rqueue = 1;
	}
	struct join *j = join_new(look);
	struct conn c;
	for (size_t i = 0; i < 6; i++) { /* found, remembered, and the same of both addresses */
		join_sock(j, &look->socks[tw + i / 2 % 2], &c);
		assert_int_equal(c.n_listeners, N);
		assert_int_equal(c.n_holders, N);
		assert_int_equal(c.queues[N - 1], N);
		for (int k = 0; k < MAX_CONN_HOLDERS; k++)
			assert_ptr_equal(c.holders[k].proc, &workers[k]);
		assert_int_equal(j->n_sets, 1);
	}
	join_free(j);
	look_free(look);
}

static void dual_stack_listener_takes_ipv4(void **state)
{
	struct look *look = new_look();
	size_t child = add(look, STATE_CLOSE_WAIT, at("10.0.0.2", 80), at("10.0.0.1", 40001), 0, NULL);
	size_t listener = add(look, STATE_LISTEN, at("::", 80), at("::", 0), 8, &procs[0]);

	(void)state;
	look->socks[listener].is_inet6 = true;
	assert_ptr_equal(conn_of(look, child).listener, &look->socks[listener]);
	look_free(look);
}

/* What listens on port 80, on which device, and whether it takes a connection there. */
static void listeners_of_other_connections(void **state)
{
	static const struct {
		const char *name, *addr;
		uint32_t device;
		bool is_inet6, is_v6only;
		const char *local; /* the connection's */
		uint32_t its_device;
		bool fits;
	} rows[] = {
		{ "of its device", "10.0.0.2", 3, false, false, "10.0.0.2", 3, true },
		{ "of another device", "10.0.0.2", 4, false, false, "10.0.0.2", 3, false },
		{ "of a device, the connection of none", "10.0.0.2", 4, false, false, "10.0.0.2", 0, false },
		{ "any address of its device", "0.0.0.0", 3, false, false, "10.0.0.2", 3, true },
		{ "of no device: link-local, or a VRF", "::", 0, true, false, "fe80::2", 3, true },
		{ "of its device, a large number", "10.0.0.2", 70000, false, false, "10.0.0.2", 70000, true },
		{ "of another one of those", "10.0.0.2", 70001, false, false, "10.0.0.2", 70000, false },
		{ "both families", "::", 0, true, false, "10.0.0.2", 0, true },
		{ "IPv6 only, and it is IPv6", "::", 0, true, true, "fd00::2", 0, true },
		{ "IPv6 only, and it is IPv4", "::", 0, true, true, "10.0.0.2", 0, false },
	};

	(void)state;
	/* IPv4 over a socket of AF_INET6 is IPv4. */
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		struct look *look = new_look();
		size_t tw = add(look, i % 2 ? STATE_TIME_WAIT : STATE_CLOSE_WAIT, at(rows[i / 2].local, 80),
				at("10.0.0.1", 40001), 0, NULL);
		size_t listener = add(look, STATE_LISTEN, at(rows[i / 2].addr, 80), at("::", 0), 8, &procs[0]);

		look->socks[tw].is_inet6 = i % 2 || rows[i / 2].is_inet6;
		look->socks[listener].is_inet6 = rows[i / 2].is_inet6;
		look->socks[listener].full->is_v6only = rows[i / 2].is_v6only;
		set_device(&look->socks[tw], rows[i / 2].its_device);
		set_device(&look->socks[listener], rows[i / 2].device);
		/* A TIME-WAIT has no room for the large ones. */
		bool fits = rows[i / 2].fits || (i % 2 && rows[i / 2].device > UINT16_MAX);
		if (!!conn_of(look, tw).listener != fits)
			fail_msg("%s, %s", rows[i / 2].name, i % 2 ? "TIME-WAIT" : "CLOSE-WAIT");
		look_free(look);
	}
}

/* The same address on two devices, and on none: each connection waits for the owner of its own. */
static void each_device_has_its_listener(void **state)
{
	static const uint32_t devices[] = { 0, 3, 4 };
	struct look *look = new_look();
	size_t children[ARRAY_LEN(devices)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		children[i] = add(look, STATE_CLOSE_WAIT, at("10.0.0.2", 80), at("10.0.0.1", (uint16_t)(40001 + i)),
				  0, NULL);
		set_device(&look->socks[children[i]], devices[i]);
		size_t l = add(look, STATE_LISTEN, at(devices[i] ? "0.0.0.0" : "10.0.0.2", 80), at("0.0.0.0", 0), 8,
			       &procs[i]);
		set_device(&look->socks[l], devices[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		struct conn c = conn_of(look, children[i]);

		assert_int_equal(c.n_listeners, 1);
		assert_int_equal(c.n_holders, 1);
		assert_ptr_equal(c.holders[0].proc, &procs[i]);
	}
	look_free(look);
}

/* What is remembered of one local end is not said of another that looks like it. */
static void one_local_end_is_not_another(void **state)
{
	static const struct {
		const char *addr;
		uint32_t device;
		uint16_t netns;
		int proc; /* who listens there; -1: nobody */
	} ends[] = {
		{ "10.0.0.2", 0, 0, 0 }, { "10.0.1.2", 0, 0, 1 }, { "10.0.0.2", 64, 0, 2 }, { "10.0.0.2", 0, 1, 3 },
		{ "10.0.2.2", 0, 0, -1 },
	};
	struct look *look = new_look();
	size_t tw[ARRAY_LEN(ends)], listener[ARRAY_LEN(ends)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct endpoint here = at(ends[i].addr, 80);

		tw[i] = add(look, STATE_TIME_WAIT, here, at("10.0.0.1", 40001), 0, NULL);
		set_device(&look->socks[tw[i]], ends[i].device);
		look->socks[tw[i]].netns = ends[i].netns;
		if (ends[i].proc < 0)
			continue;
		listener[i] = add(look, STATE_LISTEN, here, at("0.0.0.0", 0), 8, &procs[ends[i].proc]);
		set_device(&look->socks[listener[i]], ends[i].device);
		look->socks[listener[i]].netns = ends[i].netns;
	}
	struct join *j = join_new(look);
	share_a_hash(&j->listeners, listener[0], listener[3]);
	for (size_t i = 0; i < 3 * ARRAY_LEN(ends); i++) {
		size_t k = i * 2 % ARRAY_LEN(ends);
		struct conn c;

		join_sock(j, &look->socks[tw[k]], &c);
		assert_int_equal(c.n_holders, ends[k].proc >= 0);
		if (ends[k].proc >= 0)
			assert_ptr_equal(c.holders[0].proc, &procs[ends[k].proc]);
	}
	join_free(j);
	look_free(look);
}

static void time_wait_is_attributed(void **state)
{
	struct look *look = new_look();
	struct endpoint db = at("10.0.0.9", 5432);
	size_t tw = add(look, STATE_TIME_WAIT, at("10.0.0.1", 40001), db, 0, NULL);

	(void)state;
	assert_int_equal(conn_of(look, tw).owner, OWNER_NONE);
	add(look, STATE_ESTABLISHED, at("10.0.0.1", 40002), db, 5, &procs[1]);
	struct conn c = conn_of(look, tw);
	assert_int_equal(c.owner, OWNER_ATTRIBUTED);
	assert_int_equal(c.basis, BASIS_SAME_DESTINATION);
	assert_int_equal(c.n_holders, 1);
	/* A second process talks to it: both are candidates. */
	add(look, STATE_ESTABLISHED, at("10.0.0.1", 40003), db, 6, &procs[2]);
	assert_int_equal(conn_of(look, tw).n_holders, 2);
	/* A listener on its local port is the better basis. */
	add(look, STATE_LISTEN, at("0.0.0.0", 40001), at("0.0.0.0", 0), 7, &procs[0]);
	c = conn_of(look, tw);
	assert_int_equal(c.basis, BASIS_LISTENER);
	assert_ptr_equal(c.holders[0].proc, &procs[0]);
	look_free(look);
}

/* That one process talks to a destination says something of its orphans only if all who do are known. */
static void a_part_of_the_connections_is_no_basis(void **state)
{
	static const struct {
		const char *name;
		uint32_t asked;
		bool is_narrowed, is_one_hidden, is_other_hidden;
		bool is_attributed;
	} rows[] = {
		{ "everything", STATES_ALL, false, false, false, true },
		{ "no ESTABLISHED", STATES_TEARDOWN, false, false, false, false },
		{ "some of them", STATES_ALL, true, false, false, false },
		{ "one in the hands of nobody knows whom", STATES_ALL, false, true, false, false },
		{ "one to somewhere else", STATES_ALL, false, false, true, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look *look = new_look();
		struct endpoint db = at("10.0.0.9", 5432);
		size_t tw = add(look, STATE_TIME_WAIT, at("10.0.0.1", 40001), db, 0, NULL);

		look->asked_states = rows[i].asked;
		look->is_narrowed = rows[i].is_narrowed;
		add(look, STATE_CLOSE_WAIT, at("10.0.0.1", 40002), db, 5, &procs[1]);
		if (rows[i].is_one_hidden)
			add(look, STATE_ESTABLISHED, at("10.0.0.1", 40003), db, 6, NULL);
		if (rows[i].is_other_hidden)
			add(look, STATE_ESTABLISHED, at("10.0.0.1", 40004), at("10.0.0.8", 5432), 7, NULL);
		/* What nobody holds any more is nobody's. */
		add(look, STATE_FIN_WAIT_1, at("10.0.0.1", 40005), db, 0, NULL);
		struct conn c = conn_of(look, tw);
		if ((c.owner == OWNER_ATTRIBUTED) != rows[i].is_attributed)
			fail_msg("%s", rows[i].name);
		assert_int_equal(c.n_holders, rows[i].is_attributed);
		look_free(look);
	}
}

static void hidden_says_why(void **state)
{
	struct look *look = new_look();
	size_t s = add(look, STATE_CLOSE_WAIT, at("10.0.0.1", 1), at("10.0.0.2", 2), 5, NULL);

	(void)state;
	assert_int_equal(conn_of(look, s).owner, OWNER_HIDDEN);
	assert_int_equal(conn_of(look, s).basis, BASIS_NOT_FOUND);
	look->owners_complete = false;
	assert_int_equal(conn_of(look, s).basis, BASIS_NO_PRIVILEGE);
	look->owners_looked = false;
	assert_int_equal(conn_of(look, s).basis, BASIS_NOT_LOOKED);
	look_free(look);
}

static struct flow flow_between(struct endpoint client, struct endpoint server, int64_t first_ns)
{
	return (struct flow){
		.end = { { .at = client, .seen = true }, { .at = server, .seen = true } },
		.first_ns = first_ns,
		.last_ns = first_ns,
		.half_close_ns = TIME_NONE,
	};
}

static void packets_find_their_socket(void **state)
{
	struct look *look = new_look();
	struct endpoint client = at("10.0.0.1", 40001), server = at("10.0.0.2", 80);
	size_t s = add(look, STATE_CLOSE_WAIT, server, client, 5, &procs[0]);
	struct flow old = flow_between(client, server, 1000), mine = flow_between(client, server, 2000),
		    later = flow_between(client, server, look->host.time_ns + 5000000000),
		    foreign = flow_between(client, at("10.0.0.3", 80), 2000);
	struct join *j = join_new(look);
	struct conn c;

	(void)state;
	assert_true(join_wants_flow(j, &mine));
	assert_false(join_wants_flow(j, &foreign));
	join_add_flow(j, &mine);
	join_add_flow(j, &old);
	join_add_flow(j, &later);
	join_sock(j, &look->socks[s], &c);
	assert_ptr_equal(c.flow, &mine); /* the latest that is not from the future */
	assert_int_equal(c.our_side, SIDE_SERVER);

	/* We sent a FIN in it: a socket in CLOSE-WAIT cannot be that connection. */
	mine.end[SIDE_SERVER].fin.seen = true;
	join_sock(j, &look->socks[s], &c);
	assert_ptr_equal(c.flow, &old);
	join_free(j);
	look_free(look);
}

/* An end that has not sent its FIN, or has not seen the peer's, is not that of a capture that has both. */
static void states_that_packets_contradict(void **state)
{
	static const struct {
		enum state state;
		bool ours, theirs, theirs_acked, fits;
	} rows[] = {
		{ STATE_ESTABLISHED, false, false, false, true },  { STATE_ESTABLISHED, true, false, false, false },
		{ STATE_ESTABLISHED, false, true, false, false },  { STATE_CLOSE_WAIT, false, true, true, true },
		{ STATE_CLOSE_WAIT, true, true, true, false },     { STATE_FIN_WAIT_1, true, false, false, true },
		{ STATE_FIN_WAIT_1, true, true, false, true },     { STATE_FIN_WAIT_1, true, true, true, false },
		{ STATE_FIN_WAIT_2, true, true, true, false },     { STATE_LAST_ACK, true, true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look *look = new_look();
		struct endpoint client = at("10.0.0.1", 40001), server = at("10.0.0.2", 80);
		size_t s = add(look, rows[i].state, server, client, 5, &procs[0]);
		struct flow flow = flow_between(client, server, 2000);
		struct join *j = join_new(look);
		struct conn c;

		flow.end[SIDE_SERVER].fin = (struct flow_fin){ .seen = rows[i].ours, .acked_ns = TIME_NONE };
		flow.end[SIDE_CLIENT].fin = (struct flow_fin){ .seen = rows[i].theirs,
							       .acked_ns = rows[i].theirs_acked ? 3000 : TIME_NONE };
		join_add_flow(j, &flow);
		join_sock(j, &look->socks[s], &c);
		if (!!c.flow != rows[i].fits)
			fail_msg("row %zu", i);
		join_free(j);
		look_free(look);
	}
}

static void ports_are_counted_by_destination(void **state)
{
	struct look *look = new_look();
	struct port_budgets budgets;
	struct join *j;

	(void)state;
	netns[0].sysctls.tw_reuse = (struct setting){ true, 1 };
	for (uint16_t i = 0; i < 4; i++) {
		size_t s = add(look, STATE_TIME_WAIT, at("10.0.0.1", (uint16_t)(40000 + i)),
			       at("10.0.0.9", 443), 0, NULL);

		/* Two are older than a second, so connect() may take them over. */
		look->socks[s].expires_ms = i < 2 ? 59000 : 59001;
	}
	add(look, STATE_ESTABLISHED, at("10.0.0.1", 40004), at("10.0.0.9", 443), 5, &procs[1]);
	/* Not in the range; another destination; a server's own TIME-WAIT. */
	add(look, STATE_TIME_WAIT, at("10.0.0.1", 50000), at("10.0.0.9", 443), 0, NULL);
	add(look, STATE_TIME_WAIT, at("10.0.0.1", 40000), at("10.0.0.9", 80), 0, NULL);
	add(look, STATE_LISTEN, at("0.0.0.0", 40009), at("0.0.0.0", 0), 6, &procs[0]);
	add(look, STATE_TIME_WAIT, at("10.0.0.1", 40009), at("10.0.0.9", 443), 0, NULL);
	j = join_new(look);
	join_ports(j, 2, &budgets);
	assert_int_equal(budgets.n, 1);
	assert_int_equal(budgets.at[0].used, 5);
	assert_int_equal(budgets.at[0].time_wait, 4);
	assert_int_equal(budgets.at[0].reusable, 2);
	assert_int_equal(budgets.at[0].new_10s, 4);
	assert_int_equal(budgets.at[0].capacity, 10);
	free(budgets.at);
	join_free(j);
	look_free(look);
}

/* By the time that is left: how many come and go, and how many connect() may have, which is a matter of
 * settings and of where they are. */
static void time_waits_by_what_is_left(void **state)
{
	static const uint32_t left_ms[] = { 10000, 10001, 50000, 50001, 59900, 59901, 60000, 60001 };
	static const struct {
		const char *local;
		struct setting reuse, timestamps, delay_ms;
		uint32_t reusable;
	} rows[] = {
		{ "10.0.0.1", { true, 1 }, { 0 }, { true, 100 }, 5 },
		{ "10.0.0.1", { true, 1 }, { 0 }, { 0 }, 4 },
		{ "10.0.0.1", { true, 1 }, { true, 1 }, { true, 100 }, 5 },
		{ "10.0.0.1", { true, 1 }, { true, 0 }, { true, 100 }, 0 },
		{ "10.0.0.1", { true, 2 }, { 0 }, { true, 100 }, 0 },
		{ "127.0.0.1", { true, 2 }, { 0 }, { true, 100 }, 5 },
		{ "10.0.0.1", { true, 0 }, { 0 }, { true, 100 }, 0 },
		{ "10.0.0.1", { false, 1 }, { 0 }, { true, 100 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look *look = new_look();
		struct port_budgets budgets;

		netns[0].sysctls.tw_reuse = rows[i].reuse;
		netns[0].sysctls.timestamps = rows[i].timestamps;
		netns[0].sysctls.tw_reuse_delay_ms = rows[i].delay_ms;
		for (uint16_t k = 0; k < ARRAY_LEN(left_ms); k++) {
			size_t s = add(look, STATE_TIME_WAIT, at(rows[i].local, (uint16_t)(40000 + k)),
				       at("10.0.0.9", 443), 0, NULL);

			look->socks[s].expires_ms = left_ms[k];
		}
		struct join *j = join_new(look);
		join_ports(j, 1, &budgets);
		assert_int_equal(budgets.n, 1);
		assert_int_equal(budgets.at[0].drain_10s, 1);
		assert_int_equal(budgets.at[0].new_10s, 4);
		if (budgets.at[0].reusable != rows[i].reusable)
			fail_msg("row %zu: %u", i, (unsigned)budgets.at[0].reusable);
		free(budgets.at);
		join_free(j);
		look_free(look);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_here),
		cmocka_unit_test(subflows_find_their_socket),
		cmocka_unit_test(age_by_a_subflow),
		cmocka_unit_test(one_hash_is_not_one_mptcp),
		cmocka_unit_test(two_candidates_are_none),
		cmocka_unit_test(loopback_stays_in_its_namespace),
		cmocka_unit_test(unaccepted_names_the_listener),
		cmocka_unit_test(every_listener_is_a_candidate),
		cmocka_unit_test(listeners_that_all_hold),
		cmocka_unit_test(dual_stack_listener_takes_ipv4),
		cmocka_unit_test(listeners_of_other_connections),
		cmocka_unit_test(each_device_has_its_listener),
		cmocka_unit_test(one_local_end_is_not_another),
		cmocka_unit_test(time_wait_is_attributed),
		cmocka_unit_test(a_part_of_the_connections_is_no_basis),
		cmocka_unit_test(hidden_says_why),
		cmocka_unit_test(packets_find_their_socket),
		cmocka_unit_test(states_that_packets_contradict),
		cmocka_unit_test(ports_are_counted_by_destination),
		cmocka_unit_test(time_waits_by_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "rules/judge.h"
#include "util/attr.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* Groups whose members differ: what is true of some is not said of all. */

static struct netns netns;
static const struct proc procs[] = {
	{ .pid = 10, .comm = "mine" },  { .pid = 20, .comm = "first" }, { .pid = 30, .comm = "second" },
	{ .pid = 40, .comm = "third" }, { .pid = 50, .comm = "fourth" }, { .pid = 60, .comm = "fifth" },
};
static struct sock_full full = { .inode = 9, .info = { .len = SOCK_INFO_LEN_BASIC, .last_data_recv_ms = 120000,
						       .last_data_sent_ms = 120000 } };
static struct sock_full listener_full = { .inode = 7 };
static const struct holder at_the_listener = { .proc = &procs[1], .fd = 4 };

/* One connection of `mine`, two minutes old. It lives in the arena: a group points to what it gathers. */
struct made {
	struct sock sock, listener, other;
	struct conn conn;
};

static struct made *make(struct arena *arena, enum state state, bool is_orphan)
{
	struct made *m = arena_alloc(arena, sizeof(*m));

	m->sock = (struct sock){ .pair = { { { { 0 } }, 8080 }, { { { 0 } }, 40000 } }, .state = (uint8_t)state,
				 .full = is_orphan ? NULL : &full };
	m->conn = (struct conn){
		.sock = &m->sock,
		.netns = &netns,
		.owner = is_orphan ? OWNER_NONE : OWNER_KNOWN,
		.holders = { { .proc = &procs[0], .fd = 5 } },
		.n_holders = is_orphan ? 0 : 1,
		.age = { true, true, 120000 },
	};
	return m;
}

static const struct finding *only(const struct findings *all, const char *rule)
{
	assert_int_equal(all->n, 1);
	assert_string_equal(all->at[0].text->id, rule);
	return &all->at[0];
}

static int64_t fact(const struct finding *f, const char *name)
{
	const struct fact *at = finding_find_fact(f, name, strlen(name));

	return at ? at->number : -1;
}

/* A process of these names holds so many of the other ends; of the rest nobody is known. */
struct culprit_row {
	const char *name;
	uint64_t n, holds[ARRAY_LEN(procs)];
	uint16_t netns; /* of the other ends */
	int64_t pid, culprit_holds;
	enum certainty certainty;
};

static void culprits(void **state)
{
	static const struct culprit_row rows[] = {
		{ "one holds all", 3, { 0, 3 }, 0, 20, 3, CERTAINTY_CERTAIN },
		{ "three hold four each: one of them, and what it holds", 12, { 0, 4, 4, 4 }, 0, 20, 4,
		  CERTAINTY_CERTAIN },
		{ "the one that holds most", 10, { 0, 1, 7, 2 }, 0, 30, 7, CERTAINTY_CERTAIN },
		{ "others are elsewhere", 10, { 0, 2 }, 0, 20, 2, CERTAINTY_CERTAIN },
		{ "more than are told apart", 9, { 0, 1, 1, 1, 2, 4 }, 0, 50, 2, CERTAINTY_CERTAIN },
		{ "between two namespaces", 3, { 0, 3 }, 1, 20, 3, CERTAINTY_LIKELY },
		{ "nobody is known", 3, { 0 }, 1, -1, -1, CERTAINTY_CERTAIN },
	};
	static const char *const rules[] = { "fin-wait-2-held", "fin-wait-2-orphan" };

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		const struct culprit_row *row = &rows[i / 2];
		struct arena *arena = arena_new();
		struct judge *judge = judge_new(arena, 60000, 3);
		struct findings all;
		size_t at = 0;
		uint64_t n = 0;

		for (uint64_t k = 0; k < row->n; k++, n++) {
			struct made *m = make(arena, STATE_FIN_WAIT_2, i % 2);
			struct conn *c = &m->conn;

			for (; at < ARRAY_LEN(procs) && n == row->holds[at]; at++)
				n = 0;
			m->other = (struct sock){ .state = STATE_CLOSE_WAIT, .netns = row->netns };
			c->other_end = at < ARRAY_LEN(procs) ? &m->other : NULL;
			c->other_proc = at < ARRAY_LEN(procs) ? &procs[at] : NULL;
			judge_sock(judge, c);
		}
		judge_end(judge, &all);
		const struct finding *f = only(&all, rules[i % 2]);
		if (fact(f, "culprit_pid") != row->pid || fact(f, "culprit_holds") != row->culprit_holds)
			fail_msg("%s: %s: %d holds %d", row->name, rules[i % 2], (int)fact(f, "culprit_pid"),
				 (int)fact(f, "culprit_holds"));
		if (f->certainty != row->certainty)
			fail_msg("%s: %s: %s", row->name, rules[i % 2], certainty_name(f->certainty));
		assert_int_equal(f->says != NULL, row->pid > 0);
		if (f->says)
			assert_non_null(strstr(f->says, "{culprit_holds} of them"));
		arena_free(arena);
	}
}

static void add_shared(struct arena *arena, struct judge *judge, bool is_shared)
{
	struct made *m = make(arena, STATE_CLOSE_WAIT, false);
	struct conn *c = &m->conn;

	m->listener = (struct sock){ .pair.local.port = 8080, .state = STATE_LISTEN, .full = &listener_full };
	c->listener = &m->listener;
	c->n_listeners = 1;
	c->listener_holders = &at_the_listener;
	c->n_listener_holders = 1;
	if (is_shared)
		c->holders[c->n_holders++] = (struct holder){ .proc = &procs[2], .fd = 6 };
	judge_sock(judge, c);
}

/* Some with another process, the others held by a stray child alone. */
static void some_are_shared(void **state)
{
	static const struct {
		unsigned n_shared, n_strays;
		int64_t shared; /* the fact; -1: none, as it is true of all */
		enum certainty certainty;
	} rows[] = {
		{ 1, 9, 1, CERTAINTY_POSSIBLE },
		{ 10, 0, -1, CERTAINTY_CERTAIN },
		{ 0, 10, -1, CERTAINTY_POSSIBLE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new();
		struct judge *judge = judge_new(arena, 60000, 3);
		struct findings all;

		for (unsigned k = 0; k < rows[i].n_shared + rows[i].n_strays; k++)
			add_shared(arena, judge, k < rows[i].n_shared);
		judge_end(judge, &all);
		const struct finding *f = only(&all, "close-wait-shared-fd");
		assert_int_equal(f->count, 10);
		assert_int_equal(f->certainty, rows[i].certainty);
		assert_int_equal(fact(f, "shared"), rows[i].shared);
		/* The row's own sentence is that of all. */
		assert_int_equal(f->says == NULL, rows[i].n_strays == 0);
		assert_int_equal(f->says && strstr(f->says, "{shared} of them"), rows[i].shared > 0);
		arena_free(arena);
	}
}

/* One address on two devices is two listeners, whose queues have nothing to do with each other. */
static void listeners_by_device(void **state)
{
	struct arena *arena = arena_new();
	struct judge *judge = judge_new(arena, 60000, 3);
	struct sock_full waiting = { .info.len = SOCK_INFO_LEN_BASIC };
	struct sock_full queues[] = { { .inode = 7, .rqueue = 3, .wqueue = 16 }, { .inode = 8, .wqueue = 16 } };
	struct findings all;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct made *m = make(arena, STATE_CLOSE_WAIT, false);
		struct conn *c = &m->conn;

		m->sock.full = &waiting;
		m->listener = (struct sock){ .pair.local.port = 8080, .state = STATE_LISTEN, .full = &queues[i % 2],
					    .ifindex = (uint16_t)(3 + i % 2) };
		c->listener = &m->listener;
		c->n_listeners = 1;
		c->owner = OWNER_UNACCEPTED;
		c->holders[0].proc = &procs[i % 2];
		judge_sock(judge, c);
	}
	judge_end(judge, &all);
	assert_int_equal(all.n, 2);
	for (size_t i = 0; i < all.n; i++) {
		assert_int_equal(all.at[i].count, 3);
		assert_ptr_equal(all.at[i].subject.proc, &procs[i]);
	}
	arena_free(arena);
}

static void assert_list(const struct finding *f, const char *name, const uint32_t *wanted, size_t n)
{
	const struct fact *at = finding_find_fact(f, name, strlen(name));

	if (!at || n == 0) {
		assert_true(!at && n == 0);
		return;
	}
	assert_int_equal(at->n_list, n);
	assert_int_equal(at->n_list_all, n);
	assert_memory_equal(at->list, wanted, n * sizeof(*wanted));
}

/* Nobody accepted them: of one listener, or of several with SO_REUSEPORT. */
static void queues_of_several(void **state)
{
	static const struct {
		const char *name;
		size_t n_listeners, n_holders, n_queued;
		uint32_t pids[3], queues[3], backlog;
		size_t n_listed;
		const char *says; /* a part of it; NULL: the row's */
		enum certainty certainty;
	} rows[] = {
		{ "one", 1, 1, 1, { 10 }, { 6 }, 16, 0, NULL, CERTAINTY_CERTAIN },
		{ "one, held by two", 1, 2, 2, { 10, 20 }, { 6, 6 }, 16, 0, NULL, CERTAINTY_CERTAIN },
		{ "three, one with a queue", 3, 1, 1, { 10 }, { 6 }, 16, 0, NULL, CERTAINTY_LIKELY },
		{ "three, two with one", 3, 2, 2, { 10, 20 }, { 6, 3 }, 16, 2, "{candidate_pids}: {queues}",
		  CERTAINTY_LIKELY },
		{ "two, and it has emptied", 2, 2, 0, { 10, 20 }, { 0, 0 }, 16, 0, NULL, CERTAINTY_LIKELY },
		{ "three, one full", 3, 2, 2, { 10, 20 }, { 6, 3 }, 5, 2, "of {listeners} accept queues one is full",
		  CERTAINTY_LIKELY },
		{ "one, full", 1, 1, 1, { 10 }, { 6 }, 5, 0, "the accept queue is full", CERTAINTY_CERTAIN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new();
		struct judge *judge = judge_new(arena, 60000, 3);
		struct sock_full waiting = { .info.len = SOCK_INFO_LEN_BASIC };
		struct sock_full queue = { .inode = 7, .rqueue = rows[i].queues[0], .wqueue = rows[i].backlog };
		struct findings all;

		for (unsigned k = 0; k < 6; k++) {
			struct made *m = make(arena, STATE_CLOSE_WAIT, false);
			struct conn *c = &m->conn;

			m->sock.full = &waiting;
			m->listener = (struct sock){ .pair.local.port = 8080, .state = STATE_LISTEN, .full = &queue };
			c->owner = OWNER_UNACCEPTED;
			c->listener = &m->listener;
			c->n_listeners = rows[i].n_listeners;
			c->queues = rows[i].queues;
			c->n_queued = rows[i].n_queued;
			c->n_holders = rows[i].n_holders;
			for (size_t h = 0; h < c->n_holders; h++)
				c->holders[h].proc = &procs[h];
			judge_sock(judge, c);
		}
		judge_end(judge, &all);
		const struct finding *f = only(&all, "close-wait-never-accepted");
		assert_int_equal(f->certainty, rows[i].certainty);
		assert_ptr_equal(f->subject.proc, rows[i].n_holders == 1 ? &procs[0] : NULL);
		assert_int_equal(fact(f, "listeners"), rows[i].n_listeners);
		assert_int_equal(fact(f, "queue"), rows[i].queues[0]);
		assert_int_equal(fact(f, "candidates"), rows[i].n_listed ? (int64_t)rows[i].n_listed : -1);
		assert_list(f, "candidate_pids", rows[i].pids, rows[i].n_listed);
		assert_list(f, "queues", rows[i].queues, rows[i].n_listed);
		assert_int_equal(f->says != NULL, rows[i].says != NULL);
		if (f->says && !strstr(f->says, rows[i].says))
			fail_msg("%s: %s", rows[i].name, f->says);
		arena_free(arena);
	}
}

/* Whose orphans these are: one process is named, several are listed. */
static void owners_of_orphans(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 3; n++) {
		static const uint32_t pids[] = { 10, 20, 30 };
		struct arena *arena = arena_new();
		struct judge *judge = judge_new(arena, 60000, 3);
		struct findings all;

		for (unsigned k = 0; k < 2; k++) {
			struct made *m = make(arena, STATE_FIN_WAIT_2, true);
			struct conn *c = &m->conn;

			c->owner = n ? OWNER_ATTRIBUTED : OWNER_NONE;
			c->basis = n ? BASIS_LISTENER : BASIS_NONE;
			c->n_holders = n;
			for (size_t h = 0; h < n; h++)
				c->holders[h].proc = &procs[h];
			judge_sock(judge, c);
		}
		judge_end(judge, &all);
		const struct finding *f = only(&all, "fin-wait-2-orphan");
		assert_ptr_equal(f->subject.proc, n == 1 ? &procs[0] : NULL);
		assert_int_equal(fact(f, "pid"), n == 1 ? 10 : -1);
		assert_int_equal(fact(f, "candidates"), n > 1 ? (int64_t)n : -1);
		assert_list(f, "candidate_pids", pids, n > 1 ? n : 0);
		arena_free(arena);
	}
}

/* The same of a destination's ports. */
static void owners_of_ports(void **state)
{
	static const uint32_t pids[] = { 10, 20 };
	struct port_budget b = { .netns = &netns, .peer.port = 443, .used = 90, .capacity = 100 };

	(void)state;
	for (size_t n = 1; n <= 2; n++) {
		struct arena *arena = arena_new();
		struct judge *judge = judge_new(arena, 60000, 3);
		struct conn example = { .owner = OWNER_ATTRIBUTED, .basis = BASIS_SAME_DESTINATION, .n_holders = n,
					.holders = { { .proc = &procs[0], .fd = 5 }, { .proc = &procs[1], .fd = 5 } } };
		struct findings all;

		judge_ports(judge, &b, &example);
		judge_end(judge, &all);
		const struct finding *f = only(&all, "time-wait-port-exhaustion");
		assert_ptr_equal(f->subject.proc, n == 1 ? &procs[0] : NULL);
		assert_list(f, "candidate_pids", pids, n > 1 ? n : 0);
		arena_free(arena);
	}
}

/* A worker with a listener of its own is no stray, and where it is stopped its clients get no answer. */
static void one_of_the_listeners(void **state)
{
	static const struct holder listeners[] = { { .proc = &procs[1], .fd = 4 },
						   { .proc = &procs[2], .fd = 4 },
						   { .proc = &procs[0], .fd = 4 } };
	static const struct {
		size_t n; /* of these */
		char proc_state;
		const char *rule;
		enum severity severity;
	} rows[] = {
		{ 2, 'S', "close-wait-shared-fd", SEVERITY_WARNING },
		{ 3, 'S', "close-wait-leaked-fd", SEVERITY_NOTE },
		{ 2, 'T', "close-wait-stopped-process", SEVERITY_WARNING },
		{ 3, 'T', "close-wait-stopped-process", SEVERITY_PROBLEM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new();
		struct judge *judge = judge_new(arena, 60000, 3);
		struct findings all;
		struct proc mine = procs[0];
		struct holder holders[ARRAY_LEN(listeners)];
		struct made *m = make(arena, STATE_CLOSE_WAIT, false);
		struct conn *c = &m->conn;

		mine.state = rows[i].proc_state;
		memcpy(holders, listeners, sizeof(holders));
		holders[2].proc = &mine;
		m->listener = (struct sock){ .pair.local.port = 8080, .state = STATE_LISTEN, .full = &listener_full };
		c->holders[0].proc = &mine;
		c->listener = &m->listener;
		c->n_listeners = rows[i].n;
		c->listener_holders = holders;
		c->n_listener_holders = rows[i].n;
		judge_sock(judge, c);
		judge_end(judge, &all);
		assert_int_equal(only(&all, rows[i].rule)->severity, rows[i].severity);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(culprits),
		cmocka_unit_test(some_are_shared),
		cmocka_unit_test(listeners_by_device),
		cmocka_unit_test(queues_of_several),
		cmocka_unit_test(owners_of_orphans),
		cmocka_unit_test(owners_of_ports),
		cmocka_unit_test(one_of_the_listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

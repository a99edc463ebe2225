#include "rules_test.h"
#include "util/attr.h"

#include <string.h>

/* FIRES or SILENT of a rule that is asked about a listener or a process. */
struct limit_row {
	const char *name, *rule;
	enum expected expected;
	enum severity severity;
	uint32_t used, limit;
};

static void check(const struct limit_row *row, const struct findings *all)
{
	if (row->expected == SILENT) {
		if (all->n != 0)
			fail_msg("%s: %s fired", row->name, all->at[0].text->id);
		return;
	}
	if (all->n != 1 || strcmp(all->at[0].text->id, row->rule) != 0)
		fail_msg("%s: %s did not fire", row->name, row->rule);
	if (all->at[0].severity != row->severity)
		fail_msg("%s: severity %s", row->name, severity_name(all->at[0].severity));
	assert_int_equal(all->at[0].certainty, CERTAINTY_CERTAIN);
}

static void accept_queue(void **state)
{
	(void)state;
	static const struct limit_row rows[] = {
		{ "full: backlog and one", "accept-queue-full", FIRES, SEVERITY_PROBLEM, 3, 2 },
		{ "as many as the backlog", "accept-queue-full", SILENT, 0, 128, 128 },
		{ "a backlog of one is meant so", "accept-queue-full", SILENT, 0, 2, 1 },
		{ "empty", "accept-queue-full", SILENT, 0, 0, 128 },
	};
	static const struct netns netns = { .sysctls.somaxconn = { true, 4096 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new();
		struct judge *j = judge_new(arena, 60000, 3);
		struct sock_full full = { .rqueue = rows[i].used, .wqueue = rows[i].limit, .inode = 7 };
		struct sock s = { .state = STATE_LISTEN, .pair.local.port = 80, .full = &full };
		struct conn c = { .sock = &s, .netns = &netns };
		struct findings all;

		judge_listener(j, &c);
		judge_end(j, &all);
		check(&rows[i], &all);
		arena_free(arena);
	}
}

static void nofile(void **state)
{
	(void)state;
	static const struct limit_row rows[] = {
		{ "80 percent", "nofile-near-limit", FIRES, SEVERITY_WARNING, 820, 1024 },
		{ "94 percent", "nofile-near-limit", FIRES, SEVERITY_WARNING, 972, 1024 },
		{ "95 percent", "nofile-near-limit", FIRES, SEVERITY_PROBLEM, 973, 1024 },
		{ "less", "nofile-near-limit", SILENT, 0, 819, 1024 },
		{ "a small limit is meant so", "nofile-near-limit", SILENT, 0, 63, 63 },
		{ "the smallest that is not", "nofile-near-limit", FIRES, SEVERITY_PROBLEM, 64, 64 },
		{ "limit unknown", "nofile-near-limit", SILENT, 0, 5000, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct proc p = { .pid = 812, .comm = "x", .n_fds = rows[i].used, .has_fds = true,
				  .fd_limit = rows[i].limit };
		struct arena *arena = arena_new();
		struct judge *j = judge_new(arena, 60000, 3);
		struct look look = { 0 };
		struct findings all;

		assert_int_equal(judge_wants_proc(&p), rows[i].expected == FIRES);
		if (judge_wants_proc(&p))
			judge_proc(j, &look, &p);
		judge_end(j, &all);
		check(&rows[i], &all);
		p.has_fds = false;
		assert_false(judge_wants_proc(&p));
		arena_free(arena);
	}
}

/* A fifth of the descriptors in CLOSE-WAIT: then that is what is said. */
static void nofile_by_close_wait(void **state)
{
	enum { USED = 820, FIFTH = USED / 5 };
	struct proc p = { .pid = 812, .comm = "x", .n_fds = USED, .has_fds = true, .fd_limit = 1024 };
	const struct holder holder = { .proc = &p, .fd = 5 };
	struct sock_full full = { .inode = 7, .holders = &holder, .n_holders = 1 };
	static struct sock socks[FIFTH];

	(void)state;
	for (size_t i = 0; i < FIFTH; i++)
		socks[i] = (struct sock){ .state = STATE_CLOSE_WAIT, .full = &full };
	for (size_t n = FIFTH - 1; n <= FIFTH; n++) {
		struct look look = { .socks = socks, .n_socks = n };
		struct arena *arena = arena_new();
		struct judge *j = judge_new(arena, 60000, 3);
		struct findings all;

		judge_proc(j, &look, &p);
		judge_end(j, &all);
		assert_int_equal(all.n, 1);
		assert_int_equal(all.at[0].says != NULL, n == FIFTH);
		arena_free(arena);
	}
}

static void dead_sockets(void **state)
{
	(void)state;
	static const struct limit_row rows[] = {
		{ "ten", "dead-socket-leaked-fd", FIRES, SEVERITY_WARNING, 10, 1024 },
		{ "half of the free ones", "dead-socket-leaked-fd", FIRES, SEVERITY_PROBLEM, 10, 50 },
		{ "less than half", "dead-socket-leaked-fd", FIRES, SEVERITY_WARNING, 10, 51 },
		{ "a limit that was lowered since", "dead-socket-leaked-fd", FIRES, SEVERITY_PROBLEM, 10, 20 },
		{ "limit unknown", "dead-socket-leaked-fd", FIRES, SEVERITY_WARNING, 10, 0 },
		{ "none, or nobody looked", "dead-socket-leaked-fd", SILENT, 0, 0, 1024 },
	};
	uint32_t fds[PROC_MAX_DEAD] = { 7, 8, 9 };

	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		const struct limit_row *row = &rows[i / 2];
		bool is_unsure = i % 2;
		struct proc p = { .pid = 812, .comm = "x", .n_fds = row->used + 20, .has_fds = true,
				  .fd_limit = row->limit, .n_dead = row->used, .dead_fds = fds,
				  .dead_is_unsure = is_unsure };
		struct arena *arena = arena_new();
		struct judge *j = judge_new(arena, 60000, 3);
		struct look look = { 0 };
		struct findings all;

		assert_int_equal(judge_wants_proc(&p), row->expected == FIRES);
		if (judge_wants_proc(&p))
			judge_proc(j, &look, &p);
		judge_end(j, &all);
		assert_int_equal(all.n, row->expected == FIRES);
		if (all.n) {
			assert_string_equal(all.at[0].text->id, row->rule);
			assert_int_equal(all.at[0].severity, row->severity);
			assert_int_equal(all.at[0].certainty, is_unsure ? CERTAINTY_POSSIBLE : CERTAINTY_LIKELY);
			assert_int_equal(all.at[0].says != NULL, is_unsure);
			assert_int_equal(all.at[0].count, row->used);
		}
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accept_queue),
		cmocka_unit_test(nofile),
		cmocka_unit_test(nofile_by_close_wait),
		cmocka_unit_test(dead_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "rules_test.h"
#include "util/attr.h"

#include <string.h>

/* A listener's holders in order; the second one's parent is the first. */
struct listener_row {
	const char *name, *rule;
	enum expected expected;
	enum severity severity;
	enum certainty certainty;
	uint32_t queue;
	uint64_t oldest_client_ms;
	struct proc holders[2]; /* without a pid: not there */
};

#define SERVER .pid = 812, .ppid = 1, .comm = "server", .exe = "/opt/server", .n_threads = 1, \
	       .wchan = "inet_csk_accept"
#define CHILD .pid = 913, .comm = "sh", .exe = "/bin/dash", .n_threads = 1, .wchan = "do_wait"
#define LEFT CHILD, .leader_is_gone = true

static const struct listener_row rows[] = {
	{ "a child of the server", "listener-held-by-child",
	  FIRES, SEVERITY_NOTE, CERTAINTY_POSSIBLE, 0, 0,
	  { { SERVER }, { CHILD, .ppid = 812 } } },
	{ "a worker of the same program", "listener-held-by-child",
	  SILENT, 0, 0, 0, 0,
	  { { SERVER }, { .pid = 913, .ppid = 812, .comm = "server: worker", .exe = "/opt/server" } } },
	{ "a new version under the same name", "listener-held-by-child",
	  SILENT, 0, 0, 0, 0,
	  { { SERVER }, { .pid = 913, .ppid = 812, .comm = "server", .exe = "/opt/server2" } } },
	{ "not its child", "listener-held-by-child",
	  SILENT, 0, 0, 0, 0,
	  { { SERVER }, { CHILD, .ppid = 7 } } },
	{ "a supervisor's service", "listener-held-by-child",
	  SILENT, 0, 0, 0, 0,
	  { { .pid = 812, .ppid = 1, .comm = "systemd", .exe = "/lib/systemd/systemd" },
	    { CHILD, .ppid = 812 } } },
	{ "alone", "listener-held-by-child",
	  SILENT, 0, 0, 5, 60000,
	  { { SERVER } } },

	{ "left behind, and clients wait", "listener-held-by-child",
	  FIRES, SEVERITY_WARNING, CERTAINTY_LIKELY, 5, 60000,
	  { { LEFT } } },
	{ "left behind, nobody waits any more", "listener-held-by-child",
	  SILENT, 0, 0, 0, 60000,
	  { { LEFT } } },
	{ "nobody is seen to hold it", "listener-held-by-child",
	  SILENT, 0, 0, 5, 60000,
	  { { 0 } } },
	{ "left behind, a client came a moment ago", "listener-held-by-child",
	  SILENT, 0, 0, 5, 59999,
	  { { LEFT } } },
	{ "its leader lives, or is not known", "listener-held-by-child",
	  SILENT, 0, 0, 5, 60000,
	  { { CHILD } } },
	{ "another thread may accept", "listener-held-by-child",
	  SILENT, 0, 0, 5, 60000,
	  { { .pid = 913, .comm = "d", .n_threads = 4, .leader_is_gone = true, .wchan = "do_wait" } } },
	{ "it waits for connections", "listener-held-by-child",
	  SILENT, 0, 0, 5, 60000,
	  { { .pid = 913, .comm = "d", .n_threads = 1, .leader_is_gone = true, .wchan = "do_epoll_wait" } } },
	{ "where it waits is not known", "listener-held-by-child",
	  SILENT, 0, 0, 5, 60000,
	  { { .pid = 913, .comm = "d", .n_threads = 1, .leader_is_gone = true } } },
	{ "one of two serves", "listener-held-by-child",
	  SILENT, 0, 0, 5, 60000,
	  { { SERVER }, { LEFT, .ppid = 1 } } },
};

static void judge_row(const struct listener_row *row, struct arena *arena, struct findings *ret)
{
	static const struct netns netns = { .sysctls.somaxconn = { true, 4096 } };
	struct judge *j = judge_new(arena, 60000, 3);
	struct holder holders[2];
	struct sock_full full = { .rqueue = row->queue, .wqueue = 128, .inode = 7, .holders = holders };
	struct sock s = { .state = STATE_LISTEN, .pair.local.port = 80, .full = &full };
	struct conn c = { .sock = &s, .netns = &netns,
			  .oldest_client_ms = row->oldest_client_ms };

	for (size_t i = 0; i < ARRAY_LEN(holders) && row->holders[i].pid; i++)
		holders[full.n_holders++] = (struct holder){ .proc = &row->holders[i], .fd = 5 };
	judge_listener(j, &c);
	judge_end(j, ret);
}

static void held_by_child(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new();
		struct findings all;

		judge_row(&rows[i], arena, &all);
		if (all.n != (rows[i].expected == FIRES))
			fail_msg("%s: %zu findings", rows[i].name, all.n);
		if (all.n) {
			assert_string_equal(all.at[0].text->id, rows[i].rule);
			assert_int_equal(all.at[0].severity, rows[i].severity);
			assert_int_equal(all.at[0].certainty, rows[i].certainty);
			assert_int_equal(all.at[0].subject.proc->pid, 913);
		}
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_by_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

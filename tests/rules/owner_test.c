#include "rules_test.h"
#include "util/attr.h"

#define READ .state = STATE_CLOSE_WAIT, .inode = 9, .data_sent_ms = 9999999
#define UNREAD .state = STATE_CLOSE_WAIT, .inode = 9, .rqueue = 1

static void stopped_process(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "stopped by a signal", "close-wait-stopped-process", FIRES, SEVERITY_WARNING,
		  CERTAINTY_CERTAIN, 3, { UNREAD, .age_ms = 60000, .proc_state = 'T' } },
		{ "by a tracer, everything read", "close-wait-stopped-process", FIRES,
		  SEVERITY_WARNING, CERTAINTY_CERTAIN, 3,
		  { READ, .age_ms = 60000, .proc_state = 't' } },
		{ "frozen", "close-wait-stopped-process", FIRES, SEVERITY_WARNING,
		  CERTAINTY_CERTAIN, 3, { UNREAD, .age_ms = 60000, .wchan = "do_freezer_trap" } },
		{ "stopped a moment ago", "close-wait-stopped-process", SILENT, 0, 0, 3,
		  { UNREAD, .age_ms = 59999, .proc_state = 'T' } },
		{ "asleep", "close-wait-stopped-process", SILENT, 0, 0, 3,
		  { UNREAD, .age_ms = 60000, .wchan = "ep_poll" } },
		{ "age unknown", "close-wait-stopped-process", UNKNOWN, 0, 0, 3,
		  { UNREAD, .age_ms = AGE_UNKNOWN, .no_info = true, .proc_state = 'T' } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void shared_fd(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "two processes", "close-wait-shared-fd", FIRES, SEVERITY_WARNING,
		  CERTAINTY_CERTAIN, 3, { READ, .age_ms = 60000, .is_shared = true } },
		{ "two processes, unread", "close-wait-shared-fd", FIRES, SEVERITY_WARNING,
		  CERTAINTY_CERTAIN, 3, { UNREAD, .age_ms = 60000, .is_shared = true } },
		{ "one that is not the listener's", "close-wait-shared-fd", FIRES,
		  SEVERITY_WARNING, CERTAINTY_POSSIBLE, 3,
		  { READ, .age_ms = 60000, .has_listener = true, .is_strays = true } },
		{ "the same, the first descriptor that exec() does not give", "close-wait-shared-fd", FIRES,
		  SEVERITY_WARNING, CERTAINTY_POSSIBLE, 3,
		  { READ, .age_ms = 60000, .has_listener = true, .is_strays = true, .fd = 4 } },
		{ "given by systemd", "close-wait-shared-fd", SILENT, 0, 0, 3,
		  { READ, .age_ms = 60000, .has_listener = true, .is_strays = true, .fd = 3 } },
		{ "the listener's owner is unknown", "close-wait-shared-fd", SILENT, 0, 0, 3,
		  { READ, .age_ms = 60000, .has_listener = true } },
		{ "one process", "close-wait-shared-fd", SILENT, 0, 0, 3,
		  { READ, .age_ms = 60000 } },
		{ "a moment after fork()", "close-wait-shared-fd", SILENT, 0, 0, 3,
		  { READ, .age_ms = 59999, .is_shared = true } },
		{ "age unknown", "close-wait-shared-fd", UNKNOWN, 0, 0, 3,
		  { READ, .age_ms = AGE_UNKNOWN, .no_info = true, .is_shared = true } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void kernel_held(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "nobody has it", "close-wait-kernel-held", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 3,
		  { READ, .age_ms = 60000, .is_hidden = true, .nobody_has_it = true } },
		{ "many, and the port of NFS", "close-wait-kernel-held", FIRES, SEVERITY_WARNING,
		  CERTAINTY_LIKELY, 10,
		  { READ, .age_ms = 60000, .is_hidden = true, .nobody_has_it = true,
		    .is_client = true, .peer_port = 2049 } },
		{ "as many wait in one UNIX socket", "close-wait-kernel-held", FIRES, SEVERITY_NOTE,
		  CERTAINTY_LIKELY, 3,
		  { READ, .age_ms = 60000, .is_hidden = true, .nobody_has_it = true, .in_flight = 3 } },
		{ "the same, and not all were asked", "close-wait-kernel-held", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 3,
		  { READ, .age_ms = 60000, .is_hidden = true, .nobody_has_it = true, .in_flight = 3,
		    .flight_is_partial = true } },
		{ "fewer do", "close-wait-kernel-held", FIRES, SEVERITY_NOTE, CERTAINTY_POSSIBLE, 3,
		  { READ, .age_ms = 60000, .is_hidden = true, .nobody_has_it = true, .in_flight = 2 } },
		{ "in one of two", "close-wait-kernel-held", FIRES, SEVERITY_NOTE, CERTAINTY_POSSIBLE, 3,
		  { READ, .age_ms = 60000, .is_hidden = true, .nobody_has_it = true, .in_flight = 3,
		    .n_receivers = 2 } },
		{ "without privilege nobody knows", "close-wait-kernel-held", UNKNOWN, 0, 0, 3,
		  { READ, .age_ms = 60000, .is_hidden = true } },
		{ "young: a process may have ended between two reads", "close-wait-kernel-held",
		  SILENT, 0, 0, 3,
		  { READ, .age_ms = 59999, .is_hidden = true, .nobody_has_it = true } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void idle_pool(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "a few", "close-wait-idle-pool", FIRES, SEVERITY_NOTE, CERTAINTY_POSSIBLE, 5,
		  { UNREAD, .age_ms = 60000, .is_client = true } },
		{ "as many as a large pool holds", "close-wait-idle-pool", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 32, { UNREAD, .age_ms = 60000, .is_client = true } },
		{ "more than a pool holds", "close-wait-idle-pool", FIRES, SEVERITY_WARNING,
		  CERTAINTY_POSSIBLE, 33, { UNREAD, .age_ms = 60000, .is_client = true } },
		{ "for nearly an hour", "close-wait-idle-pool", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 1, { UNREAD, .age_ms = 3599999, .is_client = true } },
		{ "for an hour", "close-wait-idle-pool", FIRES, SEVERITY_WARNING,
		  CERTAINTY_POSSIBLE, 1, { UNREAD, .age_ms = 3600000, .is_client = true } },
		{ "TLS said goodbye", "close-wait-idle-pool", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 5,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .rqueue = 25, .age_ms = 60000,
		    .is_client = true } },
		{ "with the longest cipher", "close-wait-idle-pool", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 5,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .rqueue = 41, .age_ms = 60000,
		    .is_client = true } },
		{ "less than a goodbye", "close-wait-idle-pool", SILENT, 0, 0, 5,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .rqueue = 24, .age_ms = 60000,
		    .is_client = true } },
		{ "more than one", "close-wait-idle-pool", SILENT, 0, 0, 5,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .rqueue = 42, .age_ms = 60000,
		    .is_client = true } },
		{ "who connected is not to be seen", "close-wait-idle-pool", SILENT, 0, 0, 5,
		  { UNREAD, .age_ms = 60000, .is_client = true, .peer_port = 40000 } },
		{ "a server's side", "close-wait-idle-pool", SILENT, 0, 0, 5,
		  { UNREAD, .age_ms = 60000, .has_listener = true } },
		{ "everything read: a leak", "close-wait-idle-pool", SILENT, 0, 0, 5,
		  { READ, .age_ms = 60000, .is_client = true } },
		{ "young", "close-wait-idle-pool", SILENT, 0, 0, 5,
		  { UNREAD, .age_ms = 59999, .is_client = true } },
		{ "a subflow of MPTCP alone: Recv-Q is no count", "close-wait-idle-pool", UNKNOWN, 0, 0, 5,
		  { UNREAD, .age_ms = 60000, .is_client = true, .is_subflow = true } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void epoll_deaf(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "in a set, for nothing", "close-wait-epoll-deaf", FIRES, SEVERITY_WARNING,
		  CERTAINTY_LIKELY, 3, { UNREAD, .age_ms = 60000, .watch = WATCH_DEAF } },
		{ "in no set", "close-wait-epoll-deaf", FIRES, SEVERITY_WARNING,
		  CERTAINTY_POSSIBLE, 3, { UNREAD, .age_ms = 60000, .watch = WATCH_ABSENT } },
		{ "the loop hears, and is stuck", "close-wait-epoll-deaf", SILENT, 0, 0, 3,
		  { UNREAD, .age_ms = 60000, .watch = WATCH_HEARS } },
		{ "no epoll at all", "close-wait-epoll-deaf", SILENT, 0, 0, 3,
		  { UNREAD, .age_ms = 60000, .watch = WATCH_NO_EPOLL } },
		{ "could not look: another rule's words", "close-wait-epoll-deaf", SILENT, 0, 0, 3,
		  { UNREAD, .age_ms = 60000, .watch = WATCH_UNKNOWN } },
		{ "everything read", "close-wait-epoll-deaf", SILENT, 0, 0, 3,
		  { READ, .age_ms = 60000, .watch = WATCH_DEAF } },
		{ "young", "close-wait-epoll-deaf", SILENT, 0, 0, 3,
		  { UNREAD, .age_ms = 59999, .watch = WATCH_DEAF } },
		{ "a subflow of MPTCP alone: Recv-Q is no count", "close-wait-epoll-deaf", UNKNOWN, 0, 0, 3,
		  { UNREAD, .age_ms = 60000, .watch = WATCH_DEAF, .is_subflow = true } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopped_process),
		cmocka_unit_test(shared_fd),
		cmocka_unit_test(kernel_held),
		cmocka_unit_test(idle_pool),
		cmocka_unit_test(epoll_deaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "rules_test.h"
#include "util/attr.h"

#include <string.h>

/* Ages around the bounds: 5 s young, 60 s suspicious, 10 min old, 1 h forgotten. */

static void never_accepted(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "queue with room, a minute", "close-wait-never-accepted", FIRES, SEVERITY_PROBLEM,
		  CERTAINTY_CERTAIN, 2,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .age_ms = 60000, .has_listener = true,
		    .listener_rqueue = 2, .listener_backlog = 5 } },
		{ "queue with room, ten seconds", "close-wait-never-accepted", FIRES,
		  SEVERITY_WARNING, CERTAINTY_CERTAIN, 2,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .age_ms = 10000, .has_listener = true,
		    .listener_rqueue = 2, .listener_backlog = 5 } },
		{ "full queue", "close-wait-never-accepted", FIRES, SEVERITY_PROBLEM,
		  CERTAINTY_CERTAIN, 2,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .age_ms = 10000, .has_listener = true,
		    .listener_rqueue = 6, .listener_backlog = 5 } },
		{ "as many as it was to hold: room for one more", "close-wait-never-accepted", FIRES,
		  SEVERITY_WARNING, CERTAINTY_CERTAIN, 2,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .age_ms = 10000, .has_listener = true,
		    .listener_rqueue = 5, .listener_backlog = 5 } },
		{ "SO_REUSEPORT: whose queue is unknown", "close-wait-never-accepted", FIRES,
		  SEVERITY_PROBLEM, CERTAINTY_LIKELY, 1,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .age_ms = 60000, .has_listener = true,
		    .n_listeners = 2 } },
		{ "a moment in the queue", "close-wait-never-accepted", SILENT, 0, 0, 1,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .age_ms = 4999, .has_listener = true } },
		{ "accepted", "close-wait-never-accepted", SILENT, 0, 0, 1,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .age_ms = 60000, .inode = 9,
		    .has_listener = true } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void data_unread(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "one slow request", "close-wait-data-unread", FIRES, SEVERITY_WARNING,
		  CERTAINTY_CERTAIN, 9,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 2, .inode = 9, .age_ms = 60000 } },
		{ "a stuck program", "close-wait-data-unread", FIRES, SEVERITY_PROBLEM,
		  CERTAINTY_CERTAIN, 10,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 2, .inode = 9, .age_ms = 60000 } },
		{ "young", "close-wait-data-unread", SILENT, 0, 0, 10,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 2, .inode = 9, .age_ms = 59999 } },
		{ "only the FIN", "close-wait-data-unread", SILENT, 0, 0, 10,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .inode = 9, .age_ms = 60000 } },
		{ "owner hidden", "close-wait-data-unread", UNKNOWN, 0, 0, 10,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 2, .inode = 9, .age_ms = 60000,
		    .is_hidden = true } },
		{ "a subflow of MPTCP alone: Recv-Q is no count", "close-wait-data-unread", UNKNOWN, 0, 0, 10,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 2, .inode = 9, .age_ms = 60000,
		    .is_subflow = true } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void eof_unread(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "few and young enough", "close-wait-eof-unread", FIRES, SEVERITY_NOTE,
		  CERTAINTY_CERTAIN, 9,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .inode = 9, .age_ms = 60000 } },
		{ "many", "close-wait-eof-unread", FIRES, SEVERITY_WARNING, CERTAINTY_CERTAIN, 10,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .inode = 9, .age_ms = 60000 } },
		{ "nearly old", "close-wait-eof-unread", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 1,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .inode = 9, .age_ms = 599999 } },
		{ "old", "close-wait-eof-unread", FIRES, SEVERITY_WARNING, CERTAINTY_CERTAIN, 1,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .inode = 9, .age_ms = 600000 } },
		{ "young", "close-wait-eof-unread", SILENT, 0, 0, 10,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .inode = 9, .age_ms = 59999 } },
		{ "all taken out", "close-wait-eof-unread", SILENT, 0, 0, 10,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 0, .inode = 9, .age_ms = 60000,
		    .data_sent_ms = 70000, .ack_recv_ms = 60000 } },
		{ "age unknown", "close-wait-eof-unread", UNKNOWN, 0, 0, 10,
		  { .state = STATE_CLOSE_WAIT, .rqueue = 1, .inode = 9, .age_ms = AGE_UNKNOWN,
		    .no_info = true } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

#define LEAK .state = STATE_CLOSE_WAIT, .inode = 9, .data_sent_ms = 9999999

static void leaked_fd(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "one, a minute: it may still compute", "close-wait-leaked-fd", FIRES,
		  SEVERITY_NOTE, CERTAINTY_POSSIBLE, 1, { LEAK, .age_ms = 60000 } },
		{ "one, ten minutes", "close-wait-leaked-fd", FIRES, SEVERITY_WARNING,
		  CERTAINTY_LIKELY, 1, { LEAK, .age_ms = 600000 } },
		{ "ten", "close-wait-leaked-fd", FIRES, SEVERITY_WARNING, CERTAINTY_LIKELY, 10,
		  { LEAK, .age_ms = 60000 } },
		{ "ten, an hour", "close-wait-leaked-fd", FIRES, SEVERITY_WARNING,
		  CERTAINTY_CERTAIN, 10, { LEAK, .age_ms = 3600000 } },
		{ "half of the free descriptors", "close-wait-leaked-fd", FIRES, SEVERITY_PROBLEM,
		  CERTAINTY_LIKELY, 200,
		  { LEAK, .age_ms = 60000, .fd_used = 624, .fd_limit = 1024 } },
		{ "less than half", "close-wait-leaked-fd", FIRES, SEVERITY_WARNING,
		  CERTAINTY_LIKELY, 200,
		  { LEAK, .age_ms = 60000, .fd_used = 623, .fd_limit = 1024 } },
		{ "not one descriptor free", "close-wait-leaked-fd", FIRES, SEVERITY_PROBLEM,
		  CERTAINTY_LIKELY, 10,
		  { LEAK, .age_ms = 60000, .fd_used = 1024, .fd_limit = 1024 } },
		{ "young", "close-wait-leaked-fd", SILENT, 0, 0, 10, { LEAK, .age_ms = 59999 } },
		{ "still answering", "close-wait-leaked-fd", SILENT, 0, 0, 10,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .age_ms = 90000, .data_sent_ms = 100,
		    .ack_recv_ms = 90000 } },
		{ "the last it sent is a minute old", "close-wait-leaked-fd", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .age_ms = 90000, .data_sent_ms = 60000,
		    .ack_recv_ms = 90000 } },
		{ "nothing was sent since", "close-wait-leaked-fd", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .age_ms = 60000, .data_sent_ms = 100,
		    .ack_recv_ms = 100 } },
		{ "an answer on its way", "close-wait-leaked-fd", SILENT, 0, 0, 10,
		  { LEAK, .age_ms = 60000, .wqueue = 5 } },
		{ "owner hidden", "close-wait-leaked-fd", UNKNOWN, 0, 0, 10,
		  { LEAK, .age_ms = 60000, .is_hidden = true } },
		{ "age unknown", "close-wait-leaked-fd", UNKNOWN, 0, 0, 10,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .age_ms = AGE_UNKNOWN, .no_info = true } },
		{ "ten of MPTCP: less certain", "close-wait-leaked-fd", FIRES, SEVERITY_WARNING,
		  CERTAINTY_POSSIBLE, 10, { LEAK, .age_ms = 60000, .is_mptcp = true } },
		{ "ten of MPTCP, an hour", "close-wait-leaked-fd", FIRES, SEVERITY_WARNING,
		  CERTAINTY_LIKELY, 10, { LEAK, .age_ms = 3600000, .is_mptcp = true } },
		{ "young, of MPTCP", "close-wait-leaked-fd", SILENT, 0, 0, 10,
		  { LEAK, .age_ms = 59999, .is_mptcp = true } },
		{ "of MPTCP, data unread", "close-wait-leaked-fd", UNKNOWN, 0, 0, 10,
		  { LEAK, .age_ms = 60000, .is_mptcp = true, .rqueue = 843 } },
		{ "of MPTCP on an older kernel: age unknown", "close-wait-leaked-fd", UNKNOWN, 0, 0, 10,
		  { LEAK, .age_ms = AGE_UNKNOWN, .is_mptcp = true, .no_info = true } },
		{ "a subflow of MPTCP alone", "close-wait-leaked-fd", UNKNOWN, 0, 0, 10,
		  { LEAK, .age_ms = 60000, .is_subflow = true } },
		{ "ten of kTLS: less certain", "close-wait-leaked-fd", FIRES, SEVERITY_WARNING,
		  CERTAINTY_POSSIBLE, 10, { LEAK, .age_ms = 60000, .has_tls_rx = true } },
		{ "of kTLS, the FIN may lie there after it was seen", "close-wait-leaked-fd", FIRES,
		  SEVERITY_WARNING, CERTAINTY_LIKELY, 10,
		  { LEAK, .age_ms = 3600000, .has_tls_rx = true, .rqueue = 1 } },
		{ "of kTLS, records or a piece of one", "close-wait-leaked-fd", UNKNOWN, 0, 0, 10,
		  { LEAK, .age_ms = 60000, .has_tls_rx = true, .rqueue = 2 } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static int64_t number_of(const struct finding *f, const char *name)
{
	const struct fact *fact = finding_find_fact(f, name, strlen(name));

	return fact ? fact->number : -1;
}

/* Of three connections the options of two were read; their linger times differ. */
static void options(void **state)
{
	const struct sock_opts a = { .known = OPTS_ALL, .keepalive = true, .idle_s = 60, .interval_s = 10,
				     .probes = 6, .linger = true, .linger_s = 3, .linger2_s = 60 };
	struct sock_opts b = a;
	struct sock_full full[3] = { { .inode = 1, .opts = &a }, { .inode = 2, .opts = &b }, { .inode = 3 } };
	struct sock socks[3] = { { .full = &full[0] }, { .full = &full[1] }, { .full = &full[2] } };
	struct proc p = { .pid = 812, .comm = "x" };
	struct arena *arena = arena_new();
	struct judge *j = judge_new(arena, 0, 3);
	struct findings all;

	(void)state;
	b.linger_s = 4;
	for (int i = 0; i < 3; i++) {
		socks[i].state = STATE_CLOSE_WAIT;
		struct conn c = { .sock = &socks[i], .owner = OWNER_KNOWN, .holders = { { .proc = &p, .fd = 5 } },
				  .n_holders = 1, .age = { true, true, 60000 } };

		judge_sock(j, &c);
	}
	judge_end(j, &all);
	assert_int_equal(all.n, 1);
	assert_int_equal(number_of(&all.at[0], "options_read"), 2);
	assert_int_equal(number_of(&all.at[0], "keepalive_on"), 2);
	assert_int_equal(number_of(&all.at[0], "keepalive_total"), 120000);
	assert_int_equal(number_of(&all.at[0], "linger_on"), 2);
	assert_int_equal(number_of(&all.at[0], "linger"), -1);
	assert_int_equal(number_of(&all.at[0], "user_timeout"), -1);
	assert_int_equal(number_of(&all.at[0], "linger2"), 60000);
	assert_int_equal(number_of(&all.at[0], "reuseaddr_on"), 0);
	arena_free(arena);
}

/* For a subflow its MPTCP socket speaks; of its other states nobody has rules. */
static void mptcp(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "held", "fin-wait-2-held", FIRES, SEVERITY_WARNING, CERTAINTY_CERTAIN, 10,
		  { .state = STATE_FIN_WAIT_2, .inode = 9, .age_ms = 60000, .data_recv_ms = 60000,
		    .is_mptcp = true } },
		{ "a subflow alone", "fin-wait-2-held", UNKNOWN, 0, 0, 10,
		  { .state = STATE_FIN_WAIT_2, .inode = 9, .age_ms = 60000, .data_recv_ms = 60000,
		    .is_subflow = true } },
		{ "retransmissions are another's", "last-ack-peer-gone", UNKNOWN, 0, 0, 10,
		  { .state = STATE_LAST_ACK, .age_ms = AGE_UNKNOWN, .timer = TIMER_ON, .retrans = 9,
		    .wqueue = 1, .is_mptcp = true } },
		{ "closed by its application", "fin-wait-2-orphan", SILENT, 0, 0, 10,
		  { .state = STATE_FIN_WAIT_2, .timer = TIMER_KEEPALIVE, .age_ms = 60000,
		    .is_mptcp = true } },
	};
	struct conn c = { .sock = &(struct sock){ .state = STATE_CLOSE_WAIT,
						  .full = &(struct sock_full){ .is_subflow = true } },
			  .mptcp = &(struct sock){ .state = STATE_ESTABLISHED } };
	struct arena *arena = arena_new();
	struct judge *j = judge_new(arena, 0, 3);
	struct findings all;

	check_rows(rows, ARRAY_LEN(rows));
	judge_sock(j, &c);
	assert_null(c.rules[0]);
	judge_end(j, &all);
	assert_int_equal(all.n, 0);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_accepted),
		cmocka_unit_test(data_unread),
		cmocka_unit_test(eof_unread),
		cmocka_unit_test(leaked_fd),
		cmocka_unit_test(mptcp),
		cmocka_unit_test(options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

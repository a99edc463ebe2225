#include "rules_test.h"
#include "util/attr.h"

#define REPEATS .timer = TIMER_ON, .retrans = 3
#define PROBES .timer = TIMER_PERSIST, .retrans = 3
#define CLOSED .has_window = true, .window = 0
#define OPEN .has_window = true, .window = 65536

static void send_stuck(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "nobody acknowledges", "close-wait-send-stuck", FIRES, SEVERITY_WARNING,
		  CERTAINTY_CERTAIN, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .wqueue = 5000, .age_ms = 9000, REPEATS } },
		{ "the window is closed, probes are answered", "close-wait-send-stuck", FIRES,
		  SEVERITY_WARNING, CERTAINTY_CERTAIN, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .wqueue = 5000, .age_ms = 9000, PROBES,
		    .ack_recv_ms = 100, CLOSED } },
		{ "the last of them just before the next", "close-wait-send-stuck", FIRES,
		  SEVERITY_WARNING, CERTAINTY_CERTAIN, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .wqueue = 5000, .age_ms = 900000, PROBES,
		    .ack_recv_ms = 129999, CLOSED } },
		{ "probes, and no ACK for long", "close-wait-send-stuck", FIRES, SEVERITY_WARNING,
		  CERTAINTY_LIKELY, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .wqueue = 5000, .age_ms = 900000, PROBES,
		    .ack_recv_ms = 130000, CLOSED } },
		{ "probes that are answered, on a kernel that tells no window", "close-wait-send-stuck", FIRES,
		  SEVERITY_WARNING, CERTAINTY_LIKELY, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .wqueue = 5000, .age_ms = 9000, PROBES,
		    .ack_recv_ms = 100, .data_sent_ms = 100 } },
		{ "this host itself refuses", "close-wait-send-stuck", SILENT, 0, 0, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .wqueue = 5000, .age_ms = 9000, PROBES,
		    .ack_recv_ms = 9000, OPEN } },
		{ "a window and a lost segment", "close-wait-send-stuck", FIRES, SEVERITY_WARNING,
		  CERTAINTY_CERTAIN, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .wqueue = 5000, .age_ms = 9000, REPEATS, OPEN } },
		{ "how often it probed cannot be seen", "close-wait-send-stuck", UNKNOWN, 0, 0, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .wqueue = 5000, .age_ms = 9000,
		    .timer = TIMER_PERSIST, .no_info = true } },
		{ "two losses", "close-wait-send-stuck", SILENT, 0, 0, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .wqueue = 5000, .age_ms = 9000,
		    .timer = TIMER_ON, .retrans = 2 } },
		{ "nothing to send", "close-wait-send-stuck", SILENT, 0, 0, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .age_ms = 9000, .timer = TIMER_KEEPALIVE,
		    .retrans = 5 } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void peer_gone(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "one", "fin-wait-1-peer-gone", FIRES, SEVERITY_NOTE, CERTAINTY_LIKELY, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 1, REPEATS } },
		{ "not yet a crowd", "fin-wait-1-peer-gone", FIRES, SEVERITY_NOTE, CERTAINTY_LIKELY, 99,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 1, REPEATS } },
		{ "a crowd", "fin-wait-1-peer-gone", FIRES, SEVERITY_WARNING, CERTAINTY_LIKELY, 100,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 1, REPEATS } },
		{ "a loss or two", "fin-wait-1-peer-gone", SILENT, 0, 0, 100,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 1, .timer = TIMER_ON, .retrans = 2 } },
		{ "it waits for a window instead", "fin-wait-1-peer-gone", SILENT, 0, 0, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 100, PROBES } },
		{ "one", "last-ack-peer-gone", FIRES, SEVERITY_NOTE, CERTAINTY_LIKELY, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 1, REPEATS } },
		{ "a crowd", "last-ack-peer-gone", FIRES, SEVERITY_WARNING, CERTAINTY_LIKELY, 100,
		  { .state = STATE_LAST_ACK, .wqueue = 1, REPEATS } },
		{ "a loss or two", "last-ack-peer-gone", SILENT, 0, 0, 100,
		  { .state = STATE_LAST_ACK, .wqueue = 1, .timer = TIMER_ON, .retrans = 2 } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

/* The age is that of the state; what is left of the time since the last ACK was the half-close. */
static void half_close(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "a minute and a half", "half-close-conntrack", FIRES, SEVERITY_NOTE, CERTAINTY_POSSIBLE, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 1, REPEATS, .age_ms = 10000, .ack_recv_ms = 100000 } },
		{ "the peer is here, and waits", "half-close-conntrack", FIRES, SEVERITY_NOTE, CERTAINTY_LIKELY,
		  1,
		  { .state = STATE_LAST_ACK, .wqueue = 1, REPEATS, .age_ms = 10000, .ack_recv_ms = 100000,
		    .other_in_fin_wait = true } },
		{ "that this host tracks proves nothing", "half-close-conntrack", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 1, REPEATS, .age_ms = 10000, .ack_recv_ms = 100000,
		    .is_tracked = true } },
		{ "many", "half-close-conntrack", FIRES, SEVERITY_WARNING, CERTAINTY_POSSIBLE, 10,
		  { .state = STATE_LAST_ACK, .wqueue = 1, REPEATS, .age_ms = 10000, .ack_recv_ms = 100000 } },
		{ "a minute, which is the default", "half-close-conntrack", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 1, REPEATS, .age_ms = 40000, .ack_recv_ms = 100000 } },
		/* 6.4 + 3.2 + 1.6 + 0.8 s: no age is known, but for so long it has been sent in vain. */
		{ "data in front of the FIN, a minute", "half-close-conntrack", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 500, .timer = TIMER_ON, .retrans = 3, .backoff = 3,
		    .rto_ms = 6400, .age_ms = AGE_UNKNOWN, .ack_recv_ms = 72000 } },
		{ "data in front of the FIN, less than a minute", "half-close-conntrack", SILENT, 0, 0, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 500, .timer = TIMER_ON, .retrans = 3, .backoff = 3,
		    .rto_ms = 6400, .age_ms = AGE_UNKNOWN, .ack_recv_ms = 71999 } },
		{ "data in front of the FIN, for longer than the peer is silent", "half-close-conntrack", SILENT, 0, 0, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 500, .timer = TIMER_ON, .retrans = 3, .backoff = 3,
		    .rto_ms = 64000, .age_ms = AGE_UNKNOWN, .ack_recv_ms = 100000 } },
		{ "less than a minute", "half-close-conntrack", SILENT, 0, 0, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 1, REPEATS, .age_ms = 40001, .ack_recv_ms = 100000 } },
		{ "a table that remembers for longer", "half-close-conntrack", SILENT, 0, 0, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 1, REPEATS, .age_ms = 10000, .ack_recv_ms = 100000,
		    .conntrack_close_wait_s = { true, 91 } } },
		{ "0 is no time", "half-close-conntrack", SILENT, 0, 0, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 1, REPEATS, .age_ms = 40001, .ack_recv_ms = 100000,
		    .conntrack_close_wait_s = { true, 0 } } },
		{ "how long cannot be seen", "half-close-conntrack", SILENT, 0, 0, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 1, REPEATS, .age_ms = 10000, .no_info = true } },
		{ "answered", "half-close-conntrack", SILENT, 0, 0, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 1, .timer = TIMER_ON, .retrans = 1, .age_ms = 10000,
		    .ack_recv_ms = 100000 } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void no_timer(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "for a minute", "fin-wait-1-no-timer", FIRES, SEVERITY_NOTE, CERTAINTY_POSSIBLE, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 1, .ack_recv_ms = 60000, .data_sent_ms = 60000 } },
		{ "for a moment", "fin-wait-1-no-timer", SILENT, 0, 0, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 1, .ack_recv_ms = 60000, .data_sent_ms = 100 } },
		{ "nothing is left", "fin-wait-1-no-timer", SILENT, 0, 0, 1,
		  { .state = STATE_FIN_WAIT_1, .ack_recv_ms = 60000, .data_sent_ms = 60000 } },
		{ "for how long cannot be seen", "fin-wait-1-no-timer", UNKNOWN, 0, 0, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 1, .no_info = true } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void zero_window(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "probes are answered", "fin-wait-1-zero-window", FIRES, SEVERITY_NOTE,
		  CERTAINTY_CERTAIN, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 5000, PROBES, .ack_recv_ms = 400, CLOSED } },
		{ "not yet many", "fin-wait-1-zero-window", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 9,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 5000, PROBES, .ack_recv_ms = 400, CLOSED } },
		{ "many", "fin-wait-1-zero-window", FIRES, SEVERITY_WARNING, CERTAINTY_CERTAIN, 10,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 5000, PROBES, .ack_recv_ms = 400, CLOSED } },
		{ "much", "fin-wait-1-zero-window", FIRES, SEVERITY_WARNING, CERTAINTY_CERTAIN, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 1048576, PROBES, .ack_recv_ms = 400, CLOSED } },
		{ "a FIN alone takes a window, too", "fin-wait-1-zero-window", FIRES, SEVERITY_NOTE,
		  CERTAINTY_CERTAIN, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 1, PROBES, .ack_recv_ms = 400, CLOSED } },
		{ "nobody has answered for long", "fin-wait-1-zero-window", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 5000, PROBES, .ack_recv_ms = 130000, CLOSED } },
		{ "the window is open", "fin-wait-1-zero-window", SILENT, 0, 0, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 5000, PROBES, .ack_recv_ms = 9000, OPEN } },
		{ "it is not told; no data since the last answer", "fin-wait-1-zero-window", FIRES, SEVERITY_NOTE,
		  CERTAINTY_LIKELY, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 2, PROBES, .ack_recv_ms = 400, .data_sent_ms = 400 } },
		{ "nor is anybody there", "fin-wait-1-zero-window", FIRES, SEVERITY_NOTE, CERTAINTY_POSSIBLE, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 2, PROBES, .ack_recv_ms = 130000,
		    .data_sent_ms = 130000 } },
		{ "it is not told; data was tried since", "fin-wait-1-zero-window", SILENT, 0, 0, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 2, PROBES, .ack_recv_ms = 401, .data_sent_ms = 400 } },
		{ "it is not told, and a FIN alone sets no time", "fin-wait-1-zero-window", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, 1,
		  { .state = STATE_LAST_ACK, .wqueue = 1, PROBES, .ack_recv_ms = 401, .data_sent_ms = 400 } },
		{ "no tcp_info", "fin-wait-1-zero-window", FIRES, SEVERITY_NOTE, CERTAINTY_POSSIBLE,
		  1, { .state = STATE_FIN_WAIT_1, .wqueue = 5000, PROBES, .no_info = true } },
		{ "answered probes are not counted, the backoff is", "fin-wait-1-zero-window",
		  FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 5000, .timer = TIMER_PERSIST,
		    .backoff = 3, .ack_recv_ms = 400, CLOSED } },
		{ "a slow reader", "fin-wait-1-zero-window", SILENT, 0, 0, 10,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 5000, .timer = TIMER_PERSIST,
		    .retrans = 2, .backoff = 2 } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void refused_here(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "the window is open", "send-refused-here", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 5000, PROBES, .ack_recv_ms = 9000, OPEN } },
		{ "for a FIN alone", "send-refused-here", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 9,
		  { .state = STATE_LAST_ACK, .wqueue = 1, PROBES, .ack_recv_ms = 9000, OPEN } },
		{ "many", "send-refused-here", FIRES, SEVERITY_WARNING, CERTAINTY_CERTAIN, 10,
		  { .state = STATE_LAST_ACK, .wqueue = 1, PROBES, .ack_recv_ms = 9000, OPEN } },
		{ "much", "send-refused-here", FIRES, SEVERITY_WARNING, CERTAINTY_CERTAIN, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .age_ms = 9000, .wqueue = 1048576, PROBES, OPEN } },
		{ "narrow, but open", "send-refused-here", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 1, PROBES, .has_window = true, .window = 1 } },
		{ "it is not told; data was tried after the last answer", "send-refused-here", FIRES,
		  SEVERITY_NOTE, CERTAINTY_LIKELY, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 2, PROBES, .ack_recv_ms = 401, .data_sent_ms = 400 } },
		{ "not told, and none was tried", "send-refused-here", SILENT, 0, 0, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 2, PROBES, .ack_recv_ms = 400, .data_sent_ms = 400 } },
		{ "not told, and a FIN alone sets no time", "send-refused-here", SILENT, 0, 0, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 1, PROBES, .ack_recv_ms = 401, .data_sent_ms = 400 } },
		{ "closed", "send-refused-here", SILENT, 0, 0, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 5000, PROBES, .ack_recv_ms = 9000, CLOSED } },
		{ "lost on the way", "send-refused-here", SILENT, 0, 0, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 5000, REPEATS, OPEN } },
		{ "a moment", "send-refused-here", SILENT, 0, 0, 10,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 5000, .timer = TIMER_PERSIST, .retrans = 2,
		    .backoff = 2, OPEN } },
		{ "nothing to send", "send-refused-here", SILENT, 0, 0, 1,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .age_ms = 9000, PROBES, OPEN } },
		{ "no tcp_info", "send-refused-here", SILENT, 0, 0, 1,
		  { .state = STATE_FIN_WAIT_1, .wqueue = 5000, PROBES, .no_info = true } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void closing(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "for five seconds", "closing-simultaneous", FIRES, SEVERITY_NOTE,
		  CERTAINTY_CERTAIN, 1, { .state = STATE_CLOSING, .wqueue = 1, .age_ms = 5000 } },
		{ "often", "closing-simultaneous", FIRES, SEVERITY_WARNING, CERTAINTY_CERTAIN, 10,
		  { .state = STATE_CLOSING, .wqueue = 1, .age_ms = 5000 } },
		{ "age unknown, the FIN is being repeated", "closing-simultaneous", FIRES,
		  SEVERITY_NOTE, CERTAINTY_CERTAIN, 1,
		  { .state = STATE_CLOSING, .wqueue = 1, .age_ms = AGE_UNKNOWN, REPEATS } },
		{ "a moment", "closing-simultaneous", SILENT, 0, 0, 10,
		  { .state = STATE_CLOSING, .wqueue = 1, .age_ms = 4999 } },
		{ "age unknown", "closing-simultaneous", SILENT, 0, 0, 10,
		  { .state = STATE_CLOSING, .wqueue = 1, .age_ms = AGE_UNKNOWN } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(send_stuck),
		cmocka_unit_test(peer_gone),
		cmocka_unit_test(half_close),
		cmocka_unit_test(no_timer),
		cmocka_unit_test(zero_window),
		cmocka_unit_test(refused_here),
		cmocka_unit_test(closing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

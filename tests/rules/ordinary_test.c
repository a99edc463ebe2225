#include "rules_test.h"
#include "util/attr.h"

#define INFO .data_recv_ms = 1000, .data_sent_ms = 1000, .ack_recv_ms = 1000

/* What no rule claims is still explained; what could not be judged is never called ordinary. */
static void left_over(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "young", "close-wait-ordinary", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 3,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .age_ms = 1000, INFO } },
		{ "FIN on its way", "fin-wait-1-ordinary", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 3,
		  { .state = STATE_FIN_WAIT_1, .timer = TIMER_ON, .wqueue = 1, .age_ms = 40, INFO } },
		{ "half-close at work", "fin-wait-2-ordinary", FIRES, SEVERITY_NOTE,
		  CERTAINTY_CERTAIN, 3,
		  { .state = STATE_FIN_WAIT_2, .inode = 9, .age_ms = 1000, INFO } },
		{ "crossed", "closing-ordinary", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 3,
		  { .state = STATE_CLOSING, .timer = TIMER_ON, .wqueue = 1, .age_ms = 40, INFO } },
		{ "the last ACK", "last-ack-ordinary", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 3,
		  { .state = STATE_LAST_ACK, .timer = TIMER_ON, .wqueue = 1, .age_ms = 40, INFO } },
		{ "a few", "time-wait-ordinary", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 3,
		  { .state = STATE_TIME_WAIT, .is_mini = true, .is_client = true, .timer = TIMER_TIMEWAIT,
		    .age_ms = 1000, .expires_ms = 59000 } },
		{ "nobody could look", "unjudged", FIRES, SEVERITY_NOTE, CERTAINTY_POSSIBLE, 9,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .age_ms = 600000, .is_hidden = true,
		    .data_sent_ms = 700000 } },
		{ "what the program has read cannot be seen", "unjudged", FIRES, SEVERITY_NOTE, CERTAINTY_POSSIBLE, 9,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .rqueue = 5, .age_ms = 60000, .has_tls_rx = true } },
		{ "many, old, and nobody could look", "unjudged", FIRES, SEVERITY_WARNING,
		  CERTAINTY_POSSIBLE, 10,
		  { .state = STATE_CLOSE_WAIT, .inode = 9, .age_ms = 600000, .is_hidden = true,
		    .data_sent_ms = 700000 } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(left_over) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

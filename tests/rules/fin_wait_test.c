#include "rules_test.h"
#include "util/attr.h"

#define HELD .state = STATE_FIN_WAIT_2, .inode = 9

static void held(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "a minute", "fin-wait-2-held", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 1,
		  { HELD, .age_ms = 60000, .data_recv_ms = 60000 } },
		{ "ten minutes", "fin-wait-2-held", FIRES, SEVERITY_WARNING, CERTAINTY_CERTAIN, 1,
		  { HELD, .age_ms = 600000, .data_recv_ms = 600000 } },
		{ "ten of them, the other end here", "fin-wait-2-held", FIRES, SEVERITY_WARNING,
		  CERTAINTY_CERTAIN, 10,
		  { HELD, .age_ms = 60000, .data_recv_ms = 60000, .other_in_close_wait = true } },
		{ "young", "fin-wait-2-held", SILENT, 0, 0, 1,
		  { HELD, .age_ms = 59999, .data_recv_ms = 60000 } },
		{ "data still comes in", "fin-wait-2-held", SILENT, 0, 0, 1,
		  { HELD, .age_ms = 60000, .data_recv_ms = 59999 } },
		{ "closed, not held", "fin-wait-2-held", SILENT, 0, 0, 1,
		  { .state = STATE_FIN_WAIT_2, .is_mini = true, .age_ms = AGE_UNKNOWN } },
		{ "owner hidden", "fin-wait-2-held", UNKNOWN, 0, 0, 1,
		  { HELD, .age_ms = 60000, .data_recv_ms = 60000, .is_hidden = true } },
		{ "age unknown", "fin-wait-2-held", UNKNOWN, 0, 0, 1,
		  { HELD, .age_ms = AGE_UNKNOWN, .no_info = true } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void orphan(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "a minisock", "fin-wait-2-orphan", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 1,
		  { .state = STATE_FIN_WAIT_2, .is_mini = true, .timer = TIMER_TIMEWAIT,
		    .age_ms = AGE_UNKNOWN, .expires_ms = 30000 } },
		{ "a full orphan of a long timeout", "fin-wait-2-orphan", FIRES, SEVERITY_NOTE,
		  CERTAINTY_CERTAIN, 999,
		  { .state = STATE_FIN_WAIT_2, .timer = TIMER_KEEPALIVE, .age_ms = 1000,
		    .no_holder = true } },
		{ "a thousand", "fin-wait-2-orphan", FIRES, SEVERITY_WARNING, CERTAINTY_CERTAIN,
		  1000,
		  { .state = STATE_FIN_WAIT_2, .is_mini = true, .timer = TIMER_TIMEWAIT,
		    .age_ms = AGE_UNKNOWN } },
		{ "a tenth of what the host may have", "fin-wait-2-orphan", FIRES, SEVERITY_WARNING,
		  CERTAINTY_CERTAIN, 100,
		  { .state = STATE_FIN_WAIT_2, .is_mini = true, .timer = TIMER_TIMEWAIT,
		    .age_ms = AGE_UNKNOWN, .tw_buckets = 1000 } },
		{ "less than a tenth", "fin-wait-2-orphan", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 100,
		  { .state = STATE_FIN_WAIT_2, .is_mini = true, .timer = TIMER_TIMEWAIT,
		    .age_ms = AGE_UNKNOWN, .tw_buckets = 1001 } },
		{ "a tenth of little", "fin-wait-2-orphan", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 99,
		  { .state = STATE_FIN_WAIT_2, .is_mini = true, .timer = TIMER_TIMEWAIT,
		    .age_ms = AGE_UNKNOWN, .tw_buckets = 100 } },
		{ "held by a descriptor", "fin-wait-2-orphan", SILENT, 0, 0, 1,
		  { HELD, .age_ms = 60000, .data_recv_ms = 60000 } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held),
		cmocka_unit_test(orphan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

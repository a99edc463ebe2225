#include "model/state.h"
#include "test.h"

static void every_spelling_is_understood(void **state)
{
	static const struct {
		const char *text;
		enum state is;
	} rows[] = {
		{ "close-wait", STATE_CLOSE_WAIT },   { "CLOSE_WAIT", STATE_CLOSE_WAIT },
		{ "CLOSE-WAIT", STATE_CLOSE_WAIT },   { "closewait", STATE_CLOSE_WAIT },
		{ "FIN_WAIT2", STATE_FIN_WAIT_2 },    { "fin-wait2", STATE_FIN_WAIT_2 },
		{ "fin-wait-2", STATE_FIN_WAIT_2 },   { "FIN-WAIT-1", STATE_FIN_WAIT_1 },
		{ "finwait1", STATE_FIN_WAIT_1 },     { "TIMEWAIT", STATE_TIME_WAIT },
		{ "time-wait", STATE_TIME_WAIT },     { "LastAck", STATE_LAST_ACK },
		{ "closing", STATE_CLOSING },         { "close", STATE_CLOSED },
		{ "closed", STATE_CLOSED },           { "unconn", STATE_CLOSED },
		{ "estab", STATE_ESTABLISHED },       { "established", STATE_ESTABLISHED },
		{ "listen", STATE_LISTEN },           { "listening", STATE_LISTEN },
		{ "syn-sent", STATE_SYN_SENT },       { "SYN_RECV", STATE_SYN_RECV },
		{ "syn-received", STATE_SYN_RECV },   { "syn_rcvd", STATE_SYN_RECV },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (state_parse(rows[i].text) != rows[i].is)
			fail_msg("%s became %s", rows[i].text, state_name(state_parse(rows[i].text)));
}

static void nothing_else_is(void **state)
{
	static const char *const texts[] = {
		"", "-", "fin-wait", "fin-wait-3", "timewait1", "unknown", "close wait",
		"sixteen-letters-it", "close-wait-close-wait", "established-or-rather-a-very-long-word", "\xff",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (state_parse(texts[i]) != STATE_UNKNOWN)
			fail_msg("\"%s\" became %s", texts[i], state_name(state_parse(texts[i])));
}

static void every_name_is_read_back(void **state)
{
	(void)state;
	for (enum state s = STATE_ESTABLISHED; s < STATE_NEW_SYN_RECV; s++)
		assert_int_equal(state_parse(state_name(s)), s);
	assert_string_equal(state_name(STATE_NEW_SYN_RECV), "SYN-RECV");
	assert_string_equal(state_name(STATE_UNKNOWN), "UNKNOWN");
	assert_string_equal(state_name(STATE_MAX), "UNKNOWN");
	assert_string_equal(state_name((enum state)-1), "UNKNOWN");
}

/* The kernel's numbers: a state of sock_diag is used as it comes. */
static void numbers_are_the_kernels(void **state)
{
	(void)state;
	assert_int_equal(STATE_ESTABLISHED, 1);
	assert_int_equal(STATE_TIME_WAIT, 6);
	assert_int_equal(STATE_CLOSE_WAIT, 8);
	assert_int_equal(STATE_CLOSING, 11);
	assert_int_equal(STATE_NEW_SYN_RECV, 12);
	assert_int_equal(STATES_ALL, 0x1ffe);
	assert_int_equal(STATES_TEARDOWN, 0x0b70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_is_understood),
		cmocka_unit_test(nothing_else_is),
		cmocka_unit_test(every_name_is_read_back),
		cmocka_unit_test(numbers_are_the_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "talk.h"

/* What a conversation comes to: one table, each row a capture in words. */

#define OPENING "0 c S 1000 0", "10 s SA 5000 1001", "10.2 c A 1001 5001"

static const struct row {
	const char *name;
	const char *const *lines;
	enum pattern pattern;
	enum closed_first first;
	enum state client, server;
	uint32_t n_rsts; /* in all, of the last connection */
} rows[] = {
	{ "four segments", (const char *[]){ OPENING, "20 c FA 1001 5001", "30 s A 5001 1002",
		"40 s FA 5001 1002", "40.2 c A 1002 5002", NULL },
	  PATTERN_FOUR_WAY, CLOSED_CLIENT, STATE_TIME_WAIT, STATE_CLOSED, 0 },
	{ "three segments", (const char *[]){ OPENING, "20 c FA 1001 5001", "30 s FA 5001 1002",
		"30.2 c A 1002 5002", NULL },
	  PATTERN_THREE_SEGMENT, CLOSED_CLIENT, STATE_TIME_WAIT, STATE_CLOSED, 0 },
	{ "FINs that crossed", (const char *[]){ OPENING, "20 c FA 1001 5001", "21 s FA 5001 1001",
		"30 s A 5002 1002", "31 c A 1002 5002", NULL },
	  PATTERN_SIMULTANEOUS, CLOSED_BOTH, STATE_TIME_WAIT, STATE_TIME_WAIT, 0 },
	/* close() on both sides, and data that met a closed socket: neither knew of the other's. */
	{ "FINs that crossed, and a reset", (const char *[]){ OPENING, "20 c FA 1001 5001",
		"21 s PA 5001 1001 46", "22 s FA 5047 1001", "22.1 c R 1001 0", NULL },
	  PATTERN_RESET_AFTER_FIN, CLOSED_BOTH, STATE_CLOSED, STATE_CLOSED, 1 },
	{ "half closed", (const char *[]){ OPENING, "20 s FA 5001 1001", "30 c A 1001 5002", NULL },
	  PATTERN_HALF_CLOSED, CLOSED_SERVER, STATE_CLOSE_WAIT, STATE_FIN_WAIT_2, 0 },
	{ "its FIN was not captured", (const char *[]){ OPENING, "15 c PA 1001 5001 100", "25 s A 5001 1101",
		"35 s A 5001 1102", "40 s FA 5001 1102", "40.2 c A 1102 5002", NULL },
	  PATTERN_FOUR_WAY, CLOSED_CLIENT, STATE_TIME_WAIT, STATE_CLOSED, 0 },
	{ "refused", (const char *[]){ "0 c S 1000 0", "1 s RA 0 1001", NULL },
	  PATTERN_REFUSED, CLOSED_SERVER, STATE_CLOSED, STATE_CLOSED, 1 },
	/* By a scanned host that is no Linux: the acknowledgement alone refuses. */
	{ "refused with a number", (const char *[]){ "0 c S 1000 0", "1 s RA 511470441 1001", NULL },
	  PATTERN_REFUSED, CLOSED_SERVER, STATE_CLOSED, STATE_CLOSED, 1 },
	{ "reset behind the SYN-ACK", (const char *[]){ "0 c S 1000 0", "10 s SA 5000 1001",
		"20 s RA 5001 1001 win=501", NULL },
	  PATTERN_RESET, CLOSED_SERVER, STATE_CLOSED, STATE_CLOSED, 1 },
	{ "took its SYN back", (const char *[]){ "0 c S 1000 0", "1 c R 1001 0", NULL },
	  PATTERN_RESET, CLOSED_CLIENT, STATE_CLOSED, STATE_CLOSED, 1 },
	/* Linux and the RFC look at RST first. */
	{ "FIN and RST in one", (const char *[]){ OPENING, "20 c FRA 1001 5001 win=501", NULL },
	  PATTERN_RESET, CLOSED_CLIENT, STATE_CLOSED, STATE_CLOSED, 1 },
	{ "a reset far from the number expected", (const char *[]){ OPENING, "20 s R 25001 0",
		"20.2 c A 1001 5001", "21 c PA 1001 5001 10", "31 s A 5001 1011",
		"32 c PA 1011 5001 10", NULL },
	  PATTERN_OPEN, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_ESTABLISHED, 1 },
	/* Forged before the server spoke: its own SYN-ACK shows that it never sent them. */
	{ "a forged FIN before the SYN-ACK", (const char *[]){ "0 c S 3810062735 0",
		"60 s FA 0 3810062736", "65 s SA 26175 3810062736", "65.1 c A 3810062736 26176",
		"66 s PA 26176 3810062736 79", "66.1 c A 3810062736 26255", NULL },
	  PATTERN_OPEN, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_ESTABLISHED, 0 },
	{ "the SYN-ACK captured behind what it began", (const char *[]){ "0 c S 1000 0",
		"11 s PA 5001 1001 79", "10 s SA 5000 1001", "11.1 c A 1001 5080", NULL },
	  PATTERN_OPEN, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_ESTABLISHED, 0 },
	{ "nobody answers", (const char *[]){ "0 c S 1000 0", "1000 c S 1000 0", "3000 c S 1000 0", NULL },
	  PATTERN_SILENT, CLOSED_NOBODY, STATE_SYN_SENT, STATE_UNKNOWN, 0 },
	{ "reused, after a full close", (const char *[]){ OPENING, "20 c FA 1001 5001",
		"30 s FA 5001 1002", "30.2 c A 1002 5002", "90000 c S 99000 0", "90010 s SA 7000 99001",
		"90010.1 c RA 99001 7001 win=501", NULL },
	  PATTERN_RESET, CLOSED_CLIENT, STATE_CLOSED, STATE_CLOSED, 1 },
};

static void comes_to(void **state)
{
	const struct row *r = *state;
	struct talk heard;

	talk_hear(r->lines, &heard);
	assert_true(heard.n > 0);
	const struct flow *f = &heard.flows[heard.n - 1];
	assert_string_equal(pattern_name(f->pattern), pattern_name(r->pattern));
	assert_int_equal(f->closed_first, r->first);
	assert_string_equal(state_name(f->end[SIDE_CLIENT].state), state_name(r->client));
	assert_string_equal(state_name(f->end[SIDE_SERVER].state), state_name(r->server));
	assert_int_equal(f->n_rst_packets, r->n_rsts);
	assert_true(f->end[SIDE_SERVER].bytes < 1000);
	assert_int_equal(heard.duplicates, 0);
}

/* The same packet on two interfaces, with timestamps and without. */
static void captured_twice(void **state)
{
	const char *const lines[] = {
		"0 c S 1000 0 ts", "0.1 c S 1000 0 ts id=1", "10 s SA 5000 1001", "10 s SA 5000 1001 id=3",
		"20 c FA 1001 5001 id=9", "20 c FA 1001 5001 id=9", NULL,
	};
	struct talk heard;

	(void)state;
	talk_hear(lines, &heard);
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.duplicates, 3);
	assert_int_equal(heard.flows[0].end[SIDE_CLIENT].packets, 2);
	assert_int_equal(heard.flows[0].end[SIDE_CLIENT].fin.retransmissions, 0);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = comes_to,
						.initial_state = (void *)&rows[i] };
	tests[ARRAY_LEN(rows)] = (struct CMUnitTest)cmocka_unit_test(captured_twice);
	return _cmocka_run_group_tests("wire-teardown", tests, ARRAY_LEN(tests), NULL, NULL);
}

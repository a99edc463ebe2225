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
	{ "its FIN was not captured, the other FIN acknowledges it", (const char *[]){ OPENING, "20 s FA 5001 1002",
		"20.2 c A 1002 5002", NULL },
	  PATTERN_FOUR_WAY, CLOSED_CLIENT, STATE_TIME_WAIT, STATE_CLOSED, 0 },
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
	/* RFC 9293 figure 7. */
	{ "opened by both", (const char *[]){ "0 c S 1000 0", "0.5 s S 5000 0", "10 c SA 1000 5001",
		"10.1 s SA 5000 1001", "11 c A 1001 5001", "11.1 s A 5001 1001", NULL },
	  PATTERN_OPEN, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_ESTABLISHED, 0 },
	{ "one port on both sides", (const char *[]){ "0 c PA 1000 5000 10 port=80", "1 s A 5000 1010 port=80",
		"2 s FA 5000 1010 port=80", "3 c A 1010 5001 port=80", NULL },
	  PATTERN_HALF_CLOSED, CLOSED_SERVER, STATE_CLOSE_WAIT, STATE_FIN_WAIT_2, 0 },
	{ "IPv6", (const char *[]){ "0 c S 1000 0 v6", "10 s SA 5000 1001 v6", "10.2 c A 1001 5001 v6",
		"20 s FA 5001 1001 v6", "30 c A 1001 5002 v6", NULL },
	  PATTERN_HALF_CLOSED, CLOSED_SERVER, STATE_CLOSE_WAIT, STATE_FIN_WAIT_2, 0 },
	/* A FIN without ACK acknowledges nothing; the one that was acknowledged before it came first. */
	{ "only the server's FIN captured, and it covers nothing", (const char *[]){ OPENING,
		"15 c PA 1001 5001 100", "25 s A 5001 1101", "35 s A 5001 1102", "40 s F 5001 0", NULL },
	  PATTERN_FOUR_WAY, CLOSED_CLIENT, STATE_FIN_WAIT_2, STATE_CLOSING, 0 },
	{ "only the client's FIN captured, and it covers nothing", (const char *[]){ OPENING,
		"15 s PA 5001 1001 100", "25 c A 1001 5101", "35 c A 1001 5102", "40 c F 1001 0", NULL },
	  PATTERN_FOUR_WAY, CLOSED_SERVER, STATE_CLOSING, STATE_FIN_WAIT_2, 0 },
	{ "a FIN without ACK that is out of sequence", (const char *[]){ OPENING, "20 c F 9001 0",
		"21 c PA 1001 5001 10", "22 s A 5001 1011", NULL },
	  PATTERN_OPEN, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_ESTABLISHED, 0 },
	/* The inferred FIN was a lost byte: payload behind it takes it back. */
	{ "a FIN that was none", (const char *[]){ OPENING, "15 c PA 1001 5001 100", "25 s A 5001 1101",
		"35 s A 5001 1102", "40 c PA 1102 5001 100", "50 s A 5001 1202", NULL },
	  PATTERN_OPEN, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_ESTABLISHED, 0 },
	/* RFC 5961: the SYN was a question inside the old connection, which goes on. */
	{ "a SYN, a challenge, and it goes on", (const char *[]){ OPENING, "20 c PA 1001 5001 100",
		"30 s A 5001 1101", "1000 c S 900000000 0", "1000.1 s A 5001 1101", "1001 c PA 1101 5001 50",
		"1002 s A 5001 1151", NULL },
	  PATTERN_OPEN, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_ESTABLISHED, 0 },
	{ "a challenge with old numbers, and its reset", (const char *[]){ "0 c S 1000 0",
		"1 s A 777 88888888", "1.1 c R 88888888 0", "1000 c S 1000 0", "1010 s SA 5000 1001",
		"1011 c A 1001 5001", NULL },
	  PATTERN_OPEN, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_ESTABLISHED, 1 },
	{ "a reset first, then its connection", (const char *[]){ "0 c R 1000 0", "10 c S 5000 0",
		"11 s SA 9000 5001", "12 c A 5001 9001", "13 c FA 5001 9001", "14 s A 9001 5002", NULL },
	  PATTERN_HALF_CLOSED, CLOSED_CLIENT, STATE_FIN_WAIT_2, STATE_CLOSE_WAIT, 1 },
	{ "the SYN captured behind its SYN-ACK", (const char *[]){ "10 s SA 5000 1001", "10.1 c S 1000 0",
		"11 c A 1001 5001", "12 s FA 5001 1001", "13 c A 1001 5002", NULL },
	  PATTERN_HALF_CLOSED, CLOSED_SERVER, STATE_CLOSE_WAIT, STATE_FIN_WAIT_2, 0 },
	{ "the SYN captured behind later data", (const char *[]){ "11 c PA 1101 5001 10", "12 s A 5001 1111",
		"5 c S 1000 0", "13 s FA 5001 1111", "14 c A 1111 5002", NULL },
	  PATTERN_HALF_CLOSED, CLOSED_SERVER, STATE_CLOSE_WAIT, STATE_FIN_WAIT_2, 0 },
	{ "another SYN behind data", (const char *[]){ "11 c PA 1101 2000000001 10",
		"12 s A 2000000001 1111", "90000 c S 900000000 0", "90001 s RA 0 900000001", NULL },
	  PATTERN_REFUSED, CLOSED_SERVER, STATE_CLOSED, STATE_CLOSED, 1 },
	/* Of the other direction nothing is captured; 10.0.0.1:9 only makes the capture long. */
	{ "one direction alone", (const char *[]){ "90000 c S 7 0 port=9", "0 c S 1000 0", "1 c A 1001 5001",
		"2 c PA 1001 5001 100", NULL },
	  PATTERN_OPEN, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_UNKNOWN, 0 },
	{ "one direction alone, with a FIN", (const char *[]){ "90000 c S 7 0 port=9", "0 c S 1000 0",
		"1 c A 1001 5001", "89999 c FA 1001 5001", NULL },
	  PATTERN_HALF_CLOSED, CLOSED_CLIENT, STATE_UNKNOWN, STATE_UNKNOWN, 0 },
	{ "one direction alone, with a FIN that is sent again", (const char *[]){ "90000 c S 7 0 port=9",
		"0 c S 1000 0", "1 c A 1001 5001", "2 c FA 1001 5001", "300 c FA 1001 5001", NULL },
	  PATTERN_HALF_CLOSED, CLOSED_CLIENT, STATE_UNKNOWN, STATE_UNKNOWN, 0 },
	{ "one direction alone, with a FIN that is not sent again", (const char *[]){ "90000 c S 7 0 port=9",
		"0 c S 1000 0", "1 c A 1001 5001", "2 c FA 1001 5001", NULL },
	  PATTERN_HALF_CLOSED, CLOSED_CLIENT, STATE_FIN_WAIT_2, STATE_CLOSE_WAIT, 0 },
	{ "one direction alone, with the acknowledgement of the other's FIN", (const char *[]){
		"0 s S 7000 0 port=9", "0 c S 1000 0", "1 c A 1001 5001", "2 c FA 1001 5001", "50 c A 1002 5002", NULL },
	  PATTERN_FOUR_WAY, CLOSED_CLIENT, STATE_TIME_WAIT, STATE_CLOSED, 0 },
	{ "one direction alone, copies and on it goes", (const char *[]){ "0 c PA 1001 5001 100",
		"300 c PA 1001 5001 100", "900 c PA 1001 5001 100", "1000 c PA 1101 5001 100", NULL },
	  PATTERN_OPEN, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_ESTABLISHED, 0 },
	{ "one direction alone, copies and no more", (const char *[]){ "0 c PA 1001 5001 100",
		"300 c PA 1001 5001 100", "900 c PA 1001 5001 100", NULL },
	  PATTERN_SILENT, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_ESTABLISHED, 0 },
	{ "both directions, copies and on it goes", (const char *[]){ OPENING, "15 c PA 1001 5001 100",
		"300 c PA 1001 5001 100", "900 c PA 1001 5001 100", "1000 c PA 1101 5001 100", NULL },
	  PATTERN_SILENT, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_ESTABLISHED, 0 },
	/* Its number had been acknowledged before, so one more is no probe. */
	{ "of an end that sent no payload, the FIN was not captured", (const char *[]){ "0 s PA 5001 1000 10",
		"1 c A 1000 5011", "2 s A 5011 1001", NULL },
	  PATTERN_HALF_CLOSED, CLOSED_CLIENT, STATE_FIN_WAIT_2, STATE_CLOSE_WAIT, 0 },
	{ "nobody takes the SYN-ACK", (const char *[]){ "0 c S 1000 0", "1 s SA 5000 1001", "1000 s SA 5000 1001",
		"3000 s SA 5000 1001", NULL },
	  PATTERN_SILENT, CLOSED_NOBODY, STATE_UNKNOWN, STATE_SYN_RECV, 0 },
	/* The refusal's own number is 0, near those of the old connection. */
	{ "reused, and refused", (const char *[]){ OPENING, "20 c FA 1001 5001", "30 s FA 5001 1002",
		"30.2 c A 1002 5002", "90000 c S 99000 0", "90001 s RA 0 99001", NULL },
	  PATTERN_REFUSED, CLOSED_SERVER, STATE_CLOSED, STATE_CLOSED, 1 },
	{ "refused without the data of its first SYN", (const char *[]){ "0 c S 1000 0 100", "1000 c S 1000 0",
		"1001 s RA 0 1001", NULL },
	  PATTERN_REFUSED, CLOSED_SERVER, STATE_CLOSED, STATE_CLOSED, 1 },
	{ "not refused: it acknowledges what was not sent", (const char *[]){ "0 c S 1000 0 100",
		"1001 s RA 0 1102", NULL },
	  PATTERN_RESET, CLOSED_SERVER, STATE_CLOSED, STATE_CLOSED, 1 },
	{ "a reset that was ignored: both answer much later", (const char *[]){ OPENING, "15 c PA 1001 5001 100",
		"25 s A 5001 1101", "30 c R 1051 0", "60000 c A 1100 5001", "60001 s A 5001 1101", NULL },
	  PATTERN_OPEN, CLOSED_NOBODY, STATE_ESTABLISHED, STATE_ESTABLISHED, 1 },
	{ "what comes so soon behind a reset was under way", (const char *[]){ OPENING, "15 c PA 1001 5001 100",
		"25 s A 5001 1101", "30 c R 1051 0", "9000 c A 1100 5001", "9001 s A 5001 1101", NULL },
	  PATTERN_RESET, CLOSED_CLIENT, STATE_CLOSED, STATE_CLOSED, 1 },
	/* Keepalive's last word, after a peer that answered nothing. */
	{ "probes, then a reset", (const char *[]){ OPENING, "15 c PA 1001 5001 100", "25 s PA 5001 1101 50",
		"26 c A 1101 5051", "7226 s A 5050 1101", "14426 s A 5050 1101", "21626 s RA 5051 1101", NULL },
	  PATTERN_RESET, CLOSED_SERVER, STATE_CLOSED, STATE_CLOSED, 1 },
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

static void hear_one(const char *const lines[], struct talk *ret)
{
	talk_hear(lines, ret);
	assert_int_equal(ret->n, 1);
}

/* A copy comes within a millisecond and has the id of the first; another place tells where there is no id. */
static void what_is_a_copy(void **state)
{
	static const struct { const char *const lines[3]; unsigned duplicates; } cases[] = {
		{ { "0 c PA 1000 5000 10 id=9", "0.9 c PA 1000 5000 10 id=9" }, 1 },
		{ { "0 c PA 1000 5000 10 id=9", "1.1 c PA 1000 5000 10 id=9" }, 0 },
		{ { "1.1 c PA 1000 5000 10 id=9", "0 c PA 1000 5000 10 id=9" }, 0 },
		{ { "0.9 c PA 1000 5000 10 id=9", "0 c PA 1000 5000 10 id=9" }, 1 },
		{ { "0 c PA 1000 5000 10 id=9", "0 c PA 1000 5000 10 id=10" }, 0 },
		{ { "0 c PA 1000 5000 10 id=0", "0 c PA 1000 5000 10 id=0" }, 0 },
		{ { "0 c PA 1000 5000 10 id=0", "0 c PA 1000 5000 10 id=0 ttl=63" }, 1 },
		{ { "0 c PA 1000 5000 10 id=0 link=1", "0 c PA 1000 5000 10 id=0 link=2" }, 1 },
		{ { "0 c PA 1000 5000 10 id=0 link=1", "0 c PA 1000 5000 10 id=0 link=1" }, 0 },
		{ { "0 c PA 1000 5000 10 id=0 link=1", "0 c PA 1000 5000 10 id=0" }, 0 },
		{ { "0 c PA 1000 5000 10 id=0", "0 c PA 1000 5000 10 id=0 link=1" }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct talk heard;

		hear_one(cases[i].lines, &heard);
		assert_int_equal(heard.duplicates, cases[i].duplicates);
	}
}

/* Probes: how many, how far apart, and whether anybody answered. */
static void probes(void **state)
{
	static const char *const answered[] = { OPENING, "15 c PA 1001 5001 100", "25 s PA 5001 1101 50",
		"26 c A 1101 5051", "7226 s A 5050 1101", "7227 c A 1101 5051", NULL };
	static const char *const unanswered[] = { OPENING, "15 c PA 1001 5001 100", "25 s PA 5001 1101 50",
		"26 c A 1101 5051", "7226 s A 5050 1101", "14426 s A 5050 1101", NULL };
	/* Its byte was acknowledged before; one that was not is the last byte once more. */
	static const char *const a_byte[] = { OPENING, "15 s PA 5001 1001 100", "25 c A 1001 5101",
		"7225 s A 5100 1001 1", NULL };
	static const char *const again[] = { OPENING, "15 s PA 5001 1001 100", "7225 s A 5100 1001 1", NULL };
	/* Of an end that never said anything, of one that is half closed, and of a connection that was idle when
	 * the capture began. */
	static const char *const speechless[] = { OPENING, "15 c PA 1001 5001 100", "25 s A 5001 1101",
		"1025 s A 5000 1101", NULL };
	static const char *const late[] = { OPENING, "15 c PA 1001 5001 100", "25 s A 5001 1101",
		"1024 s A 5000 1101", NULL };
	static const char *const half_closed[] = { OPENING, "15 c FA 1001 5001", "25 s A 5001 1002",
		"7215 c A 1001 5001", NULL };
	static const char *const nobody_has_it[] = { OPENING, "15 c FA 1001 5001", "7215 c A 1001 5001", NULL };
	static const char *const idle_before[] = { "0 c A 1000 5001", "1 s A 5001 1001", "7000 c A 1000 5001",
		"14000 c A 1000 5001", NULL };
	static const char *const byte_lost[] = { "0 c PA 1000 5001 1", "1 s A 5001 1002", NULL };
	/* A closed window looks the same, but it has to be seen. */
	static const char *const of_a_window[] = { OPENING, "15 c PA 1001 5001 100", "25 s A 5001 1101 win=0",
		"7225 c A 1100 5001", NULL };
	static const char *const window_cut[] = { "0 c PA 1000 5001 10 cut", "1 s A 5001 1010 cut",
		"7000 c A 1009 5001 cut", NULL };
	struct talk heard;

	(void)state;
	hear_one(answered, &heard);
	assert_true(heard.flows[0].keepalive.seen && heard.flows[0].keepalive.answered);
	assert_int_equal(heard.flows[0].keepalive.from, SIDE_SERVER);
	assert_true(heard.flows[0].keepalive.interval_ns == TIME_NONE);
	hear_one(unanswered, &heard);
	assert_int_equal(heard.flows[0].keepalive.probes, 2);
	assert_false(heard.flows[0].keepalive.answered);
	assert_true(heard.flows[0].keepalive.interval_ns == INT64_C(7200000000));
	hear_one(a_byte, &heard);
	assert_int_equal(heard.flows[0].keepalive.probes, 1);
	hear_one(speechless, &heard);
	assert_true(heard.flows[0].keepalive.seen && heard.flows[0].keepalive.from == SIDE_SERVER);
	hear_one(late, &heard);
	assert_false(heard.flows[0].keepalive.seen);
	hear_one(half_closed, &heard);
	assert_true(heard.flows[0].keepalive.seen && heard.flows[0].keepalive.from == SIDE_CLIENT);
	hear_one(nobody_has_it, &heard);
	assert_false(heard.flows[0].keepalive.seen);
	hear_one(idle_before, &heard);
	assert_int_equal(heard.flows[0].keepalive.probes, 2);
	assert_int_equal(heard.flows[0].end[SIDE_CLIENT].bytes, 0);
	hear_one(byte_lost, &heard);
	assert_int_equal(heard.flows[0].end[SIDE_CLIENT].bytes, 1);
	hear_one(of_a_window, &heard);
	assert_false(heard.flows[0].keepalive.seen);
	hear_one(window_cut, &heard);
	assert_true(heard.flows[0].keepalive.seen);
	hear_one(again, &heard);
	assert_false(heard.flows[0].keepalive.seen);
	assert_int_equal(heard.flows[0].end[SIDE_SERVER].retransmissions, 1);
}

/* What the programs saw of a reset. */
static void seen_by_programs(void **state)
{
	static const char *const given_up[] = { "0 c S 1000 0", "10 s SA 5000 1001", "10.2 c R 1001 0", NULL };
	/* It spoke, so it was opened, whatever was captured of that. */
	static const char *const spoke[] = { "0 c S 1000 0", "20 c PA 1001 5001 10", "30 c R 1011 0", NULL };
	static const char *const closed[] = { "0 c S 1000 0", "20 c FA 1001 5001", "30 c R 1002 0", NULL };
	static const char *const opened[] = { OPENING, "20 c R 1001 0", NULL };
	static const char *const closed_window[] = { OPENING, "15 c PA 1001 5001 100", "25 s A 5001 1101 win=0",
		"300 c A 1100 5001", "800 c A 1100 5001", "900 c RA 1101 5001 win=501", NULL };
	struct talk heard;

	(void)state;
	hear_one(given_up, &heard);
	assert_int_equal(heard.flows[0].end[SIDE_SERVER].saw, SAW_UNKNOWN);
	hear_one(spoke, &heard);
	assert_int_equal(heard.flows[0].end[SIDE_SERVER].saw, SAW_ECONNRESET);
	hear_one(closed, &heard);
	assert_int_not_equal(heard.flows[0].end[SIDE_SERVER].saw, SAW_UNKNOWN);
	hear_one(opened, &heard);
	assert_int_equal(heard.flows[0].end[SIDE_SERVER].saw, SAW_ECONNRESET);
	hear_one(closed_window, &heard);
	assert_int_equal(heard.flows[0].end[SIDE_SERVER].saw, SAW_ECONNRESET);
	assert_int_equal(heard.flows[0].end[SIDE_CLIENT].saw, SAW_UNKNOWN);
}

/* A silence longer than a short count holds, tunnels by name. */
static void further_facts(void **state)
{
	static const char *const quiet[] = { OPENING, "100010.2 c FA 1001 5001", "100020 s A 5001 1002", NULL };
	static const char *const tunnels[] = { "0 c S 1000 0 tunnel=73", "1 s RA 0 1001 tunnel=73",
		"2 c S 2000 0 port=40001 tunnel=73", "3 c S 2000 0 port=40002 tunnel=1", NULL };
	struct talk heard;

	(void)state;
	hear_one(quiet, &heard);
	assert_true(heard.flows[0].idle_before_end_ns == INT64_C(100000000000));
	talk_hear(tunnels, &heard);
	assert_int_equal(heard.n, 3);
	assert_string_equal(heard.tunnels[0], "vxlan/ipip");
	assert_string_equal(heard.tunnels[1], "vxlan/ipip");
	assert_string_equal(heard.tunnels[2], "gre");
}

#define SYN(port, v6) "2 c S 200 0 port=" #port v6
#define SYN_ACK(port, ttl, v6) "3 s SA 900 201 port=" #port " ttl=" #ttl v6
#define ANSWERS(ttl, v6)                                                                            \
	SYN(1, v6), SYN_ACK(1, ttl, v6), SYN(2, v6), SYN_ACK(2, ttl, v6), SYN(3, v6), SYN_ACK(3, ttl, v6)

/* What the same address answers other SYNs with stands beside a refusal, and beside nothing else. */
static void ttl_of_the_host(void **state)
{
	const char *const refused[] = { "0 c S 100 0 sport=1", "1 s RA 0 101 ttl=64 sport=1", ANSWERS(62, ""),
					"4 c R 201 0 port=9", NULL };
	const char *const inet6[] = { "0 c S 100 0 v6 sport=1", "1 s RA 0 101 v6 sport=1", ANSWERS(60, " v6"),
				      NULL };
	const char *const other_family[] = { "0 c S 100 0 v6 sport=1", "1 s RA 0 101 v6 sport=1",
					     ANSWERS(60, ""), NULL };
	const char *const two_ways[] = { "0 c S 100 0 sport=1", "1 s RA 0 101 sport=1", ANSWERS(62, ""), SYN(4, ""),
					 SYN_ACK(4, 61, ""), NULL };
	const char *const few[] = { "0 c S 100 0 sport=1", "1 s RA 0 101 sport=1", SYN(1, ""), SYN_ACK(1, 62, ""),
				    SYN_ACK(1, 62, ""), SYN(2, ""), SYN_ACK(2, 62, ""), NULL };
	const char *const aborted[] = { ANSWERS(62, ""), "4 c A 201 901 port=1",
					"5 s RA 901 201 ttl=62 win=501 port=1", NULL };
	struct talk heard;

	(void)state;
	talk_hear(refused, &heard);
	assert_int_equal(heard.n, 5);
	assert_int_equal(heard.flows[0].rsts[0].ttl, 64);
	assert_int_equal(heard.flows[0].rsts[0].host_ttl, 62);
	assert_int_equal(heard.flows[4].rsts[0].host_ttl, 0);
	talk_hear(inet6, &heard);
	assert_int_equal(heard.flows[0].rsts[0].host_ttl, 60);
	talk_hear(other_family, &heard);
	assert_int_equal(heard.flows[0].rsts[0].host_ttl, 0);
	talk_hear(two_ways, &heard);
	assert_int_equal(heard.flows[0].rsts[0].host_ttl, 0);
	talk_hear(few, &heard);
	assert_int_equal(heard.flows[0].rsts[0].host_ttl, 0);
	talk_hear(aborted, &heard);
	assert_int_equal(heard.flows[0].n_rsts, 1);
	assert_int_equal(heard.flows[0].rsts[0].host_ttl, 0);
}

/* Another point of the path sees another number; and there is an end to what is remembered. */
static void ttl_of_another_capture(void **state)
{
	struct hash_key key = hash_key_new();
	struct segment s = { .ttl = 60, .addr[0] = { 10, 0, 0, 2 } };
	struct hosts hosts = { 0 };

	(void)state;
	for (unsigned i = 0; i < HOST_ANSWERS; i++)
		hosts_learn(&hosts, &key, &s);
	assert_int_equal(hosts_ttl(&hosts, &key, s.addr[0], false, 0), 60);
	assert_int_equal(hosts_ttl(&hosts, &key, s.addr[0], false, 1), 0);
	assert_int_equal(hosts_ttl(&hosts, &key, s.addr[0], true, 0), 0);
	for (unsigned i = 0; i < 2 * MAX_HOSTS; i++) {
		memcpy(s.addr[0], &i, sizeof(i));
		hosts_learn(&hosts, &key, &s);
	}
	assert_int_equal(hosts.n, MAX_HOSTS);
	hosts_free(&hosts);
}

/* Long pauses: which were survived, and which one the client's unanswered segments came after. */
static void pauses(void **state)
{
#define TALK OPENING, "15 c PA 1001 5001 100", "20 s A 5001 1101"
	static const struct {
		const char *name, *lines[12];
		int64_t survived_ms, fatal_ms; /* 0: none */
	} cases[] = {
		{ "answered", { TALK, "40020 c PA 1101 5001 10", "40030 s A 5001 1111" }, 40000, 0 },
		{ "by what the other end says", { TALK, "40020 s PA 5001 1101 10", "40021 c PA 1101 5011 10" },
		  40000, 0 },
		{ "a FIN is answered, too", { TALK, "40020 c FA 1101 5001", "40030 s A 5001 1102" }, 40000, 0 },
		{ "too short", { TALK, "30019 c PA 1101 5001 10", "30030 s A 5001 1111" }, 0, 0 },
		{ "without the opening", { "0 c PA 1001 5001 10", "1 s A 5001 1011", "30001 s PA 5001 1011 10",
			"30002 c A 1011 5011" }, 30000, 0 },
		{ "the capture ends first", { TALK, "40020 c PA 1101 5001 10" }, 0, 0 },
		{ "never answered", { TALK, "40020 c PA 1101 5001 10", "40220 c PA 1101 5001 10",
			"40640 c PA 1101 5001 10" }, 0, 40000 },
		{ "two segments, and the first again", { TALK, "40020 c PA 1101 5001 10",
			"40021 c PA 1111 5001 10", "40220 c PA 1101 5001 10" }, 0, 40000 },
		{ "a probe, never answered", { TALK, "75020 c A 1100 5001", "76020 c A 1100 5001" }, 0, 75000 },
		{ "answered late: no pause by then", { TALK, "40020 c PA 1101 5001 10",
			"40220 c PA 1101 5001 10", "40230 s A 5001 1111", "40240 c PA 1111 5001 10",
			"40440 c PA 1111 5001 10" }, 40000, 10 },
		{ "answered with a reset", { TALK, "40020 c PA 1101 5001 10", "40030 s R 5001 0" }, 0, 0 },
		{ "answered, and reset later", { TALK, "40020 c PA 1101 5001 10", "40030 s A 5001 1111",
			"40040 s R 5001 0" }, 40000, 0 },
		{ "reset without a question", { TALK, "40020 s R 5001 0" }, 0, 0 },
		{ "the longer of two", { TALK, "40020 c PA 1101 5001 10", "40030 s A 5001 1111",
			"75030 c PA 1111 5001 10", "75040 s A 5001 1121" }, 40000, 0 },
		{ "one survived, a longer one not", { TALK, "40020 c PA 1101 5001 10", "40030 s A 5001 1111",
			"90030 c PA 1111 5001 10", "90230 c PA 1111 5001 10" }, 40000, 50000 },
		{ "an answered probe ends a pause", { TALK, "35020 c A 1100 5001", "35030 s A 5001 1101",
			"70030 c A 1100 5001", "70040 s A 5001 1101" }, 35000, 0 },
		/* Captured in between: both speak, neither hears the other. */
		{ "spoke without having heard", { TALK, "40020 c PA 1101 5001 10", "40220 c PA 1101 5001 10",
			"41000 s PA 5001 1101 10", "41200 s PA 5001 1101 10" }, 0, 40000 },
		{ "not of an opening", { "0 c S 1000 0", "32000 c S 1000 0", "32010 s SA 5000 1001",
			"32011 c A 1001 5001" }, 0, 0 },
		{ "not after a FIN", { TALK, "30 c FA 1101 5001", "40 s A 5001 1102", "50040 s FA 5001 1102",
			"50050 c A 1102 5002" }, 0, 0 },
	};
#undef TALK

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t survived, fatal;
		struct talk heard;

		hear_one(cases[i].lines, &heard);
		survived = heard.flows[0].survived_pause_ns;
		fatal = heard.flows[0].end[SIDE_CLIENT].idle_before_unanswered_ns;
		if (survived != (cases[i].survived_ms ? cases[i].survived_ms * 1000000 : TIME_NONE) ||
		    fatal != (cases[i].fatal_ms ? cases[i].fatal_ms * 1000000 : TIME_NONE))
			fail_msg("%s: survived %lld, fatal %lld", cases[i].name, (long long)survived,
				 (long long)fatal);
	}
}

/* A capture without time stamps, and one with them that goes on with its connection. */
static void pause_without_a_clock(void **state)
{
	const char *const lines[] = { "0 c PA 1001 5001 100", "1 s A 5001 1101", "40020 c PA 1101 5001 10",
				      "40021 s A 5001 1111", "80021 c PA 1111 5001 10", "80022 c PA 1111 5001 10", NULL };
	struct flowtab *t = flowtab_new();
	struct talk heard = { 0 };
	uint8_t capture = flowtab_begin(t);

	(void)state;
	for (uint16_t i = 0; lines[i]; i++)
		talk_line(t, lines[i], (uint16_t)(i + 1));
	t->captures[capture].is_untimed = true;
	flowtab_end(t, capture, 0);
	flowtab_each(t, talk_keep, &heard);
	assert_int_equal(heard.n, 1);
	assert_true(heard.flows[0].survived_pause_ns == TIME_NONE);
	assert_true(heard.flows[0].end[SIDE_CLIENT].idle_before_unanswered_ns == TIME_NONE);
	flowtab_free(t);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(captured_twice),    cmocka_unit_test(what_is_a_copy),
		cmocka_unit_test(probes),	     cmocka_unit_test(seen_by_programs),
		cmocka_unit_test(further_facts),     cmocka_unit_test(ttl_of_the_host),
		cmocka_unit_test(ttl_of_another_capture), cmocka_unit_test(pauses),
		cmocka_unit_test(pause_without_a_clock),
	};
	struct CMUnitTest tests[ARRAY_LEN(rows) + ARRAY_LEN(others)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = comes_to,
						.initial_state = (void *)&rows[i] };
	memcpy(tests + ARRAY_LEN(rows), others, sizeof(others));
	return _cmocka_run_group_tests("wire-teardown", tests, ARRAY_LEN(tests), NULL, NULL);
}

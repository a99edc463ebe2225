#include "live/proctcp.h"
#include "test.h"

#include <arpa/inet.h>
#include <string.h>

/* Lines as kernels write them. Words of an address are in the order of the machine: these are of a small
 * endian one, so elsewhere the addresses are not looked at. */

static bool is_little_endian(void)
{
	return htonl(1) != 1;
}

static void assert_endpoint(struct endpoint e, const char *want)
{
	char text[ENDPOINT_TEXT_MAX];

	if (is_little_endian())
		assert_string_equal(endpoint_format(e, text), want);
}

/* 127.0.0.1:8080, peer 127.0.0.2:40002, one byte (a FIN) unread, inode 11234. */
static void close_wait(void **state)
{
	struct sock_full full;
	struct sock s;

	(void)state;
	assert_true(proctcp_parse("   1: 0100007F:1F90 0200007F:9C42 08 00000000:00000001 00:00000000 00000000 "
				  "   33        0 11234 1 0000000000000000 20 4 30 10 -1",
				  false, 100, &s, &full));
	assert_int_equal(s.state, STATE_CLOSE_WAIT);
	assert_endpoint(s.pair.local, "127.0.0.1:8080");
	assert_endpoint(s.pair.peer, "127.0.0.2:40002");
	assert_false(s.is_inet6);
	assert_ptr_equal(s.full, &full);
	assert_int_equal(full.rqueue, 1);
	assert_int_equal(full.wqueue, 0);
	assert_int_equal(full.uid, 33);
	assert_int_equal(full.inode, 11234);
	assert_int_equal(full.info.len, 0);
	assert_int_equal(s.timer, TIMER_OFF);
	assert_int_equal(s.cookie, 0);
}

/* Retransmitting: the fourth time, in 0x1742 ticks of 10 ms. */
static void last_ack(void **state)
{
	struct sock_full full;
	struct sock s;

	(void)state;
	assert_true(proctcp_parse("12345678: B80D0120000000000000000001000000:0050 "
				  "B80D0120000000000000000002000000:FFFF 09 00000A28:00000000 01:00001742 00000004 "
				  "    0        0 0 3 0000000000000000 20 0 0 10 7",
				  true, 100, &s, &full));
	assert_int_equal(s.state, STATE_LAST_ACK);
	assert_endpoint(s.pair.local, "[2001:db8::1]:80");
	assert_endpoint(s.pair.peer, "[2001:db8::2]:65535");
	assert_int_equal(s.timer, TIMER_ON);
	assert_int_equal(s.expires_ms, 59540);
	assert_int_equal(s.retrans, 4);
	assert_int_equal(full.wqueue, 2600);
	assert_true(sock_is_orphan(&s));
}

/* TIME-WAIT, FIN-WAIT-2 after its application, and a request: none of them is a full socket. */
static void minisocks(void **state)
{
	static const struct {
		const char *line;
		uint8_t state;
	} rows[] = {
		{ " 5: 0100007F:1F90 0100007F:9C42 06 00000000:00000000 03:00000001 00000000     0        0 0 3 "
		  "0000000000000000", STATE_TIME_WAIT },
		{ " 5: 0100007F:1F90 0100007F:9C42 05 00000000:00000000 03:00000001 00000000     0        0 0 3 "
		  "0000000000000000", STATE_FIN_WAIT_2 },
		{ " 5: 0100007F:1F90 0100007F:9C42 03 00000000:00000000 01:00000001 00000002     0        0 0 1 "
		  "0000000000000000", STATE_SYN_RECV },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sock_full full;
		struct sock s;

		assert_true(proctcp_parse(rows[i].line, false, 100, &s, &full));
		assert_int_equal(s.state, rows[i].state);
		assert_null(s.full);
		assert_int_equal(s.expires_ms, 10);
	}
}

/* What waits in a listener's queue is written, what it may hold is not. */
static void listener(void **state)
{
	struct sock_full full;
	struct sock s;

	(void)state;
	assert_true(proctcp_parse("   0: 00000000:0016 00000000:0000 0A 00000000:00000003 00:00000000 00000000 "
				  "    0        0 4711 1 0000000000000000 100 0 0 10 0",
				  false, 100, &s, &full));
	assert_int_equal(s.state, STATE_LISTEN);
	assert_int_equal(full.rqueue, 0);
	assert_int_equal(full.wqueue, 0);
	assert_int_equal(full.inode, 4711);
}

static void what_is_no_line(void **state)
{
	static const char *const lines[] = {
		"",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
		"   0:",
		"   0: 0100007F:1F90",
		"   0: 0100007F:1F90 0100007F:9C42 08 00000000:00000001 00:00000000 00000000    33        0 11234",
		"   0: 0100007:1F90 0100007F:9C42 08 00000000:00000001 00:00000000 00000000    33        0 11234 1",
		"   0: 0100007F:1F901 0100007F:9C42 08 00000000:00000001 00:00000000 00000000    33        0 1 1",
		"   0: 0100007F:1F90 0100007F:9C42 0D 00000000:00000001 00:00000000 00000000    33        0 1 1",
		"   0: 0100007F:1F90 0100007F:9C42 08 -0000001:00000001 00:00000000 00000000    33        0 1 1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct sock_full full;
		struct sock s;

		if (proctcp_parse(lines[i], false, 100, &s, &full))
			fail_msg("%s", lines[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_wait), cmocka_unit_test(last_ack),
		cmocka_unit_test(minisocks),  cmocka_unit_test(listener),
		cmocka_unit_test(what_is_no_line),
	};

	return cmocka_run_group_tests_name("live-proctcp", tests, NULL, NULL);
}

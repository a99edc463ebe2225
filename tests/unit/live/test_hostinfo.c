#include "live/hostinfo.h"
#include "test.h"

static void reserved_ports(void **state)
{
	static const struct {
		const char *list;
		uint32_t count;
	} good[] = {
		{ "", 0 }, { "\n", 0 }, { "40000\n", 1 }, { "80,443\n", 0 },
		{ "32768-32770,60999\n", 4 },
		{ "32000-33000\n", 233 }, /* clipped to the range */
		{ "40000,40000-40001,40000\n", 2 },
		{ "0-65535\n", 28232 },
	};
	static const char *const bad[] = {
		"x", "1,x", "-5", "5-", "-", "9-5", "65536", "1-70000", "1;2", "99999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		uint32_t count = 77;

		assert_true(hostinfo_count_ports(good[i].list, 32768, 60999, &count));
		assert_int_equal(count, good[i].count);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint32_t count = 77;

		assert_false(hostinfo_count_ports(bad[i], 32768, 60999, &count));
		assert_int_equal(count, 77);
	}
}

static void counters(void **state)
{
	static const char text[] = "TcpExt: SyncookiesSent ListenOverflows ListenDrops\n"
				   "TcpExt: 1 22 -333\n"
				   "IpExt: ListenOverflows\n"
				   "IpExt: 9\n";

	(void)state;
	assert_int_equal(hostinfo_counter(text, "TcpExt:", "ListenOverflows").value, 22);
	assert_int_equal(hostinfo_counter(text, "TcpExt:", "ListenDrops").value, -333);
	assert_int_equal(hostinfo_counter(text, "IpExt:", "ListenOverflows").value, 9);
	/* Not there is unknown, not zero; so is half a pair of lines. */
	assert_false(hostinfo_counter(text, "TcpExt:", "Listen").known);
	assert_false(hostinfo_counter(text, "Tcp:", "ListenDrops").known);
	assert_false(hostinfo_counter("TcpExt: A\n", "TcpExt:", "A").known);
	assert_false(hostinfo_counter("TcpExt: A B\nTcpExt: 1\n", "TcpExt:", "B").known);
	assert_false(hostinfo_counter("TcpExt: A\nTcpExt: x\n", "TcpExt:", "A").known);
	/* More than 64 bits hold is no number. */
	assert_false(hostinfo_counter("TcpExt: A\nTcpExt: 99999999999999999999\n", "TcpExt:", "A").known);
	assert_false(hostinfo_counter("", "TcpExt:", "A").known);
}

static void sockstat(void **state)
{
	static const char text[] = "sockets: used 99\n"
				   "TCP: inuse 5 orphan 1 tw 2 alloc 8 mem 1\n"
				   "UDP: inuse 7\n";

	(void)state;
	assert_int_equal(hostinfo_sockstat(text, "TCP:", "inuse").value, 5);
	assert_int_equal(hostinfo_sockstat(text, "TCP:", "orphan").value, 1);
	assert_int_equal(hostinfo_sockstat(text, "TCP:", "mem").value, 1);
	assert_false(hostinfo_sockstat(text, "TCP:", "used").known);
	assert_false(hostinfo_sockstat(text, "TCP6:", "inuse").known);
	assert_false(hostinfo_sockstat("TCP: inuse", "TCP:", "inuse").known);
}

static void columns(void **state)
{
	static const char text[] = "entries  clashres found drop early_drop icmp_error\n"
				   "00000009  00000000 00000000 0000000a 00000001 00000000\n"
				   "00000009  00000000 00000000 00000010 00000000 00000000\n";

	(void)state;
	assert_int_equal(hostinfo_column(text, "drop").value, 0x1a);
	assert_int_equal(hostinfo_column(text, "early_drop").value, 1);
	assert_true(hostinfo_column(text, "icmp_error").known);
	assert_false(hostinfo_column(text, "insert").known);
	assert_false(hostinfo_column("drop\n", "drop").known);
	assert_false(hostinfo_column("drop\nx\n", "drop").known);
	assert_false(hostinfo_column("a drop\n1\n", "drop").known);
	assert_false(hostinfo_column("", "drop").known);
	assert_false(hostinfo_column("drop", "drop").known);
	assert_false(hostinfo_column("drop\n\n", "drop").known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserved_ports),
		cmocka_unit_test(counters),
		cmocka_unit_test(sockstat),
		cmocka_unit_test(columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

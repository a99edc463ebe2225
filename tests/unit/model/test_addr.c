#include "model/addr.h"
#include "test.h"

#include <arpa/inet.h>
#include <string.h>

static struct addr parsed(const char *text)
{
	struct addr a;

	if (!addr_parse(text, &a))
		fail_msg("%s is not an address", text);
	return a;
}

static void prints_what_it_reads(void **state)
{
	static const char *const texts[] = {
		"10.0.0.1", "0.0.0.0",      "255.255.255.255",
		"::",       "2001:db8::1",  "fe80::1:2:3:4",
		"::1",      "64:ff9b::102", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	};
	char buf[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_string_equal(addr_format(parsed(texts[i]), buf), texts[i]);
}

/* Every row of zero groups, with groups of one to four digits around: as inet_ntop(3) writes it. */
static void prints_what_the_library_prints(void **state)
{
	static const uint16_t others[] = { 0x1, 0xab, 0xffff, 0x10, 0xfff, 0x1000, 0x100, 0xf };
	char is[ADDR_TEXT_MAX], want[ADDR_TEXT_MAX];

	(void)state;
	for (unsigned zeros = 0; zeros < 256; zeros++) {
		for (unsigned turn = 0; turn < 8; turn++) {
			uint8_t b[16] = { 0 };

			for (unsigned i = 0; i < 8; i++) {
				uint16_t group = zeros >> i & 1 ? 0 : others[(i + turn) % 8];

				b[2 * i] = (uint8_t)(group >> 8);
				b[2 * i + 1] = (uint8_t)group;
			}
			if (addr_is_v4(addr_from_v6(b)))
				continue;
			inet_ntop(AF_INET6, b, want, sizeof(want));
			assert_string_equal(addr_format(addr_from_v6(b), is), want);
		}
	}
}

static void refuses_what_is_no_address(void **state)
{
	static const char *const texts[] = {
		"", "10.0.0", "10.0.0.256", "1.2.3.4.5", "localhost", ":::", "::1/64", " ::1", "[::1]",
	};
	struct addr a = parsed("192.0.2.1"), before = a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (addr_parse(texts[i], &a))
			fail_msg("\"%s\" was taken for an address", texts[i]);
	assert_true(addr_equal(a, before)); /* untouched on failure */
}

/* A dual-stack socket shows ::ffff:10.0.0.1, its packets 10.0.0.1: the join needs them equal. */
static void mapped_is_the_same_address(void **state)
{
	const uint8_t v4[4] = { 10, 0, 0, 1 };
	char buf[ADDR_TEXT_MAX];

	(void)state;
	assert_true(addr_equal(parsed("::ffff:10.0.0.1"), parsed("10.0.0.1")));
	assert_true(addr_equal(addr_from_v4(v4), parsed("10.0.0.1")));
	assert_true(addr_equal(addr_from_v6(parsed("10.0.0.1").b), parsed("10.0.0.1")));
	assert_string_equal(addr_format(parsed("::ffff:10.0.0.1"), buf), "10.0.0.1");
	assert_false(addr_equal(parsed("::10.0.0.1"), parsed("10.0.0.1")));
}

static void knows_kinds(void **state)
{
	static const struct {
		const char *text;
		bool is_v4, is_any, is_loopback;
	} rows[] = {
		{ "0.0.0.0", true, true, false },    { "::", false, true, false },
		{ "127.0.0.1", true, false, true },  { "127.255.0.9", true, false, true },
		{ "128.0.0.1", true, false, false }, { "::1", false, false, true },
		{ "::2", false, false, false },      { "::ffff:127.0.0.1", true, false, true },
		{ "::7f00:1", false, false, false }, { "::fffe:0:1", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr a = parsed(rows[i].text);

		assert_int_equal(addr_is_v4(a), rows[i].is_v4);
		assert_int_equal(addr_is_any(a), rows[i].is_any);
		assert_int_equal(addr_is_loopback(a), rows[i].is_loopback);
	}
}

static void prefixes_end_within_a_byte(void **state)
{
	static const struct {
		const char *a, *prefix;
		unsigned bits;
		bool is_in;
	} rows[] = {
		{ "10.1.2.3", "10.0.0.0", 96 + 8, true },
		{ "11.1.2.3", "10.0.0.0", 96 + 8, false },
		{ "10.127.0.0", "10.0.0.0", 96 + 9, true },
		{ "10.128.0.0", "10.0.0.0", 96 + 9, false },
		{ "10.0.0.1", "10.0.0.1", 128, true },
		{ "10.0.0.1", "10.0.0.0", 128, false },
		{ "10.0.0.1", "10.0.0.0", 127, true },
		{ "2001:db8::1", "192.0.2.0", 0, true },
		{ "2001:db8::1", "0.0.0.0", 96, false },
		{ "2001:db8:7fff::", "2001:db8::", 33, true },
		{ "2001:db8:8000::", "2001:db8::", 33, false },
		{ "::1", "::1", 129, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (addr_has_prefix(parsed(rows[i].a), parsed(rows[i].prefix), rows[i].bits) !=
		    rows[i].is_in)
			fail_msg("%s in %s/%u", rows[i].a, rows[i].prefix, rows[i].bits);
}

static void endpoints_print_as_ss_does(void **state)
{
	static const struct {
		const char *addr;
		uint16_t port;
		const char *text;
	} rows[] = {
		{ "10.0.0.1", 80, "10.0.0.1:80" },
		{ "2001:db8::1", 65535, "[2001:db8::1]:65535" },
		{ "0.0.0.0", 0, "*:*" },
		{ "::", 22, "*:22" },
		{ "10.0.0.1", 0, "10.0.0.1:*" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
		  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
	};
	char buf[ENDPOINT_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct endpoint e = { parsed(rows[i].addr), rows[i].port };

		assert_string_equal(endpoint_format(e, buf), rows[i].text);
	}
}

static void a_pair_swaps_and_compares(void **state)
{
	struct pair p = { { parsed("10.0.0.1"), 80 }, { parsed("10.0.0.2"), 40000 } };
	struct pair q = pair_swap(p), back = pair_swap(q);

	(void)state;
	assert_true(endpoint_equal(q.local, p.peer) && endpoint_equal(q.peer, p.local));
	assert_false(pair_equal(&p, &q));
	assert_true(pair_equal(&p, &back));
	back.peer.port++;
	assert_false(pair_equal(&p, &back));
	assert_false(endpoint_equal(p.local, p.peer));
	assert_false(endpoint_equal(p.peer, back.peer)); /* one port further */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_what_it_reads),
		cmocka_unit_test(prints_what_the_library_prints),
		cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(mapped_is_the_same_address),
		cmocka_unit_test(knows_kinds),
		cmocka_unit_test(prefixes_end_within_a_byte),
		cmocka_unit_test(endpoints_print_as_ss_does),
		cmocka_unit_test(a_pair_swaps_and_compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

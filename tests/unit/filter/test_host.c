#include "test.h"

#include <netdb.h>

/* One connection of each family, seen from its local end. */
static const struct row {
	const char *expression;
	bool v4, v6, mapped;
} rows[] = {
	/*                               10.1.2.3:22      [2001:db8::1]:22  [::ffff:10.1.2.3]:22
	 *                            -> 192.0.2.7:40000  [2001:db8::2]:443 [::ffff:192.0.2.7]:40000 */
	{ "src 10.1.2.3",                 true,  false, true },
	{ "src = 10.1.2.3",               true,  false, true },
	{ "src != 10.1.2.3",              false, true,  false },
	{ "src 10.1.2.4",                 false, false, false },
	{ "src 10.1.2.3:22",              true,  false, true },
	{ "src 10.1.2.3:ssh",             true,  false, true },
	{ "src 10.1.2.3:23",              false, false, false },
	{ "src 10.1.2.3:*",               true,  false, true },
	{ "src 10/8",                     true,  false, true },
	{ "src 10.1/16",                  true,  false, true },
	{ "src 10.1.2/24",                true,  false, true },
	{ "src 10.0.0.0/15",              true,  false, true },
	{ "src 10.2.0.0/15",              false, false, false },
	{ "src 10.1.2.2/31",              true,  false, true },
	{ "src 10.1.2.0/31",              false, false, false },
	{ "src 10.1.2.0/24:22",           true,  false, true },
	{ "src 10.1.2.0/24:23",           false, false, false },
	{ "src 0/0",                      true,  false, true },
	{ "src 0.0.0.0/0",                true,  false, true },
	/* Written as IPv6, it asks for IPv6 sockets. */
	{ "src ::ffff:10.1.2.3",          false, false, true },
	{ "src [::ffff:10.1.2.3]:22",     false, false, true },
	{ "src ::ffff:0:0/96",            false, false, true },
	{ "src ::ffff:10.0.0.0/104",      false, false, true },
	{ "src ::ffff:11.0.0.0/104",      false, false, false },
	{ "src [2001:db8::1]:22",         false, true,  false },
	{ "src [2001:db8::1]:23",         false, false, false },
	{ "src [2001:db8::1]",            false, true,  false },
	{ "src 2001:db8::1",              false, true,  false },
	{ "src 2001:db8::/32",            false, true,  false },
	{ "src [2001:db8::]/32:22",       false, true,  false },
	{ "src [2001:db8::]/32:23",       false, false, false },
	{ "src [2001:db8::/32]:22",       false, true,  false },
	{ "src 2001:dba::/31",            false, false, false },
	{ "src 2001:db8::/31",            false, true,  false },
	/* The kernel shows an IPv6 row to an IPv6 prefix, whatever the address means. */
	{ "src ::/0",                     false, true,  true },
	{ "src ::/64",                    false, false, true },
	/* The family is named: the socket's. */
	{ "src inet:10.1.2.3",            true,  false, false },
	{ "src inet:*",                   true,  false, false },
	{ "src != inet:*",                false, true,  true },
	{ "src inet6:*",                  false, true,  true },
	{ "src inet6:2001:db8::1",        false, true,  false },
	{ "src :22",                      true,  true,  true },
	{ "src *:22",                     true,  true,  true },
	{ "src :ssh",                     true,  true,  true },
	{ "src :8080",                    false, false, false },
	{ "src *",                        true,  true,  true },
	{ "src != *",                     false, false, false },
	{ "dst 192.0.2.7",                true,  false, true },
	{ "dst 192.0.2.0/24:40000",       true,  false, true },
	{ "dst [2001:db8::2]:https",      false, true,  false },
	{ "dst :443",                     false, true,  false },
	{ "sport 22",                     true,  true,  true },
	{ "sport = :22",                  true,  true,  true },
	{ "sport eq ssh",                 true,  true,  true },
	{ "sport != 22",                  false, false, false },
	{ "sport ne :443",                true,  true,  true },
	{ "sport < :22",                  false, false, false },
	{ "sport <= :22",                 true,  true,  true },
	{ "sport > 21",                   true,  true,  true },
	{ "sport > 22",                   false, false, false },
	{ "sport >= :1024",               false, false, false },
	{ "dport >= :1024",               true,  false, true },
	{ "dport gt 443",                 true,  false, true },
	{ "dport le 443",                 false, true,  false },
	{ "dport lt :443",                false, false, false },
	{ "dport >= 1024 dport < 40001",  true,  false, true },
	{ "dport = https",                false, true,  false },
};

static void hosts(void **state)
{
	const struct {
		const char *local, *peer;
		uint16_t peer_port;
		bool is_inet6;
	} ends[] = {
		{ "10.1.2.3", "192.0.2.7", 40000, false },
		{ "2001:db8::1", "2001:db8::2", 443, true },
		{ "10.1.2.3", "192.0.2.7", 40000, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		/* A small installation has no /etc/services. */
		if (strstr(rows[i].expression, "ssh") && !getservbyname("ssh", "tcp"))
			continue;
		if (strstr(rows[i].expression, "https") && !getservbyname("https", "tcp"))
			continue;

		const bool want[] = { rows[i].v4, rows[i].v6, rows[i].mapped };

		for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
			struct sock s = {
				.state = STATE_ESTABLISHED,
				.pair = { endpoint(ends[k].local, 22),
					  endpoint(ends[k].peer, ends[k].peer_port) },
				.is_inet6 = ends[k].is_inet6,
			};
			struct conn c = { .sock = &s };

			if (matches(rows[i].expression, &c, NULL) != want[k])
				fail_msg("%s: column %zu is not %d", rows[i].expression, k + 1, want[k]);
		}
	}
}

/* Whatever addresses a name has here, 127.0.0.1 is one of this name's, and 10.1.2.3 is none. */
static void names(void **state)
{
	struct sock s = { .state = STATE_ESTABLISHED,
			  .pair = { endpoint("127.0.0.1", 8080), endpoint("10.1.2.3", 9) } };
	struct conn c = { .sock = &s };

	(void)state;
	assert_true(matches("src localhost", &c, NULL));
	assert_true(matches("src localhost:8080", &c, NULL));
	assert_false(matches("src localhost:8081", &c, NULL));
	assert_false(matches("src != localhost", &c, NULL));
	assert_true(matches("src inet:localhost", &c, NULL));
	assert_false(matches("dst localhost", &c, NULL));
	assert_true(matches("dst != localhost", &c, NULL));
}

/* In a capture the client is src and the server dst. */
static void ends_of_a_flow(void **state)
{
	struct flow f = {
		.end = { [SIDE_CLIENT] = { .at = endpoint("10.1.2.3", 40000) },
			 [SIDE_SERVER] = { .at = endpoint("2001:db8::2", 443) } },
	};
	struct conn c = { .flow = &f };

	(void)state;
	assert_true(matches("src 10.1.2.3:40000", &c, NULL));
	assert_true(matches("dst [2001:db8::2]:443", &c, NULL));
	assert_true(matches("sport 40000 dport 443", &c, NULL));
	assert_false(matches("src :443", &c, NULL));
	assert_false(matches("src ::/0", &c, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),
		cmocka_unit_test(names),
		cmocka_unit_test(ends_of_a_flow),
	};

	return cmocka_run_group_tests_name("filter-host", tests, NULL, NULL);
}

#include "rules/settings.h"
#include "util/attr.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct audit_row rows[MAX_AUDIT_ROWS];

static const struct audit_row *row_of(const struct look *look, const char *name)
{
	size_t n = settings_audit(look, &look->netns[0], rows);

	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	fail_msg("%s: no such setting", name);
	return NULL;
}

static void expect(const char *name, size_t offset, int64_t value, enum audit_verdict verdict)
{
	struct netns ns = { .sysctls = { .conntrack_count = { true, 80 } } };
	const struct look look = { .host.orphans = { true, 1000 }, .netns = &ns, .n_netns = 1 };

	*(struct setting *)(void *)((char *)&ns.sysctls + offset) = (struct setting){ true, value };
	const struct audit_row *row = row_of(&look, name);
	if (row->verdict != verdict)
		fail_msg("%s = %lld: verdict %d", name, (long long)value, row->verdict);
	if ((row->verdict == AUDIT_FINE) != !row->why)
		fail_msg("%s = %lld: a verdict needs its reason", name, (long long)value);
}

#define EXPECT(member, name, value, verdict)                                                       \
	expect(name, offsetof(struct sysctls, member), value, AUDIT_##verdict)

static void each_side_of_a_threshold(void **state)
{
	(void)state;
	EXPECT(fin_timeout_s, "net/ipv4/tcp_fin_timeout", 60, FINE);
	EXPECT(fin_timeout_s, "net/ipv4/tcp_fin_timeout", 61, WARNING);
	EXPECT(fin_timeout_s, "net/ipv4/tcp_fin_timeout", 120, FINE);
	EXPECT(fin_timeout_s, "net/ipv4/tcp_fin_timeout", 5, FINE);
	EXPECT(fin_timeout_s, "net/ipv4/tcp_fin_timeout", -5, WARNING);
	EXPECT(retries2, "net/ipv4/tcp_retries2", 8, FINE);
	EXPECT(retries2, "net/ipv4/tcp_retries2", 7, WARNING);
	EXPECT(retries2, "net/ipv4/tcp_retries2", 16, NOTE);
	EXPECT(orphan_retries, "net/ipv4/tcp_orphan_retries", 0, FINE);
	EXPECT(orphan_retries, "net/ipv4/tcp_orphan_retries", 2, WARNING);
	EXPECT(orphan_retries, "net/ipv4/tcp_orphan_retries", 3, FINE);
	EXPECT(max_orphans, "net/ipv4/tcp_max_orphans", 4001, WARNING);
	EXPECT(max_orphans, "net/ipv4/tcp_max_orphans", 4096, FINE);
	EXPECT(somaxconn, "net/core/somaxconn", 127, WARNING);
	EXPECT(somaxconn, "net/core/somaxconn", 128, FINE);
	EXPECT(conntrack_max, "net/netfilter/nf_conntrack_max", 100, WARNING);
	EXPECT(conntrack_max, "net/netfilter/nf_conntrack_max", 101, FINE);
	EXPECT(tw_recycle, "net/ipv4/tcp_tw_recycle", 1, WARNING);
	EXPECT(challenge_ack_limit, "net/ipv4/tcp_challenge_ack_limit", 999, WARNING);
	EXPECT(challenge_ack_limit, "net/ipv4/tcp_challenge_ack_limit", INT32_MAX, FINE);
	EXPECT(conntrack_established_s, "net/netfilter/nf_conntrack_tcp_timeout_established", 7199, NOTE);
}

static void what_is_unknown_is_not_judged(void **state)
{
	struct netns ns = { 0 };
	const struct look look = { .netns = &ns, .n_netns = 1 };
	size_t n = settings_audit(&look, &ns, rows);

	(void)state;
	assert_true(n > 20);
	for (size_t i = 0; i < n; i++)
		if (rows[i].verdict != AUDIT_FINE || rows[i].why || rows[i].proposed.n ||
		    rows[i].absence == AUDIT_HERE || !rows[i].absent_why)
			fail_msg("%s was judged", rows[i].name);
}

/* A limit that the kernel chose for a small machine is no mistake; the same number set by hand is. */
static void a_small_machine(void **state)
{
	struct netns ns = { .sysctls = { .max_tw_buckets = { true, 4096 }, .ehash_entries = { true, 8192 } } };
	const struct look look = { .netns = &ns, .n_netns = 1 };

	(void)state;
	assert_int_equal(row_of(&look, "net/ipv4/tcp_max_tw_buckets")->verdict, AUDIT_FINE);
	ns.sysctls.ehash_entries.value = 262144;
	const struct audit_row *row = row_of(&look, "net/ipv4/tcp_max_tw_buckets");
	assert_int_equal(row->verdict, AUDIT_WARNING);
	assert_int_equal(row->usual.at[0], 131072);
	assert_int_equal(row->proposed.at[0], 131072);
}

static void port_of(struct look *look, uint16_t port, enum audit_verdict verdict)
{
	look->socks[0].pair.local.port = port;
	assert_int_equal(row_of(look, "net/ipv4/ip_local_port_range")->verdict, verdict);
}

static void a_service_in_the_range(void **state)
{
	struct netns ns = { .sysctls = { .port_low = { true, 10240 }, .port_high = { true, 60999 },
					 .reserved = "8080,11000-11010" } };
	struct sock listener = { .state = STATE_LISTEN };
	struct look look = { .netns = &ns, .n_netns = 1, .socks = &listener, .n_socks = 1 };

	(void)state;
	port_of(&look, 11211, AUDIT_WARNING);
	port_of(&look, 11005, AUDIT_FINE);
	port_of(&look, 9100, AUDIT_FINE);
	port_of(&look, 40000, AUDIT_FINE); /* the kernel may have chosen it */
	ns.sysctls.port_low.value = 32768;
	port_of(&look, 40000, AUDIT_FINE);
	assert_int_equal(row_of(&look, "net/ipv4/ip_local_reserved_ports")->verdict, AUDIT_NOTE);
}

static void why_it_is_not_here(void **state)
{
	struct netns ns = { 0 };
	const struct look look = { .netns = &ns, .n_netns = 1 };

	(void)state;
	assert_int_equal(row_of(&look, "net/ipv4/tcp_tw_recycle")->absence, AUDIT_REMOVED);
	assert_int_equal(row_of(&look, "net/ipv4/tcp_max_orphans")->absence, AUDIT_INITIAL_NETNS);
	assert_int_equal(row_of(&look, "net/netfilter/nf_conntrack_max")->absence, AUDIT_NO_MODULE);
	ns.sysctls.error[SYSCTL_retries2] = EACCES;
	assert_int_equal(row_of(&look, "net/ipv4/tcp_retries2")->absence, AUDIT_UNREADABLE);
}

static void a_quarter_of_the_orphans(void **state)
{
	struct netns ns = { .sysctls.max_orphans = { true, 65536 } };
	const struct look look = { .host.orphans = { true, 16384 }, .netns = &ns, .n_netns = 1 };

	(void)state;
	assert_int_equal(row_of(&look, "net/ipv4/tcp_max_orphans")->verdict, AUDIT_WARNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_side_of_a_threshold),
		cmocka_unit_test(what_is_unknown_is_not_judged),
		cmocka_unit_test(a_small_machine),
		cmocka_unit_test(a_service_in_the_range),
		cmocka_unit_test(why_it_is_not_here),
		cmocka_unit_test(a_quarter_of_the_orphans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

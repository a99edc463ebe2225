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
	EXPECT(fin_timeout_s, "net/ipv4/tcp_fin_timeout", 4, WARNING);
	EXPECT(fin_timeout_s, "net/ipv4/tcp_fin_timeout", -5, WARNING);
	EXPECT(retries2, "net/ipv4/tcp_retries2", 8, FINE);
	EXPECT(retries2, "net/ipv4/tcp_retries2", 7, WARNING);
	EXPECT(retries2, "net/ipv4/tcp_retries2", 15, FINE);
	EXPECT(retries2, "net/ipv4/tcp_retries2", 16, NOTE);
	EXPECT(tw_reuse_delay_ms, "net/ipv4/tcp_tw_reuse_delay", 1000, FINE);
	EXPECT(tw_reuse_delay_ms, "net/ipv4/tcp_tw_reuse_delay", 999, NOTE);
	EXPECT(tw_timeout_s, "net/ipv4/tcp_tw_timeout", 60, FINE);
	EXPECT(tw_timeout_s, "net/ipv4/tcp_tw_timeout", 59, NOTE);
	EXPECT(keepalive_time_s, "net/ipv4/tcp_keepalive_time", 10, FINE);
	EXPECT(keepalive_time_s, "net/ipv4/tcp_keepalive_time", 9, NOTE);
	EXPECT(max_tw_buckets, "net/ipv4/tcp_max_tw_buckets", 8192, FINE);
	EXPECT(max_tw_buckets, "net/ipv4/tcp_max_tw_buckets", 8191, WARNING);
	EXPECT(orphan_retries, "net/ipv4/tcp_orphan_retries", 0, FINE);
	EXPECT(orphan_retries, "net/ipv4/tcp_orphan_retries", 2, WARNING);
	EXPECT(orphan_retries, "net/ipv4/tcp_orphan_retries", 3, FINE);
	EXPECT(orphan_retries, "net/ipv4/tcp_orphan_retries", 1, WARNING);
	EXPECT(max_orphans, "net/ipv4/tcp_max_orphans", 0, WARNING);
	EXPECT(max_orphans, "net/ipv4/tcp_max_orphans", 4095, WARNING);
	EXPECT(max_orphans, "net/ipv4/tcp_max_orphans", 4096, FINE);
	EXPECT(somaxconn, "net/core/somaxconn", 127, WARNING);
	EXPECT(somaxconn, "net/core/somaxconn", 128, FINE);
	EXPECT(conntrack_max, "net/netfilter/nf_conntrack_max", 0, FINE); /* without limit */
	EXPECT(conntrack_max, "net/netfilter/nf_conntrack_max", 100, WARNING);
	EXPECT(conntrack_max, "net/netfilter/nf_conntrack_max", 101, FINE);
	EXPECT(tw_recycle, "net/ipv4/tcp_tw_recycle", 1, WARNING);
	EXPECT(challenge_ack_limit, "net/ipv4/tcp_challenge_ack_limit", 999, WARNING);
	EXPECT(challenge_ack_limit, "net/ipv4/tcp_challenge_ack_limit", 1000, FINE);
	EXPECT(challenge_ack_limit, "net/ipv4/tcp_challenge_ack_limit", INT32_MAX, FINE);
	EXPECT(invalid_ratelimit_ms, "net/ipv4/tcp_invalid_ratelimit", 0, NOTE);
	EXPECT(invalid_ratelimit_ms, "net/ipv4/tcp_invalid_ratelimit", 5000, FINE);
	EXPECT(invalid_ratelimit_ms, "net/ipv4/tcp_invalid_ratelimit", 5001, NOTE);
	EXPECT(conntrack_close_wait_s, "net/netfilter/nf_conntrack_tcp_timeout_close_wait", 60, FINE);
	EXPECT(conntrack_close_wait_s, "net/netfilter/nf_conntrack_tcp_timeout_close_wait", 59, WARNING);
	EXPECT(conntrack_fin_wait_s, "net/netfilter/nf_conntrack_tcp_timeout_fin_wait", 52, FINE);
	EXPECT(conntrack_fin_wait_s, "net/netfilter/nf_conntrack_tcp_timeout_fin_wait", 51, NOTE);
	EXPECT(conntrack_time_wait_s, "net/netfilter/nf_conntrack_tcp_timeout_time_wait", 30, FINE);
	EXPECT(conntrack_time_wait_s, "net/netfilter/nf_conntrack_tcp_timeout_time_wait", 29, NOTE);
	EXPECT(conntrack_established_s, "net/netfilter/nf_conntrack_tcp_timeout_established", 7200, FINE);
	EXPECT(conntrack_established_s, "net/netfilter/nf_conntrack_tcp_timeout_established", 7199, NOTE);
}

/* Two settings together. */
static void each_side_with_its_neighbour(void **state)
{
	static const char *const keepalive = "net/ipv4/tcp_keepalive_intvl", *const syn = "net/ipv4/tcp_max_syn_backlog",
				 *const tracked = "net/netfilter/nf_conntrack_max",
				 *const late = "net/netfilter/nf_conntrack_tcp_timeout_close_wait";
	struct netns ns = { .sysctls = { .keepalive_intvl_s = { true, 5 }, .keepalive_probes = { true, 2 },
					 .max_syn_backlog = { true, 128 }, .syncookies = { true, 0 },
					 .conntrack_max = { true, 899 }, .conntrack_buckets = { true, 100 },
					 .conntrack_close_wait_s = { true, 59 },
					 .conntrack_count = { true, 0 } } };
	const struct look look = { .netns = &ns, .n_netns = 1 };

	(void)state;
	assert_int_equal(row_of(&look, keepalive)->verdict, AUDIT_FINE);
	ns.sysctls.keepalive_intvl_s.value = 9;
	ns.sysctls.keepalive_probes.value = 1;
	assert_int_equal(row_of(&look, keepalive)->verdict, AUDIT_NOTE);
	assert_int_equal(row_of(&look, syn)->verdict, AUDIT_FINE);
	ns.sysctls.max_syn_backlog.value = 127;
	assert_int_equal(row_of(&look, syn)->verdict, AUDIT_NOTE);
	assert_int_equal(row_of(&look, syn)->proposed.at[0], 2048);
	ns.sysctls.syncookies.value = 1;
	assert_int_equal(row_of(&look, syn)->verdict, AUDIT_FINE);
	assert_int_equal(row_of(&look, tracked)->verdict, AUDIT_FINE);
	ns.sysctls.conntrack_max.value = 900;
	assert_int_equal(row_of(&look, tracked)->verdict, AUDIT_NOTE);
	ns.sysctls.conntrack_buckets.value = 0;
	assert_int_equal(row_of(&look, tracked)->verdict, AUDIT_FINE);
	ns.counters.conntrack_early_drops = (struct setting){ true, 0 };
	assert_int_equal(row_of(&look, tracked)->verdict, AUDIT_FINE);
	ns.counters.conntrack_early_drops.value = 1;
	assert_int_equal(row_of(&look, tracked)->verdict, AUDIT_NOTE);
	assert_int_equal(row_of(&look, late)->verdict, AUDIT_NOTE);
	ns.sysctls.conntrack_count.value = 1;
	assert_int_equal(row_of(&look, late)->verdict, AUDIT_WARNING);
}

/* Eight retries give up after 51 s and the longest pause: 100 s is what RFC 1122 asks for. */
static void the_longest_pause(void **state)
{
	struct netns ns = { .sysctls = { .retries2 = { true, 8 }, .rto_max_ms = { true, 49000 } } };
	const struct look look = { .netns = &ns, .n_netns = 1 };

	(void)state;
	assert_int_equal(row_of(&look, "net/ipv4/tcp_rto_max_ms")->verdict, AUDIT_FINE);
	ns.sysctls.rto_max_ms.value--;
	assert_int_equal(row_of(&look, "net/ipv4/tcp_rto_max_ms")->verdict, AUDIT_NOTE);
	assert_int_equal(row_of(&look, "net/ipv4/tcp_rto_max_ms")->proposed.at[0], 120000);
	ns.sysctls.retries2.value = 7;
	assert_int_equal(row_of(&look, "net/ipv4/tcp_rto_max_ms")->verdict, AUDIT_FINE);
}

/* At 80 % there is time; at 95 % there is none. */
static void nearly_full(void **state)
{
	static const char *const name = "net/netfilter/nf_conntrack_max";
	struct netns ns = { .sysctls = { .conntrack_max = { true, 1000 }, .conntrack_count = { true, 949 } } };
	const struct look look = { .netns = &ns, .n_netns = 1 };

	(void)state;
	assert_false(row_of(&look, name)->is_problem);
	ns.sysctls.conntrack_count.value = 950;
	assert_true(row_of(&look, name)->is_problem);
	assert_int_equal(row_of(&look, name)->proposed.at[0], 2000);
}

/* Lower than the kernel would have it, and half of it taken; whether it was lowered must be known. */
static void a_limit_of_time_waits_that_is_used(void **state)
{
	static const char *const name = "net/ipv4/tcp_max_tw_buckets";
	struct netns ns = { .sysctls = { .max_tw_buckets = { true, 10000 }, .ehash_entries = { true, 262144 } },
			    .counters.tw_overflow = { true, 0 }, .n_timewait = { true, 4999 } };
	const struct look look = { .netns = &ns, .n_netns = 1 };

	(void)state;
	assert_int_equal(row_of(&look, name)->verdict, AUDIT_FINE);
	assert_int_equal(row_of(&look, name)->proposed.n, 0);
	ns.n_timewait.value = 5000;
	assert_int_equal(row_of(&look, name)->verdict, AUDIT_WARNING);
	ns.sysctls.ehash_entries.known = false;
	assert_int_equal(row_of(&look, name)->verdict, AUDIT_FINE);
	ns.counters.tw_overflow.value = 1;
	assert_int_equal(row_of(&look, name)->verdict, AUDIT_NOTE);
	assert_int_equal(row_of(&look, name)->proposed.at[0], 20000);
	/* Without a usual number, the one of a machine of our days. */
	ns.sysctls.max_tw_buckets.value = 8191;
	assert_int_equal(row_of(&look, name)->proposed.at[0], 131072);
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
	port_of(&look, 11000, AUDIT_FINE);
	port_of(&look, 11005, AUDIT_FINE);
	port_of(&look, 11010, AUDIT_FINE);
	port_of(&look, 11011, AUDIT_WARNING);
	port_of(&look, 32767, AUDIT_WARNING);
	port_of(&look, 32768, AUDIT_FINE);
	port_of(&look, 9100, AUDIT_FINE);
	port_of(&look, 40000, AUDIT_FINE); /* the kernel may have chosen it */
	ns.sysctls.port_low.value = 32768;
	port_of(&look, 40000, AUDIT_FINE);
	assert_int_equal(row_of(&look, "net/ipv4/ip_local_reserved_ports")->verdict, AUDIT_NOTE);
}

static void the_range_of_ports(void **state)
{
	static const struct {
		int64_t low, high;
		enum audit_verdict verdict;
		int64_t proposed[2];
	} ranges[] = {
		{ 10240, 14334, AUDIT_WARNING, { 32768, 60999 } }, /* few */
		{ 10240, 14335, AUDIT_FINE, { 0 } },
		{ 1023, 60998, AUDIT_WARNING, { 10240, 60999 } }, /* those of services */
		{ 1024, 60999, AUDIT_FINE, { 0 } },
		{ 32769, 60999, AUDIT_NOTE, { 32769, 60998 } }, /* both odd */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		struct netns ns = { .sysctls = { .port_low = { true, ranges[i].low },
						 .port_high = { true, ranges[i].high } } };
		const struct look look = { .netns = &ns, .n_netns = 1 };
		const struct audit_row *row = row_of(&look, "net/ipv4/ip_local_port_range");

		assert_int_equal(row->verdict, ranges[i].verdict);
		assert_int_equal(row->usual.at[0], 32768);
		assert_int_equal(row->usual.at[1], 60999);
		for (size_t k = 0; k < row->proposed.n; k++)
			assert_int_equal(row->proposed.at[k], ranges[i].proposed[k]);
		assert_int_equal(row->proposed.n, ranges[i].verdict == AUDIT_FINE ? 0 : 2);
	}
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

static void four_fifths_of_the_orphans(void **state)
{
	struct netns ns = { .sysctls.max_orphans = { true, 10000 } };
	struct look look = { .host.orphans = { true, 7999 }, .netns = &ns, .n_netns = 1 };

	(void)state;
	assert_false(row_of(&look, "net/ipv4/tcp_max_orphans")->is_problem);
	look.host.orphans.value = 8000;
	assert_true(row_of(&look, "net/ipv4/tcp_max_orphans")->is_problem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_side_of_a_threshold),
		cmocka_unit_test(each_side_with_its_neighbour),
		cmocka_unit_test(the_longest_pause),
		cmocka_unit_test(nearly_full),
		cmocka_unit_test(a_limit_of_time_waits_that_is_used),
		cmocka_unit_test(what_is_unknown_is_not_judged),
		cmocka_unit_test(a_small_machine),
		cmocka_unit_test(a_service_in_the_range),
		cmocka_unit_test(the_range_of_ports),
		cmocka_unit_test(why_it_is_not_here),
		cmocka_unit_test(a_quarter_of_the_orphans),
		cmocka_unit_test(four_fifths_of_the_orphans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

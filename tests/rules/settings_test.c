#include "rules/settings.h"
#include "util/attr.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct audit_row rows[MAX_AUDIT_ROWS];

static const struct audit_row *row_of(const struct netns *ns, const struct host *host, const char *name)
{
	size_t n = settings_audit(ns, host, rows);

	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	fail_msg("%s: no such setting", name);
	return NULL;
}

static void expect(const char *name, size_t offset, int64_t value, enum audit_verdict verdict)
{
	const struct host host = { .orphans = { true, 1000 } };
	struct netns ns = { .sysctls = { .conntrack_count = { true, 80 } } };

	*(struct setting *)(void *)((char *)&ns.sysctls + offset) = (struct setting){ true, value };
	const struct audit_row *row = row_of(&ns, &host, name);
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
	const struct host host = { 0 };
	const struct netns ns = { 0 };
	size_t n = settings_audit(&ns, &host, rows);

	(void)state;
	assert_true(n > 20);
	for (size_t i = 0; i < n; i++)
		if (rows[i].verdict != AUDIT_FINE || rows[i].why || rows[i].proposed.known)
			fail_msg("%s was judged", rows[i].name);
}

static void a_quarter_of_the_orphans(void **state)
{
	const struct host many = { .orphans = { true, 16384 } };
	const struct netns ns = { .sysctls.max_orphans = { true, 65536 } };

	(void)state;
	assert_int_equal(row_of(&ns, &many, "net/ipv4/tcp_max_orphans")->verdict, AUDIT_WARNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_side_of_a_threshold),
		cmocka_unit_test(what_is_unknown_is_not_judged),
		cmocka_unit_test(a_quarter_of_the_orphans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

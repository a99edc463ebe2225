#include "rules/judge.h"
#include "util/attr.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum expected { SILENT, FIRES };

/* One setting of an otherwise ordinary host. */
struct row {
	const char *name, *rule;
	enum expected expected;
	enum severity severity;
	size_t offset;
	int64_t value;
};

#define AT(member) offsetof(struct sysctls, member)

static bool fires(const struct look *look, const char *rule, enum severity *ret)
{
	struct arena *arena = arena_new();
	struct judge *j = judge_new(arena, 60000, 3);
	struct findings all;
	bool found = false;

	judge_host(j, look, &look->netns[0]);
	judge_end(j, &all);
	for (size_t i = 0; i < all.n; i++) {
		if (strcmp(all.at[i].text->id, rule) != 0)
			continue;
		found = true;
		*ret = all.at[i].severity;
		assert_int_equal(all.at[i].certainty, CERTAINTY_CERTAIN);
	}
	arena_free(arena);
	return found;
}

static struct netns ordinary(void)
{
	return (struct netns){
		.sysctls = {
			.port_low = { true, 32768 }, .port_high = { true, 60999 },
			.max_tw_buckets = { true, 131072 }, .max_orphans = { true, 65536 },
			.conntrack_max = { true, 1000 }, .conntrack_count = { true, 1 },
		},
		.counters.tw_overflow = { true, 0 },
	};
}

static void check(const struct row *row, struct netns *ns, int64_t orphans)
{
	struct look look = { .netns = ns, .n_netns = 1, .host.orphans = { true, orphans } };
	enum severity severity = SEVERITY_NOTE;
	bool found = fires(&look, row->rule, &severity);

	if (found != (row->expected == FIRES))
		fail_msg("%s: %s %s", row->name, row->rule, found ? "fired" : "did not fire");
	if (found && severity != row->severity)
		fail_msg("%s: severity %s", row->name, severity_name(severity));
}

static void settings(void **state)
{
	static const struct row rows[] = {
		{ "on", "sysctl-harmful-tw-recycle", FIRES, SEVERITY_PROBLEM, AT(tw_recycle), 1 },
		{ "off", "sysctl-harmful-tw-recycle", SILENT, 0, AT(tw_recycle), 0 },
		{ "61", "sysctl-harmful-fin-timeout-over-60", FIRES, SEVERITY_WARNING, AT(fin_timeout_s), 61 },
		{ "60", "sysctl-harmful-fin-timeout-over-60", SILENT, 0, AT(fin_timeout_s), 60 },
		{ "4", "sysctl-harmful-fin-timeout-low", FIRES, SEVERITY_WARNING, AT(fin_timeout_s), 4 },
		{ "5", "sysctl-harmful-fin-timeout-low", SILENT, 0, AT(fin_timeout_s), 5 },
		{ "8191", "sysctl-harmful-tw-buckets-low", FIRES, SEVERITY_WARNING, AT(max_tw_buckets), 8191 },
		{ "8192", "sysctl-harmful-tw-buckets-low", SILENT, 0, AT(max_tw_buckets), 8192 },
		{ "0", "sysctl-harmful-timestamps-off", FIRES, SEVERITY_WARNING, AT(timestamps), 0 },
		{ "2", "sysctl-harmful-timestamps-off", SILENT, 0, AT(timestamps), 2 },
		{ "1", "sysctl-harmful-abort-on-overflow", FIRES, SEVERITY_WARNING, AT(abort_on_overflow), 1 },
		{ "0", "sysctl-harmful-abort-on-overflow", SILENT, 0, AT(abort_on_overflow), 0 },
		{ "7", "sysctl-harmful-retries2-low", FIRES, SEVERITY_WARNING, AT(retries2), 7 },
		{ "8", "sysctl-harmful-retries2-low", SILENT, 0, AT(retries2), 8 },
		{ "2", "sysctl-harmful-orphan-retries-low", FIRES, SEVERITY_WARNING, AT(orphan_retries), 2 },
		{ "0", "sysctl-harmful-orphan-retries-low", SILENT, 0, AT(orphan_retries), 0 },
		{ "4095", "sysctl-harmful-max-orphans-low", FIRES, SEVERITY_WARNING, AT(max_orphans), 4095 },
		{ "4096", "sysctl-harmful-max-orphans-low", SILENT, 0, AT(max_orphans), 4096 },
		{ "1023", "sysctl-harmful-port-range", FIRES, SEVERITY_WARNING, AT(port_low), 1022 },
		{ "1024", "sysctl-harmful-port-range", SILENT, 0, AT(port_low), 1024 },
		{ "999", "sysctl-harmful-challenge-ack-limit", FIRES, SEVERITY_WARNING, AT(challenge_ack_limit), 999 },
		{ "1000", "sysctl-harmful-challenge-ack-limit", SILENT, 0, AT(challenge_ack_limit), 1000 },
		{ "127", "sysctl-harmful-somaxconn-low", FIRES, SEVERITY_WARNING, AT(somaxconn), 127 },
		{ "128", "sysctl-harmful-somaxconn-low", SILENT, 0, AT(somaxconn), 128 },
		{ "59", "sysctl-harmful-conntrack-short", FIRES, SEVERITY_WARNING, AT(conntrack_close_wait_s), 59 },
		{ "60", "sysctl-harmful-conntrack-short", SILENT, 0, AT(conntrack_close_wait_s), 60 },
		{ "80 percent", "conntrack-near-limit", FIRES, SEVERITY_WARNING, AT(conntrack_count), 800 },
		{ "94 percent", "conntrack-near-limit", FIRES, SEVERITY_WARNING, AT(conntrack_count), 949 },
		{ "95 percent", "conntrack-near-limit", FIRES, SEVERITY_PROBLEM, AT(conntrack_count), 950 },
		{ "less", "conntrack-near-limit", SILENT, 0, AT(conntrack_count), 799 },
		{ "without limit", "conntrack-near-limit", SILENT, 0, AT(conntrack_max), 0 },
		{ "none at all", "sysctl-harmful-tw-buckets-low", FIRES, SEVERITY_WARNING, AT(max_tw_buckets), 0 },
		{ "none at all", "sysctl-harmful-max-orphans-low", FIRES, SEVERITY_WARNING, AT(max_orphans), 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct netns ns = ordinary();

		*(struct setting *)(void *)((char *)&ns.sysctls + rows[i].offset) =
			(struct setting){ true, rows[i].value };
		check(&rows[i], &ns, 0);
	}
}

static void orphans(void **state)
{
	static const struct row rows[] = {
		{ "a quarter", "orphans-near-limit", FIRES, SEVERITY_NOTE, 0, 16384 },
		{ "half", "orphans-near-limit", FIRES, SEVERITY_WARNING, 0, 32768 },
		{ "less than four fifths", "orphans-near-limit", FIRES, SEVERITY_WARNING, 0, 52428 },
		{ "four fifths", "orphans-near-limit", FIRES, SEVERITY_PROBLEM, 0, 52429 },
		{ "some", "orphans-near-limit", SILENT, 0, 0, 16000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct netns ns = ordinary();

		check(&rows[i], &ns, rows[i].value);
	}
}

static void tw_overflow(void **state)
{
	static const struct row rows[] = {
		{ "since boot", "time-wait-bucket-overflow", FIRES, SEVERITY_NOTE, 0, 7 },
		{ "never", "time-wait-bucket-overflow", SILENT, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct netns ns = ordinary();

		ns.counters.tw_overflow.value = rows[i].value;
		check(&rows[i], &ns, 0);
	}
}

/* By the minisocks that are there; a counter of long ago is no more than a note. */
static void tw_is_full(void **state)
{
	static const struct row rows[] = {
		{ "nine of ten", "time-wait-bucket-overflow", FIRES, SEVERITY_WARNING, 0, 9 },
		{ "eight", "time-wait-bucket-overflow", SILENT, 0, 0, 8 },
	};
	static struct sock socks[9];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(socks); i++)
		socks[i].state = i % 2 ? STATE_TIME_WAIT : STATE_FIN_WAIT_2;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct netns ns = ordinary();
		struct look look = { .netns = &ns, .n_netns = 1, .socks = socks, .n_socks = (size_t)rows[i].value };
		enum severity severity = SEVERITY_NOTE;

		ns.sysctls.max_tw_buckets.value = 10;
		if (fires(&look, rows[i].rule, &severity) != (rows[i].expected == FIRES) ||
		    severity != rows[i].severity)
			fail_msg("%s: severity %s", rows[i].name, severity_name(severity));
	}
}

static void conntrack_was_full(void **state)
{
	static const struct row rows[] = {
		{ "since it was made", "conntrack-near-limit", FIRES, SEVERITY_NOTE, 0, 1 },
		{ "never", "conntrack-near-limit", SILENT, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct netns ns = ordinary();

		ns.counters.conntrack_early_drops = (struct setting){ true, rows[i].value };
		check(&rows[i], &ns, 0);
	}
}

/* What a finding says instead of its row's sentence; NULL: that one. */
static const char *says(struct netns *ns, const char *rule)
{
	struct sock listener = { .state = STATE_LISTEN, .pair.local.port = 2000 };
	struct look look = { .netns = ns, .n_netns = 1, .socks = &listener, .n_socks = 1 };
	struct arena *arena = arena_new();
	struct judge *j = judge_new(arena, 60000, 3);
	struct findings all;
	const char *text = "not found";

	judge_host(j, &look, ns);
	judge_end(j, &all);
	for (size_t i = 0; i < all.n; i++)
		if (strcmp(all.at[i].text->id, rule) == 0)
			text = all.at[i].says;
	arena_free(arena);
	return text;
}

static void says_what_is_wrong(void **state)
{
	struct netns ns = ordinary();

	(void)state;
	ns.sysctls.conntrack_count.value = 800;
	assert_null(says(&ns, "conntrack-near-limit"));
	ns.sysctls.port_low.value = 1023;
	assert_non_null(strstr(says(&ns, "sysctl-harmful-port-range"), "system services"));
	ns.sysctls.port_low.value = 1024;
	ns.sysctls.port_high.value = 1024 + 4094;
	assert_non_null(strstr(says(&ns, "sysctl-harmful-port-range"), "so few ports"));
	ns.sysctls.port_high.value++;
	assert_string_equal(says(&ns, "sysctl-harmful-port-range"), "not found");
	ns.sysctls.reserved = "";
	assert_non_null(strstr(says(&ns, "sysctl-harmful-port-range"), "a listener's port"));
}

static void unknown_is_silent(void **state)
{
	struct netns ns = { 0 };
	struct look look = { .netns = &ns, .n_netns = 1 };
	struct arena *arena = arena_new();
	struct judge *j = judge_new(arena, 60000, 3);
	struct findings all;

	(void)state;
	judge_host(j, &look, &ns);
	judge_end(j, &all);
	assert_int_equal(all.n, 0);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings),
		cmocka_unit_test(orphans),
		cmocka_unit_test(tw_overflow),
		cmocka_unit_test(tw_is_full),
		cmocka_unit_test(conntrack_was_full),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(unknown_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

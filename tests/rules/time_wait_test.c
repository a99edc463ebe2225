#include "rules_test.h"
#include "util/attr.h"

#include <string.h>

#define TW .state = STATE_TIME_WAIT, .is_mini = true, .timer = TIMER_TIMEWAIT, .age_ms = 1000
#define SERVED TW, .has_listener = true, .expires_ms = 59000

static void active_closer(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "a thousand", "time-wait-active-closer", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN,
		  1000, { SERVED } },
		{ "one less", "time-wait-active-closer", SILENT, 0, 0, 999,
		  { SERVED } },
		{ "one less is ordinary", "time-wait-ordinary", FIRES, SEVERITY_NOTE,
		  CERTAINTY_CERTAIN, 999, { SERVED } },
		{ "another state", "time-wait-active-closer", SILENT, 0, 0, 1000,
		  { .state = STATE_LAST_ACK, .timer = TIMER_ON, .age_ms = 100 } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static void blocks_bind(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "nobody listens any more", "time-wait-blocks-bind", FIRES, SEVERITY_NOTE,
		  CERTAINTY_CERTAIN, 3, { TW, .expires_ms = 40000 } },
		{ "somebody does", "time-wait-blocks-bind", SILENT, 0, 0, 3, { SERVED } },
		{ "a client's", "time-wait-blocks-bind", SILENT, 0, 0, 3,
		  { TW, .is_client = true, .expires_ms = 40000 } },
		{ "a port below those the kernel chooses", "time-wait-blocks-bind", FIRES, SEVERITY_NOTE,
		  CERTAINTY_CERTAIN, 3, { TW, .local_port = 32767, .peer_port = 65000, .expires_ms = 40000 } },
		{ "the first it chooses", "time-wait-blocks-bind", SILENT, 0, 0, 3,
		  { TW, .local_port = 32768, .peer_port = 65000, .expires_ms = 40000 } },
		{ "the last it chooses", "time-wait-blocks-bind", SILENT, 0, 0, 3,
		  { TW, .local_port = 60999, .peer_port = 65000, .expires_ms = 40000 } },
		{ "a port above", "time-wait-blocks-bind", FIRES, SEVERITY_NOTE,
		  CERTAINTY_CERTAIN, 3, { TW, .local_port = 61000, .peer_port = 65000, .expires_ms = 40000 } },
		{ "whose it is cannot be told", "time-wait-blocks-bind", SILENT, 0, 0, 3,
		  { TW, .peer_port = 8080, .expires_ms = 40000 } },
		{ "a client that chose its port", "time-wait-blocks-bind", SILENT, 0, 0, 3,
		  { TW, .peer_port = 443, .expires_ms = 40000 } },
		{ "a client of NFS, which chooses a low one", "time-wait-blocks-bind", SILENT, 0, 0, 3,
		  { TW, .local_port = 1023, .peer_port = 2049, .expires_ms = 40000 } },
		{ "a server of a reserved port", "time-wait-blocks-bind", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 3,
		  { TW, .local_port = 1023, .peer_port = 2050, .expires_ms = 40000 } },
		{ "a server of that port", "time-wait-blocks-bind", FIRES, SEVERITY_NOTE, CERTAINTY_CERTAIN, 3,
		  { TW, .local_port = 1024, .peer_port = 2049, .expires_ms = 40000 } },
	};

	check_rows(rows, ARRAY_LEN(rows));
}

static const struct {
	const char *name, *rule;
	enum expected expected;
	uint32_t used, reusable, capacity;
	enum severity severity;
	enum certainty certainty;
} budgets[] = {
	{ "79 %", "time-wait-port-exhaustion", SILENT, 79, 0, 100, 0, 0 },
	{ "80 %", "time-wait-port-exhaustion", FIRES, 80, 0, 100, SEVERITY_WARNING, CERTAINTY_LIKELY },
	{ "95 %", "time-wait-port-exhaustion", FIRES, 95, 0, 100, SEVERITY_PROBLEM, CERTAINTY_LIKELY },
	{ "all", "time-wait-port-exhaustion", FIRES, 100, 0, 100, SEVERITY_PROBLEM, CERTAINTY_CERTAIN },
	{ "all, but connect() may take half of them over", "time-wait-port-exhaustion", SILENT, 100, 50, 100, 0, 0 },
	{ "capacity unknown", "time-wait-port-exhaustion", SILENT, 100, 0, 0, 0, 0 },
};

static void port_exhaustion(void **state)
{
	static const struct netns netns = { .sysctls = { .tw_reuse = { true, 2 } } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(budgets); i++) {
		struct port_budget b = { .netns = &netns, .peer.port = 443, .used = budgets[i].used,
					 .time_wait = budgets[i].used,
					 .reusable = budgets[i].reusable,
					 .capacity = budgets[i].capacity };
		struct arena *arena = arena_new();
		struct judge *judge = judge_new(arena, 60000, 3);
		struct conn example = { .owner = OWNER_NONE };
		struct findings all;

		judge_ports(judge, &b, &example);
		judge_end(judge, &all);
		if ((all.n == 1) != (budgets[i].expected == FIRES))
			fail_msg("%s: %s", budgets[i].rule, budgets[i].name);
		if (all.n == 1) {
			assert_string_equal(all.at[0].text->id, budgets[i].rule);
			assert_int_equal(all.at[0].severity, budgets[i].severity);
			assert_int_equal(all.at[0].certainty, budgets[i].certainty);
		}
		arena_free(arena);
	}
}

/* Only while more come than go, and there is room. */
static void time_until_full(void **state)
{
	static const struct {
		uint32_t used;
		uint64_t new_10s, drain_10s;
		int64_t full_in_ms;
	} rows[] = { { 80, 10, 5, 40000 }, { 80, 5, 5, -1 }, { 100, 10, 5, -1 } };
	static const struct netns netns = { .sysctls = { .tw_reuse = { true, 2 } } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct port_budget b = { .netns = &netns, .peer.port = 443, .used = rows[i].used, .capacity = 100,
					 .new_10s = rows[i].new_10s, .drain_10s = rows[i].drain_10s };
		struct arena *arena = arena_new();
		struct judge *judge = judge_new(arena, 60000, 3);
		struct conn example = { .owner = OWNER_NONE };
		struct findings all;

		judge_ports(judge, &b, &example);
		judge_end(judge, &all);
		assert_int_equal(all.n, 1);
		const struct fact *fact = finding_find_fact(&all.at[0], "full_in", strlen("full_in"));
		assert_int_equal(fact ? fact->number : -1, rows[i].full_in_ms);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(active_closer),
		cmocka_unit_test(blocks_bind),
		cmocka_unit_test(port_exhaustion),
		cmocka_unit_test(time_until_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "flows.h"
#include "rules/judge.h"
#include "util/attr.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* More servers than somebody reads about, or than memory is given to: what is said of the others. */

static struct flow reset_flow(int64_t idle_ns)
{
	struct flow f = base();

	f.pattern = PATTERN_RESET;
	f.n_rsts = f.n_rst_packets = 1;
	f.rsts[0] = (struct flow_rst){ .from = SIDE_SERVER, .shape = RST_SHAPE_REPLY, .trigger = TRIGGER_DATA,
				       .answers_trigger = true, .sender_bytes = 5,
				       .own_fin_gap_ns = TIME_NONE, .idle_ns = idle_ns };
	return f;
}

/* The one finding of `rule` that is about many others. */
static const struct finding *find_rest(const struct findings *all, const char *rule)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->at[i].subject.is_rest && strcmp(all->at[i].text->id, rule) == 0)
			return &all->at[i];
	fail_msg("no %s about many others", rule);
	return NULL;
}

static void judge_servers(struct arena *arena, struct flow f, unsigned n, struct findings *ret)
{
	struct judge *judge = judge_new(arena, 60000, 3);

	for (unsigned i = 0; i < n; i++) {
		struct conn c = { .flow = &f };

		f.end[SIDE_SERVER].at.port = (uint16_t)(i + 1);
		judge_flow(judge, &c);
	}
	judge_end(judge, ret);
}

/* As many servers as a stranger likes: each of the first ones has its finding, the others share one, and
 * none is lost. */
static void many_destinations(void **state)
{
	enum { N = 3000, TOLD_APART = 1000 };
	struct arena *arena = arena_new();
	struct findings all;
	const struct finding *rest = NULL;
	uint64_t n = 0;

	(void)state;
	judge_servers(arena, refused(), N, &all);
	assert_int_equal(all.n, TOLD_APART + 1);
	for (size_t i = 0; i < all.n; i++) {
		n += all.at[i].count;
		if (all.at[i].subject.is_rest)
			rest = &all.at[i];
		assert_int_equal(all.at[i].subject.has_peer, !all.at[i].subject.is_rest);
	}
	assert_int_equal(n, N);
	assert_non_null(rest);
	assert_int_equal(rest->count, N - TOLD_APART);
	assert_int_equal(rest->n_examples, 3);
	assert_int_equal(all.n_uncounted, 0);
	arena_free(arena);
}

/* Of many hosts together nothing is said that is true of one: no distance, no second try, no listener that ended. */
static void what_is_true_of_one(void **state)
{
	struct arena *arena = arena_new();
	struct flow f = refused();
	struct findings all;
	const struct finding *rest;

	(void)state;
	f.rsts[0].ttl = 64;
	f.rsts[0].host_ttl = 60;
	judge_servers(arena, f, 1010, &all);
	rest = find_rest(&all, "rst-admin");
	assert_int_equal(rest->count, 10);
	assert_non_null(rest->says);
	assert_null(finding_find_fact(rest, "routers_passed", strlen("routers_passed")));
	judge_servers(arena, refused(), 1010, &all);
	assert_int_equal(find_rest(&all, "rst-refused")->severity, SEVERITY_WARNING);
	f = reset_flow(0);
	f.rsts[0].shape = RST_SHAPE_ACTIVE;
	f.rsts[0].with_ack = true;
	f.rsts[0].sender_bytes = 0;
	judge_servers(arena, f, 1010, &all);
	assert_int_equal(find_rest(&all, "rst-listener-closed")->certainty, CERTAINTY_POSSIBLE);
	arena_free(arena);
}

/* What many together make true is not made true by all the others together. */
static void many_idle_times(void **state)
{
	enum { TOLD_APART = 1 << 16, MORE = 10 };
	struct arena *arena = arena_new();
	struct judge *judge = judge_new(arena, 60000, 0);
	struct flow f = reset_flow(350LL * S);
	struct findings all;

	(void)state;
	for (unsigned i = 0; i < TOLD_APART + MORE; i++) {
		struct conn c = { .flow = &f };

		f.end[SIDE_SERVER].at.addr = addr_from_v4((uint8_t[]){ 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
								       (uint8_t)i });
		judge_flow(judge, &c);
	}
	judge_end(judge, &all);
	for (size_t i = 0; i < all.n; i++)
		assert_string_not_equal(all.at[i].text->id, "rst-idle-timeout");
	assert_int_equal(all.n_uncounted, MORE);
	arena_free(arena);
}

/* Servers that only witnesses speak of take no place from the others; and of many servers together nothing
 * is said that is true of one. */
static void many_pauses(void **state)
{
	enum { QUIET = 1500, TOLD_APART = 1000, MORE = 10 };
	struct arena *arena = arena_new();
	struct judge *judge = judge_new(arena, 60000, 0);
	struct findings all;
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < QUIET + TOLD_APART + MORE; i++) {
		bool is_quiet = i < QUIET;
		struct flow f = base();
		struct conn c = { .flow = &f };

		/* Most were spoken of before. */
		f.end[SIDE_SERVER].at.port = (uint16_t)(is_quiet ? i + 1 : i + 1 - TOLD_APART);
		f.survived_pause_ns = (i < QUIET + TOLD_APART ? 300LL : 500LL) * S;
		f.pattern = is_quiet ? PATTERN_OPEN : PATTERN_SILENT;
		f.end[SIDE_CLIENT].unanswered = is_quiet ? 0 : 3;
		f.end[SIDE_CLIENT].idle_before_unanswered_ns = 400LL * S;
		judge_flow(judge, &c);
	}
	judge_end(judge, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct finding *f = &all.at[i];

		if (strcmp(f->text->id, "idle-timeout-middlebox") != 0)
			continue;
		n++;
		assert_int_equal(f->count, f->subject.is_rest ? MORE : 1);
		assert_int_equal(f->certainty, CERTAINTY_POSSIBLE);
		assert_null(f->says);
	}
	assert_int_equal(n, TOLD_APART + 1);
	arena_free(arena);
}

/* As many servers with a pause that did no harm, and one more where so many connections fell silent. */
static void judge_quiet(struct arena *arena, unsigned n_quiet, unsigned n_dead, struct findings *ret)
{
	struct judge *judge = judge_new(arena, 60000, 0);

	for (unsigned i = 0; i < n_quiet + n_dead; i++) {
		bool is_quiet = i < n_quiet;
		struct flow f = base();
		struct conn c = { .flow = &f };

		f.end[SIDE_SERVER].at.port = (uint16_t)(is_quiet ? i + 1 : 1 << 15);
		f.survived_pause_ns = 300LL * S;
		f.pattern = is_quiet ? PATTERN_OPEN : PATTERN_SILENT;
		f.end[SIDE_CLIENT].unanswered = is_quiet ? 0 : 3;
		f.end[SIDE_CLIENT].idle_before_unanswered_ns = 400LL * S;
		judge_flow(judge, &c);
	}
	judge_end(judge, ret);
}

/* Of a server whose witnesses may have found no room nothing is likely; where nobody fell silent, none is missed. */
static void too_many_witnesses(void **state)
{
	enum { HEARD = 1 << 14 };
	static const struct { unsigned n_quiet, n_dead; uint64_t n_uncounted; enum certainty certainty; } cases[] = {
		{ HEARD, 3, 0, CERTAINTY_LIKELY },
		{ HEARD + 1, 3, 1, CERTAINTY_POSSIBLE },
		{ HEARD + 1, 0, 0, CERTAINTY_CERTAIN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *arena = arena_new();
		struct findings all;

		judge_quiet(arena, cases[i].n_quiet, cases[i].n_dead, &all);
		assert_int_equal(all.n_uncounted, cases[i].n_uncounted);
		assert_int_equal(all.n, cases[i].n_dead ? 2 : 0);
		for (size_t k = 0; k < all.n; k++)
			if (strcmp(all.at[k].text->id, "idle-timeout-middlebox") == 0)
				assert_int_equal(all.at[k].certainty, cases[i].certainty);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_destinations),
		cmocka_unit_test(what_is_true_of_one),
		cmocka_unit_test(many_idle_times),
		cmocka_unit_test(many_pauses),
		cmocka_unit_test(too_many_witnesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

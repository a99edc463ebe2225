#include "flows.h"
#include "rules/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* Resets after a silence: which of them a timer for idle connections made. */

enum expected { SILENT, FIRES };

static void assert_fact(const char *where, const struct finding *f, const char *name, int64_t want)
{
	const struct fact *fact = finding_find_fact(f, name, strlen(name));

	if ((fact ? fact->number : -1) != want)
		fail_msg("%s: %s is %lld", where, name, fact ? (long long)fact->number : -1);
}

/* The same again and again: the n-th reset comes at n times `apart_ns`. NULL: the rule is silent. */
static const struct finding *judge_all(struct arena *arena, struct flow f, const char *rule, size_t times,
				       int64_t apart_ns, size_t n_examples)
{
	struct judge *j = judge_new(arena, 60000, n_examples);
	struct findings *all = arena_alloc(arena, sizeof(*all));

	for (size_t i = 0; i < times; i++) {
		struct conn c = { .flow = &f };

		f.rsts[0].at_ns = 1000LL * S + (int64_t)i * apart_ns;
		judge_flow(j, &c);
	}
	judge_end(j, all);
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->at[i].text->id, rule) == 0)
			return &all->at[i];
	return NULL;
}

static void expect(const char *name, const struct flow *f, const char *rule, enum expected expected, size_t times,
		   int64_t apart_ns)
{
	struct arena *arena = arena_new();
	const struct finding *found = judge_all(arena, *f, rule, times, apart_ns, 3);

	if (!found != (expected == SILENT))
		fail_msg("%s: %s", name, found ? "fired" : "did not fire");
	if (found && (found->severity != SEVERITY_WARNING || found->certainty != CERTAINTY_LIKELY))
		fail_msg("%s: %s, %s", name, severity_name(found->severity), certainty_name(found->certainty));
	arena_free(arena);
}

static struct flow reset_after(int64_t idle_ns)
{
	struct flow f = base();

	f.pattern = PATTERN_RESET;
	f.n_rsts = f.n_rst_packets = 1;
	f.rsts[0] = (struct flow_rst){ .from = SIDE_SERVER, .shape = RST_SHAPE_REPLY, .trigger = TRIGGER_DATA,
				       .answers_trigger = true, .sender_bytes = 5, .peer_bytes = 100,
				       .own_fin_gap_ns = TIME_NONE, .idle_ns = idle_ns };
	return f;
}

static void rst_idle_timeout(void **state)
{
	struct flow f = reset_after(350LL * S + 400000000);

	(void)state;
	expect("three times 350 s", &f, "rst-idle-timeout", FIRES, 3, 10LL * S);
	expect("twice may be chance", &f, "rst-idle-timeout", SILENT, 2, 10LL * S);
	struct arena *arena = arena_new();
	for (size_t n_shown = 0; n_shown < 2; n_shown++) {
		const struct finding *found = judge_all(arena, f, "rst-idle-timeout", 3, 10LL * S, n_shown);

		assert_non_null(found);
		assert_int_equal(found->n_examples, n_shown);
		assert_fact("350 s", found, "idle", 350000);
		assert_fact("350 s", found, "keepidle", 60);
	}
	f.rsts[0].idle_ns = 76LL * S;
	assert_fact("75 s", judge_all(arena, f, "rst-idle-timeout", 3, 10LL * S, 0), "keepidle", 37);
	arena_free(arena);
	f.content = CONTENT_FIN_RST_ONLY;
	expect("how long nobody spoke is unknown", &f, "rst-idle-timeout", SILENT, 3, 10LL * S);
	f = reset_after(TIME_NONE);
	expect("nor is it of one", &f, "rst-idle-timeout", SILENT, 3, 10LL * S);
	f = reset_after(29LL * S + S / 2);
	expect("half a minute, to the second", &f, "rst-idle-timeout", FIRES, 3, 10LL * S);
	f.rsts[0].idle_ns--;
	expect("no box is so impatient", &f, "rst-idle-timeout", SILENT, 3, 10LL * S);
}

/* Where start and end are common to all, the silences between them are equal, and no timer made them so. */
static void resets_of_one_event(void **state)
{
	struct flow f = reset_after(37LL * S);

	(void)state;
	expect("a pool, and the server dies", &f, "rst-idle-timeout", SILENT, 5, 100000);
	expect("a moment apart", &f, "rst-idle-timeout", SILENT, 5, S / 2);
	expect("three seconds apart, as silences of one kind may be", &f, "rst-idle-timeout", FIRES, 3, 3LL * S);
	expect("not quite", &f, "rst-idle-timeout", SILENT, 3, 3LL * S - 1);
	expect("in any order", &f, "rst-idle-timeout", FIRES, 3, -3LL * S);
	expect("many, one after the other", &f, "rst-idle-timeout", FIRES, 9, 1LL * S);
	expect("more than have to be told apart", &f, "rst-idle-timeout", FIRES, 99, 10LL * S);
}

/* Silences before resets that no timer for idle connections made. */
static void silences_of_other_timers(void **state)
{
	struct flow f = reset_after(75LL * S);

	(void)state;
	f.rsts[0].probes_unanswered = 9;
	expect("between two probes of keepalive", &f, "rst-idle-timeout", SILENT, 4, 10LL * S);
	f = reset_after(75LL * S);
	f.rsts[0].retransmissions_unanswered = 1;
	expect("between two copies", &f, "rst-idle-timeout", SILENT, 4, 10LL * S);
	f = reset_after(75LL * S);
	f.rsts[0].of_old_incarnation = true;
	expect("of another connection", &f, "rst-idle-timeout", SILENT, 4, 10LL * S);
	f = reset_after(75LL * S);
	f.survived_pause_ns = 75LL * S;
	expect("the one before did no harm: probes until the host went away", &f, "rst-idle-timeout", SILENT, 4,
	       10LL * S);
	f.survived_pause_ns = 74LL * S + 1;
	expect("to the second", &f, "rst-idle-timeout", SILENT, 4, 10LL * S);
	f.survived_pause_ns = 74LL * S;
	expect("a shorter one", &f, "rst-idle-timeout", FIRES, 4, 10LL * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rst_idle_timeout),
		cmocka_unit_test(resets_of_one_event),
		cmocka_unit_test(silences_of_other_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

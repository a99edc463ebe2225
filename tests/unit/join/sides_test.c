#include "join/sides.h"
#include "util/attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* A reset in the name of the server, at 50 s, that the client's capture holds and the server's does not: when that
 * means that it was not sent. The server's clock is ahead by 3 s. */

enum { S = 1000000000, AHEAD_S = 3 };

struct witness {
	const char *name;
	int64_t first_s, last_s; /* of the server's capture, by its own clock */
	bool has_heard_only, is_lossy, is_fin_rst_only, has_time_back;
	uint64_t dropped;
	bool is_said, is_certain;
};

static struct flow flow_from(uint32_t id, int64_t first_ns)
{
	return (struct flow){
		.id = id,
		.opened_seen = true,
		.first_ns = first_ns,
		.content = CONTENT_FULL,
		.end[SIDE_CLIENT] = { .at.port = 40000, .seen = true, .isn_known = true, .isn = 1 },
		.end[SIDE_SERVER] = { .at.port = 80, .seen = true, .isn_known = true, .isn = 2 },
	};
}

static void compare(const struct witness *w, struct arena *arena)
{
	const struct capture_info client = { .first_ns = 0, .last_ns = 100LL * S };
	const struct capture_info server = { .first_ns = w->first_s * S, .last_ns = w->last_s * S,
					     .dropped_by_kernel = w->dropped,
					     .time_back = w->has_time_back ? "it does" : NULL };
	struct flow here = flow_from(1, 0), there = flow_from(1, AHEAD_S * (int64_t)S);
	struct sides *s = sides_new(arena);
	struct sided_sum sum;

	here.n_rsts = 1;
	here.rsts[0] = (struct flow_rst){ .from = SIDE_SERVER, .at_ns = 50LL * S, .seq = 100 };
	there.end[SIDE_SERVER].seen = !w->has_heard_only;
	there.is_lossy = w->is_lossy;
	there.content = w->is_fin_rst_only ? CONTENT_FIN_RST_ONLY : CONTENT_FULL;
	sides_add(s, 0, &here);
	sides_add(s, 1, &there);
	sides_compare(s, (const struct capture_info *const[]){ &client, &server }, &sum);
	assert_true(sum.has_offset);
	assert_int_equal(sum.offset_ns, AHEAD_S * (int64_t)S);
	const struct sided_flow *both = sides_find(s, 0, 1);
	if (both->n_missing != w->is_said)
		fail_msg("%s: %s", w->name, both->n_missing ? "said" : "not said");
	if (w->is_said && (both->missing[0].was_sent || both->missing[0].is_certain != w->is_certain))
		fail_msg("%s: %s", w->name, both->missing[0].is_certain ? "certain" : "likely, or sent");
	sides_free(s);
}

static void what_a_capture_can_tell(void **state)
{
	static const struct witness rows[] = {
		{ "it ran all the time", .first_s = 0, .last_s = 100, .is_said = true, .is_certain = true },
		{ "it holds nothing of the server", .first_s = 0, .last_s = 100, .has_heard_only = true },
		{ "it lost some of the connection", .first_s = 0, .last_s = 100, .is_lossy = true },
		{ "it dropped packets", .first_s = 0, .last_s = 100, .dropped = 1 },
		{ "from that moment on", .first_s = 53, .last_s = 100, .is_said = true, .is_certain = true },
		{ "it began later", .first_s = 54, .last_s = 100 },
		{ "a second longer", .first_s = 0, .last_s = 54, .is_said = true, .is_certain = true },
		{ "to that moment", .first_s = 0, .last_s = 53, .is_said = true },
		{ "it ended earlier", .first_s = 0, .last_s = 52 },
		{ "FIN and RST only", .first_s = 0, .last_s = 100, .is_fin_rst_only = true, .is_said = true },
		{ "its clock goes back", .first_s = 0, .last_s = 100, .has_time_back = true, .is_said = true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *arena = arena_new();

		compare(&rows[i], arena);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_a_capture_can_tell) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

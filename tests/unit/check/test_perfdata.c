#include "host.h"
#include "report/check.h"

#include <jansson.h>

/* 'label'=value[UOM];[warn];[crit];[min];[max], separated by one blank. */
static void perfdata_is_exact(void **state)
{
	struct look *look = make_look();
	AUTO_BUF b = { 0 };
	struct check_results all;
	struct host_conn h;

	(void)state;
	make_conn(&h, STATE_CLOSE_WAIT, &leaky, 12345);
	look->host.orphans.known = false;
	check_many(look, &h, 255, true, &all);
	check_put_perfdata(&b, &all);
	assert_string_equal(buf_text(&b),
			    "'close-wait.left'=U 'close-wait.nofile'=25.5%;20;50;0;100 'close-wait.count'=0;9;;0; "
			    "'close-wait.age'=12.345s;3600;;0; 'ports.left'=U "
			    "'ports.share'=0%;80;95;0;100 "
			    "'accept-queue.share'=0%;80;99;0;100 'accept-queue.overflows'=U 'orphans.share'=U "
			    "'orphans.aborts'=U 'conntrack.share'=U 'tw-buckets.share'=0%;90;;0;100 "
			    "'tw-buckets.overflows'=U 'fin-wait-2.held.age'=0s;600;;0;");
	look_free(look);
}

static void names_move_nothing(void **state)
{
	static const struct proc evil = { .pid = 812, .fd_limit = 20, .unit = "|'x'=1\n.service",
					  .comm = "a|b\n\033[2J'=9\xff" };
	struct look *look = make_look();
	AUTO_BUF b = { 0 };
	struct check_results all;
	struct host_conn h;

	(void)state;
	make_conn(&h, STATE_CLOSE_WAIT, &evil, 0);
	check_many(look, &h, 18, true, &all);
	check_put_text(&b, &all, look, false, false);
	const char *line = buf_text(&b);
	static const char begin[] = "CRITICAL - a\\x7cb\\x0a\\x1b[2J'=9\\xff[812] holds 18 CLOSE-WAIT, "
				    "90 % of 20 descriptors: ";
	assert_memory_equal(line, begin, sizeof(begin) - 1);
	assert_ptr_equal(strchr(line, '|'), strrchr(line, '|'));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	buf_clear(&b);
	check_put_text(&b, &all, look, true, false);
	assert_ptr_equal(strchr(buf_text(&b), '|'), strrchr(buf_text(&b), '|'));
	buf_clear(&b);
	check_put_failure(&b, "a|b\n", "c|d", false);
	assert_string_equal(buf_text(&b), "UNKNOWN - a\\x7cb\\x0a: c\\x7cd\n");
	look_free(look);
}

#define ROW(x) { .name = x, .fine = x " is well", .says = x " is ill", .next = "mend " x, .command = "ask " x }

/* Neither OK nor a word too many: of two with one reason only the first gives it, for both. */
static void what_is_not_judged_is_said(void **state)
{
	static const struct check_row rows[] = { ROW("a"), ROW("b"), ROW("c"), ROW("d"),
						 ROW("e"), ROW("f"), ROW("g"), ROW("h"), ROW("i") };
	struct check_results all = { .status = CHECK_CRITICAL, .is_whole = true, .n = ARRAY_LEN(rows) };
	struct look *look = make_look();
	AUTO_BUF b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		all.at[i] = (struct check_result){ .row = &rows[i] };
	all.at[0].known = true;
	all.at[1].unknown = all.at[2].unknown = "no limit here";
	all.at[3].unknown = "none was found";
	all.at[4].unknown = "nobody asked";
	all.at[4].is_harmless = true;
	all.at[5] = (struct check_result){ &rows[5], .known = true, .status = CHECK_WARNING, .has_worst = true };
	all.at[6] = (struct check_result){ &rows[6], .known = true, .status = CHECK_CRITICAL, .has_worst = true };
	all.at[7] = (struct check_result){ &rows[7], .status = CHECK_UNKNOWN, .unknown = "hidden" };
	all.at[8].unknown = "not asked for";
	all.at[8].is_unwatched = true;
	all.first = &all.at[6];
	gap_add(&look->gaps, "state", "/s", "damaged", "it begins anew");
	gap_add(&look->gaps, "owners", "/proc/1", "closed", "hidden");
	check_put_text(&b, &all, look, true, false);
	char *bar = strchr(buf_text(&b), '|'), *more = strchr(bar, '\n') + 1;
	bar[-1] = '\0';
	assert_string_equal(buf_text(&b), "CRITICAL - g is ill: ask g; no limit here; d not judged; f WARNING; "
					  "h UNKNOWN; /s: damaged");
	assert_string_equal(more, "a: OK - a is well\n"
				  "b: not judged - no limit here\n"
				  "c: not judged - no limit here\n"
				  "d: not judged - none was found\n"
				  "e: OK - nobody asked\n"
				  "f: WARNING - f is ill\n  to do: mend f\n"
				  "g: CRITICAL - g is ill\n  to do: mend g\n"
				  "h: UNKNOWN - hidden\n"
				  "i: not watched - not asked for\n"
				  "Not seen: /s: damaged; it begins anew\n"
				  "Not seen: /proc/1: closed; hidden\n");
	/* Where none complains: five of nine could. */
	for (size_t i = 5; i < 8; i++)
		all.at[i] = (struct check_result){ .row = &rows[i], .known = true };
	all.first = NULL;
	buf_clear(&b);
	check_put_text(&b, &all, look, false, false);
	assert_non_null(strstr(buf_text(&b), "none of 5 checks complains; no limit here; d not judged; /s: damaged | "));
	look_free(look);
}

static void json_is_the_contract(void **state)
{
	static const struct proc evil = { .pid = 812, .fd_limit = 20, .comm = "a\"|\\\n\xff" };
	struct look *look = make_look();
	AUTO_BUF b = { 0 };
	struct check_results all;
	struct host_conn h;
	json_error_t error;

	(void)state;
	make_conn(&h, STATE_CLOSE_WAIT, &evil, 12345);
	look->host.orphans.known = false;
	check_many(look, &h, 18, true, &all);
	check_put_json(&b, &all, look);
	json_t *doc = json_loads(buf_text(&b), JSON_REJECT_DUPLICATES, &error);
	if (!doc)
		fail_msg("%s in %s", error.text, buf_text(&b));
	assert_string_equal(json_string_value(json_object_get(doc, "schema")), "tcpwhy.check/1");
	assert_string_equal(json_string_value(json_object_get(doc, "status")), "CRITICAL");
	assert_true(json_is_true(json_object_get(doc, "complete")));
	json_t *checks = json_object_get(doc, "checks");
	assert_int_equal(json_array_size(checks), check_rows_count());
	json_t *nofile = json_array_get(checks, 1), *orphans = json_array_get(checks, 7);
	assert_int_equal(json_integer_value(json_object_get(nofile, "value")), 90);
	assert_int_equal(json_integer_value(json_object_get(nofile, "limit")), 20);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(nofile, "worst"), "pid")),
			 812);
	assert_true(json_is_null(json_object_get(orphans, "value")));
	json_decref(doc);
	look_free(look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(perfdata_is_exact),
		cmocka_unit_test(names_move_nothing),
		cmocka_unit_test(what_is_not_judged_is_said),
		cmocka_unit_test(json_is_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

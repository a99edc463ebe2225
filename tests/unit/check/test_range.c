#include "check/check.h"
#include "check/range.h"
#include "report/check.h"
#include "test.h"

#include <string.h>

/* Written, read, and written again as perfdata has it. */
static void ranges_are_read(void **state)
{
	static const struct {
		const char *text;
		enum check_unit unit;
		const char *again;
	} rows[] = {
		{ "10", CHECK_COUNT, "10" },          { "0", CHECK_COUNT, "0" },
		{ "10:", CHECK_COUNT, "10:" },        { "0:", CHECK_COUNT, "0:" },
		{ ":10", CHECK_COUNT, "10" },         { "0:10", CHECK_COUNT, "10" },
		{ "~:10", CHECK_COUNT, "~:10" },      { "~:", CHECK_COUNT, "~:" },
		{ "10:20", CHECK_COUNT, "10:20" },    { "@10:20", CHECK_COUNT, "@10:20" },
		{ "@10", CHECK_COUNT, "@10" },        { "@~:10", CHECK_COUNT, "@~:10" },
		{ "@10:", CHECK_COUNT, "@10:" },      { "10:10", CHECK_COUNT, "10:10" },
		{ "-5:5", CHECK_COUNT, "-5:5" },      { "-10:-5", CHECK_COUNT, "-10:-5" },
		{ "0.5", CHECK_COUNT, "0.5" },        { "1.250:2.125", CHECK_COUNT, "1.25:2.125" },
		{ "70%", CHECK_PERCENT, "70" },       { "70", CHECK_PERCENT, "70" },
		{ "10%:99.5%", CHECK_PERCENT, "10:99.5" },
		{ "5m", CHECK_SECONDS, "300" },       { "300", CHECK_SECONDS, "300" },
		{ "300s", CHECK_SECONDS, "300" },     { "1.5h", CHECK_SECONDS, "5400" },
		{ "500ms", CHECK_SECONDS, "0.5" },    { "1ms", CHECK_SECONDS, "0.001" },
		{ "2d", CHECK_SECONDS, "172800" },    { "90sec:5min", CHECK_SECONDS, "90:300" },
		{ "@30s:1h", CHECK_SECONDS, "@30:3600" },
		{ "5/min", CHECK_A_MINUTE, "5" },     { "0.5/s:", CHECK_A_MINUTE, "30:" },
		{ "5", CHECK_A_MINUTE, "5" },
		{ "31622400000", CHECK_COUNT, "31622400000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF b = { 0 };
		struct range r;

		if (!range_parse(rows[i].text, rows[i].unit, &r))
			fail_msg("%s was not read", rows[i].text);
		check_put_range(&b, &r);
		assert_string_equal(buf_text(&b), rows[i].again);
	}
}

static void other_texts_are_not(void **state)
{
	static const struct {
		const char *text;
		enum check_unit unit;
	} rows[] = {
		{ "", CHECK_COUNT },       { "@", CHECK_COUNT },      { ":", CHECK_COUNT },
		{ "@:", CHECK_COUNT },     { "~", CHECK_COUNT },      { "10:~", CHECK_COUNT },
		{ "~10", CHECK_COUNT },    { "~~:1", CHECK_COUNT },   { "20:10", CHECK_COUNT },
		{ "-5", CHECK_COUNT },     { "10::20", CHECK_COUNT }, { "1:2:3", CHECK_COUNT },
		{ "@@1", CHECK_COUNT },    { "1@", CHECK_COUNT },     { " 1", CHECK_COUNT },
		{ "1 ", CHECK_COUNT },     { "+1", CHECK_COUNT },     { "1e3", CHECK_COUNT },
		{ "0x10", CHECK_COUNT },   { "1,5", CHECK_COUNT },    { ".5", CHECK_COUNT },
		{ "1.", CHECK_COUNT },     { "1.2345", CHECK_COUNT }, { "1..2", CHECK_COUNT },
		{ "--1:", CHECK_COUNT },   { "-:1", CHECK_COUNT },    { "inf", CHECK_COUNT },
		{ "nan", CHECK_COUNT },    { "10%", CHECK_COUNT },    { "10s", CHECK_COUNT },
		{ "10s", CHECK_PERCENT },  { "10%%", CHECK_PERCENT }, { "%", CHECK_PERCENT },
		{ "10%", CHECK_SECONDS },  { "5x", CHECK_SECONDS },   { "m", CHECK_SECONDS },
		{ "5 m", CHECK_SECONDS },  { "0.5ms", CHECK_SECONDS },{ "5mm", CHECK_SECONDS },
		{ "5/m", CHECK_A_MINUTE }, { "/s", CHECK_A_MINUTE }, { "5s", CHECK_A_MINUTE },
		{ "5/min", CHECK_COUNT },  { "5%", CHECK_A_MINUTE },
		{ "31622400001", CHECK_COUNT }, { "99999999999999999999999", CHECK_COUNT },
		{ "400000d", CHECK_SECONDS },   { "9223372036854775808", CHECK_SECONDS },
		{ "99999999999999999999999ms", CHECK_SECONDS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct range r = { .start = 7 };

		if (range_parse(rows[i].text, rows[i].unit, &r))
			fail_msg("'%s' was read as a range", rows[i].text);
		assert_int_equal(r.start, 7);
	}
}

/* Every kind of range against values at, beside and far from its ends. */
static void they_alert_as_the_guidelines_say(void **state)
{
	static const struct {
		const char *text;
		int64_t value; /* thousandths */
		bool alerts;
	} rows[] = {
		{ "10", -1, true },        { "10", 0, false },       { "10", 10000, false },
		{ "10", 10001, true },     { "10:", 9999, true },    { "10:", 10000, false },
		{ "10:", INT64_MAX, false }, { "~:10", INT64_MIN, false },
		{ "~:10", 10000, false },  { "~:10", 10001, true },  { "10:20", 9999, true },
		{ "10:20", 10000, false }, { "10:20", 20000, false }, { "10:20", 20001, true },
		{ "@10:20", 9999, false }, { "@10:20", 10000, true }, { "@10:20", 15000, true },
		{ "@10:20", 20000, true }, { "@10:20", 20001, false },
		{ "~:", INT64_MIN, false }, { "~:", 0, false },      { "~:", INT64_MAX, false },
		{ "@~:", 0, true },        { "0", 0, false },        { "0", 1, true },
		{ "@0", 0, true },         { "@0", 1, false },       { "10:10", 10000, false },
	};
	const struct range none = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct range r;

		assert_true(range_parse(rows[i].text, CHECK_COUNT, &r));
		if (range_alerts(&r, rows[i].value) != rows[i].alerts)
			fail_msg("%s with %lld", rows[i].text, (long long)rows[i].value);
	}
	assert_false(range_alerts(&none, 0));
	assert_false(range_alerts(&none, INT64_MAX));
}

/* Of all between two values one is enough. */
static void they_can_alert_in_between(void **state)
{
	static const struct {
		const char *text;
		int64_t low, high;
		bool can;
	} rows[] = {
		{ "@10:20", 0, 100000, true },    { "@10:20", 0, 9999, false },     { "@10:20", 0, 10000, true },
		{ "@10:20", 20000, 30000, true }, { "@10:20", 20001, 30000, false }, { "@10:20", 15000, 15000, true },
		{ "@~:", 0, 0, true },            { "10:20", 10000, 20000, false }, { "10:20", 9999, 20000, true },
		{ "10:20", 10000, 20001, true },  { "10", 0, 10000, false },        { "10", 0, INT64_MAX, true },
		{ "10:", 10000, INT64_MAX, false }, { "10:", 0, INT64_MAX, true },  { "~:", INT64_MIN, INT64_MAX, false },
		{ "0:", 0, INT64_MAX, false },
	};
	const struct range none = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct range r;

		assert_true(range_parse(rows[i].text, CHECK_COUNT, &r));
		if (range_can_alert(&r, rows[i].low, rows[i].high) != rows[i].can)
			fail_msg("row %zu: %s", i, rows[i].text);
	}
	assert_false(range_can_alert(&none, INT64_MIN, INT64_MAX));
}

static const char *levels_parse(const char *text, struct check_levels *l, size_t *len,
				const struct check_row **row)
{
	check_levels_default(l);
	return check_levels_parse(text, l->warn, len, row);
}

static void levels_are_named(void **state)
{
	static const char *const wrong[] = {
		"", "=5", "close-wait", "close-wait.age", "close-wait.age=", "close-wait.age:5",
		"close-wait.agee=5", "Close-Wait.Age=5", "close-wait.age=5m,", ",close-wait.age=5m",
		"close-wait.age=5m,,ports.share=5", "ports.share=5m", "ports.share=5==5",
		"close-wait.count=00000000000000000000000000000000000000000000000000000000000000001",
	};
	struct check_levels l;
	const struct check_row *row;
	size_t len;

	(void)state;
	assert_null(levels_parse("close-wait.age=5m,ports.share=@10%:20%", &l, &len, &row));
	size_t changed = 0;
	for (size_t i = 0; i < check_rows_count(); i++) {
		const struct check_row *r = check_row_at(i);

		if (strcmp(r->name, "close-wait.age") == 0 && ++changed)
			assert_int_equal(l.warn[i].end, 300000);
		else if (strcmp(r->name, "ports.share") == 0 && ++changed)
			assert_true(l.warn[i].is_inside && l.warn[i].end == 20000);
		else
			assert_memory_equal(&l.warn[i], &r->warn, sizeof(r->warn));
	}
	assert_int_equal(changed, 2);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (!levels_parse(wrong[i], &l, &len, &row))
			fail_msg("'%s' was accepted", wrong[i]);
	const char *bad = levels_parse("ports.share=1,nonsense=2,x=3", &l, &len, &row);
	assert_true(bad && strncmp(bad, "nonsense=2", len) == 0 && len == 10);
	assert_null(row);
	assert_non_null(levels_parse("ports.share=x", &l, &len, &row));
	assert_string_equal(row->name, "ports.share");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_read),
		cmocka_unit_test(other_texts_are_not),
		cmocka_unit_test(they_alert_as_the_guidelines_say),
		cmocka_unit_test(they_can_alert_in_between),
		cmocka_unit_test(levels_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

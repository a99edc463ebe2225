#include "util/duration.h"
#include "util/fail.h"
#include "test.h"

#include <string.h>

static void durations_are_read_in_every_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} rows[] = {
		{ "500ms", 500 },     { "90s", 90000 },   { "90", 90000 },    { "90sec", 90000 },
		{ "5m", 300000 },     { "5min", 300000 }, { "2h", 7200000 },  { "1d", 86400000 },
		{ "0", 0 },           { "007", 7000 },    { "366000d", 31622400000000 },
	};
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ms = 42;
		if (!duration_parse(rows[i].text, &ms))
			fail_msg("%s is no duration", rows[i].text);
		assert_int_equal(ms, rows[i].ms);
	}
}

static void other_texts_are_no_durations(void **state)
{
	static const char *const texts[] = {
		"", "s", "-1", "+1", " 1", "1 s", "1x", "1.5s", "0x10", "1ss",
		"366001d", "31622400000001ms", "18446744073709551615ms", "18446744073709551616ms", "18446744073709551615s", "99999999999999999999d",
	};
	uint64_t ms = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (duration_parse(texts[i], &ms))
			fail_msg("\"%s\" was taken for a duration", texts[i]);
	assert_int_equal(ms, 42); /* untouched on failure */
}

static void a_failure_names_its_object(void **state)
{
	struct fail f;
	char longer[1000];

	(void)state;
	fail_set(&f, "dump.pcap", "record %d is cut", 7);
	assert_string_equal(f.object, "dump.pcap");
	assert_string_equal(f.what, "record 7 is cut");
	assert_string_equal(f.hint, "");
	fail_hint(&f, "try %s", "-c 6");
	assert_string_equal(f.hint, "try -c 6");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	fail_set(&f, longer, "%s", longer);
	assert_int_equal(strlen(f.object), sizeof(f.object) - 1);
	assert_int_equal(strlen(f.what), sizeof(f.what) - 1);
	assert_string_equal(f.hint, ""); /* of the failure before */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read_in_every_unit),
		cmocka_unit_test(other_texts_are_no_durations),
		cmocka_unit_test(a_failure_names_its_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

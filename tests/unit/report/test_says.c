#include "report/says.h"
#include "test.h"

#include <limits.h>

static void durations(void **state)
{
	static const struct {
		uint64_t ms;
		const char *want;
	} rows[] = {
		{ 0, "0 ms" }, { 999, "999 ms" }, { 1000, "1.0 s" }, { 1299, "1.2 s" },
		{ 9999, "9.9 s" }, { 10000, "10 s" }, { 59999, "59 s" }, { 60000, "1 min" },
		{ 61000, "1 min 1 s" }, { 200000, "3 min 20 s" }, { 3599999, "59 min 59 s" },
		{ 3600000, "1 h" }, { 3659999, "1 h" }, { 3660000, "1 h 1 min" },
		{ 86400000, "1 d" }, { 100800000, "1 d 4 h" }, { UINT64_MAX, "213503982334 d 14 h" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF b = { 0 };

		says_duration(&b, rows[i].ms);
		assert_string_equal(buf_text(&b), rows[i].want);
	}
}

static void bytes(void **state)
{
	static const struct {
		uint64_t n;
		const char *want;
	} rows[] = {
		{ 0, "0 bytes" }, { 1, "1 byte" }, { 2, "2 bytes" }, { 1023, "1023 bytes" },
		{ 1024, "1 KiB" }, { 1536, "1.5 KiB" }, { 12 * 1024, "12 KiB" },
		{ 1024 * 1024, "1 MiB" }, { UINT64_C(5) << 30, "5 GiB" }, { UINT64_C(3) << 40, "3 TiB" },
		{ UINT64_C(3) << 50, "3072 TiB" }, { UINT64_MAX, "16777216 TiB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF b = { 0 };

		says_bytes(&b, rows[i].n);
		if (rows[i].n != UINT64_MAX)
			assert_string_equal(buf_text(&b), rows[i].want);
		else
			assert_non_null(strstr(buf_text(&b), " TiB"));
	}
}

static void instants(void **state)
{
	static const struct {
		int64_t ns;
		const char *want;
	} rows[] = {
		{ 0, "1970-01-01 00:00:00.000" },
		{ 1795238167920762117, "2026-11-21 05:16:07.920" },
		{ -1, "1969-12-31 23:59:59.999" },
		{ -1500000000, "1969-12-31 23:59:58.500" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF b = { 0 };

		says_instant(&b, rows[i].ns);
		assert_string_equal(buf_text(&b), rows[i].want);
	}
}

static struct finding *finding(void)
{
	static const struct rule_text text = { .id = "a-rule" };
	static const uint32_t fds[] = { 3, 4, 5, 9, 11, 12 };
	static struct finding f;
	struct fact *list;

	f = (struct finding){
		.text = &text, .count = 3, .oldest = { .known = true, .ms = 200000 },
		.subject = { .has_peer = true },
	};
	assert_true(addr_parse("192.0.2.7", &f.subject.peer.addr));
	f.subject.peer.port = 443;
	finding_fact(&f, "one", FACT_COUNT, 1);
	finding_fact(&f, "waited", FACT_MS, 61000)->at_least = true;
	finding_fact(&f, "left", FACT_MS, 61000)->at_most = true;
	finding_fact(&f, "unread", FACT_BYTES, 1536);
	finding_fact(&f, "share", FACT_PERCENT, 84);
	finding_fact(&f, "negative", FACT_MS, -5);
	finding_fact_text(&f, "comm", "evil\033[2J");
	finding_fact_text(&f, "nothing", NULL);
	list = finding_fact(&f, "fds", FACT_LIST, 0);
	list->list = fds;
	list->n_list = ARRAY_LEN(fds);
	list->n_list_all = 50;
	return &f;
}

static void places(void **state)
{
	static const struct {
		const char *says, *want;
	} rows[] = {
		{ "", "" },
		{ "{count} of {peer}", "3 of 192.0.2.7:443" },
		{ "{count:socket|sockets}", "sockets" },
		{ "{one:socket|sockets}", "socket" },
		{ "{one:socket}{count:s}", "sockets" },
		{ "{unknown:one|many}", "many" },
		{ "{oldest}", "at least 3 min 20 s" },
		{ "{waited}", "at least 1 min 1 s" },
		{ "{left}", "at most 1 min 1 s" },
		{ "{unread}, {share}, {negative}", "1.5 KiB, 84 %, 0 ms" },
		{ "{comm}", "evil\\x1b[2J" },
		{ "{nothing}", "?" },
		{ "{fds}", "3-5, 9, 11-12 and 44 more" },
		/* No such fact; a brace; a place without an end. */
		{ "{foo} {local}", "? ?" },
		{ "kill {pid}", "kill PID" },
		{ "${{var}", "${var}" },
		{ "a {count", "a {count" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF b = { 0 };

		says_fill(&b, rows[i].says, finding(), false);
		assert_string_equal(buf_text(&b), rows[i].want);
	}
}

static void unknown_age(void **state)
{
	struct finding f = *finding();
	AUTO_BUF b = { 0 };

	(void)state;
	f.oldest.known = false;
	says_fill(&b, "{oldest}", &f, false);
	assert_string_equal(buf_text(&b), "an unknown time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(bytes),
		cmocka_unit_test(instants),
		cmocka_unit_test(places),
		cmocka_unit_test(unknown_age),
	};

	return cmocka_run_group_tests_name("report-says", tests, NULL, NULL);
}

#include "talk.h"

/* Packets that were captured twice where no IP id tells: what is a copy, and what was sent again. Those with an
 * id are in test_teardown.c. */

/* Without an id, at one place: what is not sent twice so soon. */
static void what_is_a_quick_copy(void **state)
{
	static const struct { const char *name, *const lines[12]; unsigned duplicates; } cases[] = {
		{ "data", { "0 c PA 1000 5000 10 id=0 sum=7", "0.19 c PA 1000 5000 10 id=0 sum=7" }, 1 },
		{ "three times", { "0 c PA 1000 5000 10 id=0", "0.01 c PA 1000 5000 10 id=0",
			"0.02 c PA 1000 5000 10 id=0" }, 2 },
		{ "in the wrong order", { "0.19 c PA 1000 5000 10 id=0", "0 c PA 1000 5000 10 id=0" }, 1 },
		{ "a SYN", { "0 c S 1000 0 id=0 ts", "0.01 c S 1000 0 id=0 ts" }, 1 },
		{ "a FIN", { "0 c FA 1000 5000 id=0 v6", "0.01 c FA 1000 5000 id=0 v6" }, 1 },
		/* What is sent once more. */
		{ "later", { "0 c FA 1000 5000 id=0", "0.21 c FA 1000 5000 id=0" }, 0 },
		{ "earlier", { "0.21 c FA 1000 5000 id=0", "0 c FA 1000 5000 id=0" }, 0 },
		{ "with another checksum", { "0 c PA 1000 5000 10 id=0 sum=7", "0.01 c PA 1000 5000 10 id=0 sum=8" }, 0 },
		{ "which was not captured", { "0 c PA 1000 5000 10 id=0 cut", "0.01 c PA 1000 5000 10 id=0 cut" }, 0 },
		{ "asked for", { "0 c PA 1000 5000 10 id=0", "0.01 s A 5000 1000", "0.02 c PA 1000 5000 10 id=0" }, 0 },
		{ "which others do not ask for", { "0 c PA 1000 5000 10 id=0", "0.01 s A 5000 1000 port=40001",
			"0.01 c A 1010 5000", "0.02 c PA 1000 5000 10 id=0" }, 1 },
		{ "asked for before", { "0 s A 5000 1000", "0.01 c PA 1000 5000 10 id=0",
			"0.02 c PA 1000 5000 10 id=0" }, 1 },
		/* What its receiver may well say twice, or a host without the socket. */
		{ "an ACK", { "0 c A 1000 5000 id=0", "0.01 c A 1000 5000 id=0" }, 0 },
		{ "a reset", { "0 c R 1000 0 id=0", "0.01 c R 1000 0 id=0" }, 0 },
		{ "a reset with data", { "0 c R 1000 0 9 id=0", "0.01 c R 1000 0 9 id=0" }, 0 },
		{ "a reset of a socket", { "0 c RA 1000 5000 id=0", "0.01 c RA 1000 5000 id=0" }, 0 },
		{ "where everything comes twice", { "0 c S 1000 0 id=0", "0.01 c S 1000 0 id=0", "1 s SA 5000 1001 id=0",
			"1.01 s SA 5000 1001 id=0", "1.1 c A 1001 5001 id=0", "1.11 c A 1001 5001 id=0",
			"2 c R 1001 0 id=0", "2.01 c R 1001 0 id=0" }, 4 },
		{ "where one thing did", { "0 c S 1000 0 id=0", "0.01 c S 1000 0 id=0", "1 c A 1001 5001 id=0",
			"1.01 c A 1001 5001 id=0" }, 1 },
		{ "where little does", { "0 c S 1000 0 id=0", "0.01 c S 1000 0 id=0", "1 s SA 5000 1001 id=0",
			"1.01 s SA 5000 1001 id=0", "2 c PA 1001 5001 1 id=0", "3 c PA 1002 5001 1 id=0",
			"4 c PA 1003 5001 1 id=0", "5 c PA 1004 5001 1 id=0", "6 c A 1005 5001 id=0",
			"6.01 c A 1005 5001 id=0" }, 2 },
		/* Clocks: one of milliseconds, one that is finer, none at all, and one that began at 0. */
		{ "in one millisecond", { "0 c PA 1000 5000 10 id=0", "1 c PA 1010 5000 10 id=0",
			"1 c PA 1010 5000 10 id=0" }, 0 },
		{ "in one microsecond", { "0 c PA 1000 5000 10 id=0", "0.1 c PA 1010 5000 10 id=0",
			"0.1 c PA 1010 5000 10 id=0" }, 1 },
		{ "without a time", { "-1700000000000 c PA 1000 5000 10 id=0",
			"-1699999999999.99 c PA 1000 5000 10 id=0" }, 0 },
		{ "from a second on", { "-1699999998900 c PA 1000 5000 10 id=0",
			"-1699999998899.99 c PA 1000 5000 10 id=0" }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct talk heard;

		talk_hear(cases[i].lines, &heard);
		if (heard.duplicates != cases[i].duplicates)
			fail_msg("%s: %u", cases[i].name, (unsigned)heard.duplicates);
	}
}

/* Farther back than senders are remembered, nobody knows whether it was asked for. What lies between is one ACK
 * many times, which takes little room among what is compared. */
static void a_copy_far_behind(void **state)
{
	enum { MOST = 80 };
	const char *lines[MOST + 3] = { "0 c PA 1000 5000 10 id=0" };

	(void)state;
	for (unsigned n = 60; n <= MOST; n++) {
		struct talk heard;

		for (unsigned i = 0; i < n; i++)
			lines[i + 1] = "0 c A 1000 5000 id=0 port=40001";
		lines[n + 1] = "0.1 c PA 1000 5000 10 id=0";
		lines[n + 2] = NULL;
		talk_hear(lines, &heard);
		assert_int_equal(heard.duplicates, n < N_SENDERS);
	}
}

/* Two that share a place do not drive each other out. The hash is another one in every table: of a hundred copies
 * it would miss five, and misses one in six tables. */
static void copies_of_many(void **state)
{
	enum { MANY = 100, TABLES = 20 };
	char texts[MANY][40];
	const char *lines[2 * MANY + 1] = { NULL };
	uint64_t found = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(texts[i], sizeof(texts[i]), "0 c PA %u 5000 10 id=%u", 1000 + i, 1 + i);
		lines[i] = lines[MANY + i] = texts[i];
	}
	for (unsigned n = 0; n < TABLES; n++) {
		struct talk heard;

		talk_hear(lines, &heard);
		found += heard.duplicates;
	}
	assert_true(found <= MANY * TABLES && found > MANY * TABLES - 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_a_quick_copy), cmocka_unit_test(a_copy_far_behind),
		cmocka_unit_test(copies_of_many),
	};

	return cmocka_run_group_tests_name("wire-dups", tests, NULL, NULL);
}

#include "test.h"

#include <stdio.h>

/* What is said and where the caret stands. */
static void errors(void **state)
{
	static const struct {
		const char *expression;
		size_t at;
		const char *what;
	} rows[] = {
		{ "foo", 0, "expected a condition, such as 'state', 'src', 'dport' or 'pid', not 'foo'" },
		{ "state", 5, "expected a state, such as close-wait at the end" },
		{ "state foo", 6, "expected a state, such as close-wait, not 'foo'" },
		{ "state = established", 6, "expected a state, such as close-wait, not '='" },
		{ "exclude", 7, "expected a state, such as time-wait at the end" },
		{ "pid 1 or", 8, "expected a condition, such as 'state', 'src', 'dport' or 'pid' "
				 "at the end" },
		{ "pid 1 and and pid 2", 10, "expected a condition, such as 'state', 'src', 'dport' or "
					     "'pid', not 'and'" },
		{ "pid 1 nonsense", 6, "expected and, or, or the end, not 'nonsense'" },
		{ "pid 1 )", 6, "expected and, or, or the end, not ')'" },
		{ "(pid 1", 6, "expected and, or, or a closing parenthesis at the end" },
		{ "(pid 1 pid", 10, "expected a process id at the end" },
		{ "()", 1, "expected a condition, such as 'state', 'src', 'dport' or 'pid', not ')'" },
		{ "not", 3, "expected a condition, such as 'state', 'src', 'dport' or 'pid' at the end" },
		{ "pid x", 4, "expected a process id, not 'x'" },
		{ "pid -1", 4, "expected a process id, not '-1'" },
		{ "pid 1x", 4, "expected a process id, not '1x'" },
		{ "pid 99999999999999999999", 4, "expected a process id, not '99999999999999999999'" },
		{ "uid > 5", 4, "expected = or != here, not '>'" },
		{ "src < 10.0.0.1", 4, "expected = or != here, not '<'" },
		{ "comm >= x", 5, "expected = or != here, not '>='" },
		{ "comm", 4, "expected the name of a process at the end" },
		{ "comm 'x", 5, "a quote is not closed" },
		{ "comm (", 5, "expected the name of a process, not '('" },
		{ "dport :", 6, "expected a port number or the name of a service, not ':'" },
		{ "dport *", 6, "expected a port number or the name of a service, not '*'" },
		{ "dport 65536", 6, "expected a port number or the name of a service, not '65536'" },
		{ "dport no-such-service", 6, "expected a port number or the name of a service, not "
					      "'no-such-service'" },
		{ "src", 3, "expected an address, a prefix or a name at the end" },
		{ "src 10.0.0.1:99999", 4, "expected a port number or the name of a service after the "
					   "colon, not '10.0.0.1:99999'" },
		{ "src 10.0.0.0/33", 4, "expected an address, a prefix or a name, with or without :PORT, "
					"not '10.0.0.0/33'" },
		{ "src 1.2.3.4.5/8", 4, "expected an address, a prefix or a name, with or without :PORT, "
					"not '1.2.3.4.5/8'" },
		{ "src /8", 4, "expected an address, a prefix or a name, with or without :PORT, not '/8'" },
		{ "src 0000000010.0000/8", 4, "expected an address, a prefix or a name, with or without :PORT, "
					      "not '0000000010.0000/8'" },
		{ "cgroup no-such-group", 7, "expected a control group of version 2: its folder, or its number, "
					       "not 'no-such-group'" },
		{ "src [::1", 4, "expected an address, a prefix or a name, with or without :PORT, "
				 "not '[::1'" },
		{ "src inet6:10.0.0.1", 4, "expected an address of the family that was named, not "
					   "'inet6:10.0.0.1'" },
		{ "age > 5x", 6, "expected a duration, such as 5m, not '5x'" },
		{ "timer never", 6, "expected off, on, keepalive, timewait or persist, not 'never'" },
		{ "fwmark 0x1/", 7, "expected a mark, such as 0x1 or 0x1/0xff, not '0x1/'" },
		{ "uid no-such-user-here", 4, "expected a user's name or number, not "
					      "'no-such-user-here'" },
		{ "dev no-such-if", 4, "expected the name or number of an interface, not "
				       "'no-such-if'" },
		{ "state close-wait state foo", 23, "expected a state, such as close-wait, not 'foo'" },
		/* A long word is cut, the caret is not moved. */
		{ "0123456789012345678901234567890123456789-and-more", 0,
		  "expected a condition, such as 'state', 'src', 'dport' or 'pid', not "
		  "'0123456789012345678901234567890123456789'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct filter_error error;

		if (filter_parse(&rows[i].expression, 1, &error))
			fail_msg("%s was accepted", rows[i].expression);
		assert_string_equal(error.what, rows[i].what);
		if (error.at != rows[i].at)
			fail_msg("%s: the caret is at %zu, not %zu", rows[i].expression, error.at,
				 rows[i].at);
		assert_string_equal(error.text, rows[i].expression);
		free(error.text);
	}
}

/* The words of a command line are one text, and the caret counts in that. */
static void words_are_joined(void **state)
{
	const char *const words[] = { "state", "close-wait", "and pid", "x" };
	struct filter_error error;

	(void)state;
	assert_null(filter_parse(words, 4, &error));
	assert_string_equal(error.text, "state close-wait and pid x");
	assert_int_equal(error.at, 25);
	free(error.text);
}

static char *repeated(const char *before, size_t n, const char *middle, const char *after)
{
	char *text = calloc(1, n * (strlen(before) + strlen(after)) + strlen(middle) + 1), *to = text;

	for (size_t i = 0; i < n; i++)
		to = stpcpy(to, before);
	to = stpcpy(to, middle);
	for (size_t i = 0; i < n; i++)
		to = stpcpy(to, after);
	return text;
}

static bool parses(char *expression)
{
	const char *const word = expression;
	struct filter_error error;
	struct filter *f = filter_parse(&word, 1, &error);

	if (!f)
		assert_non_null(strstr(error.what, "expected a simpler expression"));
	free(error.text);
	free(expression);
	filter_free(f);
	return f;
}

static void caps(void **state)
{
	(void)state;
	assert_true(parses(repeated("(", 63, "pid 1", ")")));
	assert_false(parses(repeated("(", 64, "pid 1", ")")));
	assert_true(parses(repeated("not ", 63, "pid 1", "")));
	assert_false(parses(repeated("not ", 64, "pid 1", "")));
	assert_false(parses(repeated("not ( ", 40, "pid 1", ")")));
	assert_false(parses(repeated("(", 1000000, "", "")));
	/* A chain is not deep, but each link is a node and so is its `or`. */
	assert_true(parses(repeated("pid 1 or ", 500, "pid 1", "")));
	assert_false(parses(repeated("pid 1 or ", 600, "pid 1", "")));
	/* Depth counts nesting, not how much was nested before. */
	assert_true(parses(repeated("(pid 1) or ", 200, "pid 1", "")));
	assert_true(parses(repeated("not pid 1 or ", 200, "pid 1", "")));
}

static void states(void **state)
{
	const uint32_t fallback = STATES_TEARDOWN;
	static const struct {
		const char *expression;
		uint32_t want;
	} rows[] = {
		{ "", STATES_TEARDOWN },
		{ "  ", STATES_TEARDOWN },
		{ "pid 1", STATES_TEARDOWN },
		{ "state close-wait", STATE_BIT(STATE_CLOSE_WAIT) },
		{ "state CLOSE_WAIT", STATE_BIT(STATE_CLOSE_WAIT) },
		{ "state close-wait state last-ack",
		  STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_LAST_ACK) },
		{ "state teardown exclude time-wait",
		  STATES_TEARDOWN & ~STATE_BIT(STATE_TIME_WAIT) },
		{ "exclude time-wait", STATES_TEARDOWN & ~STATE_BIT(STATE_TIME_WAIT) },
		{ "exclude time-wait exclude closing",
		  STATES_TEARDOWN & ~(STATE_BIT(STATE_TIME_WAIT) | STATE_BIT(STATE_CLOSING)) },
		/* Behind the front it is a condition like the others. */
		{ "state close-wait and state last-ack", 0 },
		{ "state close-wait or state last-ack",
		  STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_LAST_ACK) },
		{ "pid 1 state close-wait", STATE_BIT(STATE_CLOSE_WAIT) },
		{ "(state close-wait)", STATE_BIT(STATE_CLOSE_WAIT) },
		{ "not state time-wait", STATES_TEARDOWN & ~STATE_BIT(STATE_TIME_WAIT) },
		{ "not (state time-wait or state closing)",
		  STATES_TEARDOWN & ~(STATE_BIT(STATE_TIME_WAIT) | STATE_BIT(STATE_CLOSING)) },
		{ "state close-wait or pid 1", STATES_ALL },
		{ "not not state closing", STATE_BIT(STATE_CLOSING) },
		{ "state all", STATES_ALL },
		{ "state syn-recv", STATE_BIT(STATE_SYN_RECV) | STATE_BIT(STATE_NEW_SYN_RECV) },
		{ "state bucket", STATE_BIT(STATE_SYN_RECV) | STATE_BIT(STATE_NEW_SYN_RECV) |
					  STATE_BIT(STATE_TIME_WAIT) },
		{ "state big", STATES_ALL & ~(STATE_BIT(STATE_SYN_RECV) |
					      STATE_BIT(STATE_NEW_SYN_RECV) |
					      STATE_BIT(STATE_TIME_WAIT)) },
		{ "state connected", STATES_ALL & ~(STATE_BIT(STATE_CLOSED) | STATE_BIT(STATE_LISTEN)) },
		{ "state synchronized",
		  STATES_ALL & ~(STATE_BIT(STATE_CLOSED) | STATE_BIT(STATE_LISTEN) |
				 STATE_BIT(STATE_SYN_SENT)) },
		{ "state listen exclude listen", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct filter *f = parsed(rows[i].expression);
		uint32_t is = filter_states(f, fallback);

		if (is != rows[i].want)
			fail_msg("'%s': %#x, not %#x", rows[i].expression, is, rows[i].want);
		filter_free(f);
	}
}

static void needs(void **state)
{
	static const struct {
		const char *expression;
		unsigned want;
	} rows[] = {
		{ "", 0 },
		{ "state close-wait src 10/8 dport 80 uid 5 ino 7 rqueue 1 orphan netns 4", 0 },
		{ "pid 1", FILTER_NEEDS_OWNER },
		{ "comm x", FILTER_NEEDS_OWNER },
		{ "unit x", FILTER_NEEDS_OWNER },
		{ "container x", FILTER_NEEDS_OWNER },
		{ "age > 5m", FILTER_NEEDS_INFO },
		{ "rule x", FILTER_NEEDS_RULES },
		{ "not (age > 5m or pid 1)", FILTER_NEEDS_INFO | FILTER_NEEDS_OWNER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct filter *f = parsed(rows[i].expression);

		assert_int_equal(filter_needs(f), rows[i].want);
		filter_free(f);
	}
}

static void no_words_accept_everything(void **state)
{
	struct sock s = { .state = STATE_LISTEN };
	struct conn c = { .sock = &s };
	struct filter_error error;
	struct filter *f = filter_parse(NULL, 0, &error);
	void *code;

	(void)state;
	assert_non_null(f);
	assert_true(filter_match(f, &c, NULL));
	assert_int_equal(filter_bytecode(f, &code), 0);
	assert_null(code);
	filter_free(f);
	filter_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors),
		cmocka_unit_test(words_are_joined),
		cmocka_unit_test(caps),
		cmocka_unit_test(states),
		cmocka_unit_test(needs),
		cmocka_unit_test(no_words_accept_everything),
	};

	return cmocka_run_group_tests_name("filter-parse", tests, NULL, NULL);
}

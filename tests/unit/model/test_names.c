#include "model/finding.h"
#include "model/look.h"
#include "test.h"

#include <string.h>

/* Words that scripts read: each enum to its last value, in the order of the JSON contract. */
#define NAMES(first, last, name, ...)                                                      \
	do {                                                                               \
		static const char *const want[] = { __VA_ARGS__ };                         \
		assert_int_equal((last) - (first) + 1, ARRAY_LEN(want));                   \
		for (int i_ = 0; i_ <= (int)(last) - (int)(first); i_++)                   \
			assert_string_equal(name(i_ + (first)), want[i_]);                 \
	} while (0)

static void words_are_those_of_the_contract(void **state)
{
	(void)state;
	NAMES(SEVERITY_NOTE, SEVERITY_PROBLEM, severity_name, "note", "warning", "problem");
	NAMES(CERTAINTY_POSSIBLE, CERTAINTY_CERTAIN, certainty_name, "possible", "likely", "certain");
	NAMES(SUBJECT_PROCESS, SUBJECT_CONNECTION, subject_kind_name, "process", "listener",
	      "destination", "host", "connection");
	NAMES(FIX_CODE, FIX_OPERATION, fix_kind_name, "code", "sockopt", "sysctl", "operation");
	NAMES(OWNER_KNOWN, OWNER_ATTRIBUTED, owner_status_name, "known", "none", "unaccepted",
	      "hidden", "attributed");
	NAMES(ENDS_UNKNOWN, ENDS_NEVER, ends_by_name, "unknown", "timewait", "fin-timeout",
	      "retries", "keepalive", "user-timeout", "never");
	NAMES(TIMER_OFF, TIMER_PERSIST, timer_name, "off", "on", "keepalive", "timewait", "persist");
	NAMES(PATTERN_FOUR_WAY, PATTERN_OPEN, pattern_name, "four-way", "three-segment",
	      "simultaneous", "half-closed", "reset", "reset-after-fin", "refused", "silent", "open");
	NAMES(CONTENT_FULL, CONTENT_PARTIAL, content_name, "full", "fin-rst-only", "partial");
	NAMES(SAW_EOF, SAW_ECONNABORTED, saw_name, "EOF", "ECONNRESET", "EPIPE", "ETIMEDOUT",
	      "ECONNREFUSED", "ECONNABORTED");
	NAMES(CLOSED_CLIENT, CLOSED_BOTH, closed_first_name, "client", "server", "both");
	NAMES(SIDE_CLIENT, SIDE_SERVER, side_name, "client", "server");
}

/* Unknown is null in JSON, never a word; a timer of a newer kernel is no crash. */
static void unknown_has_no_word(void **state)
{
	(void)state;
	assert_null(saw_name(SAW_UNKNOWN));
	assert_null(closed_first_name(CLOSED_NOBODY));
	assert_string_equal(timer_name((enum timer)200), "?");
	assert_int_equal(side_other(SIDE_CLIENT), SIDE_SERVER);
	assert_int_equal(side_other(SIDE_SERVER), SIDE_CLIENT);
}

static void facts_are_found_by_their_whole_name(void **state)
{
	struct finding f = { 0 };

	(void)state;
	finding_fact(&f, "sockets", FACT_COUNT, 7);
	finding_fact_text(&f, "comm", "nginx");
	finding_fact_sentence(&f, "hint", "close it");
	assert_int_equal(finding_find_fact(&f, "sockets", 7)->number, 7);
	assert_string_equal(finding_find_fact(&f, "comm} and more", 4)->text, "nginx");
	assert_int_equal(finding_find_fact(&f, "hint", 4)->kind, FACT_SENTENCE);
	assert_null(finding_find_fact(&f, "socket", 6));
	assert_null(finding_find_fact(&f, "sockets_all", 11));
}

/* Orphan, unaccepted or owned hangs on state, inode and whether there is a full socket at all. */
static void ownerless_sockets_are_told_apart(void **state)
{
	struct sock_full none = { .inode = 0 }, held = { .inode = 7 };
	const struct {
		struct sock sock;
		bool is_orphan, is_unaccepted;
	} rows[] = {
		{ { .state = STATE_TIME_WAIT }, true, false },
		{ { .state = STATE_FIN_WAIT_2 }, true, false },
		{ { .state = STATE_FIN_WAIT_2, .full = &none }, true, false },
		{ { .state = STATE_FIN_WAIT_2, .full = &held }, false, false },
		{ { .state = STATE_FIN_WAIT_1, .full = &none }, true, false },
		{ { .state = STATE_LAST_ACK, .full = &none }, true, false },
		{ { .state = STATE_CLOSING, .full = &none }, true, false },
		{ { .state = STATE_CLOSE_WAIT, .full = &none }, false, true },
		{ { .state = STATE_CLOSE_WAIT, .full = &held }, false, false },
		{ { .state = STATE_ESTABLISHED, .full = &none }, false, true },
		{ { .state = STATE_SYN_RECV }, false, false },
		{ { .state = STATE_LISTEN, .full = &none }, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(sock_is_orphan(&rows[i].sock), rows[i].is_orphan);
		assert_int_equal(sock_is_unaccepted(&rows[i].sock), rows[i].is_unaccepted);
	}
}

static void a_look_hands_out_clean_sockets(void **state)
{
	struct look *look = look_new();

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct sock *s = look_add_sock(look);

		assert_non_null(s);
		assert_int_equal(s->cookie, 0);
		assert_null(s->full);
		memset(s, 0xff, sizeof(*s));
		s->cookie = i;
	}
	assert_int_equal(look->n_socks, 1000);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(look->socks[i].cookie, i);
	look_free(look);
	look_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_those_of_the_contract),
		cmocka_unit_test(unknown_has_no_word),
		cmocka_unit_test(facts_are_found_by_their_whole_name),
		cmocka_unit_test(ownerless_sockets_are_told_apart),
		cmocka_unit_test(a_look_hands_out_clean_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "host.h"

#include <jansson.h>

static json_t *document(const struct told *t)
{
	char *text = told(t);
	json_error_t error;
	json_t *ret = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!ret)
		fail_msg("line %d: %s: %s", error.line, error.text, text);
	assert_memory_equal(text, "{\"schema\":", 10);
	free(text);
	return ret;
}

/* Insertion order is the parser's promise: the last key of the object. */
static const char *last_key(json_t *object)
{
	const char *ret = NULL, *key;
	json_t *value;

	json_object_foreach(object, key, value)
		ret = key;
	return ret;
}

static struct told whole(const char *format, enum report_kind kind)
{
	make_evil_host();
	return (struct told){
		.format = format,
		.options = { .kind = kind, .look = &evil_look, .width = 80 },
		.conns = evil_conns, .n_conns = kind == REPORT_LIST ? 2 : 0,
		.finding = kind == REPORT_WHY ? &evil_finding : NULL,
		.gap = &evil_gap,
	};
}

static void list(void **state)
{
	struct told t = whole("json", REPORT_LIST);
	json_t *d = document(&t), *socks = json_object_get(d, "sockets"), *s;

	(void)state;
	assert_string_equal(json_string_value(json_object_get(d, "schema")), "tcpwhy.list/1");
	assert_string_equal(last_key(d), "complete");
	assert_true(json_is_true(json_object_get(d, "complete")));
	assert_int_equal(json_array_size(socks), 2);
	assert_int_equal(json_array_size(json_object_get(d, "gaps")), 1);

	s = json_array_get(socks, 0);
	assert_string_equal(json_string_value(json_object_get(s, "family")), "inet");
	assert_string_equal(json_string_value(json_object_get(s, "state")), "CLOSE-WAIT");
	assert_int_equal(json_integer_value(json_object_get(s, "inode")), 4711);
	json_t *owner = json_object_get(s, "owner");
	assert_string_equal(json_string_value(json_object_get(owner, "status")), "known");
	assert_true(json_is_null(json_object_get(owner, "basis")));
	json_t *proc = json_array_get(json_object_get(owner, "processes"), 0);
	assert_string_equal(json_string_value(json_object_get(proc, "comm")),
			    "x\033[2J\"\\\n\ufffd\u202e");
	json_t *age = json_object_get(s, "age_ms");
	assert_int_equal(json_integer_value(json_object_get(age, "value")), 300000);
	assert_string_equal(json_string_value(json_object_get(age, "bound")), "at-least");
	assert_string_equal(json_string_value(json_array_get(json_object_get(s, "rules"), 0)),
			    "a-rule");
	json_t *ends = json_object_get(s, "ends");
	assert_string_equal(json_string_value(json_object_get(ends, "by")), "never");
	assert_true(json_is_null(json_object_get(ends, "in_ms")));
	json_decref(d);
}

/* What is not known is null, what there is none of is [], and every key is there. */
static void unknown_is_null(void **state)
{
	static const char *const keys[] = { "netns", "family", "state", "local", "peer", "rqueue",
					    "wqueue", "uid", "inode", "cookie", "timer", "age_ms",
					    "ends", "owner", "rules" };
	struct told t = whole("json", REPORT_LIST);
	json_t *d = document(&t), *s = json_array_get(json_object_get(d, "sockets"), 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (!json_object_get(s, keys[i]))
			fail_msg("%s is missing", keys[i]);
	assert_string_equal(json_string_value(json_object_get(s, "family")), "inet6");
	assert_true(json_is_null(json_object_get(s, "uid")));
	assert_true(json_is_null(json_object_get(s, "age_ms")));
	assert_int_equal(json_array_size(json_object_get(s, "rules")), 0);
	assert_true(json_is_array(json_object_get(s, "rules")));
	assert_true(json_is_array(json_object_get(json_object_get(s, "owner"), "processes")));
	json_decref(d);
}

static void why(void **state)
{
	static const char *const keys[] = { "rule", "severity", "certainty", "subject", "count",
					    "oldest_ms", "facts", "says", "why", "fixes", "avoid",
					    "examples" };
	struct told t = whole("json", REPORT_WHY);
	json_t *d = document(&t), *f = json_array_get(json_object_get(d, "findings"), 0);
	const char *says;

	(void)state;
	assert_string_equal(json_string_value(json_object_get(d, "schema")), "tcpwhy.why/1");
	assert_string_equal(last_key(d), "complete");
	assert_int_equal(json_object_size(json_object_get(d, "states")), 11);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (!json_object_get(f, keys[i]))
			fail_msg("%s is missing", keys[i]);
	assert_true(json_is_null(json_object_get(f, "oldest_ms")));
	assert_int_equal(json_array_size(json_object_get(f, "examples")), 2);
	/* A sentence is for people: it can be shown on a terminal as it is. */
	says = json_string_value(json_object_get(f, "says"));
	assert_null(strchr(says, '\033'));
	assert_null(strchr(says, '\n'));
	json_decref(d);
}

static void empty_documents(void **state)
{
	static const struct {
		enum report_kind kind;
		const char *lists[3];
	} rows[] = {
		{ REPORT_WHY, { "findings", "gaps" } },
		{ REPORT_LIST, { "sockets", "gaps" } },
		{ REPORT_PCAP, { "captures", "connections", "findings" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct told t = whole("json", rows[i].kind);

		t.n_conns = 0;
		t.finding = NULL;
		t.gap = NULL;
		t.is_incomplete = true;
		json_t *d = document(&t);
		for (size_t k = 0; k < ARRAY_LEN(rows[i].lists) && rows[i].lists[k]; k++) {
			json_t *list = json_object_get(d, rows[i].lists[k]);

			assert_true(json_is_array(list));
			assert_int_equal(json_array_size(list), 0);
		}
		assert_true(json_is_false(json_object_get(d, "complete")));
		assert_string_equal(last_key(d), "complete");
		json_decref(d);
	}
}

/* Each line is a document of its own; the last says whether that was all. */
static void lines(void **state)
{
	struct told t = whole("json-lines", REPORT_LIST);
	char *text = told(&t), *save = NULL;
	size_t n = 0;
	json_t *d = NULL;

	(void)state;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_decref(d);
		d = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(d);
		assert_true(!json_object_get(d, "complete") == (n < 2));
		assert_true(!json_object_get(d, "state") == (n == 2));
		n++;
	}
	assert_int_equal(n, 3);
	assert_true(json_is_true(json_object_get(d, "complete")));
	assert_string_equal(json_string_value(json_object_get(d, "schema")), "tcpwhy.list/1");
	assert_int_equal(json_array_size(json_object_get(d, "gaps")), 1);
	json_decref(d);
	free(text);
}

static void no_lines(void **state)
{
	struct told t = whole("json-lines", REPORT_LIST);
	char *text;

	(void)state;
	t.n_conns = 0;
	t.gap = NULL;
	t.is_incomplete = true;
	text = told(&t);
	assert_string_equal(text, "{\"complete\":false,\"schema\":\"tcpwhy.list/1\",\"gaps\":[]}\n");
	free(text);
}

/* Nothing that a process or a file named itself moves the cursor. */
static void text_is_harmless(void **state)
{
	static const enum report_kind kinds[] = { REPORT_WHY, REPORT_LIST };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct told t = whole("text", kinds[i]);
		char *text = told(&t);

		for (const char *c = text; *c; c++)
			assert_true(*c == '\n' || (unsigned char)*c >= 0x20);
		assert_null(strchr(text, '\x7f'));
		assert_null(strstr(text, "\u202e"));
		assert_null(strchr(text, '\xff'));
		assert_non_null(strstr(text, EVIL_ON_TERMINAL));
		free(text);
	}
}

static void colour_only_if_asked(void **state)
{
	struct told t = whole("text", REPORT_WHY);
	char *text;

	(void)state;
	t.options.colour = true;
	text = told(&t);
	assert_non_null(strstr(text, "\033[1;31mPROBLEM\033[0m"));
	free(text);
}

static void ascii_is_ascii(void **state)
{
	struct told t = whole("text", REPORT_WHY);
	char *text;

	(void)state;
	t.options.ascii = true;
	text = told(&t);
	for (const char *c = text; *c; c++)
		assert_true((unsigned char)*c < 0x7f);
	free(text);
}

/* The descriptor of a pipe nobody reads, a full disk: said once, at the end. */
static void failed_write(void **state)
{
	struct report_options options = { .kind = REPORT_LIST };
	struct report *r = report_begin(format_find("json"), &options, -1);

	(void)state;
	assert_true(report_end(r, true) < 0);
}

static void formats(void **state)
{
	(void)state;
	assert_non_null(format_find("text"));
	assert_non_null(format_find("json"));
	assert_non_null(format_find("json-lines"));
	assert_null(format_find("xml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list),
		cmocka_unit_test(unknown_is_null),
		cmocka_unit_test(why),
		cmocka_unit_test(empty_documents),
		cmocka_unit_test(lines),
		cmocka_unit_test(no_lines),
		cmocka_unit_test(text_is_harmless),
		cmocka_unit_test(colour_only_if_asked),
		cmocka_unit_test(ascii_is_ascii),
		cmocka_unit_test(failed_write),
		cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests_name("report-document", tests, NULL, NULL);
}

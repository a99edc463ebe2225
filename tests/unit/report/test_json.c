#include "report/json_value.h"
#include "test.h"

#include <jansson.h>

/* What `put` writes, as a parser that is not ours reads it. */
#define READS(want, ...)                                                                   \
	do {                                                                               \
		AUTO_BUF b = { 0 };                                                        \
		json_error_t error;                                                        \
		json_open(&b, NULL);                                                       \
		__VA_ARGS__;                                                               \
		json_close(&b);                                                            \
		assert_string_equal(buf_text(&b), want);                                   \
		json_t *document = json_loads(b.at, JSON_REJECT_DUPLICATES, &error);       \
		if (!document)                                                             \
			fail_msg("%s: %s", b.at, error.text);                              \
		json_decref(document);                                                     \
	} while (0)

static void values(void **state)
{
	(void)state;
	READS("{}", (void)0);
	READS("{\"a\":\"x\",\"b\":null}", json_text(&b, "a", "x"), json_text(&b, "b", NULL));
	READS("{\"a\":-9223372036854775808,\"b\":7}", json_signed(&b, "a", INT64_MIN),
	      json_signed(&b, "b", 7));
	READS("{\"a\":null,\"b\":5}", json_unsigned_or_null(&b, "a", 5, false),
	      json_unsigned_or_null(&b, "b", 5, true));
	READS("{\"a\":true,\"b\":false,\"c\":null}", json_bool(&b, "a", true),
	      json_bool(&b, "b", false), json_unknown(&b, "c"));
}

static void nesting(void **state)
{
	(void)state;
	READS("{\"a\":[],\"b\":[1,\"x\",null,{},[]],\"c\":{\"d\":{}},\"e\":1}", json_list(&b, "a"),
	      json_list_end(&b), json_list(&b, "b"), json_unsigned(&b, NULL, 1),
	      json_text(&b, NULL, "x"), json_unknown(&b, NULL), json_open(&b, NULL), json_close(&b),
	      json_list(&b, NULL), json_list_end(&b), json_list_end(&b), json_open(&b, "c"),
	      json_open(&b, "d"), json_close(&b), json_close(&b), json_unsigned(&b, "e", 1));
	/* A value that ends like an opening does not swallow the comma. */
	READS("{\"a\":\"[\",\"b\":\"{,:\"}", json_text(&b, "a", "["), json_text(&b, "b", "{,:"));
}

static void times(void **state)
{
	(void)state;
	READS("{\"a\":null}", json_instant(&b, "a", TIME_NONE));
	READS("{\"a\":0.000000}", json_instant(&b, "a", 0));
	READS("{\"a\":1795238167.920762}", json_instant(&b, "a", 1795238167920762000));
	READS("{\"a\":1795238167.920762117}", json_instant(&b, "a", 1795238167920762117));
	READS("{\"a\":-1.500000}", json_instant(&b, "a", -1500000000));
	READS("{\"a\":null,\"b\":1,\"c\":0}", json_span_ms(&b, "a", TIME_NONE),
	      json_span_ms(&b, "b", 1999999), json_span_ms(&b, "c", 0));
}

static void endpoints(void **state)
{
	struct endpoint v4 = { .port = 22 }, v6 = { .port = 0 };

	(void)state;
	assert_true(addr_parse("10.0.0.1", &v4.addr));
	assert_true(addr_parse("2001:db8::1", &v6.addr));
	READS("{\"a\":{\"addr\":\"10.0.0.1\",\"port\":22}}", json_endpoint(&b, "a", &v4));
	READS("{\"a\":{\"addr\":\"2001:db8::1\",\"port\":0}}", json_endpoint(&b, "a", &v6));
	READS("{\"a\":{\"addr\":\"2001:db8::1\",\"port\":null}}", json_place(&b, "a", &v6, true));
	READS("{\"a\":null}", json_place(&b, "a", &v6, false));
}

static void largest_number(void **state)
{
	AUTO_BUF b = { 0 };

	(void)state;
	json_unsigned(&b, NULL, UINT64_MAX);
	assert_string_equal(buf_text(&b), "18446744073709551615");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(nesting),
		cmocka_unit_test(times),
		cmocka_unit_test(endpoints),
		cmocka_unit_test(largest_number),
	};

	return cmocka_run_group_tests_name("report-json", tests, NULL, NULL);
}

#include "filter/token.h"
#include "test.h"

#include <stdio.h>

/* "kind:text" of each token, for a table to compare with. */
static void spell(const char *expression, char *ret, size_t size)
{
	static const char *const kinds[] = {
		[TOKEN_END] = "end",	 [TOKEN_WORD] = "word",	      [TOKEN_OPEN] = "open",
		[TOKEN_CLOSE] = "close", [TOKEN_NOT] = "not",	      [TOKEN_AND] = "and",
		[TOKEN_OR] = "or",	 [TOKEN_COMPARE] = "compare", [TOKEN_UNCLOSED] = "unclosed",
	};
	struct arena *arena = arena_new();
	struct token t;
	size_t at = 0;

	*ret = '\0';
	while ((t = token_next(expression, &at, arena)).kind != TOKEN_END) {
		size_t used = strlen(ret);

		assert_true(at > t.at);
		assert_true(at <= strlen(expression));
		snprintf(ret + used, size - used, "%s%s:%s@%zu", used ? " " : "", kinds[t.kind],
			 t.text, t.at);
	}
	assert_int_equal(t.at, strlen(expression));
	arena_free(arena);
}

static void tokens(void **state)
{
	static const struct {
		const char *expression, *want;
	} rows[] = {
		{ "state close-wait", "word:state@0 word:close-wait@6" },
		{ "dport=:443", "word:dport@0 compare:=@5 word::443@6" },
		{ "age>=5m", "word:age@0 compare:>=@3 word:5m@5" },
		{ "a&&b&c", "word:a@0 and:&&@1 word:b@3 and:&@4 word:c@5" },
		{ "a||b|c", "word:a@0 or:||@1 word:b@3 or:|@4 word:c@5" },
		{ "!(a)", "not:!@0 open:(@1 word:a@2 close:)@3" },
		{ "not a and b or c", "not:not@0 word:a@4 and:and@6 word:b@10 or:or@12 word:c@15" },
		{ "pid ne 1", "word:pid@0 compare:ne@4 word:1@7" },
		{ "pid!=1", "word:pid@0 compare:!=@3 word:1@5" },
		{ "comm 'and'", "word:comm@0 word:and@5" },
		{ "comm \"a b\"x", "word:comm@0 word:a b@5 word:x@10" },
		{ "comm ''", "word:comm@0 word:@5" },
		{ "comm 'a", "word:comm@0 unclosed:a@5" },
		{ "src [::1]:22", "word:src@0 word:[::1]:22@4" },
		{ "\t a\r\nb", "word:a@2 word:b@5" },
		{ "andor", "word:andor@0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char is[256];

		spell(rows[i].expression, is, sizeof(is));
		assert_string_equal(is, rows[i].want);
	}
}

static void comparisons(void **state)
{
	static const struct {
		const char *text;
		enum compare want;
	} rows[] = {
		{ "=", COMPARE_EQ },  { "==", COMPARE_EQ },  { "eq", COMPARE_EQ },
		{ "!=", COMPARE_NE }, { "ne", COMPARE_NE },  { "neq", COMPARE_NE },
		{ "<", COMPARE_LT },  { "lt", COMPARE_LT },  { "<=", COMPARE_LE },
		{ "le", COMPARE_LE }, { "leq", COMPARE_LE }, { ">", COMPARE_GT },
		{ "gt", COMPARE_GT }, { ">=", COMPARE_GE },  { "ge", COMPARE_GE },
		{ "geq", COMPARE_GE },
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t at = 0;
		struct token t = token_next(rows[i].text, &at, arena);

		assert_int_equal(t.kind, TOKEN_COMPARE);
		assert_int_equal(t.compare, rows[i].want);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens),
		cmocka_unit_test(comparisons),
	};

	return cmocka_run_group_tests_name("filter-token", tests, NULL, NULL);
}

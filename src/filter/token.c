#include "filter/token.h"

#include <string.h>

static const struct {
	const char *text;
	enum token_kind kind;
	enum compare compare;
} symbols[] = {
	/* The longer one first. */
	{ "!=", TOKEN_COMPARE, COMPARE_NE }, { "==", TOKEN_COMPARE, COMPARE_EQ },
	{ ">=", TOKEN_COMPARE, COMPARE_GE }, { "<=", TOKEN_COMPARE, COMPARE_LE },
	{ "&&", TOKEN_AND, 0 },              { "||", TOKEN_OR, 0 },
	{ "=", TOKEN_COMPARE, COMPARE_EQ },  { ">", TOKEN_COMPARE, COMPARE_GT },
	{ "<", TOKEN_COMPARE, COMPARE_LT },  { "!", TOKEN_NOT, 0 },
	{ "&", TOKEN_AND, 0 },               { "|", TOKEN_OR, 0 },
	{ "(", TOKEN_OPEN, 0 },              { ")", TOKEN_CLOSE, 0 },
};

static const struct {
	const char *text;
	enum token_kind kind;
	enum compare compare;
} words[] = {
	{ "and", TOKEN_AND, 0 },
	{ "or", TOKEN_OR, 0 },
	{ "not", TOKEN_NOT, 0 },
	{ "eq", TOKEN_COMPARE, COMPARE_EQ },
	{ "ne", TOKEN_COMPARE, COMPARE_NE },
	{ "neq", TOKEN_COMPARE, COMPARE_NE },
	{ "lt", TOKEN_COMPARE, COMPARE_LT },
	{ "le", TOKEN_COMPARE, COMPARE_LE },
	{ "leq", TOKEN_COMPARE, COMPARE_LE },
	{ "gt", TOKEN_COMPARE, COMPARE_GT },
	{ "ge", TOKEN_COMPARE, COMPARE_GE },
	{ "geq", TOKEN_COMPARE, COMPARE_GE },
};

static struct token quoted(const char *expression, size_t *at, struct arena *arena)
{
	struct token t = { .kind = TOKEN_WORD, .at = *at };
	char quote = expression[*at];
	const char *from = expression + *at + 1;
	const char *to = strchr(from, quote);

	if (!to) {
		t.kind = TOKEN_UNCLOSED;
		t.text = from;
		*at += strlen(expression + *at);
		return t;
	}
	t.text = arena_strndup(arena, from, (size_t)(to - from));
	*at = (size_t)(to - expression) + 1;
	return t;
}

struct token token_next(const char *expression, size_t *at, struct arena *arena)
{
	*at += strspn(expression + *at, " \t\r\n");

	struct token t = { .kind = TOKEN_END, .at = *at, .text = "" };
	const char *here = expression + *at;

	if (!*here)
		return t;
	if (*here == '"' || *here == '\'')
		return quoted(expression, at, arena);
	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		if (strncmp(here, symbols[i].text, strlen(symbols[i].text)) != 0)
			continue;
		t.kind = symbols[i].kind;
		t.compare = symbols[i].compare;
		t.text = symbols[i].text;
		*at += strlen(symbols[i].text);
		return t;
	}
	t.kind = TOKEN_WORD;
	t.text = arena_strndup(arena, here, strcspn(here, " \t\r\n()!&|=<>"));
	*at += strlen(t.text);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(t.text, words[i].text) != 0)
			continue;
		t.kind = words[i].kind;
		t.compare = words[i].compare;
	}
	return t;
}

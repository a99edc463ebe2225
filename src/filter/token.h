#pragma once

/* The words of an expression. Blanks separate them, and so do ( ) ! & | = < >. A word in single or
 * double quotes is always a value, never an operator. */

#include "filter/node.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_NOT,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_COMPARE,
	TOKEN_UNCLOSED, /* a quote without its end */
};

struct token {
	enum token_kind kind;
	enum compare compare; /* of TOKEN_COMPARE */
	size_t at;            /* offset in the expression */
	const char *text;     /* in the arena, without quotes */
};

/* Reads the token at *at and moves *at behind it. */
struct token token_next(const char *expression, size_t *at, struct arena *arena);

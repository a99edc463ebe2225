#include "cli/list_sort.h"
#include "cli/run.h"
#include "util/arena.h"
#include "util/i18n.h"

#include <stdlib.h>
#include <string.h>

struct sort_row {
	const struct sock *sock;
	const char *text; /* NULL: it is a number, or unknown */
	uint64_t number;
	bool is_known, is_descending;
	size_t at;
};

struct sorting {
	const struct column *column;
	bool is_descending;
	struct arena *arena;
	struct buf text;
	struct sort_row *rows;
	size_t n, cap;
};

struct sorting *sorting_new(const char *spec)
{
	bool is_descending = spec[0] == '-';
	const struct column *column = column_find(spec + is_descending, strlen(spec + is_descending));

	if (!column) {
		say_line(_("tcpwhy: --sort=%s: expected a column, such as age, or -age for the largest first"),
			 spec);
		return NULL;
	}
	struct sorting *s = xrealloc_array(NULL, 1, sizeof(*s));
	*s = (struct sorting){ .column = column, .is_descending = is_descending, .arena = arena_new() };
	return s;
}

void sorting_free(struct sorting *s)
{
	if (!s)
		return;
	arena_free(s->arena);
	buf_free(&s->text);
	free(s->rows);
	free(s);
}

void sorting_add(struct sorting *s, const struct report *r, const struct conn *c)
{
	struct sort_row row = { .sock = c->sock, .is_descending = s->is_descending, .at = s->n };

	if (s->column->number) {
		row.is_known = s->column->number(c, &row.number);
	} else {
		buf_clear(&s->text);
		s->column->get(&s->text, r, c);
		row.is_known = s->text.n > 0;
		row.text = arena_strdup(s->arena, buf_text(&s->text));
	}
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 256;
		s->rows = xrealloc_array(s->rows, s->cap, sizeof(*s->rows));
	}
	s->rows[s->n++] = row;
}

static int in_order(const void *va, const void *vb)
{
	const struct sort_row *a = va, *b = vb;
	int order = a->text ? strcmp(a->text, b->text) : (a->number > b->number) - (a->number < b->number);

	if (a->is_known != b->is_known)
		return a->is_known ? -1 : 1;
	if (order != 0 && a->is_known)
		return a->is_descending ? -order : order;
	return a->at < b->at ? -1 : 1;
}

void sorting_each(struct sorting *s, void (*take)(void *ctx, const struct sock *sock), void *ctx)
{
	if (s->n > 0)
		qsort(s->rows, s->n, sizeof(*s->rows), in_order);
	for (size_t i = 0; i < s->n; i++)
		take(ctx, s->rows[i].sock);
}

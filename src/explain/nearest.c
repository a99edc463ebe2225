#include "explain/tables.h"
#include "explain/topics.h"

#include <stdbool.h>
#include <string.h>

/* How it works: the distance of two folded names is the number of letters put in, left out,
 * replaced, or swapped with their neighbour (optimal string alignment). Names are short and few, so
 * the whole table is computed, three rows of it at a time. */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static unsigned distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	unsigned rows[3][TOPIC_NAME_MAX + 1];
	unsigned *older = rows[0], *old = rows[1], *row = rows[2];

	for (unsigned j = 0; j <= n_b; j++)
		old[j] = j;
	for (unsigned i = 1; i <= n_a; i++) {
		unsigned *spare = older;

		row[0] = i;
		for (unsigned j = 1; j <= n_b; j++) {
			bool differ = a[i - 1] != b[j - 1];

			row[j] = least(old[j] + 1, row[j - 1] + 1, old[j - 1] + differ);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    older[j - 2] + 1 < row[j])
				row[j] = older[j - 2] + 1;
		}
		older = old;
		old = row;
		row = spare;
	}
	return old[n_b];
}

struct search {
	char wanted[TOPIC_NAME_MAX + 1];
	size_t n_wanted;
	unsigned within; /* only what is nearer than this is taken */
	const char *found;
};

static void offer(struct search *s, const char *spelling, const char *suggestion)
{
	char folded[TOPIC_NAME_MAX + 1];
	size_t n = topic_name_fold(spelling, folded);
	unsigned d;

	if (n == 0)
		return;
	d = distance(s->wanted, s->n_wanted, folded, n);
	if (d < s->within) {
		s->within = d;
		s->found = suggestion;
	}
}

const char *topics_nearest(const char *name, const char *const *more, size_t n_more)
{
	struct search s = { .found = NULL };
	const struct topic *topic;

	s.n_wanted = topic_name_fold(name, s.wanted);
	/* The neighbour of an unknown error number is a quite different error. */
	if (s.n_wanted == 0 || strspn(s.wanted, "0123456789") == s.n_wanted)
		return NULL;
	s.within = (unsigned)s.n_wanted / 3 + 1;
	for (size_t i = 0; (topic = topics_at(i)); i++) {
		offer(&s, topic->id, topic->id);
		for (const char *const *a = topic->aliases; a && *a; a++)
			offer(&s, *a, topic->id);
	}
	for (size_t i = 0; i < n_more; i++)
		offer(&s, more[i], more[i]);
	return s.found;
}

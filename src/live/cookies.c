#include "live/cookies.h"
#include "util/arena.h"

#include <stdlib.h>

/* How it works: the kernel numbers sockets one after the other when they are first looked at, so
 * the cookies of a dump are dense. A bit for each, in words found through an index, costs a
 * fraction of an index of all rows (95 against a few ns a row). The rows themselves are
 * indexed only once a duplicate has come, which real dumps all but never have. */

void cookies_free(struct cookies *c)
{
	index_free(&c->by_number);
	index_free(&c->by_row);
	free(c->words);
	*c = (struct cookies){ 0 };
}

void cookies_clear(struct cookies *c)
{
	cookies_free(c);
	c->key = hash_key_new();
}

static struct cookie_word *find_word(struct cookies *c, uint64_t number)
{
	uint64_t hash = hash_u64(&c->key, number);
	uint32_t at;

	if (c->last < c->n_words && c->words[c->last].number == number)
		return &c->words[c->last];
	for (size_t it = index_first(&c->by_number, hash);
	     index_next(&c->by_number, hash, &it, &at);) {
		if (c->words[at].number == number) {
			c->last = at;
			return &c->words[at];
		}
	}
	if (c->n_words == c->cap_words) {
		c->cap_words = c->cap_words ? c->cap_words * 2 : 64;
		c->words = xrealloc_array(c->words, c->cap_words, sizeof(*c->words));
	}
	index_add(&c->by_number, hash, (uint32_t)c->n_words);
	c->last = c->n_words++;
	c->words[c->last] = (struct cookie_word){ .number = number };
	return &c->words[c->last];
}

bool cookies_mark(struct cookies *c, uint64_t cookie)
{
	struct cookie_word *word = find_word(c, cookie / 64);
	uint64_t bit = UINT64_C(1) << (cookie % 64);
	bool is_new = !(word->bits & bit);

	word->bits |= bit;
	return is_new;
}

struct sock *cookies_find(struct cookies *c, struct look *look, size_t first, uint64_t cookie)
{
	uint64_t hash = hash_u64(&c->key, cookie);
	uint32_t at;

	for (; first + c->n_rows < look->n_socks; c->n_rows++) {
		size_t row = first + c->n_rows;

		index_add(&c->by_row, hash_u64(&c->key, look->socks[row].cookie), (uint32_t)row);
	}
	for (size_t it = index_first(&c->by_row, hash); index_next(&c->by_row, hash, &it, &at);)
		if (look->socks[at].cookie == cookie)
			return &look->socks[at];
	return NULL;
}

#include "report/tally.h"
#include "report/escape.h"
#include "report/json_value.h"
#include "report/state.h"
#include "report/wrap.h"
#include "util/arena.h"
#include "util/hash.h"
#include "util/i18n.h"
#include "util/index.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_KEYS = 1 << 20, KEY_COLUMNS = 40 };

struct row {
	const char *key;
	uint64_t n, by_state[STATE_MAX];
};

struct tally {
	struct arena *arena;
	struct hash_key hash_key;
	struct index by_key;
	struct row *rows;
	size_t n, cap, last; /* last: the row that was added to */
	uint64_t n_others; /* of keys beyond the bound */
};

struct tally *tally_new(void)
{
	struct tally *t = calloc(1, sizeof(*t));

	if (!t)
		arena_die();
	t->arena = arena_new();
	t->hash_key = hash_key_new();
	return t;
}

void tally_free(struct tally *t)
{
	index_free(&t->by_key);
	arena_free(t->arena);
	free(t->rows);
	free(t);
}

static struct row *row_of(struct tally *t, const char *key)
{
	if (t->last < t->n && strcmp(t->rows[t->last].key, key) == 0)
		return &t->rows[t->last];
	uint64_t hash = hash_bytes(&t->hash_key, key, strlen(key));
	uint32_t at;

	for (size_t it = index_first(&t->by_key, hash); index_next(&t->by_key, hash, &it, &at);)
		if (strcmp(t->rows[at].key, key) == 0)
			return &t->rows[at];
	if (t->n == MAX_KEYS)
		return NULL;
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 256;
		t->rows = xrealloc_array(t->rows, t->cap, sizeof(*t->rows));
	}
	index_add(&t->by_key, hash, (uint32_t)t->n);
	t->rows[t->n] = (struct row){ .key = arena_strdup(t->arena, key) };
	return &t->rows[t->n++];
}

void tally_add(struct tally *t, const char *key, enum state state)
{
	struct row *r = row_of(t, key);

	if (!r) {
		t->n_others++;
		return;
	}
	t->last = (size_t)(r - t->rows);
	r->n++;
	r->by_state[state]++;
}

static int most_first(const void *va, const void *vb)
{
	const struct row *a = va, *b = vb;

	if (a->n != b->n)
		return a->n < b->n ? 1 : -1;
	return strcmp(a->key, b->key);
}

static void put_states(struct buf *b, const struct row *r)
{
	const char *comma = "";

	for (int s = 0; s < STATE_MAX; s++) {
		if (r->by_state[s] == 0)
			continue;
		buf_printf(b, "%s%" PRIu64 " %s", comma, r->by_state[s], state_name((enum state)s));
		comma = ", ";
	}
}

static void write_text(struct out *o, const struct tally *t, const char *by, size_t n,
		       const struct report_options *options)
{
	AUTO_BUF line = { 0 };

	if (!options->no_header)
		out_printf(o, "%8s  %-*s %s\n", _("sockets"), KEY_COLUMNS, by, _("states"));
	for (size_t i = 0; i < n; i++) {
		AUTO_BUF key = { 0 };
		AUTO_BUF states = { 0 };

		escape_terminal(&key, t->rows[i].key, options->ascii);
		put_states(&states, &t->rows[i]);
		buf_clear(&line);
		buf_printf(&line, "%8" PRIu64 "  %s", t->rows[i].n, buf_text(&key));
		size_t used = text_columns(buf_text(&key), key.n);
		buf_fill(&line, ' ', used < KEY_COLUMNS ? KEY_COLUMNS - used : 0);
		buf_printf(&line, " %s\n", buf_text(&states));
		out_add(o, buf_text(&line), line.n);
	}
	if (t->n_others)
		out_printf(o, _("%8" PRIu64 "  (others)\n"), t->n_others);
}

/* A number for every state, so that the columns are the same for all. */
static void write_csv(struct out *o, const struct tally *t, const char *by, size_t n,
		      const struct report_options *options)
{
	AUTO_BUF b = { 0 };

	if (!options->no_header) {
		buf_printf(&b, "%s,sockets", by);
		for (enum state s = STATE_ESTABLISHED; s <= STATE_CLOSING; s++)
			buf_printf(&b, ",%s", state_name(s));
		buf_putc(&b, '\n');
	}
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &t->rows[i];

		AUTO_BUF key = { 0 };

		escape_terminal(&key, r->key, options->ascii);
		buf_putc(&b, '"');
		for (const char *c = buf_text(&key); *c; c++)
			buf_puts(&b, *c == '"' ? "\"\"" : (char[]){ *c, '\0' });
		buf_printf(&b, "\",%" PRIu64, r->n);
		for (enum state s = STATE_ESTABLISHED; s <= STATE_CLOSING; s++)
			buf_printf(&b, ",%" PRIu64, r->by_state[s]);
		buf_putc(&b, '\n');
	}
	out_add(o, buf_text(&b), b.n);
}

static void put_json(struct buf *b, const struct row *r)
{
	json_open(b, NULL);
	json_text(b, "key", r->key);
	json_unsigned(b, "count", r->n);
	json_open(b, "states");
	for (int s = 0; s < STATE_MAX; s++)
		if (r->by_state[s] > 0)
			json_unsigned(b, state_name((enum state)s), r->by_state[s]);
	json_close(b);
	json_close(b);
}

static void write_json(struct out *o, const struct tally *t, const char *by, size_t n,
		       const struct gaps *gaps, bool is_complete)
{
	AUTO_BUF b = { 0 };

	out_printf(o, "{\"schema\":\"tcpwhy.list/1\",\"by\":\"%s\",\"groups\":[", by);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&b);
		put_json(&b, &t->rows[i]);
		out_puts(o, i ? ",\n" : "\n");
		out_add(o, buf_text(&b), b.n);
	}
	out_puts(o, "],\n\"gaps\":[");
	for (size_t i = 0; i < gaps->n; i++) {
		buf_clear(&b);
		json_put_gap(&b, NULL, &gaps->at[i]);
		out_puts(o, i ? ",\n" : "\n");
		out_add(o, buf_text(&b), b.n);
	}
	out_printf(o, "],\n\"complete\":%s}\n", is_complete ? "true" : "false");
}

int tally_write(struct tally *t, const char *by, size_t top, const struct format *format,
		const struct report_options *options, const struct gaps *gaps, bool is_complete, int fd)
{
	struct out o = { .fd = fd };
	size_t n = top && top < t->n ? top : t->n;

	if (t->n)
		qsort(t->rows, t->n, sizeof(*t->rows), most_first);
	if (format == &format_text)
		write_text(&o, t, by, n, options);
	else if (format == &format_csv)
		write_csv(&o, t, by, n, options);
	else
		write_json(&o, t, by, n, gaps, is_complete);
	out_flush(&o);
	return o.failed;
}

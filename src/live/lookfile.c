#include "live/lookfile.h"
#include "util/cleanup.h"
#include "util/i18n.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 16 << 20, MAX_NETNS = UINT16_MAX, MAX_FIELDS = 6 };

static const char magic[] = "tcpwhy-look 1\n";

/* ---- writing ---- */

static void put_text(struct buf *b, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c == '%' || c == 0x7f)
			buf_printf(b, "%%%02X", c);
		else
			buf_putc(b, (char)c);
	}
}

static void put_gap(struct buf *b, const struct gap *g)
{
	const char *const fields[] = { g->what, g->object, g->reason, g->effect };

	/* What is wrong with the answers shows again when they are decoded again. */
	if (strcmp(g->what, "dump") == 0 || strcmp(g->what, "mptcp") == 0)
		return;
	buf_puts(b, "gap");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		buf_putc(b, '\t');
		put_text(b, fields[i]);
	}
	buf_printf(b, "\t%zu\n", g->count);
}

void lookfile_write(struct root *root, const struct look *look)
{
	AUTO_BUF b = { 0 };

	buf_puts(&b, magic);
	buf_printf(&b, "time_ns\t%" PRId64 "\n", look->host.time_ns);
	buf_printf(&b, "hz\t%" PRId64 "\n", look->host.hz);
	buf_printf(&b, "asked_states\t%#" PRIx32 "\n", look->asked_states);
	buf_printf(&b, "owners\t%s\n", !look->owners_looked   ? "none" :
				       look->owners_complete ? "complete" : "partial");
	for (size_t i = 0; i < look->n_netns; i++) {
		buf_printf(&b, "netns\t%" PRIu64 "\t", look->netns[i].inode);
		put_text(&b, look->netns[i].name ? look->netns[i].name : "");
		buf_putc(&b, '\n');
	}
	for (size_t i = 0; i < look->gaps.n; i++)
		put_gap(&b, &look->gaps.at[i]);
	root_record_file(root, "look", buf_text(&b), b.n);
}

/* ---- reading ---- */

/* In place; a NUL has no place in any of our texts. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		char hex[3] = { 0 };

		if (*at == '%' && strspn(at + 1, "0123456789abcdefABCDEF") >= 2)
			memcpy(hex, at + 1, 2);
		char c = (char)strtol(hex, NULL, 16);

		*to++ = c ? c : *at;
		at += c ? 2 : 0;
	}
	*to = '\0';
}

static size_t split(char *line, char *ret[static MAX_FIELDS])
{
	size_t n = 0;

	for (char *field; n < MAX_FIELDS && (field = strsep(&line, "\t"));) {
		unescape(field);
		ret[n++] = field;
	}
	return n;
}

static void read_netns(struct look *look, size_t *cap, char *const field[], size_t n)
{
	if (look->n_netns >= MAX_NETNS)
		return;
	if (look->n_netns == *cap) {
		struct netns *old = look->netns;

		*cap = *cap ? *cap * 2 : 4;
		look->netns = arena_array(look->arena, *cap, sizeof(*look->netns));
		if (old)
			memcpy(look->netns, old, look->n_netns * sizeof(*old));
	}
	look->netns[look->n_netns++] = (struct netns){
		.inode = strtoull(field[1], NULL, 10),
		.name = n > 2 && *field[2] ? arena_strdup(look->arena, field[2]) : NULL,
	};
}

static void read_gap(struct look *look, char *const field[], size_t n)
{
	if (n < 6)
		return;
	size_t before = look->gaps.n;
	gap_add(&look->gaps, arena_strdup(look->arena, field[1]),
		arena_strdup(look->arena, field[2]), arena_strdup(look->arena, field[3]),
		arena_strdup(look->arena, field[4]));
	if (strcmp(field[1], GAP_FLIGHT) == 0)
		look->flight_is_partial = true;
	if (look->gaps.n > before)
		look->gaps.at[before].count = strtoull(field[5], NULL, 10);
}

static void read_line(struct look *look, struct lookfile *ret, size_t *cap, char *line)
{
	char *field[MAX_FIELDS];
	size_t n = split(line, field);

	if (n < 2)
		return;
	if (strcmp(field[0], "time_ns") == 0)
		look->host.time_ns = strtoll(field[1], NULL, 10);
	else if (strcmp(field[0], "hz") == 0)
		look->host.hz = strtoll(field[1], NULL, 10);
	else if (strcmp(field[0], "asked_states") == 0)
		ret->asked_states = (uint32_t)strtoul(field[1], NULL, 0);
	else if (strcmp(field[0], "owners") == 0)
		ret->owners = strcmp(field[1], "complete") == 0 ? RECORDED_COMPLETE :
			      strcmp(field[1], "partial") == 0	? RECORDED_PARTIAL :
								  RECORDED_NONE;
	else if (strcmp(field[0], "netns") == 0)
		read_netns(look, cap, field, n);
	else if (strcmp(field[0], "gap") == 0)
		read_gap(look, field, n);
}

bool lookfile_parse(char *text, struct look *look, struct lookfile *ret)
{
	struct lookfile file = { .asked_states = STATES_ALL };
	size_t cap = 0;
	char *save = NULL;

	if (strncmp(text, magic, sizeof(magic) - 1) != 0)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		read_line(look, &file, &cap, line);
	if (look->n_netns == 0)
		return false;
	*ret = file;
	return true;
}

int lookfile_read(const struct root *root, struct look *look, struct lookfile *ret,
		  struct fail *fail)
{
	AUTO_BUF text = { 0 };
	int error = root_peek(root, "look", MAX_FILE, &text);

	if (error && error != -ENOENT) {
		fail_set(fail, look->source, "%s", strerror(-error));
		return error;
	}
	if (error || text.n == 0 || !lookfile_parse(text.at, look, ret)) {
		fail_set(fail, look->source, _("not a recorded look, or of another version"));
		return -EINVAL;
	}
	return 0;
}

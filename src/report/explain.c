#include "report/explain.h"
#include "report/json_value.h"
#include "report/says.h"
#include "report/state.h"
#include "report/wrap.h"
#include "util/arena.h"
#include "util/i18n.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
	[TOPIC_RULE] = "rule",       [TOPIC_STATE] = "state", [TOPIC_SYSCTL] = "sysctl",
	[TOPIC_SOCKOPT] = "sockopt", [TOPIC_ERRNO] = "errno", [TOPIC_COUNTER] = "counter",
};

static struct out *out_new(int fd)
{
	struct out *o = calloc(1, sizeof(*o));

	if (!o)
		arena_die();
	o->fd = fd;
	return o;
}

static int out_end(struct out *o)
{
	out_flush(o);
	int failed = o->failed;
	free(o);
	return failed;
}

static size_t width_of(const struct report_options *options)
{
	return options->width > 0 ? (size_t)options->width : DEFAULT_WIDTH;
}

static void put_paragraphs(struct out *o, const char *text, size_t width)
{
	AUTO_BUF paragraph = { 0 };

	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t n = end ? (size_t)(end - text) : strlen(text);

		buf_clear(&paragraph);
		buf_add(&paragraph, text, n);
		wrap_write(o, "  ", 2, buf_text(&paragraph), width);
		out_putc(o, '\n');
		text += n + (end ? 2 : 0);
	}
}

/* A rule's own words, with the places of a finding that is not there left readable. */
static void put_plain(struct out *o, const char *first, size_t indent, const char *text, size_t width)
{
	const struct finding none = { 0 };
	AUTO_BUF filled = { 0 };

	says_fill(&filled, _(text), &none, false);
	wrap_write(o, first, indent, buf_text(&filled), width);
}

static void put_rule(struct out *o, const struct rule_text *rule, size_t width)
{
	for (size_t i = 0; i < MAX_FIXES && rule->fixes[i].text; i++) {
		put_plain(o, i == 0 ? _("  Do:") : "", 10, rule->fixes[i].text, width);
		if (rule->fixes[i].command)
			out_printf(o, "          $ %s\n", rule->fixes[i].command);
	}
	for (size_t i = 0; i < MAX_AVOID && rule->avoid[i]; i++)
		put_plain(o, i == 0 ? _("  Avoid:") : "", 10, rule->avoid[i], width);
	if (rule->fixes[0].text || rule->avoid[0])
		out_putc(o, '\n');
}

static void put_topic(struct out *o, const struct topic *t, size_t width)
{
	AUTO_BUF heading = { 0 };

	buf_printf(&heading, "%s (%s): %s", t->id, kind_names[t->kind], _(t->title));
	wrap_write(o, "", 0, buf_text(&heading), width);
	out_putc(o, '\n');
	put_paragraphs(o, _(t->text), width);
	if (t->rule)
		put_rule(o, t->rule, width);
	if (t->refs)
		wrap_write(o, _("  Source:"), 10, t->refs, width);
}

static void json_topic(struct buf *b, const struct topic *t)
{
	AUTO_BUF refs = { 0 };

	json_open(b, NULL);
	json_text(b, "id", t->id);
	json_text(b, "kind", kind_names[t->kind]);
	json_text(b, "title", _(t->title));
	json_text(b, "text", _(t->text));
	json_list(b, "refs");
	for (const char *at = t->refs; at && *at;) {
		size_t n = strcspn(at, ";");

		buf_clear(&refs);
		buf_add(&refs, at, n);
		json_text(b, NULL, buf_text(&refs));
		at += n;
		at += strspn(at, "; ");
	}
	json_list_end(b);
	json_close(b);
}

static void json_topics(struct out *o, const struct topic *const *topics, size_t n)
{
	AUTO_BUF b = { 0 };

	out_puts(o, "{\"schema\":\"tcpwhy.explain/1\",\"topics\":[");
	for (size_t i = 0; i < n; i++) {
		out_puts(o, i ? ",\n" : "\n");
		buf_clear(&b);
		json_topic(&b, topics[i]);
		out_add(o, buf_text(&b), b.n);
	}
	out_puts(o, "],\n\"complete\":true}\n");
}

int explain_write(const struct topic *const *topics, size_t n, const struct format *format,
		  const struct report_options *options, int fd)
{
	struct out *o = out_new(fd);

	if (format != &format_text) {
		json_topics(o, topics, n);
		return out_end(o);
	}
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			out_putc(o, '\n');
		put_topic(o, topics[i], width_of(options));
	}
	return out_end(o);
}

int explain_list(const struct topic *const *topics, size_t n, const struct report_options *options,
		 int fd)
{
	static const char *const headings[] = {
		[TOPIC_RULE] = N_("Rules"),
		[TOPIC_STATE] = N_("States"),
		[TOPIC_SYSCTL] = N_("Settings"),
		[TOPIC_SOCKOPT] = N_("Socket options and calls"),
		[TOPIC_ERRNO] = N_("Errors"),
		[TOPIC_COUNTER] = N_("Counters"),
	};
	enum { TITLES_AT = 30 };
	struct out *o = out_new(fd);

	for (size_t kind = 0; kind < ARRAY_LEN(headings); kind++) {
		out_printf(o, "%s%s\n", kind ? "\n" : "", _(headings[kind]));
		for (size_t i = 0; i < n; i++) {
			char first[64];

			if ((size_t)topics[i]->kind != kind)
				continue;
			snprintf(first, sizeof(first), "  %s", topics[i]->id);
			/* A long name has a line of its own. */
			bool is_long = strlen(first) >= TITLES_AT;
			if (is_long)
				out_printf(o, "%s\n", first);
			wrap_write(o, is_long ? "" : first, TITLES_AT, _(topics[i]->title),
				   width_of(options));
		}
	}
	return out_end(o);
}

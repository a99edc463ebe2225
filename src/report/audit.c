#include "report/audit.h"
#include "report/escape.h"
#include "report/json_value.h"
#include "report/says.h"
#include "report/state.h"
#include "report/wrap.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { INDENT = 4, VALUE_END = 65 };

static const char *const verdicts[] = {
	[AUDIT_FINE] = "fine", [AUDIT_NOTE] = "note", [AUDIT_WARNING] = "warning",
};

/* "net/ipv4/tcp_fin_timeout" as sysctl(8) has it. */
static const char *dotted(const char *path, char ret[static 96])
{
	snprintf(ret, 96, "%s", path);
	for (char *c = ret; *c; c++)
		if (*c == '/')
			*c = '.';
	return ret;
}

/* As sysctl(8) writes it. */
static void put_value(struct buf *b, const struct audit_value *v)
{
	if (v->list)
		buf_puts(b, v->list);
	else
		for (size_t i = 0; i < v->n; i++)
			buf_printf(b, "%s%" PRId64, i ? " " : "", v->at[i]);
}

static void says_value(struct buf *b, const struct audit_row *r, const struct audit_value *v)
{
	if (v->list && !*v->list)
		buf_puts(b, _("none"));
	put_value(b, v);
	if (*r->unit)
		buf_printf(b, " %s", r->unit);
}

static bool is_for_shell(const struct audit_value *v)
{
	return v->n == 1 && !v->list;
}

/* ---- for people ---- */

static void put_prose(struct out *o, const char *label, const char *text, size_t width)
{
	char first[32];

	snprintf(first, sizeof(first), "%*s%s", INDENT, "", label);
	wrap_write(o, first, INDENT + 8, text, width);
}

static void put_headline(struct out *o, const struct audit_row *r, const char *name)
{
	AUTO_BUF line = { 0 };

	buf_printf(&line, "%s  %s = ", r->is_problem ? "PROBLEM" :
				       r->verdict == AUDIT_WARNING ? "WARNING" :
				       r->verdict == AUDIT_NOTE ? "NOTE   " : "fine   ", name);
	says_value(&line, r, &r->value);
	if (r->usual.n > 0) {
		buf_puts(&line, _(" (default "));
		says_value(&line, r, &r->usual);
		buf_puts(&line, ")");
	} else if (r->usual_depends) {
		buf_printf(&line, _(" (default %s)"), _(r->usual_depends));
	}
	out_printf(o, "%s\n", buf_text(&line));
}

static void put_used(struct out *o, const struct audit_row *r, size_t width)
{
	AUTO_BUF line = { 0 };
	int64_t limit = r->value.at[r->value.n - 1];

	buf_printf(&line, "%" PRId64, r->used.value);
	if (limit > 0)
		buf_printf(&line, " (%" PRId64 " %%)", (int64_t)((double)r->used.value * 100 / (double)limit));
	put_prose(o, _("Used:   "), buf_text(&line), width);
}

static void put_proposal(struct out *o, const struct audit_row *r, const char *name, size_t width)
{
	AUTO_BUF line = { 0 };

	if (r->is_set_elsewhere) {
		put_prose(o, _("Do:     "), _("Only the initial network namespace can change it."), width);
		return;
	}
	put_value(&line, &r->proposed);
	out_printf(o, is_for_shell(&r->proposed) ? "%*s$ sysctl -w %s=%s\n" : "%*s$ sysctl -w %s='%s'\n",
		   INDENT + 8, "", name, buf_text(&line));
}

/* Worth reading: what is wrong, what to do, what not to believe. */
static void put_long(struct out *o, const struct audit_row *r, size_t width)
{
	char name[96];

	put_headline(o, r, dotted(r->name, name));
	put_prose(o, _("Does:   "), _(r->does), width);
	if (r->used.known)
		put_used(o, r, width);
	if (r->why)
		put_prose(o, _("Why:    "), _(r->why), width);
	if (r->proposed.n > 0)
		put_proposal(o, r, name, width);
	if (r->does_not)
		put_prose(o, _("Not:    "), _(r->does_not), width);
	if (r->danger)
		put_prose(o, _("Danger: "), _(r->danger), width);
	if (r->rule)
		put_prose(o, _("Rule:   "), r->rule, width);
	out_putc(o, '\n');
}

/* A long value may reach below its name's room. */
static void put_columns(struct out *o, const char *name, const char *value, const char *usual)
{
	out_printf(o, "%s %*s  %s\n", name, VALUE_END - 1 - (int)strlen(name), value, usual);
}

static void put_short(struct out *o, const struct audit_row *r)
{
	AUTO_BUF value = { 0 };
	AUTO_BUF usual = { 0 };
	char name[96];

	says_value(&value, r, &r->value);
	if (r->usual.n > 0)
		says_value(&usual, r, &r->usual);
	else if (r->usual_depends)
		buf_puts(&usual, _(r->usual_depends));
	put_columns(o, dotted(r->name, name), buf_text(&value), buf_text(&usual));
}

/* Each reason once, with all that it keeps away. */
static void put_absent(struct out *o, const struct audit_row *rows, size_t n, size_t width)
{
	bool is_first = true;
	char name[96];

	for (size_t i = 0; i < n; i++) {
		AUTO_BUF names = { 0 };
		bool is_said = false;

		for (size_t k = 0; k < i && !is_said; k++)
			is_said = rows[k].absent_why == rows[i].absent_why;
		if (rows[i].absence == AUDIT_HERE || is_said)
			continue;
		for (size_t k = i; k < n; k++)
			if (rows[k].absent_why == rows[i].absent_why)
				buf_printf(&names, "%s%s", names.n ? ", " : "",
					   dotted(rows[k].name, name));
		if (is_first)
			out_printf(o, "\n%s\n", _("Not here:"));
		is_first = false;
		wrap_write(o, "  ", 2, _(rows[i].absent_why), width);
		wrap_write(o, "      ", 6, buf_text(&names), width);
	}
}

static const struct {
	size_t offset;
	const char *name, *means;
} counter_rows[] = {
#define COUNTER(member, file, line, name, means) { offsetof(struct counters, member), name, means },
#include "model/counters.def"
#undef COUNTER
};

static const struct setting *counter_at(const struct counters *counters, size_t i)
{
	return (const void *)((const char *)counters + counter_rows[i].offset);
}

static void put_counters(struct out *o, const struct counters *counters, size_t width)
{
	enum { NAME_WIDTH = 20, MEANING_AT = 33 };
	bool is_first = true;

	for (size_t i = 0; i < ARRAY_LEN(counter_rows); i++) {
		const struct setting *s = counter_at(counters, i);
		char first[64];

		if (!s->known || s->value == 0)
			continue;
		if (is_first)
			out_printf(o, "\n%s\n", _("Counted since this network namespace was made:"));
		is_first = false;
		snprintf(first, sizeof(first), "  %-*s %9" PRId64 "  ", NAME_WIDTH, counter_rows[i].name,
			 s->value);
		wrap_write(o, first, MEANING_AT + 1, _(counter_rows[i].means), width);
	}
}

static void write_text(struct out *o, const struct audit_row *rows, size_t n,
		       const struct counters *counters, const struct report_options *options)
{
	size_t width = options->width > 0 ? (size_t)options->width : DEFAULT_WIDTH;
	size_t n_fine = 0;

	for (int verdict = AUDIT_WARNING; verdict >= AUDIT_FINE; verdict--)
		for (size_t i = 0; i < n; i++) {
			bool is_long = verdict != AUDIT_FINE || options->verbose;

			if ((int)rows[i].verdict != verdict || rows[i].absence != AUDIT_HERE)
				continue;
			if (is_long)
				put_long(o, &rows[i], width);
			else if (n_fine++ == 0)
				put_columns(o, _("Nothing to say about"), _("value"), _("default"));
			if (!is_long)
				put_short(o, &rows[i]);
		}
	put_absent(o, rows, n, width);
	put_counters(o, counters, width);
}

/* ---- for scripts ---- */

/* A number; several, or a list, as the text that sysctl(8) writes. */
static void put_setting(struct buf *b, const char *key, const struct audit_value *v)
{
	AUTO_BUF text = { 0 };

	if (v->n == 0) {
		json_unknown(b, key);
	} else if (v->n == 1 && !v->list) {
		json_signed(b, key, v->at[0]);
	} else {
		put_value(&text, v);
		json_text(b, key, buf_text(&text));
	}
}

static void put_json(struct buf *b, const struct audit_row *r)
{
	char name[96];

	json_open(b, NULL);
	json_text(b, "name", dotted(r->name, name));
	put_setting(b, "value", &r->value);
	put_setting(b, "default", &r->usual);
	json_text(b, "unit", *r->unit ? r->unit : NULL);
	json_bool(b, "per_netns", r->per_netns);
	if (r->used.known)
		json_signed(b, "used", r->used.value);
	else
		json_unknown(b, "used");
	json_text(b, "does", _(r->does));
	json_text(b, "does_not", r->does_not ? _(r->does_not) : NULL);
	json_text(b, "danger", r->danger ? _(r->danger) : NULL);
	json_text(b, "verdict", r->absence == AUDIT_HERE ? verdicts[r->verdict] : NULL);
	json_text(b, "why", r->why ? _(r->why) : NULL);
	json_text(b, "rule", r->rule);
	put_setting(b, "proposed", &r->proposed);
	json_text(b, "absent", r->absent_why ? _(r->absent_why) : NULL);
	json_close(b);
}

static void put_json_counters(struct out *o, const struct counters *counters)
{
	AUTO_BUF b = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(counter_rows); i++) {
		const struct setting *s = counter_at(counters, i);

		out_puts(o, i ? ",\n" : "\n");
		buf_clear(&b);
		json_open(&b, NULL);
		json_text(&b, "name", counter_rows[i].name);
		if (s->known)
			json_signed(&b, "value", s->value);
		else
			json_unknown(&b, "value");
		json_text(&b, "means", _(counter_rows[i].means));
		json_close(&b);
		out_add(o, buf_text(&b), b.n);
	}
}

static void write_json(struct out *o, const struct audit_row *rows, size_t n,
		       const struct counters *counters)
{
	AUTO_BUF b = { 0 };

	out_puts(o, "{\"schema\":\"tcpwhy.audit/1\",\"settings\":[");
	for (size_t i = 0; i < n; i++) {
		out_puts(o, i ? ",\n" : "\n");
		buf_clear(&b);
		put_json(&b, &rows[i]);
		out_add(o, buf_text(&b), b.n);
	}
	out_puts(o, "],\n\"counters\":[");
	put_json_counters(o, counters);
	out_puts(o, "],\n\"complete\":true}\n");
}

int audit_write(const struct audit_row *rows, size_t n, const struct counters *counters,
		const struct format *format, const struct report_options *options, int fd)
{
	struct out o = { .fd = fd };

	if (format == &format_text)
		write_text(&o, rows, n, counters, options);
	else
		write_json(&o, rows, n, counters);
	out_flush(&o);
	return o.failed;
}

size_t audit_draft(const struct audit_row *rows, size_t n, const struct host *host, FILE *to)
{
	size_t n_proposed = 0;
	AUTO_BUF host_name = { 0 };
	char name[96];

	escape_terminal(&host_name, host->name ? host->name : "?", true);
	fprintf(to, _("# Proposed by `tcpwhy audit` for %s. Nothing has been changed yet.\n"
		      "# Read each reason, keep what you want, copy the file to /etc/sysctl.d and run\n"
		      "# `sysctl --system`. Lines with \"was\" are the way back.\n"),
		buf_text(&host_name));
	for (size_t i = 0; i < n; i++) {
		const struct audit_row *r = &rows[i];

		if (r->proposed.n == 0 || r->absence != AUDIT_HERE || r->is_set_elsewhere)
			continue;
		n_proposed++;
		dotted(r->name, name);
		AUTO_BUF was = { 0 };
		AUTO_BUF will_be = { 0 };
		put_value(&was, &r->value);
		put_value(&will_be, &r->proposed);
		fprintf(to, _("\n# %s\n# was: %s = %s\n%s = %s\n"), r->why ? _(r->why) : "", name,
			buf_text(&was), name, buf_text(&will_be));
	}
	return n_proposed;
}

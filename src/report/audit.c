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

enum { INDENT = 4, NAME_WIDTH = 48, VALUE_WIDTH = 10 };

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

static void put_number(struct buf *b, const struct audit_row *r, int64_t low, int64_t high)
{
	buf_printf(b, "%" PRId64, low);
	if (r->is_range)
		buf_printf(b, " %" PRId64, high);
}

static void put_value(struct buf *b, const struct audit_row *r, int64_t low, int64_t high)
{
	put_number(b, r, low, high);
	buf_printf(b, "%s%s", *r->unit ? " " : "", r->unit);
}

/* ---- for people ---- */

static void put_prose(struct out *o, const char *label, const char *text, size_t width)
{
	char first[32];

	snprintf(first, sizeof(first), "%*s%s", INDENT, "", label);
	wrap_write(o, first, INDENT + 8, text, width);
}

/* Worth reading: what is wrong, what to do, what not to believe. */
static void put_long(struct out *o, const struct audit_row *r, size_t width)
{
	AUTO_BUF line = { 0 };
	char name[96];

	buf_printf(&line, "%s  %s = ", r->verdict == AUDIT_WARNING ? "WARNING" :
				       r->verdict == AUDIT_NOTE ? "NOTE   " : "fine   ",
		   dotted(r->name, name));
	put_value(&line, r, r->value.value, r->value_high);
	if (r->usual.known) {
		buf_puts(&line, _(" (default "));
		put_value(&line, r, r->usual.value, r->usual_high);
		buf_puts(&line, ")");
	}
	out_printf(o, "%s\n", buf_text(&line));
	put_prose(o, _("Does:   "), _(r->does), width);
	if (r->why)
		put_prose(o, _("Why:    "), _(r->why), width);
	if (r->proposed.known) {
		buf_clear(&line);
		put_number(&line, r, r->proposed.value, r->proposed_high);
		out_printf(o, r->is_range ? "%*s$ sysctl -w %s='%s'\n" : "%*s$ sysctl -w %s=%s\n",
			   INDENT + 8, "", name, buf_text(&line));
	}
	if (r->does_not)
		put_prose(o, _("Not:    "), _(r->does_not), width);
	if (r->danger)
		put_prose(o, _("Danger: "), _(r->danger), width);
	out_putc(o, '\n');
}

static void put_short(struct out *o, const struct audit_row *r)
{
	AUTO_BUF value = { 0 };
	AUTO_BUF usual = { 0 };
	char name[96];

	put_value(&value, r, r->value.value, r->value_high);
	if (r->usual.known)
		put_value(&usual, r, r->usual.value, r->usual_high);
	out_printf(o, "%-*s %*s  %s\n", NAME_WIDTH, dotted(r->name, name), VALUE_WIDTH,
		   buf_text(&value), buf_text(&usual));
}

static void write_text(struct out *o, const struct audit_row *rows, size_t n,
		       const struct report_options *options)
{
	size_t width = options->width > 0 ? (size_t)options->width : DEFAULT_WIDTH;
	size_t n_fine = 0;

	for (int verdict = AUDIT_WARNING; verdict >= AUDIT_FINE; verdict--)
		for (size_t i = 0; i < n; i++) {
			bool is_long = verdict != AUDIT_FINE || options->verbose;

			if ((int)rows[i].verdict != verdict || !rows[i].value.known)
				continue;
			if (is_long)
				put_long(o, &rows[i], width);
			else if (n_fine++ == 0)
				out_printf(o, "%-*s %*s  %s\n", NAME_WIDTH, _("Nothing to say about"),
					   VALUE_WIDTH, _("value"), _("default"));
			if (!is_long)
				put_short(o, &rows[i]);
		}
	bool is_first = true;
	for (size_t i = 0; i < n; i++) {
		char name[96];

		if (rows[i].value.known)
			continue;
		if (is_first)
			out_printf(o, "\n%s\n", _("Not here (another kernel, a module that is not loaded, "
						  "or the host's alone):"));
		is_first = false;
		out_printf(o, "  %s\n", dotted(rows[i].name, name));
	}
}

/* ---- for scripts ---- */

/* A number; the two of a range as text, as sysctl(8) writes them. */
static void put_setting(struct buf *b, const char *key, const struct audit_row *r,
			struct setting value, int64_t high)
{
	AUTO_BUF text = { 0 };

	if (!value.known) {
		json_unknown(b, key);
	} else if (r->is_range) {
		put_number(&text, r, value.value, high);
		json_text(b, key, buf_text(&text));
	} else {
		json_signed(b, key, value.value);
	}
}

static void put_json(struct buf *b, const struct audit_row *r)
{
	char name[96];

	json_open(b, NULL);
	json_text(b, "name", dotted(r->name, name));
	put_setting(b, "value", r, r->value, r->value_high);
	put_setting(b, "default", r, r->usual, r->usual_high);
	json_text(b, "unit", *r->unit ? r->unit : NULL);
	json_bool(b, "per_netns", r->per_netns);
	json_text(b, "does", _(r->does));
	json_text(b, "does_not", r->does_not ? _(r->does_not) : NULL);
	json_text(b, "danger", r->danger ? _(r->danger) : NULL);
	json_text(b, "verdict", r->value.known ? verdicts[r->verdict] : NULL);
	json_text(b, "why", r->why ? _(r->why) : NULL);
	put_setting(b, "proposed", r, r->proposed, r->proposed_high);
	json_close(b);
}

static void write_json(struct out *o, const struct audit_row *rows, size_t n)
{
	AUTO_BUF b = { 0 };

	out_puts(o, "{\"schema\":\"tcpwhy.audit/1\",\"settings\":[");
	for (size_t i = 0; i < n; i++) {
		out_puts(o, i ? ",\n" : "\n");
		buf_clear(&b);
		put_json(&b, &rows[i]);
		out_add(o, buf_text(&b), b.n);
	}
	out_puts(o, "],\n\"complete\":true}\n");
}

int audit_write(const struct audit_row *rows, size_t n, const struct format *format,
		const struct report_options *options, int fd)
{
	struct out o = { .fd = fd };

	if (format == &format_text)
		write_text(&o, rows, n, options);
	else
		write_json(&o, rows, n);
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

		if (!r->proposed.known || !r->value.known)
			continue;
		n_proposed++;
		dotted(r->name, name);
		AUTO_BUF was = { 0 };
		AUTO_BUF will_be = { 0 };
		put_number(&was, r, r->value.value, r->value_high);
		put_number(&will_be, r, r->proposed.value, r->proposed_high);
		fprintf(to, _("\n# %s\n# was: %s = %s\n%s = %s\n"), r->why ? _(r->why) : "", name,
			buf_text(&was), name, buf_text(&will_be));
	}
	return n_proposed;
}

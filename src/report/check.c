#include "report/check.h"
#include "report/escape.h"
#include "report/json_value.h"
#include "report/says.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <string.h>

/* How it works: sentences are filled as those of findings are, into a buffer of their own; then the
 * bar, which no sentence of ours has, is written as \x7c wherever a name brought one in. */

static void put_without_bar(struct buf *b, const char *text)
{
	for (; *text; text++)
		if (*text == '|')
			buf_puts(b, "\\x7c");
		else
			buf_putc(b, *text);
}

void check_put_range(struct buf *b, const struct range *r)
{
	if (!r->is_set)
		return;
	if (r->is_inside)
		buf_putc(b, '@');
	if (r->start == RANGE_LOWEST)
		buf_puts(b, "~:");
	else if (r->start != 0 || r->end == RANGE_HIGHEST) {
		json_thousandths(b, r->start);
		buf_putc(b, ':');
	}
	if (r->end != RANGE_HIGHEST)
		json_thousandths(b, r->end);
}

static const char *unit_name(enum check_unit unit)
{
	static const char *const names[] = {
		[CHECK_COUNT] = "", [CHECK_SECONDS] = "s", [CHECK_PERCENT] = "%", [CHECK_A_MINUTE] = "",
	};

	return names[unit];
}

void check_put_perfdata(struct buf *b, const struct check_results *results)
{
	for (size_t i = 0; i < results->n; i++) {
		const struct check_result *r = &results->at[i];

		buf_printf(b, "%s'%s'=", i ? " " : "", r->row->name);
		if (!r->known) {
			buf_putc(b, 'U');
			continue;
		}
		json_thousandths(b, r->value);
		buf_printf(b, "%s;", unit_name(r->row->unit));
		check_put_range(b, &r->warn);
		buf_putc(b, ';');
		check_put_range(b, &r->crit);
		buf_printf(b, ";0;%s", r->row->unit == CHECK_PERCENT ? "100" : "");
	}
}

static void put_says(struct buf *b, const struct check_result *r, bool ascii)
{
	if (r->unknown)
		says_fill(b, _(r->unknown), &r->worst, ascii);
	else if (!r->known)
		buf_puts(b, _("not known"));
	else if (r->has_worst)
		says_fill(b, _(r->worst.says ? r->worst.says : r->row->says), &r->worst, ascii);
	else
		says_fill(b, _(r->row->fine), &r->worst, ascii);
}

/* Without a pid to ask about, root sees more. */
static void put_command(struct buf *b, const struct check_result *r, bool ascii)
{
	const char *command = r->row->command;

	if (r->unknown || (command && strstr(command, "{pid}") && !r->worst.subject.proc))
		buf_puts(b, "sudo tcpwhy why");
	else if (command)
		says_fill(b, command, &r->worst, ascii);
}

static uint64_t n_teardown(const struct look *look)
{
	uint64_t n = 0;

	for (enum state s = STATE_ESTABLISHED; s < STATE_MAX; s++)
		if (STATE_BIT(s) & STATES_TEARDOWN)
			n += look->states[s];
	return n;
}

static bool is_not_judged(const struct check_result *r)
{
	return r->status == CHECK_OK && !r->known && !r->is_harmless && !r->is_unwatched && r->unknown;
}

static size_t n_judged(const struct check_results *results)
{
	size_t n = 0;

	for (size_t i = 0; i < results->n; i++)
		n += !results->at[i].is_unwatched && !is_not_judged(&results->at[i]);
	return n;
}

static const char *verdict_of(const struct check_result *r)
{
	if (r->is_unwatched)
		return _("not watched");
	return is_not_judged(r) ? _("not judged") : check_status_name(r->status);
}

/* Of several for the same reason only the first speaks, and says the reason. */
static void put_not_judged(struct buf *b, const struct check_results *results, size_t at)
{
	const struct check_result *r = &results->at[at];
	size_t n_same = 0;

	for (size_t i = 0; i < results->n; i++)
		if (is_not_judged(&results->at[i]) && strcmp(results->at[i].unknown, r->unknown) == 0) {
			if (i < at)
				return;
			n_same++;
		}
	if (n_same > 1)
		buf_printf(b, "; %s", _(r->unknown));
	else
		buf_printf(b, _("; %s not judged"), r->row->name);
}

/* The others that are not fine, by name, and those that nobody can judge here. */
static void put_others(struct buf *b, const struct check_results *results)
{
	for (size_t i = 0; i < results->n; i++) {
		const struct check_result *r = &results->at[i];

		if (r != results->first && r->status != CHECK_OK)
			buf_printf(b, "; %s %s", r->row->name, check_status_name(r->status));
		else if (r != results->first && is_not_judged(r))
			put_not_judged(b, results, i);
	}
}

static void put_gap(struct buf *b, const struct gap *g, bool ascii)
{
	escape_terminal(b, g->object, ascii);
	buf_puts(b, ": ");
	escape_terminal(b, g->reason, ascii);
}

/* Whoever asked for growth and gets none is told why at once. */
static void put_state_gaps(struct buf *b, const struct look *look, bool ascii)
{
	for (size_t i = 0; i < look->gaps.n; i++) {
		const struct gap *g = &look->gaps.at[i];

		if (strcmp(g->what, "state") != 0)
			continue;
		buf_puts(b, "; ");
		put_gap(b, g, ascii);
	}
}

static void put_summary(struct buf *b, const struct check_results *results,
			const struct look *look, bool ascii)
{
	const struct check_result *r = results->first;

	if (!r && results->is_whole) {
		buf_printf(b, _("%" PRIu64 " sockets in teardown states, none of %zu checks "
				"complains"),
			   n_teardown(look), n_judged(results));
		put_others(b, results);
	}
	if (r) {
		put_says(b, r, ascii);
		buf_puts(b, ": ");
		put_command(b, r, ascii);
		put_others(b, results);
	}
	if (!results->is_whole)
		buf_printf(b, "%s%s", r ? "; " : "", _("not all sockets could be seen"));
	if (!results->is_whole && results->missing) {
		buf_puts(b, ": ");
		put_gap(b, results->missing, ascii);
	}
	put_state_gaps(b, look, ascii);
}

/* Two lines: the mechanism in numbers, and what to do. */
static void put_more(struct buf *b, const struct check_result *r, bool ascii)
{
	if (r->status == CHECK_OK || r->unknown)
		return;
	if (r->row->more) {
		buf_puts(b, "  ");
		says_fill(b, _(r->row->more), &r->worst, ascii);
		buf_putc(b, '\n');
	}
	buf_printf(b, _("  to do: %s\n"), _(r->row->next));
}

static void put_details(struct buf *b, const struct check_results *results,
			const struct look *look, bool ascii)
{
	for (size_t i = 0; i < results->n; i++) {
		const struct check_result *r = &results->at[i];

		buf_printf(b, "%s: %s - ", r->row->name, verdict_of(r));
		put_says(b, r, ascii);
		if (r->status != CHECK_OK && r->rule)
			buf_printf(b, " (%s)", r->rule);
		buf_putc(b, '\n');
		put_more(b, r, ascii);
	}
	for (size_t i = 0; i < look->gaps.n; i++) {
		const struct gap *g = &look->gaps.at[i];

		buf_puts(b, _("Not seen: "));
		put_gap(b, g, ascii);
		buf_puts(b, "; ");
		escape_terminal(b, g->effect, false);
		buf_putc(b, '\n');
	}
}

void check_put_text(struct buf *b, const struct check_results *results, const struct look *look,
		    bool verbose, bool ascii)
{
	AUTO_BUF text = { 0 };

	put_summary(&text, results, look, ascii);
	buf_printf(b, "%s - ", check_status_name(results->status));
	put_without_bar(b, buf_text(&text));
	buf_puts(b, " | ");
	check_put_perfdata(b, results);
	buf_putc(b, '\n');
	if (!verbose)
		return;
	buf_clear(&text);
	put_details(&text, results, look, ascii);
	put_without_bar(b, buf_text(&text));
}

void check_put_failure(struct buf *b, const char *object, const char *what, bool ascii)
{
	AUTO_BUF text = { 0 };

	escape_terminal(&text, object, ascii);
	buf_puts(&text, ": ");
	escape_terminal(&text, what, ascii);
	buf_printf(b, "%s - ", check_status_name(CHECK_UNKNOWN));
	put_without_bar(b, buf_text(&text));
	buf_putc(b, '\n');
}

/* JSON. */

static void json_begin(struct buf *b, enum check_status status, const char *summary)
{
	json_open(b, NULL);
	json_text(b, "schema", "tcpwhy.check/1");
	json_text(b, "status", check_status_name(status));
	json_text(b, "summary", summary);
}

static void json_range(struct buf *b, const char *key, const struct range *r)
{
	AUTO_BUF text = { 0 };

	check_put_range(&text, r);
	json_text(b, key, r->is_set ? buf_text(&text) : NULL);
}

static void json_worst(struct buf *b, const struct check_result *r)
{
	const struct subject *s = &r->worst.subject;

	if (!r->has_worst) {
		json_unknown(b, "worst");
		return;
	}
	json_open(b, "worst");
	json_text(b, "kind", subject_kind_name(s->kind));
	if (s->proc)
		json_signed(b, "pid", s->proc->pid);
	else
		json_unknown(b, "pid");
	json_text(b, "comm", s->proc ? s->proc->comm : NULL);
	json_text(b, "unit", s->proc ? s->proc->unit : NULL);
	json_text(b, "container", s->proc ? s->proc->container : NULL);
	json_unsigned_or_null(b, "netns", s->netns ? s->netns->inode : 0,
			      s->netns && s->netns->inode != 0);
	json_place(b, "local", &s->local, s->has_local);
	json_place(b, "peer", &s->peer, s->has_peer);
	json_close(b);
}

static void json_check(struct buf *b, const struct check_result *r)
{
	AUTO_BUF next = { 0 }, unknown = { 0 };

	json_open(b, NULL);
	json_text(b, "name", r->row->name);
	if (r->known) {
		json_key(b, "value");
		json_thousandths(b, r->value);
	} else {
		json_unknown(b, "value");
	}
	json_text(b, "unit", r->row->unit == CHECK_A_MINUTE ? "/min" : unit_name(r->row->unit));
	json_range(b, "warn", &r->warn);
	json_range(b, "crit", &r->crit);
	json_text(b, "status", check_status_name(r->status));
	json_unsigned_or_null(b, "used", r->used, r->has_limit);
	json_unsigned_or_null(b, "limit", r->limit, r->has_limit);
	json_worst(b, r);
	json_text(b, "rule", r->rule);
	if (!r->unknown)
		buf_printf(&next, "%s, ", _(r->row->next));
	put_command(&next, r, false);
	json_text(b, "next", r->status == CHECK_OK ? NULL : buf_text(&next));
	if (r->unknown)
		says_fill(&unknown, _(r->unknown), &r->worst, false);
	json_text(b, "unknown", r->unknown ? buf_text(&unknown) : NULL);
	json_close(b);
}

void check_put_json(struct buf *b, const struct check_results *results, const struct look *look)
{
	AUTO_BUF summary = { 0 };

	put_summary(&summary, results, look, false);
	json_begin(b, results->status, buf_text(&summary));
	json_list(b, "checks");
	for (size_t i = 0; i < results->n; i++)
		json_check(b, &results->at[i]);
	json_list_end(b);
	json_list(b, "gaps");
	for (size_t i = 0; i < look->gaps.n; i++)
		json_put_gap(b, NULL, &look->gaps.at[i]);
	json_list_end(b);
	json_bool(b, "complete", results->is_whole);
	json_close(b);
	buf_putc(b, '\n');
}

void check_put_json_failure(struct buf *b, const char *object, const char *what)
{
	AUTO_BUF summary = { 0 };

	buf_printf(&summary, "%s: %s", object, what);
	json_begin(b, CHECK_UNKNOWN, buf_text(&summary));
	json_list(b, "checks");
	json_list_end(b);
	json_list(b, "gaps");
	json_list_end(b);
	json_bool(b, "complete", false);
	json_close(b);
	buf_putc(b, '\n');
}

#include "report/escape.h"
#include "report/says.h"
#include "report/state.h"
#include "report/table.h"
#include "report/text_ladder.h"
#include "report/text_pcap.h"
#include "report/wrap.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What people read: the worst first; each finding leads with the sentence and with what to do. */

enum { INDENT = 4, LABEL_INDENT = 11, FIXES_SHOWN = 3 };

static const char *sgr(const struct report *r, const char *code)
{
	return r->options.colour ? code : "";
}

static const char *severity_colour(enum severity s)
{
	static const char *const codes[] = {
		[SEVERITY_NOTE] = "\033[36m",
		[SEVERITY_WARNING] = "\033[1;33m",
		[SEVERITY_PROBLEM] = "\033[1;31m",
	};

	return codes[s];
}

static void flush_prose(struct report *r, const char *first, size_t indent)
{
	wrap_write(&r->out, first, indent, buf_text(&r->line), prose_width(r));
	buf_clear(&r->line);
}

/* "    Do:    text", wrapped under itself. */
static void put_labelled(struct report *r, const char *label)
{
	char first[64];

	snprintf(first, sizeof(first), "%*s%s", INDENT, "", label);
	flush_prose(r, first, LABEL_INDENT);
}

static void put_states(struct report *r)
{
	static const enum state order[] = { STATE_CLOSE_WAIT, STATE_FIN_WAIT_1, STATE_FIN_WAIT_2,
					    STATE_CLOSING,    STATE_LAST_ACK,   STATE_TIME_WAIT };
	const struct look *look = r->options.look;
	uint64_t all = 0;
	const char *comma = ": ";

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		all += look->states[order[i]];
	buf_printf(&r->line, all == 1 ? _("%" PRIu64 " socket in a teardown state") :
					_("%" PRIu64 " sockets in teardown states"), all);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		uint64_t n = look->states[order[i]];

		if (n == 0)
			continue;
		buf_printf(&r->line, "%s%" PRIu64 " %s", comma, n, state_name(order[i]));
		comma = ", ";
	}
	buf_puts(&r->line, ".");
}

/* A name that stays one word: the line is broken at blanks, and what a name says must not stand where
 * our lines begin. */
static void put_word(struct report *r, const char *name)
{
	AUTO_BUF shown = { 0 };

	escape_terminal(&shown, name ? name : "?", r->options.ascii);
	for (const char *at = buf_text(&shown); *at; at++)
		if (*at == ' ')
			buf_puts(&r->line, "\\x20");
		else
			buf_putc(&r->line, *at);
}

static void why_begin(struct report *r)
{
	const struct look *look = r->options.look;

	put_word(r, look->host.name);
	buf_puts(&r->line, ", Linux ");
	put_word(r, look->host.kernel);
	if (strcmp(look->source, "live") != 0) {
		buf_puts(&r->line, _(", from "));
		put_word(r, look->source);
	}
	buf_puts(&r->line, ": ");
	put_states(r);
	flush_prose(r, "", 0);
	out_putc(&r->out, '\n');
}

static void text_begin(struct report *r)
{
	if (r->options.kind == REPORT_WHY)
		why_begin(r);
	else if (r->options.kind == REPORT_LIST)
		table_begin(r);
	else
		text_pcap_begin(r);
}

static void put_subject(struct buf *b, const struct report *r, const struct finding *f)
{
	const struct subject *s = &f->subject;
	const struct proc *p = s->proc;
	char text[ENDPOINT_TEXT_MAX];

	if (p)
		put_process(b, p, r->options.ascii);
	if (p && p->unit) {
		buf_puts(b, " ");
		escape_terminal(b, p->unit, r->options.ascii);
	}
	if (p && p->pod)
		buf_printf(b, _(" pod %s"), p->pod);
	if (p && p->container) {
		/* An id is long and known by its first twelve digits, a name is not. */
		size_t len = strlen(p->container);
		AUTO_BUF name = { 0 };

		buf_puts(b, _(" container "));
		buf_add(&name, p->container, len == 64 ? 12 : len);
		escape_terminal(b, buf_text(&name), r->options.ascii);
	}
	if (s->kind == SUBJECT_LISTENER && s->has_local)
		buf_printf(b, _("%slistener %s"), b->n ? " " : "", endpoint_format(s->local, text));
	if (s->has_peer && (s->kind == SUBJECT_DESTINATION || s->kind == SUBJECT_PROCESS)) {
		buf_printf(b, _("%sto "), b->n ? " " : "");
		says_endpoint(b, s->peer);
	}
	if (s->is_rest)
		buf_printf(b, _("%sto many others"), b->n ? " " : "");
	if (s->netns && s->netns->name) {
		buf_puts(b, _(" netns "));
		escape_terminal(b, s->netns->name, r->options.ascii);
	}
}

/* "PROBLEM  close-wait-leaked-fd (likely)  nginx[812]" */
static void put_heading(struct report *r, const struct finding *f)
{
	static const char *const words[] = {
		[SEVERITY_NOTE] = "NOTE",
		[SEVERITY_WARNING] = "WARNING",
		[SEVERITY_PROBLEM] = "PROBLEM",
	};
	AUTO_BUF subject = { 0 };

	put_subject(&subject, r, f);
	out_printf(&r->out, "%s%s%s  %s (%s)", sgr(r, severity_colour(f->severity)),
		   words[f->severity], sgr(r, "\033[0m"), f->text->id,
		   certainty_name(f->certainty));
	size_t used = strlen(words[f->severity]) + strlen(f->text->id) +
		      strlen(certainty_name(f->certainty)) + 5;
	if (subject.n > 0 && used + 2 + text_columns(subject.at, subject.n) > prose_width(r))
		out_puts(&r->out, "\n   ");
	if (subject.n > 0) {
		out_puts(&r->out, "  ");
		out_add(&r->out, subject.at, subject.n);
	}
	out_putc(&r->out, '\n');
}

static void put_fix(struct report *r, const struct finding *f, const struct fix *fix,
		    const char *label)
{
	const struct fact *current =
		fix->current ? finding_find_fact(f, fix->current, strlen(fix->current)) : NULL;

	says_fill(&r->line, _(fix->text), f, r->options.ascii);
	if (current && fix->proposed) {
		buf_puts(&r->line, _(" Now "));
		says_fact(&r->line, current, r->options.ascii);
		buf_puts(&r->line, _(", proposed "));
		says_fill(&r->line, fix->proposed, f, r->options.ascii);
		buf_puts(&r->line, ".");
	}
	if (fix->risk) {
		buf_puts(&r->line, _(" Risk: "));
		says_fill(&r->line, _(fix->risk), f, r->options.ascii);
		buf_puts(&r->line, ".");
	}
	put_labelled(r, label);
	if (!fix->command)
		return;
	/* A command is one line, to be copied. */
	says_fill(&r->line, fix->command, f, r->options.ascii);
	out_printf(&r->out, "%*s$ ", LABEL_INDENT, "");
	out_add(&r->out, buf_text(&r->line), r->line.n);
	out_putc(&r->out, '\n');
	buf_clear(&r->line);
}

static void put_fixes(struct report *r, const struct finding *f)
{
	size_t shown = r->options.verbose ? SIZE_MAX : FIXES_SHOWN;
	const struct fix *fix;

	for (size_t i = 0; i < shown && (fix = finding_fix(f, i)); i++)
		put_fix(r, f, fix, i == 0 ? _("Do:") : "");
}

static void put_evidence(struct report *r, const struct finding *f)
{
	for (size_t i = 0; i < f->n_facts; i++) {
		const struct fact *fact = &f->facts[i];

		if (r->line.n > 0)
			buf_puts(&r->line, ", ");
		for (const char *c = fact->name; *c; c++)
			buf_putc(&r->line, *c == '_' ? ' ' : *c);
		buf_putc(&r->line, ' ');
		says_fact(&r->line, fact, r->options.ascii);
	}
	if (r->line.n > 0)
		put_labelled(r, _("Seen:"));
}

static void put_example(struct report *r, const struct conn *c)
{
	char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];
	const char *arrow = r->options.ascii ? "->" : "\u2192";

	if (!c->sock) {
		text_pcap_example(r, c);
		return;
	}
	const struct sock *s = c->sock;
	buf_printf(&r->line, "%s %s %s %s", endpoint_format(s->pair.local, from), arrow,
		   endpoint_format(s->pair.peer, to), state_name((enum state)s->state));
	if (s->full)
		buf_printf(&r->line, " Recv-Q %u Send-Q %u", s->full->rqueue, s->full->wqueue);
	if (c->age.known) {
		buf_puts(&r->line, c->age.is_exact ? _(" for ") : _(" for at least "));
		says_duration(&r->line, c->age.ms);
	}
	if (c->owner == OWNER_KNOWN)
		buf_printf(&r->line, " fd %d", c->holders[0].fd);
	if (c->other_proc) {
		buf_puts(&r->line, _("; other end: "));
		put_process(&r->line, c->other_proc, r->options.ascii);
		buf_printf(&r->line, " fd %d %s", c->other_fd,
			   state_name((enum state)c->other_end->state));
	}
}

static void put_examples(struct report *r, const struct finding *f)
{
	for (size_t i = 0; i < f->n_examples; i++) {
		put_example(r, &f->examples[i]);
		put_labelled(r, i == 0 ? _("E.g.") : "");
	}
}

static void put_avoid(struct report *r, const struct finding *f)
{
	size_t shown = r->options.verbose ? MAX_AVOID : 2;

	for (size_t i = 0; i < shown && f->text->avoid[i]; i++) {
		says_fill(&r->line, _(f->text->avoid[i]), f, r->options.ascii);
		put_labelled(r, i == 0 ? _("Avoid:") : "");
	}
}

static void text_finding(struct report *r, const struct finding *f)
{
	char indent[INDENT + 1];

	snprintf(indent, sizeof(indent), "%*s", INDENT, "");
	put_heading(r, f);
	says_fill(&r->line, _(f->says ? f->says : f->text->says), f, r->options.ascii);
	flush_prose(r, indent, INDENT);
	put_fixes(r, f);
	says_fill(&r->line, _(f->text->why), f, r->options.ascii);
	put_labelled(r, _("Why:"));
	put_evidence(r, f);
	put_examples(r, f);
	put_avoid(r, f);
	out_putc(&r->out, '\n');
}

static void text_conn(struct report *r, const struct conn *c)
{
	if (r->options.kind == REPORT_LIST)
		table_row(r, c);
	else
		text_pcap_row(r, c);
}

/* Kept until the end: what could not be seen stands after what was. */
static void text_gap(struct report *r, const struct gap *g)
{
	if (r->options.kind == REPORT_LIST)
		return; /* the table is alone on stdout; cli says it on stderr */
	if (r->n_gaps == 0)
		out_puts(&r->out, _("Could not see:\n"));
	escape_terminal(&r->line, g->object ? g->object : "?", r->options.ascii);
	if (g->count > 1)
		buf_printf(&r->line, _(" and %zu more"), g->count - 1);
	buf_puts(&r->line, ": ");
	escape_terminal(&r->line, g->reason, r->options.ascii);
	buf_puts(&r->line, "; ");
	escape_terminal(&r->line, g->effect, false);
	buf_puts(&r->line, ".");
	flush_prose(r, "  ", 4);
}

static void put_totals(struct report *r)
{
	const uint64_t *n = r->n_findings;

	buf_printf(&r->line, n[SEVERITY_PROBLEM] == 1 ? _("%" PRIu64 " problem, ") :
							_("%" PRIu64 " problems, "),
		   n[SEVERITY_PROBLEM]);
	buf_printf(&r->line, n[SEVERITY_WARNING] == 1 ? _("%" PRIu64 " warning, ") :
							_("%" PRIu64 " warnings, "),
		   n[SEVERITY_WARNING]);
	buf_printf(&r->line, n[SEVERITY_NOTE] == 1 ? _("%" PRIu64 " note.") : _("%" PRIu64 " notes."),
		   n[SEVERITY_NOTE]);
}

static void why_end(struct report *r)
{
	if (r->n_gaps > 0)
		out_putc(&r->out, '\n');
	if (r->n_findings[0] + r->n_findings[1] + r->n_findings[2] > 0)
		put_totals(r);
	else if (r->n_gaps > 0)
		buf_puts(&r->line, _("Nothing was found in what could be seen; see above for what "
				     "could not."));
	else
		buf_puts(&r->line, _("No connection is being closed here, and everything could be "
				     "seen: all is well. `tcpwhy list -a` shows all sockets, `tcpwhy "
				     "pcap FILE` a capture, `tcpwhy lab demo` what trouble looks "
				     "like."));
	flush_prose(r, "", 0);
}

static void text_end(struct report *r, bool is_complete)
{
	if (r->options.kind == REPORT_WHY)
		why_end(r);
	else if (r->options.kind == REPORT_PCAP)
		text_pcap_end(r);
	if (!is_complete && r->options.kind != REPORT_LIST) {
		buf_puts(&r->line, _("This report is incomplete: see \"Could not see\"."));
		flush_prose(r, "", 0);
	}
}

const struct format format_text = {
	.name = "text",
	.findings_first = true,
	.begin = text_begin,
	.conn = text_conn,
	.ladder = text_ladder,
	.finding = text_finding,
	.gap = text_gap,
	.end = text_end,
};

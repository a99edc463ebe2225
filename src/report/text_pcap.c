#include "report/text_pcap.h"
#include "report/escape.h"
#include "report/says.h"
#include "report/wrap.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <string.h>

static void flush_prose(struct report *r, const char *first, size_t indent)
{
	wrap_write(&r->out, first, indent, buf_text(&r->line), prose_width(r));
	buf_clear(&r->line);
}

static void put_capture(struct report *r, const struct capture_info *c)
{
	struct buf *b = &r->line;

	escape_terminal(b, c->name, r->options.ascii);
	buf_printf(b, _(": %" PRIu64 " packets, %" PRIu64 " of them TCP"), c->packets, c->tcp_packets);
	if (c->first_ns != TIME_NONE && c->last_ns >= c->first_ns) {
		buf_puts(b, _(", over "));
		says_duration(b, (uint64_t)(c->last_ns - c->first_ns) / 1000000);
		buf_puts(b, _(" from "));
		says_instant(b, c->first_ns);
	}
	if (c->is_untimed)
		buf_puts(b, _("; they have no time stamps, so nothing is known of when and how long"));
	if (c->content == CONTENT_FIN_RST_ONLY)
		buf_puts(b, _("; it holds SYN, FIN and RST only, so less is certain"));
	else if (c->content == CONTENT_PARTIAL)
		buf_puts(b, _("; packets are missing in it, so less is certain"));
	if (c->is_cut)
		buf_puts(b, _("; cut in the middle of a packet"));
	buf_puts(b, ".");
	for (size_t i = 0; i < c->n_skips; i++) {
		buf_puts(b, i ? ", " : _(" Not used: "));
		buf_printf(b, "%" PRIu64 " %s", c->skips[i].n, c->skips[i].reason);
	}
	if (c->n_skips > 0)
		buf_puts(b, ".");
	flush_prose(r, "", 2);
}

/* The most frequent cause not said yet; NULL: all are said. */
static uint64_t next_cause(const struct pcap_summary *s, bool said[MAX_CAUSES], const char **ret)
{
	size_t best = MAX_CAUSES;

	for (size_t i = 0; i < MAX_CAUSES; i++)
		if (!said[i] && s->causes[i].n > 0 &&
		    (best == MAX_CAUSES || s->causes[i].n > s->causes[best].n))
			best = i;
	if (best == MAX_CAUSES)
		return 0;
	said[best] = true;
	*ret = s->causes[best].rule;
	return s->causes[best].n;
}

static void put_causes(struct report *r)
{
	bool said[MAX_CAUSES] = { false };
	const char *rule, *comma = _("Resets: ");
	uint64_t n;

	while ((n = next_cause(r->options.summary, said, &rule)) > 0) {
		buf_printf(&r->line, "%s%" PRIu64 " %s", comma, n, rule ? rule : _("undecided"));
		comma = ", ";
	}
	if (r->line.n == 0)
		return;
	buf_puts(&r->line, ".");
	flush_prose(r, "", 2);
}

static void put_slowest(struct report *r)
{
	char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];
	const char *comma = _("Longest half-close: ");

	for (size_t i = 0; i < MAX_SLOWEST && r->options.summary->slowest[i]; i++) {
		const struct flow *f = r->options.summary->slowest[i];

		buf_puts(&r->line, comma);
		says_duration(&r->line, (uint64_t)f->half_close_ns / 1000000);
		buf_printf(&r->line, " (%s %s %s)", endpoint_format(f->end[SIDE_CLIENT].at, from),
			   r->options.ascii ? "->" : "\u2192",
			   endpoint_format(f->end[SIDE_SERVER].at, to));
		comma = ", ";
	}
	if (r->line.n == 0)
		return;
	buf_puts(&r->line, ".");
	flush_prose(r, "", 2);
}

static void put_histogram(struct report *r, const struct idle_sum *idle)
{
	const char *comma = _("Silent before the end: ");

	for (size_t i = 0; i < N_IDLE; i++) {
		if (idle->n[i] == 0)
			continue;
		buf_printf(&r->line, "%s%" PRIu64 " ", comma, idle->n[i]);
		buf_puts(&r->line, i < N_IDLE - 1 ? _("below ") : _("for longer than "));
		says_duration(&r->line, UINT64_C(1000) * idle_bounds_s[i < N_IDLE - 1 ? i : i - 1]);
		comma = ", ";
	}
	buf_puts(&r->line, ".");
	flush_prose(r, "", 2);
}

/* What stands out, and what the kernel's own keepalive would have done about it. */
static void put_peak(struct report *r, const struct idle_peak *peak)
{
	enum { KEEPALIVE_S = 7200 };

	buf_printf(&r->line, _("%" PRIu64 " of them after %u s"), peak->n, peak->seconds);
	if (peak->whose)
		buf_printf(&r->line, _(": possibly %s"), _(peak->whose));
	else
		buf_puts(&r->line, _(": a timer, of whom is not known"));
	if (peak->seconds < KEEPALIVE_S)
		buf_puts(&r->line, _(". Keepalive's default, 2 h, comes too late for it"));
	buf_puts(&r->line, ".");
	flush_prose(r, "", 4);
}

/* Worth a word once somebody was silent for a while. */
static void put_idle(struct report *r)
{
	const struct idle_sum *idle = r->options.summary->idle;

	if (!idle || idle->n_all == idle->n[0] + idle->n[1])
		return;
	put_histogram(r, idle);
	for (size_t i = 0; i < idle->n_peaks; i++)
		put_peak(r, &idle->peaks[i]);
}

static void put_summary(struct report *r)
{
	const struct pcap_summary *s = r->options.summary;
	const char *comma = ": ";

	buf_printf(&r->line, s->n == 1 ? _("%" PRIu64 " connection") : _("%" PRIu64 " connections"),
		   s->n);
	for (int p = 0; p < N_PATTERNS; p++) {
		if (s->by_pattern[p] == 0)
			continue;
		buf_printf(&r->line, "%s%" PRIu64 " %s", comma, s->by_pattern[p],
			   pattern_name((enum pattern)p));
		comma = ", ";
	}
	buf_puts(&r->line, ".");
	if (s->closed_first[CLOSED_CLIENT] + s->closed_first[CLOSED_SERVER] > 0)
		buf_printf(&r->line, _(" Closed first: the client %" PRIu64 " times, the server %" PRIu64
				       "."),
			   s->closed_first[CLOSED_CLIENT], s->closed_first[CLOSED_SERVER]);
	flush_prose(r, "", 2);
	put_causes(r);
	put_slowest(r);
	put_idle(r);
	out_putc(&r->out, '\n');
}

static void put_sided_sum(struct report *r, const struct sided_sum *s)
{
	struct buf *b = &r->line;

	buf_printf(b, s->n_both == 1 ? _("%" PRIu64 " connection is in both captures") :
				       _("%" PRIu64 " connections are in both captures"), s->n_both);
	for (size_t i = 0; i < 2; i++) {
		if (s->n_only[i] == 0)
			continue;
		buf_printf(b, _(", %" PRIu64 " only in "), s->n_only[i]);
		escape_terminal(b, r->options.captures[i]->name, r->options.ascii);
	}
	buf_puts(b, ".");
	if (s->has_offset) {
		buf_puts(b, _(" The clock of "));
		escape_terminal(b, r->options.captures[1]->name, r->options.ascii);
		buf_printf(b, s->offset_ns < 0 ? _(" is behind by %" PRId64 " us, give or take %" PRId64 ".") :
						 _(" is ahead by %" PRId64 " us, give or take %" PRId64 "."),
			   (s->offset_ns < 0 ? -s->offset_ns : s->offset_ns) / 1000, s->within_ns / 1000);
	}
	flush_prose(r, "", 2);
	out_putc(&r->out, '\n');
}

/* What one end sent and the other never saw, and what nobody sent. */
static void put_missing(struct report *r, const struct sided_segment *s)
{
	const char *from = side_name(s->from), *to = side_name(side_other(s->from));
	struct buf *b = &r->line;

	buf_printf(b, _("%s from the %s at "), s->is_rst ? "RST" : "FIN", from);
	says_instant(b, s->at_ns);
	buf_puts(b, _(" is only in "));
	escape_terminal(b, r->options.captures[s->seen_in]->name, r->options.ascii);
	if (s->was_sent)
		buf_printf(b, _(": it never reached the %s"), to);
	else
		buf_printf(b, _(": it was not sent by the %s"), from);
	buf_printf(b, " (%s).", certainty_name(s->is_certain ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY));
	flush_prose(r, "    ", 6);
}

void text_pcap_begin(struct report *r)
{
	for (size_t i = 0; i < r->options.n_captures; i++)
		put_capture(r, r->options.captures[i]);
	if (r->options.summary)
		put_summary(r);
	if (r->options.sided)
		put_sided_sum(r, r->options.sided);
}

static void put_span(struct buf *b, int64_t ns)
{
	if (ns == TIME_NONE)
		buf_putc(b, '-');
	else
		says_duration(b, ns > 0 ? (uint64_t)ns / 1000000 : 0);
}

static void put_column(struct report *r, size_t width)
{
	size_t used = text_columns(buf_text(&r->line), r->line.n);

	out_add(&r->out, buf_text(&r->line), r->line.n);
	for (; used < width; used++)
		out_putc(&r->out, ' ');
	out_putc(&r->out, ' ');
	buf_clear(&r->line);
}

static void put_heading(struct report *r)
{
	out_printf(&r->out, "%-44s %-15s %-6s %-9s %-9s %s\n", "Client -> Server", "Pattern", "First",
		   "Half", "Idle", "RST, states at the end");
}

static const char *state_or_question(enum state s)
{
	return s == STATE_UNKNOWN ? "?" : state_name(s);
}

static void put_end(struct report *r, const struct conn *c)
{
	const struct flow *f = c->flow;

	for (size_t i = 0; i < f->n_rsts && i < MAX_FLOW_RSTS; i++) {
		const struct flow_rst *rst = &f->rsts[i];

		out_puts(&r->out, "RST by ");
		out_puts(&r->out, side_name(rst->from));
		if (c->rst_causes[i].rule) {
			out_putc(&r->out, ' ');
			out_puts(&r->out, c->rst_causes[i].rule);
		}
		out_puts(&r->out, "; ");
	}
	out_puts(&r->out, state_or_question(f->end[SIDE_CLIENT].state));
	out_putc(&r->out, '/');
	out_puts(&r->out, state_or_question(f->end[SIDE_SERVER].state));
	out_putc(&r->out, '\n');
}

static void put_fin_line(struct report *r, const struct flow *f, enum side side)
{
	const struct flow_fin *fin = &f->end[side].fin;
	struct buf *b = &r->line;

	if (!fin->seen)
		return;
	buf_printf(b, _("FIN from the %s"), side_name(side));
	if (fin->is_inferred) {
		buf_puts(b, _(", not captured, but acknowledged"));
	} else {
		buf_puts(b, _(" at "));
		says_instant(b, fin->at_ns);
		if (fin->retransmissions)
			buf_printf(b, _(", repeated %u times"), fin->retransmissions);
		if (fin->acked_ns == TIME_NONE) {
			buf_puts(b, _(", no ACK seen"));
		} else if (f->is_untimed) {
			buf_puts(b, _(", acknowledged"));
		} else {
			buf_puts(b, _(", acknowledged after "));
			put_span(b, fin->acked_ns - fin->at_ns);
		}
	}
	flush_prose(r, "    ", 6);
}

static void put_details(struct report *r, const struct conn *c)
{
	const struct flow *f = c->flow;

	put_fin_line(r, f, SIDE_CLIENT);
	put_fin_line(r, f, SIDE_SERVER);
	for (size_t i = 0; i < f->n_rsts && i < MAX_FLOW_RSTS; i++) {
		const struct flow_rst *rst = &f->rsts[i];

		buf_printf(&r->line, _("RST from the %s at "), side_name(rst->from));
		says_instant(&r->line, rst->at_ns);
		if (c->rst_causes[i].rule)
			buf_printf(&r->line, ": %s (%s)", c->rst_causes[i].rule,
				   certainty_name(c->rst_causes[i].certainty));
		flush_prose(r, "    ", 6);
	}
	buf_printf(&r->line, _("client sent %" PRIu64 " packets, %" PRIu64 " bytes; server %" PRIu64
			       " packets, %" PRIu64 " bytes"),
		   f->end[0].packets, f->end[0].bytes, f->end[1].packets, f->end[1].bytes);
	for (enum side s = SIDE_CLIENT; s <= SIDE_SERVER; s++)
		if (f->end[s].saw != SAW_UNKNOWN)
			buf_printf(&r->line, _("; the %s's program saw %s"), side_name(s),
				   saw_name(f->end[s].saw));
	flush_prose(r, "    ", 6);
}

void text_pcap_row(struct report *r, const struct conn *c)
{
	const struct flow *f = c->flow;
	const char *first = closed_first_name(f->closed_first);
	char text[ENDPOINT_TEXT_MAX];

	if (r->n_conns == 0 && !r->options.no_header)
		put_heading(r);
	buf_puts(&r->line, endpoint_format(f->end[SIDE_CLIENT].at, text));
	buf_puts(&r->line, f->opened_seen ? " -> " : " ~> ");
	buf_puts(&r->line, endpoint_format(f->end[SIDE_SERVER].at, text));
	put_column(r, 44);
	buf_puts(&r->line, pattern_name(f->pattern));
	put_column(r, 15);
	buf_puts(&r->line, first ? first : "-");
	put_column(r, 6);
	put_span(&r->line, f->half_close_ns);
	put_column(r, 9);
	put_span(&r->line, f->idle_before_end_ns);
	put_column(r, 9);
	put_end(r, c);
	for (size_t i = 0; c->sided && i < c->sided->n_missing; i++)
		put_missing(r, &c->sided->missing[i]);
	if (r->options.verbose)
		put_details(r, c);
}

void text_pcap_example(struct report *r, const struct conn *c)
{
	const struct flow *f = c->flow;
	char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];

	buf_printf(&r->line, "%s %s %s, %s, ", endpoint_format(f->end[SIDE_CLIENT].at, from),
		   r->options.ascii ? "->" : "\u2192", endpoint_format(f->end[SIDE_SERVER].at, to),
		   pattern_name(f->pattern));
	says_instant(&r->line, f->first_ns);
}

void text_pcap_end(struct report *r)
{
	if (r->options.summary && r->options.summary->n == 0 && r->n_gaps == 0)
		out_puts(&r->out, _("No TCP connection matches.\n"));
}

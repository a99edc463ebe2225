#include "report/escape.h"
#include "report/json_value.h"
#include "report/state.h"

#include <string.h>

/* The documents of tcpwhy-json(5). One object a line in JSON lines: the same objects, without the
 * document around them. */

static const char *const schemas[] = {
	[REPORT_WHY] = "tcpwhy.why/1",
	[REPORT_LIST] = "tcpwhy.list/1",
	[REPORT_PCAP] = "tcpwhy.pcap/1",
};

/* The lists of a document in their order; each is opened when its first element or a later list
 * comes, so that an empty one is [] and none is missing. */
enum section { SECTION_NONE, SECTION_CONNS, SECTION_FINDINGS, SECTION_GAPS };

static bool has_section(const struct report *r, enum section s)
{
	if (s == SECTION_CONNS)
		return r->options.kind != REPORT_WHY;
	if (s == SECTION_FINDINGS)
		return r->options.kind != REPORT_LIST;
	return s == SECTION_GAPS;
}

static const char *section_name(const struct report *r, enum section s)
{
	if (s == SECTION_CONNS)
		return r->options.kind == REPORT_PCAP ? "connections" : "sockets";
	return s == SECTION_FINDINGS ? "findings" : "gaps";
}

/* Leaves the present list and opens the ones up to `wanted`. */
static void go_to(struct report *r, enum section wanted)
{
	while (r->section < (int)wanted) {
		if (r->section != SECTION_NONE && has_section(r, (enum section)r->section))
			out_puts(&r->out, "]");
		r->section++;
		if (!has_section(r, (enum section)r->section))
			continue;
		out_printf(&r->out, ",\n\"%s\":[", section_name(r, (enum section)r->section));
	}
}

static void put_host(struct report *r)
{
	const struct look *look = r->options.look;
	struct buf *b = &r->line;

	json_open(b, "host");
	json_text(b, "name", look->host.name);
	json_text(b, "kernel", look->host.kernel);
	json_text(b, "boot_id", look->host.boot_id);
	json_instant(b, "time", look->host.time_ns);
	json_close(b);
}

static void put_sources(struct report *r)
{
	const struct look *look = r->options.look;
	struct buf *b = &r->line;

	json_open(b, "sources");
	json_text(b, "sockets", look->source);
	json_list(b, "captures");
	for (size_t i = 0; i < r->options.n_captures; i++)
		json_text(b, NULL, r->options.captures[i]->name);
	json_list_end(b);
	json_list(b, "netns");
	for (size_t i = 0; i < look->n_netns; i++) {
		json_open(b, NULL);
		json_unsigned_or_null(b, "inode", look->netns[i].inode, look->netns[i].inode != 0);
		json_text(b, "name", look->netns[i].name);
		json_unsigned(b, "sockets", look->netns[i].n_sockets);
		json_close(b);
	}
	json_list_end(b);
	json_close(b);
}

static void put_states(struct report *r)
{
	const struct look *look = r->options.look;

	json_open(&r->line, "states");
	for (enum state s = STATE_ESTABLISHED; s <= STATE_CLOSING; s++) {
		uint64_t n = look->states[s];

		if (s == STATE_SYN_RECV)
			n += look->states[STATE_NEW_SYN_RECV];
		json_unsigned(&r->line, state_name(s), n);
	}
	json_close(&r->line);
}

static void put_capture(struct buf *b, const struct capture_info *c)
{
	json_open(b, NULL);
	json_text(b, "file", c->name);
	json_unsigned(b, "packets", c->packets);
	json_unsigned(b, "tcp_packets", c->tcp_packets);
	json_unsigned(b, "bytes", c->bytes);
	json_instant(b, "first_ts", c->first_ns);
	json_instant(b, "last_ts", c->last_ns);
	json_list(b, "link_types");
	for (size_t i = 0; i < c->n_link_types; i++)
		json_text(b, NULL, c->link_types[i]);
	json_list_end(b);
	json_text(b, "content", content_name(c->content));
	json_bool(b, "cut", c->is_cut);
	json_open(b, "skipped");
	for (size_t i = 0; i < c->n_skips; i++)
		json_unsigned(b, c->skips[i].reason, c->skips[i].n);
	json_close(b);
	json_text(b, "error", c->error);
	json_unsigned(b, "dropped", c->dropped_by_kernel);
	json_unsigned(b, "connections_left_out", c->flows_left + c->flows_left_open);
	json_unsigned(b, "segments_left_out", c->segments_refused);
	json_close(b);
}

static void put_idle(struct buf *b, const struct idle_sum *idle)
{
	json_open(b, "idle");
	json_list(b, "buckets");
	for (size_t i = 0; i < N_IDLE; i++) {
		json_open(b, NULL);
		json_unsigned_or_null(b, "below_ms", i < N_IDLE - 1 ? UINT64_C(1000) * idle_bounds_s[i] : 0,
				      i < N_IDLE - 1);
		json_unsigned(b, "connections", idle->n[i]);
		json_close(b);
	}
	json_list_end(b);
	json_list(b, "peaks");
	for (size_t i = 0; i < idle->n_peaks; i++) {
		json_open(b, NULL);
		json_unsigned(b, "idle_ms", UINT64_C(1000) * idle->peaks[i].seconds);
		json_unsigned(b, "connections", idle->peaks[i].n);
		json_text(b, "matches", idle->peaks[i].whose);
		json_close(b);
	}
	json_list_end(b);
	json_close(b);
}

static void put_sided(struct buf *b, const struct sided_sum *s)
{
	json_open(b, "two_sided");
	json_unsigned(b, "both", s->n_both);
	json_list(b, "only");
	json_unsigned(b, NULL, s->n_only[0]);
	json_unsigned(b, NULL, s->n_only[1]);
	json_list_end(b);
	if (s->has_offset) {
		json_signed(b, "clock_offset_us", s->offset_ns / 1000);
		json_signed(b, "clock_within_us", s->within_ns / 1000);
	} else {
		json_unknown(b, "clock_offset_us");
		json_unknown(b, "clock_within_us");
	}
	json_close(b);
}

static void flush_line(struct report *r)
{
	out_add(&r->out, buf_text(&r->line), r->line.n);
	buf_clear(&r->line);
}

static void json_begin(struct report *r)
{
	struct buf *b = &r->line;

	out_printf(&r->out, "{\"schema\":\"%s\"", schemas[r->options.kind]);
	if (r->options.kind == REPORT_WHY) {
		out_puts(&r->out, ",\n");
		put_host(r);
		buf_puts(b, ",\n");
		put_sources(r);
		buf_puts(b, ",\n");
		put_states(r);
	} else if (r->options.kind == REPORT_PCAP) {
		out_puts(&r->out, ",\n");
		json_list(b, "captures");
		for (size_t i = 0; i < r->options.n_captures; i++)
			put_capture(b, r->options.captures[i]);
		json_list_end(b);
		if (r->options.summary && r->options.summary->idle) {
			buf_puts(b, ",\n");
			put_idle(b, r->options.summary->idle);
		}
		if (r->options.sided) {
			buf_puts(b, ",\n");
			put_sided(b, r->options.sided);
		}
	}
	flush_line(r);
}

/* An element of the list that is open. */
static void put_element(struct report *r, uint64_t n_before)
{
	out_puts(&r->out, n_before > 0 ? ",\n" : "\n");
	flush_line(r);
}

static void json_conn(struct report *r, const struct conn *c)
{
	go_to(r, SECTION_CONNS);
	json_put_conn(&r->line, c, NULL, r->options.kind == REPORT_PCAP);
	put_element(r, r->n_conns);
}

static uint64_t findings_so_far(const struct report *r)
{
	return r->n_findings[0] + r->n_findings[1] + r->n_findings[2];
}

static void json_finding(struct report *r, const struct finding *f)
{
	go_to(r, SECTION_FINDINGS);
	json_put_finding(&r->line, f);
	put_element(r, findings_so_far(r));
}

static void json_gap(struct report *r, const struct gap *g)
{
	go_to(r, SECTION_GAPS);
	json_put_gap(&r->line, NULL, g);
	put_element(r, r->n_gaps);
}

static void json_end(struct report *r, bool is_complete)
{
	go_to(r, SECTION_GAPS);
	out_printf(&r->out, "],\n\"complete\":%s}\n", is_complete ? "true" : "false");
}

const struct format format_json = {
	.name = "json",
	.begin = json_begin,
	.conn = json_conn,
	.finding = json_finding,
	.gap = json_gap,
	.end = json_end,
};

static void lines_begin(struct report *r)
{
	(void)r;
}

static void lines_conn(struct report *r, const struct conn *c)
{
	json_put_conn(&r->line, c, NULL, r->options.kind == REPORT_PCAP);
	buf_putc(&r->line, '\n');
	flush_line(r);
}

static void lines_finding(struct report *r, const struct finding *f)
{
	/* One connection a line: findings are in the document only. */
	(void)r;
	(void)f;
}

/* Kept for the last line. */
static void lines_gap(struct report *r, const struct gap *g)
{
	if (r->n_gaps > 0)
		buf_putc(&r->line, ',');
	json_put_gap(&r->line, NULL, g);
}

static void lines_end(struct report *r, bool is_complete)
{
	out_printf(&r->out, "{\"complete\":%s,\"schema\":\"%s\",\"gaps\":[", is_complete ? "true" : "false",
		   schemas[r->options.kind]);
	flush_line(r);
	out_puts(&r->out, "]}\n");
}

const struct format format_json_lines = {
	.name = "json-lines",
	.begin = lines_begin,
	.conn = lines_conn,
	.finding = lines_finding,
	.gap = lines_gap,
	.end = lines_end,
};

#include "cli/captures.h"
#include "cli/run.h"
#include "join/join.h"
#include "rules/judge.h"
#include "util/i18n.h"

#include <stdio.h>
#include <unistd.h>

/* How it works: everything is read into the flow table; a first walk judges and counts, a second
 * one prints, so that a summary can stand before a table of any length. */

struct pcap {
	const struct filter *filter;
	struct judge *judge;
	struct pcap_summary summary;
	struct report *report;
};

static bool is_selected(const struct pcap *p, struct conn *c)
{
	if (!(filter_needs(p->filter) & FILTER_NEEDS_RULES))
		return filter_match(p->filter, c, c->rules);
	judge_name(p->judge, c);
	return filter_match(p->filter, c, c->rules);
}

static bool judge_one(void *ctx, const struct flow *view)
{
	struct pcap *p = ctx;
	struct conn c;

	join_flow(view, &c);
	if (!is_selected(p, &c))
		return true;
	judge_flow(p->judge, &c);
	p->summary.n++;
	p->summary.by_pattern[view->pattern]++;
	/* What never opened was not closed. */
	if (view->pattern != PATTERN_REFUSED)
		p->summary.closed_first[view->closed_first]++;
	p->summary.opened_seen += view->opened_seen;
	return true;
}

static bool print_one(void *ctx, const struct flow *view)
{
	struct pcap *p = ctx;
	struct conn c;

	join_flow(view, &c);
	judge_name(p->judge, &c);
	if (filter_match(p->filter, &c, c.rules))
		report_conn(p->report, &c);
	return true;
}

static void print_findings(struct pcap *p, const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		report_finding(p->report, &findings->at[i]);
}

static int report_pcap(const struct options *o, struct captures *captures, struct pcap *p,
		       const struct findings *findings, const struct gaps *gaps)
{
	const struct format *format = format_find(o->format);
	struct report_options options;
	bool is_whole = !gaps_spoil(gaps);

	fill_report_options(o, REPORT_PCAP, &options);
	options.captures = captures->infos;
	options.n_captures = captures->n;
	options.summary = &p->summary;
	p->report = report_begin(format, &options, STDOUT_FILENO);
	if (format->findings_first)
		print_findings(p, findings);
	flowtab_each(captures->tab, print_one, p);
	if (!format->findings_first)
		print_findings(p, findings);
	for (size_t i = 0; i < gaps->n; i++)
		report_gap(p->report, &gaps->at[i]);
	if (report_end(p->report, is_whole) < 0)
		return STATUS_FAILED;
	return status_of(o, findings, is_whole);
}

static int pcap(const struct options *o, const struct filter *filter, struct captures *captures)
{
	struct arena *arena = arena_new();
	struct gaps gaps = { 0 };
	struct findings findings;
	struct pcap p = {
		.filter = filter,
		.judge = judge_new(arena, o->min_age_ms, o->n_examples),
	};

	int status = STATUS_FAILED;

	if (captures_read(captures, o, &gaps)) {
		flowtab_each(captures->tab, judge_one, &p);
		judge_end(p.judge, &findings);
		p.judge = judge_new(arena, o->min_age_ms, 0);
		status = report_pcap(o, captures, &p, &findings, &gaps);
	}
	judge_free(p.judge);
	gaps_free(&gaps);
	arena_free(arena);
	return status;
}

/* A word is a file if one of that name exists; the filter begins at the first that is none. */
static size_t count_files(const struct options *o)
{
	size_t n = 0;

	while (n < o->n_words && n < MAX_CAPTURES &&
	       (n == 0 || access(o->words[n], F_OK) == 0 || o->words[n][0] == '/'))
		n++;
	return n;
}

int run_pcap(const struct options *o)
{
	struct options with_files = *o;
	struct captures captures;
	struct filter *filter;
	int status = STATUS_FAILED;
	size_t n_files = count_files(o);

	if (n_files == 0) {
		fprintf(stderr, _("tcpwhy: pcap: which file? `tcpwhy pcap FILE`, or - for stdin\n"));
		return STATUS_USAGE;
	}
	for (size_t i = 0; i < n_files; i++)
		with_files.captures[i] = o->words[i];
	with_files.n_captures = n_files;
	filter = parse_filter(o->words + n_files, o->n_words - n_files);
	if (!filter)
		return STATUS_USAGE;
	if (captures_open(&with_files, &captures)) {
		status = pcap(&with_files, filter, &captures);
		captures_close(&captures);
	}
	filter_free(filter);
	return status;
}

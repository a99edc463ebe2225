#include "cli/captures.h"
#include "cli/run.h"
#include "join/join.h"
#include "join/sides.h"
#include "rules/idle.h"
#include "rules/judge.h"
#include "util/i18n.h"
#include "wire/ladder.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How it works: everything is read into the flow table; a first walk judges and counts, a second
 * one prints, so that a summary can stand before a table of any length. */

enum {
	FEW = 3,         /* connections whose ladders are drawn without being asked for */
	MAX_LADDERS = 20,
};

struct pcap {
	const struct filter *filter;
	struct judge *judge;
	struct pcap_summary summary;
	uint64_t n_left; /* of them, to be printed */
	struct idle_count *idle;
	struct report *report;
	struct arena *arena;
	const struct flow *chosen[MAX_LADDERS]; /* the first ones that are selected */
	size_t n_chosen;
	struct ladders *ladders; /* NULL: not wanted */
	struct sides *sides;     /* NULL: the captures are not of two ends */
	struct sided_sum sided;
	unsigned which;          /* of the two is being walked through */
	uint32_t first_id;       /* of its connections, less 1 */
};

/* The connection behind a view. With two captures of one connection that of the first stands for
 * both, and knows what the other one tells of its resets. false: this one is the other's. */
static bool take(const struct pcap *p, const struct flow *view, struct flow *own, struct conn *ret)
{
	if (!p->sides) {
		join_flow(view, ret);
		return true;
	}
	const struct sided_flow *both = sides_find(p->sides, p->which, view->id);
	if (p->which == 1 && (!both || both->flow[0]))
		return false;
	*own = *view;
	own->id += p->first_id;
	for (size_t i = 0; both && i < both->n_missing; i++) {
		const struct sided_segment *s = &both->missing[i];

		for (uint32_t k = 0; k < own->n_rsts && !s->was_sent && s->is_rst; k++) {
			if (own->rsts[k].from != s->from || own->rsts[k].seq != s->seq)
				continue;
			own->rsts[k].not_sent = true;
			own->rsts[k].not_sent_is_certain = s->is_certain;
		}
	}
	join_flow(own, ret);
	ret->sided = both;
	return true;
}

static void each(struct pcap *p, const struct captures *captures,
		 bool (*see)(void *ctx, const struct flow *view))
{
	p->which = 0;
	p->first_id = 0;
	flowtab_each(captures->tab, see, p);
	if (!p->sides)
		return;
	p->which = 1;
	p->first_id = (uint32_t)flowtab_count(captures->tab);
	flowtab_each(captures->other, see, p);
}

static bool is_selected(const struct pcap *p, struct conn *c)
{
	if (!(filter_needs(p->filter) & FILTER_NEEDS_RULES))
		return filter_match(p->filter, c, c->rules);
	judge_name(p->judge, c);
	return filter_match(p->filter, c, c->rules);
}

static void count_cause(struct pcap_summary *s, const char *rule)
{
	size_t i = 0;

	while (i + 1 < MAX_CAUSES && s->causes[i].n > 0 && s->causes[i].rule != rule)
		i++;
	s->causes[i].rule = rule;
	s->causes[i].n++;
}

/* Among the slowest? Then the one it displaces moves down. */
static void rank_half_close(struct pcap *p, const struct flow *view)
{
	enum { WORTH_A_WORD_NS = 1000000000 };
	const struct flow **slowest = p->summary.slowest;
	size_t at = MAX_SLOWEST;

	if (view->half_close_ns == TIME_NONE || view->half_close_ns < WORTH_A_WORD_NS)
		return;
	while (at > 0 && (!slowest[at - 1] || slowest[at - 1]->half_close_ns < view->half_close_ns))
		at--;
	if (at == MAX_SLOWEST)
		return;
	memmove(&slowest[at + 1], &slowest[at], (MAX_SLOWEST - 1 - at) * sizeof(*slowest));
	slowest[at] = flow_keep(view, p->arena);
}

static bool judge_one(void *ctx, const struct flow *view)
{
	struct pcap *p = ctx;
	struct flow own;
	struct conn c;

	if (!take(p, view, &own, &c) || !is_selected(p, &c))
		return true;
	judge_flow(p->judge, &c);
	if (p->n_chosen < MAX_LADDERS && p->which == 0)
		p->chosen[p->n_chosen++] = flow_keep(view, p->arena);
	p->summary.n++;
	p->summary.by_pattern[view->pattern]++;
	/* What never opened was not closed. */
	if (view->pattern != PATTERN_REFUSED)
		p->summary.closed_first[view->closed_first]++;
	p->summary.opened_seen += view->opened_seen;
	for (size_t i = 0; i < view->n_rsts && i < MAX_FLOW_RSTS; i++)
		count_cause(&p->summary, c.rst_causes[i].rule);
	int64_t idle_ns = idle_before_end(view);
	if (idle_ns != TIME_NONE)
		idle_add(p->idle, idle_ns, view->last_ns);
	rank_half_close(p, view);
	return true;
}

static bool print_one(void *ctx, const struct flow *view)
{
	struct pcap *p = ctx;
	struct flow own;
	struct conn c;

	if (!take(p, view, &own, &c))
		return true;
	judge_name(p->judge, &c);
	if (!filter_match(p->filter, &c, c.rules))
		return true;
	report_conn(p->report, &c);
	p->n_left--;
	const struct ladder *ladder = p->which == 0 ? ladders_find(p->ladders, view->id) : NULL;
	if (ladder)
		report_ladder(p->report, ladder);
	return p->n_left > 0;
}

/* People get ladders where they asked for details or where there is little to look at. */
static void draw_ladders(const struct options *o, const struct captures *captures, struct pcap *p)
{
	if (strcmp(o->format, "text") != 0 || p->n_chosen == 0 ||
	    (!o->verbose && p->summary.n > FEW))
		return;
	p->ladders = ladders_new(p->arena, p->chosen, p->n_chosen);
	ladders_read(p->ladders, captures->at, p->sides ? 1 : captures->n);
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
	options.sided = p->sides ? &p->sided : NULL;
	p->report = report_begin(format, &options, STDOUT_FILENO);
	if (format->findings_first)
		print_findings(p, findings);
	p->n_left = p->summary.n;
	if (p->n_left > 0)
		each(p, captures, print_one);
	if (!format->findings_first)
		print_findings(p, findings);
	for (size_t i = 0; i < gaps->n; i++)
		report_gap(p->report, &gaps->at[i]);
	if (!was_written(report_end(p->report, is_whole)))
		return STATUS_FAILED;
	return status_of(o, findings, is_whole);
}

static bool add_side(void *ctx, const struct flow *view)
{
	struct pcap *p = ctx;

	sides_add(p->sides, p->which, view);
	return true;
}

static void compare_sides(struct pcap *p, const struct captures *captures, struct gaps *gaps)
{
	struct sides *sides = sides_new(p->arena);

	p->sides = sides;
	each(p, captures, add_side);
	sides_compare(sides, captures->infos, &p->sided);
	if (p->sided.is_capped)
		gap_add(gaps, "cap", captures->infos[0]->name, _("more connections than can be compared"),
			_("later ones are shown as the first capture has them"));
}

static int pcap(const struct options *o, const struct filter *filter, struct captures *captures)
{
	struct arena *arena = arena_new();
	struct gaps gaps = { 0 };
	struct findings findings;
	struct fail fail;
	struct pcap p = {
		.filter = filter,
		.judge = judge_new(arena, o->min_age_ms, o->n_examples),
		.arena = arena,
		.idle = arena_alloc(arena, sizeof(*p.idle)),
	};

	int status = STATUS_FAILED;

	if (!enter_sandbox(o, &fail)) {
		say_failure(&fail);
	} else if (captures_read(captures, o, &gaps)) {
		if (captures->other)
			compare_sides(&p, captures, &gaps);
		each(&p, captures, judge_one);
		judge_end(p.judge, &findings);
		gap_uncounted(&findings, &gaps);
		idle_find_peaks(p.idle);
		p.summary.idle = &p.idle->sum;
		p.judge = judge_new(arena, o->min_age_ms, 0);
		draw_ladders(o, captures, &p);
		status = report_pcap(o, captures, &p, &findings, &gaps);
		ladders_free(p.ladders);
		sides_free(p.sides);
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
		say_line(_("tcpwhy: pcap: which file? `tcpwhy pcap FILE`, or - for stdin"));
		return STATUS_USAGE;
	}
	if (o->two_sided && n_files != 2) {
		fprintf(stderr, _("tcpwhy: pcap: --two-sided needs two captures: one of each end\n"));
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

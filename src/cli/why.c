#include "cli/evidence.h"
#include "cli/run.h"
#include "rules/judge.h"

#include <stdlib.h>
#include <unistd.h>

/* How it works: the evidence is gathered and married, the judge claims and weighs, the report
 * speaks. Flows that belong to no socket any more are judged by themselves.
 *
 * A filter chooses what is judged, not what is read: the document counts the whole host, the other end or
 * the process that talks to the same destination need not be what was asked for, and the kernel walks its
 * whole table in any case. Only TIME-WAITs, which may be a million and tell nothing of the others, are
 * merely counted where the filter wants none. */

struct why {
	const struct filter *filter;
	bool has_no_filter;
	uint32_t states; /* to judge */
	struct evidence evidence;
	struct judge *judge;
};

static void judge_lone_flow(void *ctx, const struct flow *view)
{
	struct why *w = ctx;
	struct conn c;

	join_flow(view, &c);
	if (filter_match(w->filter, &c, c.rules))
		judge_flow(w->judge, &c);
}

static void judge_sockets(struct why *w)
{
	const struct look *look = w->evidence.look;

	for (size_t i = 0; i < look->n_socks; i++) {
		struct conn c;

		if (!(w->states & STATE_BIT(look->socks[i].state)))
			continue;
		join_sock(w->evidence.join, &look->socks[i], &c);
		if (look->socks[i].state == STATE_LISTEN) {
			if (filter_match(w->filter, &c, c.rules))
				judge_listener(w->judge, &c);
			continue;
		}
		if (filter_needs(w->filter) & FILTER_NEEDS_RULES)
			judge_name(w->judge, &c);
		if (filter_match(w->filter, &c, c.rules))
			judge_sock(w->judge, &c);
	}
}

static bool holds_wanted(const struct why *w, const struct proc *p)
{
	const struct look *look = w->evidence.look;

	if (w->has_no_filter)
		return true;
	for (size_t i = 0; i < look->n_socks; i++) {
		struct conn c;

		join_sock(w->evidence.join, &look->socks[i], &c);
		for (size_t h = 0; h < c.n_holders && h < MAX_CONN_HOLDERS; h++)
			if (c.holders[h].proc == p && filter_match(w->filter, &c, c.rules))
				return true;
	}
	return false;
}

static void judge_processes(struct why *w)
{
	const struct look *look = w->evidence.look;

	for (size_t i = 0; i < look->n_procs; i++)
		if (judge_wants_proc(look->procs[i]) && holds_wanted(w, look->procs[i]))
			judge_proc(w->judge, look, look->procs[i]);
}

/* They are of no connection, so a filter that asks for some leaves them out. */
static void judge_namespaces(struct why *w)
{
	const struct look *look = w->evidence.look;

	for (size_t i = 0; w->has_no_filter && i < look->n_netns; i++)
		judge_host(w->judge, look, &look->netns[i]);
}

/* Of ports the TIME-WAITs have theirs: without them there is no budget. */
static void judge_budgets(struct why *w)
{
	enum { WORTH_COUNTING = 10 }; /* fewer exhaust no range anybody sets */
	struct port_budgets budgets;

	if (!(w->states & STATE_BIT(STATE_TIME_WAIT)))
		return;
	join_ports(w->evidence.join, WORTH_COUNTING, &budgets);
	for (size_t i = 0; i < budgets.n; i++) {
		struct conn example;

		join_sock(w->evidence.join, budgets.at[i].example, &example);
		if (filter_match(w->filter, &example, example.rules))
			judge_ports(w->judge, &budgets.at[i], &example);
	}
	free(budgets.at);
}

static int report_why(const struct options *o, const struct captures *captures,
		      const struct look *look, const struct findings *findings)
{
	struct report_options options;
	bool is_whole = !gaps_spoil(&look->gaps);

	fill_report_options(o, REPORT_WHY, &options);
	options.look = look;
	options.captures = captures->infos;
	options.n_captures = captures->n;
	struct report *r = report_begin(format_find(o->format), &options, STDOUT_FILENO);
	for (size_t i = 0; i < findings->n; i++)
		report_finding(r, &findings->at[i]);
	for (size_t i = 0; i < look->gaps.n; i++)
		report_gap(r, &look->gaps.at[i]);
	if (!was_written(report_end(r, is_whole)))
		return STATUS_FAILED;
	return status_of(o, findings, is_whole);
}

static bool wants_timewaits(const struct options *o, uint32_t states)
{
	/* Those of both families have one number; packets may be theirs, and a recording is for any filter. */
	return states & STATE_BIT(STATE_TIME_WAIT) || o->only_inet4 || o->only_inet6 || o->from || o->record ||
	       o->interface || o->n_captures;
}

/* Everything after the doors are open. */
static int why(const struct options *o, const struct filter *filter, struct captures *captures)
{
	struct live_request req = whole_look(o);
	struct why w = {
		.filter = filter,
		.has_no_filter = o->n_words == 0,
		.states = filter_states(filter, STATES_JUDGED) & STATES_JUDGED,
	};
	struct findings findings;

	if (!wants_timewaits(o, w.states)) {
		req.states &= ~STATE_BIT(STATE_TIME_WAIT);
		req.count_timewaits = true;
	}
	if (evidence_gather(o, &req, true, captures, &w.evidence) != STATUS_OK)
		return STATUS_FAILED;
	w.judge = judge_new(w.evidence.look->arena, o->min_age_ms, o->n_examples);
	evidence_marry(&w.evidence, captures, judge_lone_flow, &w);
	judge_sockets(&w);
	judge_processes(&w);
	judge_namespaces(&w);
	judge_budgets(&w);
	judge_end(w.judge, &findings);
	gap_uncounted(&findings, &w.evidence.look->gaps);
	int status = report_why(o, captures, w.evidence.look, &findings);
	evidence_free(&w.evidence);
	return status;
}

int run_why(const struct options *o)
{
	struct filter *filter = parse_filter(o->words, o->n_words);
	struct captures captures;
	int status = STATUS_FAILED;

	if (!filter)
		return STATUS_USAGE;
	if (captures_open(o, &captures)) {
		status = why(o, filter, &captures);
		captures_close(&captures);
	}
	filter_free(filter);
	return status;
}

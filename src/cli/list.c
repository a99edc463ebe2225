#include "cli/evidence.h"
#include "cli/list_by.h"
#include "cli/run.h"
#include "report/tally.h"
#include "rules/judge.h"
#include "util/cleanup.h"

#include <string.h>
#include <unistd.h>

/* How it works: what needs the others (an owner that is found among all descriptors, the listener in
 * whose queue it waits) is kept; the rest, TIME-WAIT or whatever is only counted, follows in a second
 * walk and is forgotten row by row. Captures are married to all sockets at once, and a recording is read
 * once, so with them everything is kept. */

struct listing {
	const struct options *o;
	const struct filter *filter;
	const struct by *by;    /* NULL: a row each */
	uint32_t states;        /* those to show */
	bool needs_owner, needs_rules;
	struct evidence e;
	struct judge *judge;
	struct report *report;  /* NULL: they are counted */
	struct tally *tally;
	struct buf key;
};

static void count_one(struct listing *l, const struct conn *c)
{
	buf_clear(&l->key);
	l->by->key(&l->key, c);
	tally_add(l->tally, buf_text(&l->key), (enum state)c->sock->state);
}

static void take_sock(struct listing *l, const struct sock *s)
{
	struct conn c;

	if (!(l->states & STATE_BIT(s->state)))
		return;
	join_sock(l->e.join, s, &c);
	if (l->needs_rules)
		judge_name(l->judge, &c);
	if (!filter_match(l->filter, &c, c.rules))
		return;
	if (l->report)
		report_conn(l->report, &c);
	else
		count_one(l, &c);
}

static bool take_streamed(void *arg, const struct look *look, const struct sock *s)
{
	(void)look;
	take_sock(arg, s);
	return true;
}

static uint32_t wanted_states(const struct options *o, const struct filter *filter)
{
	return filter_states(filter, o->all_states ? STATES_ALL : STATES_TEARDOWN);
}

/* The states whose sockets need not be kept. */
static uint32_t streamed_states(const struct listing *l)
{
	if (l->o->from || l->o->record || l->o->interface || l->o->n_captures)
		return 0;
	return l->needs_owner ? l->states & STATE_BIT(STATE_TIME_WAIT) : l->states;
}

/* A row shows all holders; to count by owner the first will do, unless one of them is asked for. */
static bool needs_all_owners(const struct listing *l)
{
	return filter_needs(l->filter) & (FILTER_NEEDS_OWNER | FILTER_NEEDS_RULES);
}

/* Who has closed what is in TIME-WAIT is a guess: it is made where owners are looked for anyway. */
static enum owners_wanted wanted_owners(const struct listing *l)
{
	bool is_asked = l->o->processes || l->by || needs_all_owners(l);

	if (!l->needs_owner || (l->states == STATE_BIT(STATE_TIME_WAIT) && !is_asked))
		return OWNERS_NONE;
	return l->states & ~STATES_TEARDOWN ? OWNERS_ALL : OWNERS_TEARDOWN;
}

static int stream(struct listing *l, const struct live_request *whole, uint32_t states)
{
	struct live_request req = *whole;
	struct fail fail;

	req.states = states;
	req.want_info &= states != STATE_BIT(STATE_TIME_WAIT); /* they have none */
	req.on_sock = take_streamed;
	req.on_sock_arg = l;
	if (live_stream(&req, l->e.look, &fail) == 0)
		return STATUS_OK;
	say_failure(&fail);
	return STATUS_FAILED;
}

static int take_all(struct listing *l, const struct live_request *req, uint32_t streamed)
{
	const struct look *look = l->e.look;

	for (size_t i = 0; i < look->n_socks; i++)
		take_sock(l, &look->socks[i]);
	return streamed ? stream(l, req, streamed) : STATUS_OK;
}

static int list_rows(struct listing *l, const struct live_request *req, uint32_t streamed)
{
	const struct gaps *gaps = &l->e.look->gaps;
	struct report_options options;

	fill_report_options(l->o, REPORT_LIST, &options);
	options.look = l->e.look;
	l->report = report_begin(format_find(l->o->format), &options, STDOUT_FILENO);
	int status = take_all(l, req, streamed);
	for (size_t i = 0; i < gaps->n; i++)
		report_gap(l->report, &gaps->at[i]);
	bool is_whole = status == STATUS_OK && !gaps_spoil(gaps);
	bool is_written = was_written(report_end(l->report, is_whole));
	return is_whole && is_written ? STATUS_OK : STATUS_FAILED;
}

static int list_counts(struct listing *l, const struct live_request *req, uint32_t streamed)
{
	const struct gaps *gaps = &l->e.look->gaps;
	struct report_options options;

	fill_report_options(l->o, REPORT_LIST, &options);
	l->tally = tally_new();
	int status = take_all(l, req, streamed);
	bool is_whole = status == STATUS_OK && !gaps_spoil(gaps);
	bool is_written = was_written(tally_write(l->tally, l->by->name, l->o->top,
						  format_find(l->o->format), &options, gaps, is_whole,
						  STDOUT_FILENO));
	tally_free(l->tally);
	buf_free(&l->key);
	return is_whole && is_written ? STATUS_OK : STATUS_FAILED;
}

static int list(struct listing *l, struct captures *captures)
{
	const struct options *o = l->o;
	bool needs_info = !l->by || filter_needs(l->filter) & (FILTER_NEEDS_INFO | FILTER_NEEDS_RULES);
	uint32_t streamed = streamed_states(l), kept = l->states & ~streamed;
	/* Listeners name the owner of what nobody accepted, and of what is in TIME-WAIT. */
	struct live_request req = {
		.from = o->from,
		.record = o->record,
		.netns = o->netns,
		.all_netns = o->all_netns,
		.states = l->needs_owner ? kept | STATE_BIT(STATE_LISTEN) : kept,
		.want_info = needs_info,
		.want_host = needs_info || o->record || filter_needs(l->filter) & FILTER_NEEDS_HOST,
		.owners = wanted_owners(l),
		.no_dead = !o->record, /* they have no row */
		.one_owner_is_enough = l->by && !needs_all_owners(l) && !o->record,
		.only_inet4 = o->only_inet4,
		.only_inet6 = o->only_inet6,
	};
	AUTO_FREE void *code = NULL;

	/* What is recorded must do for every filter. */
	if (!o->record)
		req.bytecode_len = filter_bytecode(l->filter, &code);
	req.bytecode = code;
	if (evidence_gather(o, &req, captures, &l->e) != STATUS_OK)
		return STATUS_FAILED;
	evidence_marry(&l->e, captures, NULL, NULL);
	l->judge = judge_new(l->e.look->arena, o->min_age_ms, 0);
	int status = l->by ? list_counts(l, &req, streamed) : list_rows(l, &req, streamed);
	if (strcmp(o->format, "text") == 0)
		say_gaps(&l->e.look->gaps);
	judge_free(l->judge);
	evidence_free(&l->e);
	return status;
}

int run_list(const struct options *o)
{
	const struct by *by = o->by ? by_find(o->by) : NULL;
	struct filter *filter = !o->by || by ? parse_filter(o->words, o->n_words) : NULL;
	struct captures captures;
	int status = STATUS_FAILED;

	if (!filter)
		return STATUS_USAGE;
	unsigned needs = filter_needs(filter);
	struct listing l = {
		.o = o,
		.filter = filter,
		.by = by,
		.states = wanted_states(o, filter),
		.needs_owner = !by || by->needs_owner ||
			       needs & (FILTER_NEEDS_OWNER | FILTER_NEEDS_RULES),
		.needs_rules = !by || needs & FILTER_NEEDS_RULES,
	};
	if (captures_open(o, &captures)) {
		status = list(&l, &captures);
		captures_close(&captures);
	}
	filter_free(filter);
	return status;
}

#include "cli/evidence.h"
#include "cli/list_by.h"
#include "cli/list_sort.h"
#include "cli/run.h"
#include "report/tally.h"
#include "rules/judge.h"
#include "util/cleanup.h"
#include "util/i18n.h"

#include <string.h>
#include <unistd.h>

/* How it works: what needs the others (an owner that is found among all descriptors, the listener in
 * whose queue it waits) is kept; the rest, TIME-WAIT or whatever is only counted, follows in a second
 * walk and is forgotten row by row. Captures are married to all sockets at once, a recording is read once,
 * and sorting needs the last row before the first: then everything is kept. */

struct listing {
	const struct options *o;
	const struct filter *filter;
	const struct by *by;    /* NULL: a row each */
	uint32_t states;        /* those to show */
	bool needs_owner, needs_rules, needs_info;
	bool needs_holders;     /* all of a shared one; false: to be counted by owner, or to show a pid, one will do */
	bool needs_join;        /* false: a socket by itself tells all that is asked and shown */
	struct conn alone;      /* that socket */
	struct columns columns;
	struct sorting *sorting; /* NULL: rows come as they are read */
	size_t n_rows;
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

static void put_row(struct listing *l, const struct conn *c)
{
	if (!l->o->top || l->n_rows++ < l->o->top)
		report_conn(l->report, c);
}

static void take_conn(struct listing *l, const struct conn *c)
{
	if (!filter_match(l->filter, c, c->rules))
		return;
	if (l->by)
		count_one(l, c);
	else if (l->sorting)
		sorting_add(l->sorting, l->report, c);
	else
		put_row(l, c);
}

static void take_sock(struct listing *l, const struct sock *s)
{
	struct conn c;

	if (!(l->states & STATE_BIT(s->state)))
		return;
	if (!l->needs_join) {
		join_nothing(l->e.join, s, &l->alone);
		take_conn(l, &l->alone);
		return;
	}
	join_sock(l->e.join, s, &c);
	if (l->needs_rules)
		judge_name(l->judge, &c);
	take_conn(l, &c);
}

static void put_sorted(void *ctx, const struct sock *s)
{
	struct listing *l = ctx;
	struct conn c;

	join_sock(l->e.join, s, &c);
	if (l->needs_rules)
		judge_name(l->judge, &c);
	put_row(l, &c);
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
	if (l->o->from || l->o->record || l->o->interface || l->o->n_captures || l->sorting)
		return 0;
	return l->needs_owner ? l->states & STATE_BIT(STATE_TIME_WAIT) : l->states;
}

/* Who has closed what is in TIME-WAIT is a guess: it is made where owners are looked for anyway. */
static enum owners_wanted wanted_owners(const struct listing *l)
{
	bool is_asked = l->o->processes || l->by ||
			filter_needs(l->filter) & (FILTER_NEEDS_OWNER | FILTER_NEEDS_RULES);

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
	options.columns = l->columns;
	l->report = report_begin(format_find(l->o->format), &options, STDOUT_FILENO);
	int status = take_all(l, req, streamed);
	if (l->sorting)
		sorting_each(l->sorting, put_sorted, l);
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
	uint32_t streamed = streamed_states(l), kept = l->states & ~streamed;
	/* Listeners name the owner of what nobody accepted, and of what is in TIME-WAIT. */
	struct live_request req = {
		.from = o->from,
		.record = o->record,
		.netns = o->netns,
		.all_netns = o->all_netns,
		.states = l->needs_owner ? kept | STATE_BIT(STATE_LISTEN) : kept,
		/* Listeners alone need no walk. */
		.with_few_timewaits = kept & ~STATE_BIT(STATE_LISTEN) && streamed & STATE_BIT(STATE_TIME_WAIT),
		.want_info = l->needs_info || o->record,
		.want_memory = (o->memory && !l->by) || o->record,
		.want_host = l->needs_info || o->record || filter_needs(l->filter) & FILTER_NEEDS_HOST,
		.owners = wanted_owners(l),
		.deadline_ns = deadline_of(o),
		.no_dead = !o->record, /* they have no row */
		.one_owner_is_enough = !l->needs_holders && !o->record,
		.only_inet4 = o->only_inet4,
		.only_inet6 = o->only_inet6,
	};
	AUTO_FREE void *code = NULL;

	/* What is recorded must do for every filter. */
	if (!o->record)
		req.bytecode_len = filter_bytecode(l->filter, &code);
	req.bytecode = code;
	if (evidence_gather(o, &req, !streamed, captures, &l->e) != STATUS_OK)
		return STATUS_FAILED;
	evidence_marry(&l->e, captures, NULL, NULL);
	l->judge = judge_new(l->e.look->arena, o->min_age_ms, 0);
	int status = l->by ? list_counts(l, &req, streamed) : list_rows(l, &req, streamed);
	if (strcmp(o->format, "text") == 0 || strcmp(o->format, "csv") == 0)
		say_gaps(&l->e.look->gaps);
	judge_free(l->judge);
	evidence_free(&l->e);
	return status;
}

/* What the rows show; a document has everything. false: not columns, and that is said. */
static bool choose_columns(struct listing *l)
{
	const struct options *o = l->o;
	bool is_table = strcmp(o->format, "text") == 0 || strcmp(o->format, "csv") == 0;

	columns_default(&l->columns);
	if (o->all_netns)
		columns_add(&l->columns, column_find("netns", strlen("netns")));
	if (!o->columns)
		return true;
	if (!is_table || o->by) {
		say_line(_("tcpwhy: --columns is for rows of a table"));
		return false;
	}
	if (columns_parse(o->columns, &l->columns))
		return true;
	AUTO_BUF names = { 0 };
	const struct column *c;

	for (size_t i = 0; (c = column_at(i)); i++)
		buf_printf(&names, " %s", c->name);
	say_line(_("tcpwhy: --columns=%s: expected NAME,... or +NAME,... of%s"), o->columns, buf_text(&names));
	return false;
}

static bool choose_order(struct listing *l)
{
	if (!l->o->sort)
		return true;
	if (l->by) {
		say_line(_("tcpwhy: --sort is for rows: counts begin with the largest"));
		return false;
	}
	l->sorting = sorting_new(l->o->sort);
	return l->sorting;
}

static void find_needs(struct listing *l)
{
	const struct options *o = l->o;
	bool is_table = strcmp(o->format, "text") == 0 || strcmp(o->format, "csv") == 0;
	unsigned asked = filter_needs(l->filter), shown = columns_needs(&l->columns);

	if (o->sort)
		shown |= column_find(o->sort + (*o->sort == '-'), strlen(o->sort + (*o->sort == '-')))->needs;
	if (!is_table)
		shown = COLUMN_NEEDS_INFO | COLUMN_NEEDS_OWNER | COLUMN_NEEDS_RULES | COLUMN_NEEDS_HOLDERS;
	if (l->by)
		shown = l->by->needs_owner ? COLUMN_NEEDS_OWNER : 0;
	l->needs_rules = shown & COLUMN_NEEDS_RULES || asked & FILTER_NEEDS_RULES;
	l->needs_owner = l->needs_rules || shown & COLUMN_NEEDS_OWNER || asked & FILTER_NEEDS_OWNER;
	l->needs_holders = shown & COLUMN_NEEDS_HOLDERS || asked & (FILTER_NEEDS_OWNER | FILTER_NEEDS_RULES);
	l->needs_info = l->needs_rules || shown & COLUMN_NEEDS_INFO || asked & FILTER_NEEDS_INFO ||
			(!l->by && o->info);
	l->needs_join = l->needs_owner || l->needs_info || asked || o->interface || o->n_captures;
}

static bool prepare(struct listing *l)
{
	const struct options *o = l->o;

	l->by = o->by ? by_find(o->by) : NULL;
	if ((o->by && !l->by) || !choose_columns(l) || !choose_order(l))
		return false;
	l->states = wanted_states(o, l->filter);
	find_needs(l);
	return true;
}

int run_list(const struct options *o)
{
	struct filter *filter = parse_filter(o->words, o->n_words);
	struct listing l = { .o = o, .filter = filter };
	struct captures captures;
	int status = STATUS_FAILED;

	if (!filter)
		return STATUS_USAGE;
	if (!prepare(&l)) {
		status = STATUS_USAGE;
	} else if (captures_open(o, &captures)) {
		status = list(&l, &captures);
		captures_close(&captures);
	}
	sorting_free(l.sorting);
	filter_free(filter);
	return status;
}

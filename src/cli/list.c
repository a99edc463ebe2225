#include "cli/evidence.h"
#include "cli/run.h"
#include "rules/judge.h"

#include <string.h>
#include <unistd.h>

static void list_sockets(const struct evidence *e, const struct filter *filter, uint32_t states,
			 const struct judge *judge, struct report *r)
{
	const struct look *look = e->look;

	for (size_t i = 0; i < look->n_socks; i++) {
		struct conn c;

		if (!(states & STATE_BIT(look->socks[i].state)))
			continue;
		join_sock(e->join, &look->socks[i], &c);
		judge_name(judge, &c);
		if (filter_match(filter, &c, c.rules))
			report_conn(r, &c);
	}
}

static uint32_t wanted_states(const struct options *o, const struct filter *filter)
{
	return filter_states(filter, o->all_states ? STATES_ALL : STATES_TEARDOWN);
}

static int list(const struct options *o, const struct filter *filter, struct captures *captures)
{
	uint32_t states = wanted_states(o, filter);
	/* Listeners name the owner of what nobody accepted, and of what is in TIME-WAIT. */
	struct live_request req = {
		.from = o->from,
		.record = o->record,
		.netns = o->netns,
		.all_netns = o->all_netns,
		.states = states | STATE_BIT(STATE_LISTEN),
		.want_info = true,
		.want_host = true,
		.owners = states & ~STATES_TEARDOWN ? OWNERS_ALL : OWNERS_TEARDOWN,
		.only_inet4 = o->only_inet4,
		.only_inet6 = o->only_inet6,
	};
	struct report_options options;
	struct evidence e;

	if (evidence_gather(o, &req, captures, &e) != STATUS_OK)
		return STATUS_FAILED;
	evidence_marry(&e, captures, NULL, NULL);
	fill_report_options(o, REPORT_LIST, &options);
	options.look = e.look;
	struct judge *judge = judge_new(e.look->arena, o->min_age_ms, 0);
	struct report *r = report_begin(format_find(o->format), &options, STDOUT_FILENO);
	list_sockets(&e, filter, states, judge, r);
	judge_free(judge);
	for (size_t i = 0; i < e.look->gaps.n; i++)
		report_gap(r, &e.look->gaps.at[i]);
	if (strcmp(o->format, "text") == 0)
		say_gaps(&e.look->gaps);
	bool is_whole = !gaps_spoil(&e.look->gaps);
	int failed = report_end(r, is_whole);
	evidence_free(&e);
	return failed || !is_whole ? STATUS_FAILED : STATUS_OK;
}

int run_list(const struct options *o)
{
	struct filter *filter = parse_filter(o->words, o->n_words);
	struct captures captures;
	int status = STATUS_FAILED;

	if (!filter)
		return STATUS_USAGE;
	if (captures_open(o, &captures)) {
		status = list(o, filter, &captures);
		captures_close(&captures);
	}
	filter_free(filter);
	return status;
}

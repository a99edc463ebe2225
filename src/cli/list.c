#include "cli/evidence.h"
#include "cli/run.h"
#include "report/tally.h"
#include "rules/judge.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/i18n.h"

#include <stdio.h>
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

/* What sockets may be counted by. The text is a key: the same for all that belong together. */
static void key_state(struct buf *b, const struct conn *c)
{
	buf_puts(b, state_name((enum state)c->sock->state));
}

static void key_peer(struct buf *b, const struct conn *c)
{
	char text[ADDR_TEXT_MAX];

	buf_puts(b, addr_format(c->sock->pair.peer.addr, text));
}

static void key_local_port(struct buf *b, const struct conn *c)
{
	buf_printf(b, "%u", c->sock->pair.local.port);
}

static void key_owner(struct buf *b, const struct conn *c)
{
	if (c->owner == OWNER_KNOWN)
		buf_printf(b, "%s[%d]", c->holders[0].proc->comm, (int)c->holders[0].proc->pid);
	else
		buf_puts(b, owner_status_name(c->owner));
}

static void key_unit(struct buf *b, const struct conn *c)
{
	bool is_known = c->owner == OWNER_KNOWN && c->holders[0].proc->unit;

	buf_puts(b, is_known ? c->holders[0].proc->unit : "-");
}

static void key_container(struct buf *b, const struct conn *c)
{
	bool is_known = c->owner == OWNER_KNOWN && c->holders[0].proc->container;

	buf_puts(b, is_known ? c->holders[0].proc->container : "-");
}

static void key_netns(struct buf *b, const struct conn *c)
{
	if (c->netns->name)
		buf_puts(b, c->netns->name);
	else
		buf_printf(b, "%llu", (unsigned long long)c->netns->inode);
}

static const struct by {
	const char *name;
	void (*key)(struct buf *b, const struct conn *c);
} bys[] = {
	{ "state", key_state },         { "peer", key_peer }, { "local-port", key_local_port },
	{ "owner", key_owner },         { "unit", key_unit }, { "container", key_container },
	{ "netns", key_netns },
};

/* NULL: not one of them, and that is said. */
static const struct by *find_by(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(bys); i++)
		if (strcmp(bys[i].name, name) == 0)
			return &bys[i];
	AUTO_BUF names = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(bys); i++)
		buf_printf(&names, " %s", bys[i].name);
	say_line(_("tcpwhy: --by %s: not one of%s"), name, buf_text(&names));
	return NULL;
}

static int count_sockets(const struct options *o, const struct evidence *e, const struct filter *filter,
			 uint32_t states, const struct judge *judge, const struct by *by)
{
	struct tally *tally = tally_new();
	struct report_options options;
	AUTO_BUF key = { 0 };

	for (size_t i = 0; i < e->look->n_socks; i++) {
		struct conn c;

		if (!(states & STATE_BIT(e->look->socks[i].state)))
			continue;
		join_sock(e->join, &e->look->socks[i], &c);
		if (filter_needs(filter) & FILTER_NEEDS_RULES)
			judge_name(judge, &c);
		if (!filter_match(filter, &c, c.rules))
			continue;
		buf_clear(&key);
		by->key(&key, &c);
		tally_add(tally, buf_text(&key), (enum state)c.sock->state);
	}
	fill_report_options(o, REPORT_LIST, &options);
	int failed = !was_written(tally_write(tally, by->name, o->top, format_find(o->format), &options,
					      &e->look->gaps, !gaps_spoil(&e->look->gaps),
					      STDOUT_FILENO));
	tally_free(tally);
	return failed;
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
	const struct by *by = o->by ? find_by(o->by) : NULL;
	AUTO_FREE void *code = NULL;
	struct report_options options;
	struct evidence e;
	int failed;

	if (o->by && !by)
		return STATUS_USAGE;
	/* What is recorded must do for every filter. */
	if (!o->record)
		req.bytecode_len = filter_bytecode(filter, &code);
	req.bytecode = code;
	if (evidence_gather(o, &req, captures, &e) != STATUS_OK)
		return STATUS_FAILED;
	evidence_marry(&e, captures, NULL, NULL);
	struct judge *judge = judge_new(e.look->arena, o->min_age_ms, 0);
	bool is_whole = !gaps_spoil(&e.look->gaps);
	if (by) {
		failed = count_sockets(o, &e, filter, states, judge, by);
		judge_free(judge);
		if (strcmp(o->format, "text") == 0)
			say_gaps(&e.look->gaps);
		evidence_free(&e);
		return failed || !is_whole ? STATUS_FAILED : STATUS_OK;
	}
	fill_report_options(o, REPORT_LIST, &options);
	options.look = e.look;
	struct report *r = report_begin(format_find(o->format), &options, STDOUT_FILENO);
	list_sockets(&e, filter, states, judge, r);
	judge_free(judge);
	for (size_t i = 0; i < e.look->gaps.n; i++)
		report_gap(r, &e.look->gaps.at[i]);
	if (strcmp(o->format, "text") == 0)
		say_gaps(&e.look->gaps);
	failed = !was_written(report_end(r, is_whole));
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

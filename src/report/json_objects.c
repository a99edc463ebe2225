#include "report/escape.h"
#include "report/json_value.h"
#include "report/says.h"
#include "report/state.h"
#include "util/i18n.h"

#include <stdio.h>
#include <string.h>

/* The objects of the JSON contract: SOCKET, CONNECTION, FINDING, gaps. */

void json_put_gap(struct buf *b, const char *key, const struct gap *g)
{
	json_open(b, key);
	json_text(b, "what", g->what);
	json_text(b, "object", g->object);
	json_text(b, "reason", g->reason);
	json_text(b, "effect", g->effect);
	json_unsigned(b, "count", g->count);
	json_close(b);
}

/* A socket's own address: an IPv4-mapped one is shown as what it is. */
static void put_sock_endpoint(struct buf *b, const char *key, const struct sock *s,
			      const struct endpoint *e)
{
	char text[ADDR_TEXT_MAX], mapped[ADDR_TEXT_MAX + 8];

	json_open(b, key);
	addr_format(e->addr, text);
	if (s->is_inet6 && addr_is_v4(e->addr)) {
		strcpy(mapped, "::ffff:");
		strcat(mapped, text);
		json_text(b, "addr", mapped);
	} else {
		json_text(b, "addr", text);
	}
	json_unsigned(b, "port", e->port);
	json_close(b);
}

/* The pod only where there is one: few hosts have any. */
static void put_container(struct buf *b, const struct proc *p)
{
	json_text(b, "container", p ? p->container : NULL);
	if (p && p->pod)
		json_text(b, "pod", p->pod);
}

static void put_owner(struct buf *b, const struct conn *c)
{
	const char *basis = basis_text(c->basis);

	json_open(b, "owner");
	json_text(b, "status", owner_status_name(c->owner));
	json_list(b, "processes");
	for (size_t i = 0; i < c->n_holders && i < MAX_CONN_HOLDERS; i++) {
		json_open(b, NULL);
		json_signed(b, "pid", c->holders[i].proc->pid);
		json_text(b, "comm", c->holders[i].proc->comm);
		json_signed(b, "fd", c->owner == OWNER_KNOWN ? c->holders[i].fd : -1);
		json_text(b, "unit", c->holders[i].proc->unit);
		put_container(b, c->holders[i].proc);
		json_close(b);
	}
	json_list_end(b);
	json_text(b, "basis", basis ? _(basis) : NULL);
	json_close(b);
}

static void put_rules(struct buf *b, const struct conn *c)
{
	json_list(b, "rules");
	for (size_t i = 0; i < MAX_CONN_RULES && c->rules[i]; i++)
		json_text(b, NULL, c->rules[i]);
	json_list_end(b);
}

static void put_times(struct buf *b, const struct conn *c)
{
	const struct sock *s = c->sock;

	json_open(b, "timer");
	json_text(b, "name", timer_name((enum timer)s->timer));
	json_unsigned_or_null(b, "expires_ms", s->expires_ms, s->timer != TIMER_OFF);
	json_unsigned(b, "retrans", s->retrans);
	json_close(b);
	if (c->age.known) {
		json_open(b, "age_ms");
		json_unsigned(b, "value", c->age.ms);
		json_text(b, "bound", c->age.is_exact ? "exact" : "at-least");
		json_close(b);
	} else {
		json_unknown(b, "age_ms");
	}
	json_open(b, "ends");
	json_text(b, "by", ends_by_name(c->ends.by));
	json_unsigned_or_null(b, "in_ms", c->ends.in_ms, c->ends.in_known);
	json_close(b);
}

static void put_sock(struct buf *b, const struct conn *c, const char *key)
{
	const struct sock *s = c->sock;
	const struct sock_full *full = s->full;

	json_open(b, key);
	json_unsigned_or_null(b, "netns", c->netns->inode, c->netns->inode != 0);
	json_text(b, "netns_name", c->netns->name);
	json_text(b, "family", s->is_inet6 ? "inet6" : "inet");
	json_text(b, "state", state_name((enum state)s->state));
	if (full && (full->is_mptcp || full->is_subflow))
		json_text(b, "mptcp", full->is_mptcp ? "socket" : "subflow");
	put_sock_endpoint(b, "local", s, &s->pair.local);
	put_sock_endpoint(b, "peer", s, &s->pair.peer);
	json_unsigned(b, "rqueue", full ? full->rqueue : 0);
	json_unsigned(b, "wqueue", full ? full->wqueue : 0);
	json_unsigned_or_null(b, "uid", full ? full->uid : 0, full != NULL);
	json_unsigned(b, "inode", full ? full->inode : 0);
	json_unsigned_or_null(b, "cookie", s->cookie, s->cookie != 0);
	put_times(b, c);
	put_owner(b, c);
	put_rules(b, c);
	json_close(b);
}

static void put_sides(struct buf *b, const char *key, uint64_t client, uint64_t server)
{
	json_open(b, key);
	json_unsigned(b, "client", client);
	json_unsigned(b, "server", server);
	json_close(b);
}

/* Both FINs, the earlier first. */
static void put_fins(struct buf *b, const struct flow *f)
{
	enum side first = SIDE_CLIENT;

	if (f->end[1].fin.seen && (!f->end[0].fin.seen || f->end[1].fin.at_ns < f->end[0].fin.at_ns))
		first = SIDE_SERVER;
	json_list(b, "fins");
	for (int i = 0; i < N_SIDES; i++) {
		enum side side = i == 0 ? first : side_other(first);
		const struct flow_fin *fin = &f->end[side].fin;

		if (!fin->seen || fin->is_inferred)
			continue;
		json_open(b, NULL);
		json_text(b, "from", side_name(side));
		json_instant(b, "ts", fin->at_ns);
		json_unsigned(b, "seq", fin->seq);
		json_unsigned(b, "retransmissions", fin->retransmissions);
		json_instant(b, "acked_ts", f->is_untimed ? TIME_NONE : fin->acked_ns);
		json_close(b);
	}
	json_list_end(b);
}

static void put_rsts(struct buf *b, const struct conn *c)
{
	const struct flow *f = c->flow;

	json_list(b, "rsts");
	for (size_t i = 0; i < f->n_rsts && i < MAX_FLOW_RSTS; i++) {
		const struct flow_rst *r = &f->rsts[i];
		const struct rst_cause *cause = &c->rst_causes[i];

		json_open(b, NULL);
		json_text(b, "from", side_name(r->from));
		json_instant(b, "ts", r->at_ns);
		json_unsigned(b, "seq", r->seq);
		json_bool(b, "with_ack", r->with_ack);
		json_unsigned(b, "repeats", r->repeats);
		json_text(b, "cause", cause->rule);
		json_text(b, "certainty", cause->rule ? certainty_name(cause->certainty) : NULL);
		json_close(b);
	}
	json_list_end(b);
}

static void put_keepalive(struct buf *b, const struct flow *f)
{
	if (!f->keepalive.seen) {
		json_unknown(b, "keepalive");
		return;
	}
	json_open(b, "keepalive");
	json_text(b, "from", side_name(f->keepalive.from));
	json_unsigned(b, "probes", f->keepalive.probes);
	json_span_ms(b, "interval_ms", f->keepalive.interval_ns);
	json_bool(b, "answered", f->keepalive.answered);
	json_close(b);
}

static const char *state_or_null(enum state s)
{
	return s == STATE_UNKNOWN ? NULL : state_name(s);
}

/* Captures by their number: their names stand in "captures". */
static void put_sided(struct buf *b, const struct sided_flow *s)
{
	json_open(b, "two_sided");
	json_list(b, "in");
	json_bool(b, NULL, s->flow[0]);
	json_bool(b, NULL, s->flow[1]);
	json_list_end(b);
	json_list(b, "at");
	json_text(b, NULL, side_name(s->at[0]));
	json_text(b, NULL, side_name(s->at[1]));
	json_list_end(b);
	json_bool(b, "translated", s->is_translated);
	json_list(b, "missing");
	for (size_t i = 0; i < s->n_missing; i++) {
		const struct sided_segment *one = &s->missing[i];

		json_open(b, NULL);
		json_text(b, "segment", one->is_rst ? "RST" : "FIN");
		json_text(b, "from", side_name(one->from));
		json_unsigned(b, "seq", one->seq);
		json_instant(b, "ts", one->at_ns);
		json_unsigned(b, "seen_in", one->seen_in);
		json_bool(b, "was_sent", one->was_sent);
		json_text(b, "certainty", certainty_name(one->is_certain ? CERTAINTY_CERTAIN : CERTAINTY_LIKELY));
		json_close(b);
	}
	json_list_end(b);
	json_close(b);
}

static void put_flow(struct buf *b, const struct conn *c, const char *key)
{
	const struct flow *f = c->flow;
	const struct flow_end *client = &f->end[SIDE_CLIENT], *server = &f->end[SIDE_SERVER];

	json_open(b, key);
	json_unsigned(b, "id", f->id);
	json_endpoint(b, "client", &client->at);
	json_endpoint(b, "server", &server->at);
	json_text(b, "opened", f->opened_seen ? "seen" : "not-seen");
	json_instant(b, "first_ts", f->first_ns);
	json_instant(b, "last_ts", f->last_ns);
	put_sides(b, "packets", client->packets, server->packets);
	put_sides(b, "bytes", client->bytes, server->bytes);
	json_text(b, "closed_first", closed_first_name(f->closed_first));
	json_text(b, "pattern", pattern_name(f->pattern));
	put_fins(b, f);
	json_span_ms(b, "half_close_ms", f->half_close_ns);
	put_rsts(b, c);
	json_span_ms(b, "idle_before_end_ms", f->idle_before_end_ns);
	put_keepalive(b, f);
	json_open(b, "state");
	json_text(b, "client", state_or_null(client->state));
	json_text(b, "server", state_or_null(server->state));
	json_close(b);
	json_open(b, "saw");
	json_text(b, "client", saw_name(client->saw));
	json_text(b, "server", saw_name(server->saw));
	json_close(b);
	json_text(b, "tunnel", f->tunnel);
	put_rules(b, c);
	if (c->sided)
		put_sided(b, c->sided);
	json_close(b);
}

void json_put_conn(struct buf *b, const struct conn *c, const char *key, bool as_packets)
{
	if (as_packets || !c->sock)
		put_flow(b, c, key);
	else
		put_sock(b, c, key);
}

static void put_subject(struct buf *b, const struct subject *s)
{
	const struct proc *p = s->proc;

	json_open(b, "subject");
	json_text(b, "kind", subject_kind_name(s->kind));
	if (p)
		json_signed(b, "pid", p->pid);
	else
		json_unknown(b, "pid");
	json_text(b, "comm", p ? p->comm : NULL);
	json_text(b, "cmdline", p ? p->cmdline : NULL);
	json_unsigned_or_null(b, "uid", p ? p->uid : 0, p && p->has_uid);
	json_text(b, "unit", p ? p->unit : NULL);
	put_container(b, p);
	json_unsigned_or_null(b, "netns", s->netns ? s->netns->inode : 0,
			      s->netns && s->netns->inode != 0);
	json_place(b, "local", &s->local, s->has_local);
	json_place(b, "peer", &s->peer, s->has_peer);
	json_close(b);
}

/* Durations carry their unit in the key. */
static void put_fact(struct buf *b, const struct fact *fact)
{
	char key[64];

	switch (fact->kind) {
	case FACT_COUNT:
		json_signed(b, fact->name, fact->number);
		break;
	case FACT_MS:
		snprintf(key, sizeof(key), "%s_ms", fact->name);
		json_signed(b, key, fact->number);
		break;
	case FACT_BYTES:
		snprintf(key, sizeof(key), "%s_bytes", fact->name);
		json_signed(b, key, fact->number);
		break;
	case FACT_PERCENT:
		snprintf(key, sizeof(key), "%s_percent", fact->name);
		json_signed(b, key, fact->number);
		break;
	case FACT_TEXT:
		json_text(b, fact->name, fact->text);
		break;
	case FACT_SENTENCE:
		/* Scripts compare it: the same in every language. */
		json_text(b, fact->name, fact->text);
		break;
	case FACT_LIST:
		json_list(b, fact->name);
		for (size_t i = 0; i < fact->n_list; i++)
			json_unsigned(b, NULL, fact->list[i]);
		json_list_end(b);
		break;
	case FACT_TIME_NS:
		json_instant(b, fact->name, fact->number);
		break;
	}
}

/* Our own sentence with its places filled; NULL stays null. */
static void put_filled(struct buf *b, const char *key, const char *text, const struct finding *f)
{
	AUTO_BUF filled = { 0 };

	if (!text) {
		json_unknown(b, key);
		return;
	}
	says_fill(&filled, _(text), f, false);
	json_text(b, key, buf_text(&filled));
}

static void put_current(struct buf *b, const char *name, const struct finding *f)
{
	const struct fact *fact = name ? finding_find_fact(f, name, strlen(name)) : NULL;
	AUTO_BUF value = { 0 };

	if (!fact) {
		json_unknown(b, "current");
		return;
	}
	says_fact(&value, fact, false);
	json_text(b, "current", buf_text(&value));
}

static void put_fixes(struct buf *b, const struct finding *f)
{
	const struct rule_text *text = f->text;
	const struct fix *fix;

	json_list(b, "fixes");
	for (size_t i = 0; (fix = finding_fix(f, i)); i++) {
		json_open(b, NULL);
		json_text(b, "kind", fix_kind_name(fix->kind));
		put_filled(b, "text", fix->text, f);
		put_filled(b, "command", fix->command, f);
		put_current(b, fix->current, f);
		put_filled(b, "proposed", fix->proposed, f);
		put_filled(b, "effect", fix->effect, f);
		put_filled(b, "risk", fix->risk, f);
		json_close(b);
	}
	json_list_end(b);
	json_list(b, "avoid");
	for (size_t i = 0; i < MAX_AVOID && text->avoid[i]; i++)
		put_filled(b, NULL, text->avoid[i], f);
	json_list_end(b);
}

void json_put_finding(struct buf *b, const struct finding *f)
{
	json_open(b, NULL);
	json_text(b, "rule", f->text->id);
	json_text(b, "severity", severity_name(f->severity));
	json_text(b, "certainty", certainty_name(f->certainty));
	put_subject(b, &f->subject);
	json_unsigned(b, "count", f->count);
	json_unsigned_or_null(b, "oldest_ms", f->oldest.ms, f->oldest.known);
	json_open(b, "facts");
	for (size_t i = 0; i < f->n_facts; i++)
		put_fact(b, &f->facts[i]);
	json_close(b);
	put_filled(b, "says", f->says ? f->says : f->text->says, f);
	put_filled(b, "why", f->text->why, f);
	put_fixes(b, f);
	json_list(b, "examples");
	for (size_t i = 0; i < f->n_examples; i++)
		json_put_conn(b, &f->examples[i], NULL, !f->examples[i].sock);
	json_list_end(b);
	json_close(b);
}

#include "rules_test.h"

#include <stdio.h>
#include <string.h>

static struct proc owner = { .pid = 812, .comm = "server", .state = 'S' };
static struct proc other = { .pid = 913, .comm = "sleeper", .state = 'S' };
static const struct holder listener_holder = { .proc = &other, .fd = 4 };
static struct netns netns = {
	.sysctls = {
		.fin_timeout_s = { true, 60 },
		.port_low = { true, 32768 },
		.port_high = { true, 60999 },
	},
};

static const struct netns tracking = { .sysctls.conntrack_count = { true, 100 } };

/* Everything one connection points to. */
struct made {
	struct sock sock, listener, other_sock;
	struct sock_full full, listener_full;
	struct in_flight in_flight;
	struct conn conn;
};

static void make_sock(struct made *m, const struct spec *s)
{
	m->full = (struct sock_full){
		.rqueue = s->rqueue,
		.wqueue = s->wqueue,
		.inode = s->inode,
		.is_mptcp = s->is_mptcp,
		.is_subflow = s->is_subflow,
		.has_tls_rx = s->has_tls_rx,
		.watch = (uint8_t)s->watch,
		.watch_events = s->watch == WATCH_DEAF ? 0x40000000 : 0,
		.info = {
			.len = s->no_info ? 0 : s->has_window ? SOCK_INFO_LEN_SND_WND : SOCK_INFO_LEN_BASIC,
			.snd_wnd = s->window,
			.backoff = s->backoff,
			.rto_us = s->rto_ms * 1000,
			.last_data_recv_ms = s->data_recv_ms,
			.last_data_sent_ms = s->data_sent_ms,
			.last_ack_recv_ms = s->ack_recv_ms,
		},
	};
	m->sock = (struct sock){
		.pair = { { { { 0 } }, s->local_port ? s->local_port : s->is_client ? 40000 : 8080 },
			  { { { 0 } }, s->peer_port ? s->peer_port : s->is_client ? 443 : 40000 } },
		.state = (uint8_t)s->state,
		.timer = (uint8_t)s->timer,
		.expires_ms = s->expires_ms,
		.retrans = s->retrans,
		.full = s->is_mini ? NULL : &m->full,
	};
	m->listener_full = (struct sock_full){ .rqueue = s->listener_rqueue,
					       .wqueue = s->listener_backlog, .inode = 7 };
	m->listener = (struct sock){ .pair.local.port = 8080, .state = STATE_LISTEN,
				     .full = &m->listener_full };
	m->other_sock = (struct sock){ .state = s->other_in_fin_wait ? STATE_FIN_WAIT_2 : STATE_CLOSE_WAIT };
}

static void make(struct made *m, const struct spec *s)
{
	make_sock(m, s);
	owner.n_fds = s->fd_used;
	owner.has_fds = s->fd_limit > 0;
	owner.fd_limit = s->fd_limit;
	owner.state = s->proc_state ? s->proc_state : 'S';
	owner.wchan = s->wchan;
	netns.sysctls.max_tw_buckets = (struct setting){ true, s->tw_buckets ? s->tw_buckets : 131072 };
	netns.sysctls.conntrack_close_wait_s = s->conntrack_close_wait_s;
	if (s->is_strays) {
		m->listener_full.holders = &listener_holder;
		m->listener_full.n_holders = 1;
	}
	size_t n_listener_holders = s->has_listener ? m->listener_full.n_holders : 0;
	m->conn = (struct conn){
		.sock = &m->sock,
		.netns = s->is_tracked ? &tracking : &netns,
		.owner = s->is_hidden ? OWNER_HIDDEN : s->is_mini ? OWNER_NONE : OWNER_KNOWN,
		.n_holders = s->is_hidden || s->is_mini || s->no_holder ? 0 : 1,
		.holders = { { .proc = &owner, .fd = s->fd ? s->fd : 5 } },
		.age = { s->age_ms != AGE_UNKNOWN, true, s->age_ms },
		.listener = s->has_listener ? &m->listener : NULL,
		.n_listeners = s->has_listener ? (s->n_listeners ? s->n_listeners : 1) : 0,
		.listener_holders = &listener_holder,
		.n_listener_holders = n_listener_holders,
		.other_end = s->other_in_close_wait || s->other_in_fin_wait ? &m->other_sock : NULL,
		.other_proc = s->other_in_close_wait ? &other : NULL,
	};
	if (s->is_shared)
		m->conn.holders[m->conn.n_holders++] = (struct holder){ .proc = &other, .fd = 9 };
	if (s->in_flight) {
		m->in_flight = (struct in_flight){ &other, 3, s->in_flight };
		m->conn.in_flight = &m->in_flight;
		m->conn.flight_is_partial = s->flight_is_partial;
		m->conn.n_in_flight = s->n_receivers ? s->n_receivers : 1;
	}
	if (s->is_hidden)
		m->conn.basis = s->nobody_has_it ? BASIS_NOT_FOUND : BASIS_NO_PRIVILEGE;
	if (s->is_mini || s->state == STATE_TIME_WAIT)
		m->conn.ends = (struct ends){ ENDS_TIMEWAIT, true, s->expires_ms };
}

static const struct finding *find(const struct findings *all, const char *rule)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->at[i].text->id, rule) == 0)
			return &all->at[i];
	return NULL;
}

/* No socket stays without a sentence, and none gets two. */
static void assert_all_explained(const struct findings *all, const struct row *row)
{
	uint64_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += all->at[i].count;
	if (n != row->n)
		fail_msg("%s: %llu of %llu sockets are explained", row->name, (unsigned long long)n,
			 (unsigned long long)row->n);
}

static void check_row(const struct row *row, size_t n_examples)
{
	struct arena *arena = arena_new();
	struct judge *judge = judge_new(arena, 60000, n_examples);
	struct findings all;
	struct made m;

	make(&m, &row->spec);
	for (uint64_t i = 0; i < row->n; i++) {
		struct conn c = m.conn;

		judge_sock(judge, &c);
	}
	judge_end(judge, &all);
	assert_all_explained(&all, row);
	const struct finding *f = find(&all, row->rule);
	if (row->expected != FIRES && f)
		fail_msg("%s: %s fired", row->name, row->rule);
	if (row->expected == UNKNOWN && !find(&all, "unjudged"))
		fail_msg("%s: not reported as unjudged", row->name);
	if (row->expected == SILENT && find(&all, "unjudged"))
		fail_msg("%s: reported as unjudged", row->name);
	if (row->expected == FIRES) {
		if (!f)
			fail_msg("%s: %s did not fire", row->name, row->rule);
		if (f->severity != row->severity)
			fail_msg("%s: severity %s", row->name, severity_name(f->severity));
		if (f->certainty != row->certainty)
			fail_msg("%s: certainty %s", row->name, certainty_name(f->certainty));
	}
	arena_free(arena);
}

void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_row(&rows[i], 3);
		check_row(&rows[i], 0);
	}
}

#include "live/cookies.h"
#include "live/diag.h"
#include "rows.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <stdlib.h>

/* One dump, decoded from what the test puts into `answer`. */
struct fixture {
	struct answer answer;
	struct cookies seen;
	struct live_request req;
	struct diag_rows rows;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	cookies_clear(&f->seen);
	f->req.states = STATES_ALL;
	f->rows = (struct diag_rows){
		.look = look_new(), .req = &f->req, .seq = 1, .seen = &f->seen,
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cookies_free(&f->seen);
	look_free(f->rows.look);
	free(f);
	return 0;
}

/* 10.0.0.1:80 <- 192.0.2.7:40000 */
static struct inet_diag_msg row4(uint8_t state, uint32_t cookie)
{
	return (struct inet_diag_msg){
		.idiag_family = AF_INET,
		.idiag_state = state,
		.id = {
			.idiag_sport = htons(80),
			.idiag_dport = htons(40000),
			.idiag_src = { htonl(0x0a000001) },
			.idiag_dst = { htonl(0xc0000207) },
			.idiag_cookie = { cookie, 7 },
		},
	};
}

static const struct sock *decode(struct fixture *f)
{
	assert_int_equal(diag_decode(&f->rows, f->answer.at, f->answer.n), f->answer.n);
	return f->rows.look->socks;
}

/* CLOSE-WAIT, the FIN unread behind 3 bytes, keepalive in 7 s, every attribute a root sees. */
static void full_close_wait(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg m = row4(STATE_CLOSE_WAIT, 5);
	struct tcp_info info = {
		.tcpi_retransmits = 1, .tcpi_probes = 2, .tcpi_backoff = 3, .tcpi_rto = 204000,
		.tcpi_last_data_sent = 11, .tcpi_last_data_recv = 12, .tcpi_last_ack_recv = 13,
		.tcpi_rtt = 333, .tcpi_snd_wnd = 65536,
	};
	uint8_t info280[280] = { 0 };
	const uint32_t skmem[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, mark = 0x20;
	const uint8_t shut = SHUT_BIT_RECV;
	const uint64_t cgroup = 0x1234567890;
	char local[ENDPOINT_TEXT_MAX], peer[ENDPOINT_TEXT_MAX];

	memcpy(info280, &info, sizeof(info));
	m.idiag_timer = TIMER_KEEPALIVE;
	m.idiag_retrans = 2;
	m.idiag_expires = 7000;
	m.idiag_rqueue = 4;
	m.idiag_wqueue = 9;
	m.idiag_uid = 1000;
	m.idiag_inode = 4711;
	m.id.idiag_if = 3;
	put_row(&f->answer, &m);
	put_attr(&f->answer, INET_DIAG_SHUTDOWN, &shut, 1);
	put_attr(&f->answer, INET_DIAG_INFO, info280, sizeof(info280));
	put_attr(&f->answer, INET_DIAG_SKMEMINFO, skmem, sizeof(skmem));
	put_attr(&f->answer, INET_DIAG_CGROUP_ID, &cgroup, sizeof(cgroup));
	put_attr(&f->answer, INET_DIAG_MARK, &mark, sizeof(mark));

	const struct sock *s = decode(f);
	assert_int_equal(f->rows.look->n_socks, 1);
	assert_int_equal(s->state, STATE_CLOSE_WAIT);
	assert_int_equal(s->timer, TIMER_KEEPALIVE);
	assert_int_equal(s->retrans, 2);
	assert_int_equal(s->expires_ms, 7000);
	assert_true(s->cookie == (UINT64_C(7) << 32 | 5));
	assert_false(s->is_inet6);
	assert_string_equal(endpoint_format(s->pair.local, local), "10.0.0.1:80");
	assert_string_equal(endpoint_format(s->pair.peer, peer), "192.0.2.7:40000");
	assert_non_null(s->full);
	assert_int_equal(s->full->rqueue, 4);
	assert_int_equal(s->full->wqueue, 9);
	assert_int_equal(s->full->uid, 1000);
	assert_int_equal(s->full->inode, 4711);
	assert_int_equal(s->full->ifindex, 3);
	assert_true(s->full->has_shutdown && s->full->shutdown == SHUT_BIT_RECV);
	assert_true(s->full->has_cgroup && s->full->cgroup_id == cgroup);
	assert_true(s->full->has_mark && s->full->mark == mark);
	assert_true(s->full->has_skmem && s->full->rmem_alloc == 1 && s->full->rcvbuf == 2);
	assert_true(s->full->has_drops && s->full->drops == 9);
	assert_true(s->full->wmem_alloc == 3 && s->full->sndbuf == 4);
	assert_int_equal(s->full->info.len, 280);
	assert_int_equal(s->full->info.probes, 2);
	assert_int_equal(s->full->info.backoff, 3);
	assert_int_equal(s->full->info.rto_us, 204000);
	assert_int_equal(s->full->info.last_data_sent_ms, 11);
	assert_int_equal(s->full->info.last_data_recv_ms, 12);
	assert_int_equal(s->full->info.last_ack_recv_ms, 13);
	assert_int_equal(s->full->info.rtt_us, 333);
	assert_int_equal(s->full->info.snd_wnd, 65536);
	assert_int_equal(f->rows.states[STATE_CLOSE_WAIT], 1);
}

/* tcp_info of 5.4 (232), of the first kernels that had it (104), and one that ends in a field. */
static void shorter_info(void **state)
{
	static const uint16_t lengths[] = { 232, 104, 57, 1, 0 };
	struct fixture *f = *state;
	uint8_t info[280];

	memset(info, 1, sizeof(info));
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct inet_diag_msg m = row4(STATE_CLOSE_WAIT, (uint32_t)i);

		put_row(&f->answer, &m);
		put_attr(&f->answer, INET_DIAG_INFO, info, lengths[i]);
	}
	const struct sock *s = decode(f);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		assert_int_equal(s[i].full->info.len, lengths[i]);
	assert_int_equal(s[0].full->info.snd_wnd, 0x01010101);
	assert_int_equal(s[1].full->info.snd_wnd, 0);
	assert_int_equal(s[1].full->info.last_ack_recv_ms, 0x01010101);
	assert_int_equal(s[2].full->info.last_data_recv_ms, 0x01010101);
	assert_int_equal(s[4].full->info.rto_us, 0);
}

/* What has no application any more, and what has none yet. */
static void rows_without_socket(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg tw = row4(STATE_TIME_WAIT, 1), fw2 = row4(STATE_FIN_WAIT_2, 2);
	struct inet_diag_msg orphan = row4(STATE_FIN_WAIT_2, 3), syn = row4(STATE_SYN_RECV, 4);
	struct inet_diag_msg fastopen = row4(STATE_SYN_RECV, 5);
	const uint8_t shut = 0;

	tw.idiag_timer = fw2.idiag_timer = TIMER_TIMEWAIT;
	orphan.idiag_timer = TIMER_KEEPALIVE;
	put_row(&f->answer, &tw);
	put_row(&f->answer, &fw2);
	put_row(&f->answer, &orphan);
	put_row(&f->answer, &syn);
	put_row(&f->answer, &fastopen);
	put_attr(&f->answer, INET_DIAG_SHUTDOWN, &shut, 1);

	const struct sock *s = decode(f);
	assert_int_equal(f->rows.look->n_socks, 5);
	assert_null(s[0].full);
	assert_null(s[1].full);
	assert_non_null(s[2].full);
	assert_null(s[3].full);
	assert_non_null(s[4].full);
	assert_true(sock_is_orphan(&s[0]) && sock_is_orphan(&s[1]) && sock_is_orphan(&s[2]));
}

/* [::]:443 LISTEN, 1 waiting of 128; and 192.0.2.7 on a socket of family inet6. */
static void listener_and_mapped(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg l = {
		.idiag_family = AF_INET6, .idiag_state = STATE_LISTEN,
		.idiag_rqueue = 1, .idiag_wqueue = 128, .idiag_inode = 9,
		.id = { .idiag_sport = htons(443), .idiag_cookie = { 1 } },
	};
	struct inet_diag_msg m = {
		.idiag_family = AF_INET6, .idiag_state = STATE_ESTABLISHED,
		.id = {
			.idiag_sport = htons(443), .idiag_dport = htons(5),
			.idiag_src = { 0, 0, htonl(0xffff), htonl(0x0a000001) },
			.idiag_dst = { 0, 0, htonl(0xffff), htonl(0xc0000207) },
			.idiag_cookie = { 2 },
		},
	};
	char text[ENDPOINT_TEXT_MAX];

	put_row(&f->answer, &l);
	put_row(&f->answer, &m);
	const struct sock *s = decode(f);
	assert_true(s[0].is_inet6 && s[1].is_inet6);
	assert_true(addr_is_any(s[0].pair.local.addr));
	assert_int_equal(s[0].full->rqueue, 1);
	assert_int_equal(s[0].full->wqueue, 128);
	assert_true(addr_is_v4(s[1].pair.peer.addr));
	assert_string_equal(endpoint_format(s[1].pair.peer, text), "192.0.2.7:5");
	assert_true(sock_is_unaccepted(&s[1]));
}

/* A full row and DONE, cut at every byte: the row is there when it is whole, and nothing else. */
static void cut_everywhere(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg m = row4(STATE_CLOSE_WAIT, 5);
	uint8_t info[280] = { 0 };

	put_row(&f->answer, &m);
	put_attr(&f->answer, INET_DIAG_INFO, info, sizeof(info));
	size_t row = f->answer.n;
	put_done(&f->answer);
	for (size_t n = 0; n <= f->answer.n; n++) {
		uint8_t *copy = malloc(n ? n : 1); /* the sanitizer sees one byte too many */

		memcpy(copy, f->answer.at, n);
		f->rows.is_done = false;
		f->rows.look->n_socks = 0;
		cookies_clear(&f->seen);
		size_t used = diag_decode(&f->rows, copy, n);
		assert_int_equal(used, n < row ? 0 : n < f->answer.n ? row : n);
		assert_int_equal(f->rows.look->n_socks, n >= row);
		assert_int_equal(f->rows.is_done, n == f->answer.n);
		free(copy);
	}
	assert_int_equal(f->rows.n_malformed, 0);
}

/* The header says less than a row needs: at every length, never read behind it. */
static void short_message(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg m = row4(STATE_CLOSE_WAIT, 5);

	for (size_t n = 0; n < sizeof(m); n++) {
		f->answer.n = 0;
		put_message(&f->answer, SOCK_DIAG_BY_FAMILY, &m, n);
		((struct nlmsghdr *)(void *)f->answer.at)->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + n);
		decode(f);
	}
	assert_int_equal(f->rows.n_malformed, sizeof(m));
	assert_int_equal(f->rows.look->n_socks, 0);
}

static void strange_attributes(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg m = row4(STATE_CLOSE_WAIT, 5);
	const uint8_t shut = 3, junk[40] = { 0 };

	/* Unknown ones are stepped over. */
	put_row(&f->answer, &m);
	put_attr(&f->answer, 999, junk, sizeof(junk));
	put_attr(&f->answer, INET_DIAG_SHUTDOWN, &shut, 1);
	assert_int_equal(decode(f)->full->shutdown, 3);

	/* Too short for what they name: not there, rather than zero. */
	m.id.idiag_cookie[0] = 6;
	put_row(&f->answer, &m);
	put_attr(&f->answer, INET_DIAG_SHUTDOWN, junk, 0);
	put_attr(&f->answer, INET_DIAG_MARK, junk, 3);
	put_attr(&f->answer, INET_DIAG_CGROUP_ID, junk, 7);
	put_attr(&f->answer, INET_DIAG_SKMEMINFO, junk, 15);
	const struct sock_full *full = decode(f)[1].full;
	assert_false(full->has_shutdown || full->has_mark || full->has_cgroup || full->has_skmem);

	/* A length of 0, and one beyond the message, end the list. */
	for (uint16_t len = 0; len < 2; len++) {
		m.id.idiag_cookie[0]++;
		put_row(&f->answer, &m);
		put_attr(&f->answer, 999, junk, 4);
		struct nlattr *attr = (void *)(f->answer.at + f->answer.n - 8);
		attr->nla_len = len ? 4000 : 0;
		put_attr(&f->answer, INET_DIAG_SHUTDOWN, &shut, 1);
		assert_false(decode(f)[2 + len].full->has_shutdown);
	}
}

/* kTLS: what it does with received data is a number in a nested attribute, or not told. */
static void kernel_tls(void **state)
{
	static const struct {
		uint8_t ulp[32];
		uint16_t len;
		bool has_rx;
	} rows[] = {
		{ { 8, 0, 1, 0, 't', 'l', 's', 0, 20, 0, 2, 0x80, 6, 0, 3, 0, 2, 0, 0, 0, 6, 0, 4, 0, 2, 0 }, 28, true },
		{ { 8, 0, 1, 0, 't', 'l', 's', 0, 20, 0, 2, 0x80, 6, 0, 3, 0, 2, 0, 0, 0, 6, 0, 4, 0, 3, 0 }, 28, true },
		{ { 8, 0, 1, 0, 't', 'l', 's', 0, 20, 0, 2, 0x80, 6, 0, 3, 0, 2, 0, 0, 0, 6, 0, 4, 0, 1, 0 }, 28, false },
		{ { 8, 0, 1, 0, 't', 'l', 's', 0, 12, 0, 2, 0x80, 6, 0, 3, 0, 1, 0 }, 20, true },
		{ { 8, 0, 1, 0, 't', 'l', 's', 0, 12, 0, 2, 0x80, 5, 0, 4, 0, 1, 0 }, 20, true },
		{ { 8, 0, 1, 0, 't', 'l', 's', 0 }, 8, true },
		{ { 8, 0, 1, 0, 't', 'l', 's', 'x' }, 8, false },
		{ { 7, 0, 1, 0, 't', 'l', 's', 0 }, 8, false },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct inet_diag_msg m = row4(STATE_CLOSE_WAIT, (uint32_t)i);

		put_row(&f->answer, &m);
		put_attr(&f->answer, INET_DIAG_ULP_INFO, rows[i].ulp, rows[i].len);
	}
	const struct sock *s = decode(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(s[i].full->has_tls_rx, rows[i].has_rx);
		assert_false(s[i].full->is_subflow);
	}
}

/* ULP_INFO as 6.18 sends it: the name, then the nested attributes of the subflow, its local token
 * second. */
static void mptcp_subflow(void **state)
{
	static const uint8_t ulp[] = {
		10, 0, 1, 0, 'm', 'p', 't', 'c', 'p', 0, 0, 0,           /* INET_ULP_INFO_NAME */
		20, 0, 3, 0x80,                                          /* INET_ULP_INFO_MPTCP, nested */
		8, 0, 1, 0, 0, 0, 0, 0,  8, 0, 2, 0, 0x21, 0xc0, 0x4e, 0x40, /* TOKEN_REM, TOKEN_LOC */
	};
	struct fixture *f = *state;
	struct inet_diag_msg m = row4(STATE_ESTABLISHED, 5);
	uint8_t other[sizeof(ulp)];

	put_row(&f->answer, &m);
	put_attr(&f->answer, INET_DIAG_ULP_INFO, ulp, sizeof(ulp));
	assert_true(decode(f)->full->is_subflow);
	assert_false(decode(f)->full->is_mptcp);
	assert_int_equal(decode(f)->full->token, 0x404ec021);
	assert_int_equal(f->rows.n_subflows, 1);

	/* A listener is no connection, and another ULP no subflow. */
	f->answer.n = 0;
	m.id.idiag_cookie[0]++;
	m.idiag_state = STATE_LISTEN;
	put_row(&f->answer, &m);
	put_attr(&f->answer, INET_DIAG_ULP_INFO, ulp, 12);
	memcpy(other, ulp, sizeof(ulp));
	memcpy(other + 4, "tls\0\0", 6);
	m.id.idiag_cookie[0]++;
	m.idiag_state = STATE_ESTABLISHED;
	put_row(&f->answer, &m);
	put_attr(&f->answer, INET_DIAG_ULP_INFO, other, sizeof(other));
	assert_false(decode(f)[2].full->is_subflow);
	assert_int_equal(decode(f)[2].full->token, 0);
	assert_int_equal(f->rows.n_subflows, 1);

	/* Cut anywhere, nothing is read beyond it. */
	for (uint16_t n = 0; n < sizeof(ulp); n++) {
		f->answer.n = 0;
		m.id.idiag_cookie[0]++;
		put_row(&f->answer, &m);
		put_attr(&f->answer, INET_DIAG_ULP_INFO, ulp, n);
		assert_int_equal(decode(f)[3 + n].full->token, 0);
	}
}

/* A row of protocol 262: its INFO is struct mptcp_info, 96 bytes since 6.10 and 40 in 5.16. */
static void mptcp_socket(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg m = row4(STATE_CLOSE_WAIT, 5), listener = row4(STATE_LISTEN, 6);
	const uint32_t token = 0xe37c4d2e, since[3] = { 1500, 1501, 500 };
	uint8_t info[96] = { 0 };

	f->rows.is_mptcp = true;
	memcpy(info + 12, &token, 4);
	memcpy(info + 84, since, sizeof(since));
	put_row(&f->answer, &listener);
	put_row(&f->answer, &m);
	put_attr(&f->answer, INET_DIAG_INFO, info, sizeof(info));
	m.id.idiag_cookie[0] = 7;
	put_row(&f->answer, &m);
	put_attr(&f->answer, INET_DIAG_INFO, info, 40);
	m.id.idiag_cookie[0] = 8;
	put_row(&f->answer, &m);
	put_attr(&f->answer, INET_DIAG_INFO, info, 15);
	const struct sock *s = decode(f);
	assert_int_equal(f->rows.look->n_socks, 3); /* the listener is the TCP dump's */
	assert_true(s[0].full->is_mptcp && !s[0].full->is_subflow);
	assert_int_equal(s[0].full->token, token);
	assert_int_equal(s[0].full->info.last_data_sent_ms, 1500);
	assert_int_equal(s[0].full->info.last_data_recv_ms, 1501);
	assert_int_equal(s[0].full->info.last_ack_recv_ms, 500);
	assert_int_equal(s[0].full->info.len, SOCK_INFO_LEN_BASIC);
	assert_int_equal(s[1].full->token, token);
	assert_int_equal(s[1].full->info.len, 0);
	assert_int_equal(s[2].full->token, 0);
}

/* Seen as FIN-WAIT-2, then, further down the table, as TIME-WAIT: one socket, in its later state. */
static void same_cookie_twice(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg a = row4(STATE_FIN_WAIT_2, 5), b = row4(STATE_CLOSE_WAIT, 6);
	struct inet_diag_msg a2 = row4(STATE_TIME_WAIT, 5);

	put_row(&f->answer, &a);
	put_row(&f->answer, &b);
	put_row(&f->answer, &a2);
	const struct sock *s = decode(f);
	assert_int_equal(f->rows.look->n_socks, 2);
	assert_int_equal(f->rows.n, 2);
	assert_int_equal(s[0].state, STATE_TIME_WAIT);
	assert_null(s[0].full);
	assert_int_equal(s[1].state, STATE_CLOSE_WAIT);
	assert_int_equal(f->rows.states[STATE_FIN_WAIT_2], 0);
	assert_int_equal(f->rows.states[STATE_TIME_WAIT], 1);
}

static void ends_and_errors(void **state)
{
	static const struct {
		uint16_t type;
		int32_t value;
		size_t len;
		int error;
	} rows[] = {
		{ NLMSG_DONE, 0, 4, 0 },
		{ NLMSG_DONE, 0, 0, 0 },
		{ NLMSG_DONE, -EINVAL, 4, -EINVAL },
		{ NLMSG_ERROR, -ENOENT, 4, -ENOENT },
		{ NLMSG_ERROR, -EPERM, 4, -EPERM },
		{ NLMSG_ERROR, 0, 4, 0 },
		{ NLMSG_ERROR, 0, 2, -EPROTO },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		f->answer.n = 0;
		f->rows.is_done = false;
		put_message(&f->answer, rows[i].type, &rows[i].value, rows[i].len);
		((struct nlmsghdr *)(void *)f->answer.at)->nlmsg_len =
			(uint32_t)(NLMSG_HDRLEN + rows[i].len);
		decode(f);
		assert_true(f->rows.is_done);
		assert_int_equal(f->rows.error, rows[i].error);
	}
}

static void flags_and_numbers(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg m = row4(STATE_CLOSE_WAIT, 5);

	/* An answer to somebody else's question. */
	put_row(&f->answer, &m);
	header(&f->answer)->nlmsg_seq = 99;
	decode(f);
	assert_int_equal(f->rows.look->n_socks, 0);

	f->answer.n = 0;
	put_row(&f->answer, &m);
	header(&f->answer)->nlmsg_flags |= NLM_F_DUMP_INTR;
	decode(f);
	assert_int_equal(f->rows.look->n_socks, 1);
	assert_true(f->rows.is_interrupted);

	/* The reply of TCPDIAG_GETSOCK has its own type. */
	f->answer.n = 0;
	m.id.idiag_cookie[0]++;
	put_message(&f->answer, TCPDIAG_GETSOCK, &m, sizeof(m));
	decode(f);
	assert_int_equal(f->rows.look->n_socks, 2);

	/* Families and states that no kernel of ours has. */
	f->answer.n = 0;
	m.idiag_family = AF_UNIX;
	put_row(&f->answer, &m);
	m.id.idiag_cookie[0]++;
	m.idiag_family = AF_INET;
	m.idiag_state = 200;
	f->req.states = UINT32_MAX;
	put_row(&f->answer, &m);
	decode(f);
	assert_int_equal(f->rows.n_malformed, 1);
	assert_int_equal(f->rows.look->socks[2].state, STATE_UNKNOWN);
}

/* A recording holds more than is asked for: those are counted, not kept. */
static void unwanted_rows(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg m = row4(STATE_CLOSE_WAIT, 1), e = row4(STATE_ESTABLISHED, 2);
	struct inet_diag_msg syn = row4(STATE_SYN_RECV, 3);

	f->req.states = STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_NEW_SYN_RECV);
	put_row(&f->answer, &m);
	put_row(&f->answer, &e);
	put_row(&f->answer, &syn);
	decode(f);
	assert_int_equal(f->rows.look->n_socks, 2);
	assert_int_equal(f->rows.n, 2);
	assert_int_equal(f->rows.states[STATE_ESTABLISHED], 1);

	f->req.only_inet6 = true;
	f->answer.n = 0;
	m.id.idiag_cookie[0] = 4;
	put_row(&f->answer, &m);
	decode(f);
	assert_int_equal(f->rows.look->n_socks, 2);
}

static bool take_time_wait(void *arg, const struct look *look, const struct sock *s)
{
	*(unsigned *)arg += s->state == STATE_TIME_WAIT;
	assert_non_null(look);
	return s->state == STATE_TIME_WAIT;
}

/* Rows that are printed as they come are counted, not kept, and not shown twice. */
static void streamed_rows(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg tw = row4(STATE_TIME_WAIT, 1), cw = row4(STATE_CLOSE_WAIT, 2);
	unsigned n = 0;

	f->req.on_sock = take_time_wait;
	f->req.on_sock_arg = &n;
	put_row(&f->answer, &tw);
	put_row(&f->answer, &cw);
	put_row(&f->answer, &tw);
	decode(f);
	assert_int_equal(n, 1);
	assert_int_equal(f->rows.n, 2);
	assert_int_equal(f->rows.look->n_socks, 1);
	assert_int_equal(f->rows.look->socks[0].state, STATE_CLOSE_WAIT);
	assert_int_equal(f->rows.states[STATE_TIME_WAIT], 1);
}

/* What kernels before 4.9 send of memory, a request of the newer name, and half an ULP's name. */
static void older_and_shorter(void **state)
{
	static const uint8_t ulp[] = { 8, 0, 1, 0, 'm', 'p', 't', 'c', 4, 0, 3, 0x80 };
	static const uint8_t token[] = { 10, 0, 1, 0, 'm', 'p', 't', 'c', 'p', 0, 0, 0,
					 10, 0, 3, 0x80, 6, 0, 2, 0, 0x21, 0xc0, 0, 0 };
	const uint32_t skmem[4] = { 1, 2, 3, 4 };
	struct fixture *f = *state;
	struct inet_diag_msg m = row4(STATE_CLOSE_WAIT, 1), request = row4(STATE_NEW_SYN_RECV, 2);
	struct inet_diag_msg half = row4(STATE_ESTABLISHED, 3), short_token = row4(STATE_ESTABLISHED, 4);

	put_row(&f->answer, &m);
	put_attr(&f->answer, INET_DIAG_SKMEMINFO, skmem, sizeof(skmem));
	put_row(&f->answer, &request);
	put_row(&f->answer, &half);
	put_attr(&f->answer, INET_DIAG_ULP_INFO, ulp, sizeof(ulp));
	put_row(&f->answer, &short_token);
	put_attr(&f->answer, INET_DIAG_ULP_INFO, token, sizeof(token));
	const struct sock *s = decode(f);

	assert_true(s[0].full->has_skmem && s[0].full->sndbuf == 4);
	assert_false(s[0].full->has_drops);
	assert_null(s[1].full);
	assert_false(s[2].full->is_subflow);
	assert_true(s[3].full->is_subflow);
	assert_int_equal(s[3].full->token, 0);
}

/* A look that is full takes no more, and counts what it leaves. */
static void no_room(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg m = row4(STATE_CLOSE_WAIT, 1);

	put_row(&f->answer, &m);
	f->rows.look->n_socks = UINT32_MAX;
	decode(f);
	f->rows.look->n_socks = 0;
	assert_int_equal(f->rows.n, 1);
	assert_int_equal(f->rows.n_dropped, 1);
}

/* A number beyond any interface is none of those that are known. */
static void interface_beyond(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg m = row4(STATE_CLOSE_WAIT, 1);

	m.id.idiag_if = 70000;
	put_row(&f->answer, &m);
	assert_int_equal(decode(f)->ifindex, UINT16_MAX);
	assert_int_equal(f->rows.look->socks[0].full->ifindex, 70000);
}

/* Only listeners of AF_INET6 say it; what is no byte says nothing. */
static void only_ipv6(void **state)
{
	static const struct {
		uint8_t value;
		size_t len;
		bool is_v6only;
	} rows[] = { { 1, 1, true }, { 1, 0, false }, { 0, 1, false } };
	struct fixture *f = *state;
	struct inet_diag_msg m = row4(STATE_LISTEN, 1);

	m.idiag_family = AF_INET6;
	put_row(&f->answer, &m);
	for (uint32_t i = 0; i < ARRAY_LEN(rows); i++) {
		m.id.idiag_cookie[0] = i + 2;
		put_row(&f->answer, &m);
		put_attr(&f->answer, INET_DIAG_SKV6ONLY, &rows[i].value, rows[i].len);
	}
	const struct sock *s = decode(f);
	assert_false(s[0].full->is_v6only);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(s[i + 1].full->is_v6only, rows[i].is_v6only);
}

/* One family of a recording of both. */
static void one_family(void **state)
{
	struct fixture *f = *state;
	struct inet_diag_msg four = row4(STATE_CLOSE_WAIT, 1), six = row4(STATE_CLOSE_WAIT, 2);

	six.idiag_family = AF_INET6;
	put_row(&f->answer, &four);
	put_row(&f->answer, &six);
	f->req.only_inet4 = true;
	assert_false(decode(f)[0].is_inet6);
	assert_int_equal(f->rows.look->n_socks, 1);
	f->req.only_inet4 = false;
	f->req.only_inet6 = true;
	assert_true(decode(f)[1].is_inet6);
	assert_int_equal(f->rows.look->n_socks, 2);
	assert_int_equal(f->rows.states[STATE_CLOSE_WAIT], 4);
}

/* Longer than an attribute can be: it is not asked for half of it. */
static void too_long_a_filter(void **state)
{
	struct root root = ROOT_CLOSED;
	struct fixture *f = *state;

	f->req.bytecode = f;
	f->req.bytecode_len = UINT16_MAX;
	int error = diag_ask(&root, AF_INET, -1, &f->rows);

	if (error == -EPROTONOSUPPORT || error == -EACCES || error == -EPERM)
		skip(); /* a container without sock_diag */
	assert_int_equal(error, -E2BIG);
	assert_int_equal(f->rows.n, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(full_close_wait),	 TEST(shorter_info),	  TEST(rows_without_socket),
		TEST(listener_and_mapped), TEST(cut_everywhere),  TEST(short_message),
		TEST(strange_attributes), TEST(mptcp_subflow), TEST(kernel_tls),	  TEST(mptcp_socket),  TEST(same_cookie_twice),
		TEST(ends_and_errors),	 TEST(flags_and_numbers), TEST(unwanted_rows),
		TEST(streamed_rows),	  TEST(older_and_shorter), TEST(one_family), TEST(too_long_a_filter), TEST(no_room), TEST(interface_beyond),
		TEST(only_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "join/lifetime.h"
#include "util/attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct netns defaults = {
	.uptime_ms = UINT32_MAX, /* the longest of which the times since can tell */
	.sysctls = {
		.fin_timeout_s = { true, 60 },
		.orphan_retries = { true, 0 },
		.retries2 = { true, 15 },
	},
};
static const struct netns long_fin_timeout = { .sysctls.fin_timeout_s = { true, 120 } };
static const struct netns up_for_50_days = { .uptime_ms = UINT32_MAX + INT64_C(1) };
static const struct netns up_since_nobody_knows = { .uptime_ms = 0 };
static const struct netns short_pauses = { .sysctls = { .rto_max_ms = { true, 2000 } } };
static const struct netns short_pauses_and_five = { .sysctls = { .rto_max_ms = { true, 2000 },
								.orphan_retries = { true, 5 } } };
static const struct netns one_retry = { .sysctls = { .orphan_retries = { true, 1 } } };
static const struct netns no_pauses = { .sysctls = { .rto_max_ms = { true, 0 } } };
static const struct netns vendor = { .sysctls.tw_timeout_s = { true, 5 } };

#define ALL_OF_KEEPALIVE .known = OPTS_KEEPALIVE | OPTS_USER_TIMEOUT, .keepalive = true
static const struct sock_opts probing = { ALL_OF_KEEPALIVE, .idle_s = 60, .interval_s = 10, .probes = 6 };
static const struct sock_opts limited = { ALL_OF_KEEPALIVE, .idle_s = 60, .interval_s = 10, .probes = 6,
					  .user_timeout_ms = 95000 };
static const struct sock_opts impatient = { .known = OPTS_USER_TIMEOUT, .user_timeout_ms = 8000 };
static const struct sock_opts off = { .known = OPTS_KEEPALIVE, .interval_s = 10, .probes = 6 };
static const struct sock_opts not_reported = { .known = OPTS_LINGER, .keepalive = true, .probes = 6,
					       .interval_s = 10 };

/* One socket, what must be said of its age and of its end. */
static const struct row {
	const char *name;
	enum state state;
	enum timer timer;
	bool is_mini, no_info;
	uint32_t inode, expires_ms, wqueue, retrans;
	struct sock_info info;
	const struct netns *netns;
	const struct sock_opts *opts;
	bool is_mptcp;
	struct age age;
	struct ends ends;
} rows[] = {
	{ .name = "silent CLOSE-WAIT: the FIN's ACK field dates it", .state = STATE_CLOSE_WAIT,
	  .inode = 5, .info = { .last_ack_recv_ms = 3000, .last_data_recv_ms = 4000, .last_data_sent_ms = 5000 },
	  .age = { true, true, 3000 }, .ends = { .by = ENDS_NEVER } },
	{ .name = "no data ever came, none left: both times are the connection's", .state = STATE_CLOSE_WAIT,
	  .inode = 5, .info = { .last_ack_recv_ms = 3000, .last_data_recv_ms = 5000, .last_data_sent_ms = 5000 },
	  .age = { true, true, 3000 }, .ends = { .by = ENDS_NEVER } },
	{ .name = "we sent something since: at least", .state = STATE_CLOSE_WAIT, .inode = 5,
	  .info = { .last_ack_recv_ms = 3000, .last_data_recv_ms = 4000, .last_data_sent_ms = 2000 },
	  .age = { true, false, 3000 }, .ends = { .by = ENDS_NEVER } },
	{ .name = "its ACK of our answer came last, or its FIN", .state = STATE_CLOSE_WAIT, .inode = 5,
	  .info = { .last_ack_recv_ms = 3000, .last_data_recv_ms = 9000, .last_data_sent_ms = 3000 },
	  .age = { true, false, 3000 }, .ends = { .by = ENDS_NEVER } },
	{ .name = "an answer long before, and its reader may have made room since", .state = STATE_CLOSE_WAIT,
	  .inode = 5, .info = { .last_ack_recv_ms = 3000, .last_data_recv_ms = 9000, .last_data_sent_ms = 8999 },
	  .age = { true, false, 3000 }, .ends = { .by = ENDS_NEVER } },
	{ .name = "silent, but 32 bits of milliseconds may have begun anew", .state = STATE_CLOSE_WAIT, .inode = 5,
	  .info = { .last_ack_recv_ms = 3000, .last_data_recv_ms = 4000, .last_data_sent_ms = 5000 },
	  .netns = &up_for_50_days, .age = { true, false, 3000 }, .ends = { .by = ENDS_NEVER } },
	{ .name = "silent, and nobody knows whether they have", .state = STATE_CLOSE_WAIT, .inode = 5,
	  .info = { .last_ack_recv_ms = 3000, .last_data_recv_ms = 4000, .last_data_sent_ms = 5000 },
	  .netns = &up_since_nobody_knows, .age = { true, false, 3000 }, .ends = { .by = ENDS_NEVER } },
	{ .name = "something to send: its ACK may have come", .state = STATE_CLOSE_WAIT, .inode = 5, .wqueue = 9,
	  .info = { .last_ack_recv_ms = 3000, .last_data_recv_ms = 4000, .last_data_sent_ms = 5000 },
	  .age = { true, false, 3000 }, .ends = { .by = ENDS_NEVER } },
	{ .name = "our own keepalive probes refresh it", .state = STATE_CLOSE_WAIT, .inode = 5,
	  .timer = TIMER_KEEPALIVE,
	  .info = { .last_ack_recv_ms = 456, .last_data_sent_ms = 9000 },
	  .age = { true, false, 456 }, .ends = { .by = ENDS_KEEPALIVE } },
	{ .name = "no tcp_info", .state = STATE_CLOSE_WAIT, .inode = 5, .no_info = true,
	  .age = { 0 }, .ends = { .by = ENDS_NEVER } },
	{ .name = "answer held by a closed window, probes answered", .state = STATE_CLOSE_WAIT,
	  .inode = 5, .timer = TIMER_PERSIST, .wqueue = 9,
	  .info = { .last_ack_recv_ms = 100, .last_data_sent_ms = 9000 },
	  .age = { true, false, 100 }, .ends = { .by = ENDS_NEVER } },
	{ .name = "TIME-WAIT: 60 s less what is left, at least", .state = STATE_TIME_WAIT,
	  .is_mini = true, .timer = TIMER_TIMEWAIT, .expires_ms = 20000,
	  .age = { true, false, 40000 }, .ends = { ENDS_TIMEWAIT, true, 20000 } },
	{ .name = "TIME-WAIT of a vendor kernel", .state = STATE_TIME_WAIT, .is_mini = true,
	  .timer = TIMER_TIMEWAIT, .expires_ms = 2000, .netns = &vendor,
	  .age = { true, false, 3000 }, .ends = { ENDS_TIMEWAIT, true, 2000 } },
	{ .name = "FIN-WAIT-2 held: no timer", .state = STATE_FIN_WAIT_2, .inode = 5,
	  .info = { .last_ack_recv_ms = 700, .last_data_sent_ms = 800 },
	  .age = { true, false, 700 }, .ends = { .by = ENDS_NEVER } },
	{ .name = "FIN-WAIT-2 minisock", .state = STATE_FIN_WAIT_2, .is_mini = true,
	  .timer = TIMER_TIMEWAIT, .expires_ms = 9000, .age = { 0 },
	  .ends = { ENDS_FIN_TIMEOUT, true, 9000 } },
	{ .name = "tcp_fin_timeout 120: two halves of 60 s", .state = STATE_FIN_WAIT_2,
	  .timer = TIMER_KEEPALIVE, .expires_ms = 50000, .netns = &long_fin_timeout,
	  .info = { .last_ack_recv_ms = 10000, .last_data_sent_ms = 10000 },
	  .age = { true, false, 10000 }, .ends = { ENDS_FIN_TIMEOUT, true, 110000 } },
	{ .name = "the same, at its very start", .state = STATE_FIN_WAIT_2,
	  .timer = TIMER_KEEPALIVE, .expires_ms = 60000, .netns = &long_fin_timeout,
	  .info = { .last_ack_recv_ms = 10, .last_data_sent_ms = 10 },
	  .age = { true, false, 10 }, .ends = { ENDS_FIN_TIMEOUT, true, 120000 } },
	{ .name = "longer than that: TCP_LINGER2", .state = STATE_FIN_WAIT_2,
	  .timer = TIMER_KEEPALIVE, .expires_ms = 60001, .netns = &long_fin_timeout,
	  .info = { .last_ack_recv_ms = 10, .last_data_sent_ms = 10 },
	  .age = { true, false, 10 }, .ends = { .by = ENDS_FIN_TIMEOUT } },
	{ .name = "TCP_LINGER2 above 60: the second half is unknown", .state = STATE_FIN_WAIT_2,
	  .timer = TIMER_KEEPALIVE, .expires_ms = 30000,
	  .info = { .last_ack_recv_ms = 10, .last_data_sent_ms = 10 },
	  .age = { true, false, 10 }, .ends = { .by = ENDS_FIN_TIMEOUT } },
	/* 204 + 408 + 816 and half of 1632; then 816 + 3264 + ... + 52224 until 102.2 s since the first time. */
	{ .name = "FIN repeated three times", .state = STATE_FIN_WAIT_1, .timer = TIMER_ON, .expires_ms = 816,
	  .wqueue = 1, .retrans = 3, .info = { .rto_us = 1632000, .backoff = 3 }, .age = { true, false, 1428 + 816 },
	  .ends = { ENDS_RETRIES, true, 204 * 511 - 2244 } },
	{ .name = "data repeated, perhaps long before close()", .state = STATE_FIN_WAIT_1, .timer = TIMER_ON,
	  .expires_ms = 816, .wqueue = 2, .retrans = 3, .info = { .rto_us = 1632000, .backoff = 3 }, .age = { 0 },
	  .ends = { ENDS_RETRIES, true, 204 * 511 - 2244 } },
	{ .name = "the backoff is of data that got through", .state = STATE_LAST_ACK, .timer = TIMER_ON,
	  .expires_ms = 816, .wqueue = 1, .retrans = 1, .info = { .rto_us = 1632000, .backoff = 3 },
	  .age = { true, false, 816 + 816 }, .ends = { ENDS_RETRIES, true, 816 + 3264 * 31 } },
	{ .name = "a loss probe's timer: when it was sent is not known", .state = STATE_FIN_WAIT_1, .timer = TIMER_ON,
	  .expires_ms = 100, .wqueue = 1, .info = { .rto_us = 900000 },
	  .age = { true, false, 0 }, .ends = { ENDS_RETRIES, true, 100 + 1800 * 63 } },
	{ .name = "the retries are used up: the timer that runs is the last", .state = STATE_FIN_WAIT_1,
	  .timer = TIMER_ON, .expires_ms = 20000, .wqueue = 1, .retrans = 8,
	  .info = { .rto_us = 76800000, .backoff = 8 }, .age = { true, false, 76500 + 56800 },
	  .ends = { ENDS_RETRIES, true, 20000 } },
	/* 204 * 1023 ms, then six times 120 s. */
	{ .name = "held: tcp_retries2", .state = STATE_LAST_ACK, .timer = TIMER_ON, .inode = 5,
	  .expires_ms = 204, .wqueue = 1, .info = { .rto_us = 204000 },
	  .age = { true, false, 0 }, .ends = { ENDS_RETRIES, true, 204 * 1023 + 6 * 120000 } },
	/* 600 ms by the model, since the first repetition, which is to come: 408 ms later it is too early. */
	{ .name = "tcp_orphan_retries 1", .state = STATE_FIN_WAIT_1, .timer = TIMER_ON, .expires_ms = 204,
	  .wqueue = 1, .info = { .rto_us = 204000 }, .netns = &one_retry,
	  .age = { true, false, 0 }, .ends = { ENDS_RETRIES, true, 204 + 408 + 816 } },
	/* As seen: gone 5.5 s after close(). 204 + 408 + 816 + 1632, and 2000: then no retries are left. */
	{ .name = "tcp_rto_max_ms 2000, orphan", .state = STATE_FIN_WAIT_1, .timer = TIMER_ON, .expires_ms = 668,
	  .wqueue = 1, .retrans = 2, .info = { .rto_us = 816000, .backoff = 2 }, .netns = &short_pauses,
	  .age = { true, false, 760 }, .ends = { ENDS_RETRIES, true, 668 + 1632 + 2000 } },
	{ .name = "tcp_rto_max_ms 2000, orphan, tcp_orphan_retries 5: 7 s by the model", .state = STATE_FIN_WAIT_1,
	  .timer = TIMER_ON, .expires_ms = 668, .wqueue = 1, .retrans = 2,
	  .info = { .rto_us = 816000, .backoff = 2 }, .netns = &short_pauses_and_five,
	  .age = { true, false, 760 }, .ends = { ENDS_RETRIES, true, 668 + 1632 + 3 * 2000 } },
	/* As seen: gone after 27.7 s, 27 s by the model; the timer before this one was late enough. */
	{ .name = "tcp_rto_max_ms 2000, held", .state = STATE_FIN_WAIT_1, .timer = TIMER_ON, .expires_ms = 668,
	  .wqueue = 1, .inode = 5, .retrans = 2, .info = { .rto_us = 816000, .backoff = 2 }, .netns = &short_pauses,
	  .age = { true, false, 760 }, .ends = { ENDS_RETRIES, true, 668 + 1632 + 13 * 2000 } },
	{ .name = "no such tcp_rto_max_ms, no such RTO: it ends all the same", .state = STATE_FIN_WAIT_1,
	  .timer = TIMER_ON, .expires_ms = 1, .wqueue = 1, .inode = 5, .netns = &no_pauses,
	  .age = { true, false, 0 }, .ends = { ENDS_RETRIES, true, 1 + 8 * 120000 } },
	{ .name = "held, TCP_USER_TIMEOUT: 8 s since the first repetition", .state = STATE_FIN_WAIT_1,
	  .timer = TIMER_ON, .inode = 5, .expires_ms = 816, .wqueue = 1, .retrans = 3, .opts = &impatient,
	  .info = { .rto_us = 1632000, .backoff = 3 }, .age = { true, false, 2244 },
	  .ends = { ENDS_USER_TIMEOUT, true, 8000 - (2244 - 204) } },
	{ .name = "held, TCP_USER_TIMEOUT is over at this timer", .state = STATE_CLOSE_WAIT,
	  .timer = TIMER_ON, .inode = 5, .expires_ms = 3000, .wqueue = 9, .retrans = 5, .opts = &impatient,
	  .info = { .rto_us = 6528000, .backoff = 5, .last_ack_recv_ms = 20000 }, .age = { true, false, 20000 },
	  .ends = { ENDS_USER_TIMEOUT, true, 3000 } },
	{ .name = "held, none is set: the retries", .state = STATE_LAST_ACK, .timer = TIMER_ON, .inode = 5,
	  .expires_ms = 204, .wqueue = 1, .info = { .rto_us = 204000 }, .opts = &probing,
	  .age = { true, false, 0 }, .ends = { ENDS_RETRIES, true, 204 * 1023 + 6 * 120000 } },
	{ .name = "persist, held, answered: never", .state = STATE_FIN_WAIT_1,
	  .timer = TIMER_PERSIST, .inode = 5, .wqueue = 100, .age = { 0 },
	  .ends = { .by = ENDS_NEVER } },
	{ .name = "persist, orphan: the probes' back-off", .state = STATE_FIN_WAIT_1,
	  .timer = TIMER_PERSIST, .wqueue = 100, .age = { 0 }, .ends = { .by = ENDS_RETRIES } },
	{ .name = "keepalive, two of six probes unanswered: 4 s and four intervals",
	  .state = STATE_FIN_WAIT_2, .inode = 5, .timer = TIMER_KEEPALIVE, .retrans = 2,
	  .expires_ms = 4000, .opts = &probing,
	  .info = { .last_ack_recv_ms = 76000, .last_data_recv_ms = 80000 },
	  .age = { true, false, 76000 }, .ends = { ENDS_KEEPALIVE, true, 44000 } },
	{ .name = "keepalive, all of them unanswered: this timer is the last", .state = STATE_CLOSE_WAIT,
	  .inode = 5, .timer = TIMER_KEEPALIVE, .retrans = 6, .expires_ms = 4000, .opts = &probing,
	  .info = { .last_ack_recv_ms = 116000, .last_data_recv_ms = 120000 },
	  .age = { true, false, 116000 }, .ends = { ENDS_KEEPALIVE, true, 4000 } },
	{ .name = "keepalive, the peer answers", .state = STATE_CLOSE_WAIT, .inode = 5,
	  .timer = TIMER_KEEPALIVE, .expires_ms = 4000, .opts = &probing,
	  .info = { .last_ack_recv_ms = 56000, .last_data_recv_ms = 80000 },
	  .age = { true, false, 56000 }, .ends = { .by = ENDS_KEEPALIVE } },
	{ .name = "keepalive, switched off while its timer ran", .state = STATE_CLOSE_WAIT, .inode = 5,
	  .timer = TIMER_KEEPALIVE, .retrans = 2, .expires_ms = 4000, .opts = &off,
	  .info = { .last_ack_recv_ms = 76000, .last_data_recv_ms = 80000 },
	  .age = { true, false, 76000 }, .ends = { .by = ENDS_KEEPALIVE } },
	{ .name = "keepalive, options not reported", .state = STATE_CLOSE_WAIT, .inode = 5,
	  .timer = TIMER_KEEPALIVE, .retrans = 2, .expires_ms = 4000, .opts = &not_reported,
	  .info = { .last_ack_recv_ms = 76000, .last_data_recv_ms = 80000 },
	  .age = { true, false, 76000 }, .ends = { .by = ENDS_KEEPALIVE } },
	/* Silent for 76 s, 80 s at the next probe, 100 s two probes later: that is beyond 95 s. */
	{ .name = "keepalive with TCP_USER_TIMEOUT", .state = STATE_CLOSE_WAIT, .inode = 5,
	  .timer = TIMER_KEEPALIVE, .retrans = 2, .expires_ms = 4000, .opts = &limited,
	  .info = { .last_ack_recv_ms = 76000, .last_data_recv_ms = 80000 },
	  .age = { true, false, 76000 }, .ends = { ENDS_USER_TIMEOUT, true, 24000 } },
	/* 85 s at the next probe, 95 s at the one behind it. */
	{ .name = "keepalive with TCP_USER_TIMEOUT, one probe more", .state = STATE_CLOSE_WAIT, .inode = 5,
	  .timer = TIMER_KEEPALIVE, .retrans = 2, .expires_ms = 4000, .opts = &limited,
	  .info = { .last_ack_recv_ms = 81000, .last_data_recv_ms = 90000 },
	  .age = { true, false, 81000 }, .ends = { ENDS_USER_TIMEOUT, true, 14000 } },
	{ .name = "MPTCP: any acknowledgement refreshes it, and it ends with its subflows",
	  .state = STATE_CLOSE_WAIT, .inode = 5, .is_mptcp = true,
	  .info = { .last_ack_recv_ms = 3000, .last_data_sent_ms = 5000 },
	  .age = { true, false, 3000 }, .ends = { .by = ENDS_UNKNOWN } },
	{ .name = "MPTCP, closed: its timer", .state = STATE_FIN_WAIT_2, .is_mptcp = true,
	  .timer = TIMER_KEEPALIVE, .expires_ms = 59000, .info = { .last_ack_recv_ms = 1000 },
	  .age = { true, false, 1000 }, .ends = { ENDS_FIN_TIMEOUT, true, 59000 } },
	{ .name = "MPTCP, shut down and still held", .state = STATE_FIN_WAIT_2, .inode = 5, .is_mptcp = true,
	  .timer = TIMER_KEEPALIVE, .expires_ms = 59000, .info = { .last_ack_recv_ms = 1000 },
	  .age = { true, false, 1000 }, .ends = { .by = ENDS_UNKNOWN } },
	{ .name = "MPTCP, closed, no timer", .state = STATE_FIN_WAIT_2, .is_mptcp = true,
	  .info = { .last_ack_recv_ms = 1000 }, .age = { true, false, 1000 }, .ends = { .by = ENDS_UNKNOWN } },
	{ .name = "MPTCP: no timeouts to count", .state = STATE_FIN_WAIT_1, .is_mptcp = true,
	  .timer = TIMER_ON, .info = { .rto_us = 1600000, .backoff = 3 }, .age = { 0 },
	  .ends = { .by = ENDS_UNKNOWN } },
	{ .name = "not a teardown state", .state = STATE_ESTABLISHED, .inode = 5, .age = { 0 },
	  .ends = { .by = ENDS_UNKNOWN } },
};

static void ages_and_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct sock_full full = { .inode = r->inode, .wqueue = r->wqueue, .info = r->info,
					  .opts = r->opts, .is_mptcp = r->is_mptcp };
		struct sock s = { .state = (uint8_t)r->state, .timer = (uint8_t)r->timer,
				  .expires_ms = r->expires_ms, .retrans = (uint8_t)r->retrans,
				  .full = r->is_mini ? NULL : &full };
		struct conn c = { .sock = &s, .netns = r->netns ? r->netns : &defaults };

		full.info.len = r->no_info ? 0 : SOCK_INFO_LEN_SND_WND;
		struct age age = lifetime_age(&c, 0);
		struct ends ends = lifetime_ends(&c);
		if (age.known != r->age.known || age.is_exact != r->age.is_exact ||
		    age.ms != r->age.ms)
			fail_msg("%s: age %d %d %llu", r->name, age.known, age.is_exact,
				 (unsigned long long)age.ms);
		if (ends.by != r->ends.by || ends.in_known != r->ends.in_known ||
		    ends.in_ms != r->ends.in_ms)
			fail_msg("%s: ends %s %d %llu", r->name, ends_by_name(ends.by),
				 ends.in_known, (unsigned long long)ends.in_ms);
	}
}

static void a_seen_fin_dates_it(void **state)
{
	const int64_t s = 1000000000;
	struct sock_full full = { .inode = 5, .info = { .len = SOCK_INFO_LEN_SND_WND,
							.last_ack_recv_ms = 2000,
							.last_data_recv_ms = 2500,
							.last_data_sent_ms = 1000 } };
	struct sock sock = { .state = STATE_CLOSE_WAIT, .full = &full };
	struct flow flow = { .end[SIDE_CLIENT].fin = { .seen = true, .at_ns = 10 * s } };
	struct conn c = { .sock = &sock, .flow = &flow, .our_side = SIDE_SERVER,
			  .netns = &defaults };
	(void)state;
	struct age age = lifetime_age(&c, 70 * s);
	assert_true(age.is_exact);
	assert_int_equal(age.ms, 60000);

	/* A capture that makes it younger than the kernel's lower bound has another clock. */
	age = lifetime_age(&c, 10 * s + s / 2);
	assert_false(age.is_exact);
	assert_int_equal(age.ms, 2000);

	/* A FIN that was only acknowledged has no time of its own. */
	flow.end[SIDE_CLIENT].fin.is_inferred = true;
	assert_int_equal(lifetime_age(&c, 70 * s).ms, 2000);
}

/* Each state begins with a segment of its own: the peer's FIN, ours, or the ACK of ours. */
static void each_state_by_its_segment(void **state)
{
	const int64_t s = 1000000000;
	const struct flow flow = { .end = { [SIDE_SERVER].fin = { .seen = true, .at_ns = 5 * s, .acked_ns = 9 * s },
					    [SIDE_CLIENT].fin = { .seen = true, .at_ns = 20 * s, .acked_ns = 30 * s } } };
	static const struct {
		enum state state;
		bool is_inferred, is_untimed;
		int64_t look_s;
		uint64_t age_ms; /* 2000: the kernel's */
		bool is_exact;
	} began[] = {
		{ STATE_CLOSE_WAIT, false, false, 70, 50000, true },
		{ STATE_FIN_WAIT_1, false, false, 70, 65000, true },
		{ STATE_LAST_ACK, false, false, 70, 65000, true },
		{ STATE_FIN_WAIT_2, false, false, 70, 61000, true },
		{ STATE_FIN_WAIT_2, true, false, 70, 61000, true },
		{ STATE_CLOSE_WAIT, true, false, 70, 2000, true },
		{ STATE_LAST_ACK, true, false, 70, 2000, false },
		{ STATE_CLOSE_WAIT, false, true, 70, 2000, true },
		{ STATE_CLOSE_WAIT, false, false, 19, 2000, true }, /* before it was captured */
		{ STATE_CLOSE_WAIT, false, false, 21, 1000, true }, /* clocks may differ by a second, */
		{ STATE_CLOSE_WAIT, false, false, 20, 2000, true }, /* not by more */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(began); i++) {
		struct sock_full full = { .inode = 5, .info = { .len = SOCK_INFO_LEN_BASIC, .rto_us = 2000000,
								.backoff = 1, .last_ack_recv_ms = 2000,
								.last_data_sent_ms = 3000 } };
		struct sock sock = { .state = (uint8_t)began[i].state, .full = &full, .expires_ms = 1000,
				     .retrans = 1,
				     .timer = began[i].state == STATE_LAST_ACK ? TIMER_ON : TIMER_OFF };

		full.wqueue = began[i].state == STATE_LAST_ACK;
		struct flow seen = flow;
		struct conn c = { .sock = &sock, .flow = &seen, .our_side = SIDE_SERVER, .netns = &defaults };

		seen.is_untimed = began[i].is_untimed;
		seen.end[0].fin.is_inferred = seen.end[1].fin.is_inferred = began[i].is_inferred;
		struct age age = lifetime_age(&c, began[i].look_s * s);
		if (age.ms != began[i].age_ms || age.is_exact != began[i].is_exact)
			fail_msg("row %zu: %llu ms, exact %d", i, (unsigned long long)age.ms, age.is_exact);
	}
}

static void model_of_retries(void **state)
{
	(void)state;
	assert_int_equal(lifetime_retries_ms(0, 120000), 200);
	assert_int_equal(lifetime_retries_ms(1, 120000), 600);
	assert_int_equal(lifetime_retries_ms(8, 120000), 102200);
	assert_int_equal(lifetime_retries_ms(15, 120000), 924600);
	assert_int_equal(lifetime_retries_ms(15, 2000), 27000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ages_and_ends),
		cmocka_unit_test(a_seen_fin_dates_it),
		cmocka_unit_test(each_state_by_its_segment),
		cmocka_unit_test(model_of_retries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

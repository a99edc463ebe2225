#pragma once

/* A host whose names were chosen by somebody who means harm. Every string here wants to move the
 * cursor, end a JSON string or be no UTF-8. Static, the same for every test. */

#include "test.h"

#define EVIL "x\033[2J\"\\\n\xff\u202e"
#define EVIL_ON_TERMINAL "x\\x1b[2J\"\\\\x0a\\xff\\u{202e}"

static struct netns evil_netns = { .inode = 4026531840, .name = EVIL };
static struct look evil_look = {
	.host = { .name = EVIL, .kernel = EVIL, .boot_id = EVIL, .time_ns = 1500000000 },
	.netns = &evil_netns, .n_netns = 1, .source = EVIL,
};
static struct proc evil_proc = { .pid = 812, .comm = EVIL, .cmdline = EVIL, .unit = EVIL };
static struct sock_full evil_full = { .rqueue = 1, .wqueue = 2, .uid = 33, .inode = 4711 };
static struct sock evil_sock = { .state = STATE_CLOSE_WAIT, .full = &evil_full, .cookie = 0xabc };
static struct sock mini_sock = { .state = STATE_TIME_WAIT, .timer = TIMER_TIMEWAIT,
				 .expires_ms = 59900, .is_inet6 = true };
static struct conn evil_conns[2];

static const struct gap evil_gap = { .what = "owners", .object = EVIL, .reason = EVIL,
				     .effect = "it is not seen", .count = 1 };
static const struct rule_text evil_text = {
	.id = "a-rule", .title = "A rule", .says = "{count} of {comm}", .why = "Because.",
	.fixes = { { .kind = FIX_OPERATION, .text = "Look.", .command = "ls {comm}" } },
	.avoid = { "Nothing." },
};
static struct finding evil_finding;

static inline void make_evil_host(void)
{
	evil_sock.pair.local = (struct endpoint){ .port = 80 };
	assert_true(addr_parse("10.0.0.1", &evil_sock.pair.local.addr));
	assert_true(addr_parse("192.0.2.7", &evil_sock.pair.peer.addr));
	evil_sock.pair.peer.port = 40000;
	assert_true(addr_parse("::ffff:10.0.0.1", &mini_sock.pair.local.addr));
	assert_true(addr_parse("2001:db8::1", &mini_sock.pair.peer.addr));
	mini_sock.pair.local.port = 443;
	mini_sock.pair.peer.port = 65535;
	evil_conns[0] = (struct conn){
		.sock = &evil_sock, .netns = &evil_netns, .owner = OWNER_KNOWN, .n_holders = 1,
		.holders = { { .proc = &evil_proc, .fd = 7 } }, .age = { .known = true, .ms = 300000 },
		.rules = { "a-rule" }, .ends = { .by = ENDS_NEVER },
	};
	evil_conns[1] = (struct conn){
		.sock = &mini_sock, .netns = &evil_netns, .owner = OWNER_NONE,
		.ends = { .by = ENDS_TIMEWAIT, .in_known = true, .in_ms = 59900 },
	};
	evil_finding = (struct finding){
		.text = &evil_text, .severity = SEVERITY_PROBLEM, .certainty = CERTAINTY_LIKELY,
		.subject = { .kind = SUBJECT_PROCESS, .proc = &evil_proc, .netns = &evil_netns },
		.count = 1, .examples = evil_conns, .n_examples = 2,
	};
	finding_fact_text(&evil_finding, "comm", EVIL);
}

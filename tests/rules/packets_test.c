#include "flows.h"
#include "rules/judge.h"
#include "util/attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* A flow in one line; what the rules of packets must make of it. */

enum expected { SILENT, FIRES };

/* The server closed, the client sent 100 bytes, the server's kernel answered with a bare RST. */
static struct flow after_close(void)
{
	struct flow f = base();

	f.pattern = PATTERN_RESET_AFTER_FIN;
	f.closed_first = CLOSED_SERVER;
	f.end[SIDE_SERVER].fin = (struct flow_fin){ .seen = true, .at_ns = S, .acked_ns = S };
	f.n_rsts = f.n_rst_packets = 1;
	f.rsts[0] = (struct flow_rst){ .from = SIDE_SERVER, .shape = RST_SHAPE_REPLY, .at_ns = 2 * (int64_t)S,
				       .trigger = TRIGGER_DATA, .answers_trigger = true,
				       .after_own_fin = true, .own_fin_acked = true,
				       .own_fin_gap_ns = S, .peer_bytes_after_own_fin = 100 };
	return f;
}

/* The client closed at 1 s, the server acknowledged and stays silent. */
static struct flow unanswered(int64_t capture_end_ns)
{
	struct flow f = base();

	f.pattern = PATTERN_HALF_CLOSED;
	f.closed_first = CLOSED_CLIENT;
	f.end[SIDE_CLIENT].fin = (struct flow_fin){ .seen = true, .at_ns = S, .acked_ns = S };
	f.capture_end_ns = capture_end_ns;
	return f;
}

static struct flow half_close(int64_t span_ns, uint64_t bytes)
{
	struct flow f = unanswered(200LL * S);

	f.pattern = PATTERN_FOUR_WAY;
	f.end[SIDE_SERVER].fin = (struct flow_fin){ .seen = true, .at_ns = S + span_ns };
	f.half_close_ns = span_ns;
	f.half_close_bytes = bytes;
	return f;
}

static const struct finding *judge_one(struct arena *arena, const struct flow *f, const char *rule,
				       size_t times, size_t n_examples)
{
	struct judge *judge = judge_new(arena, 60000, n_examples);
	struct findings *all = arena_alloc(arena, sizeof(*all));

	for (size_t i = 0; i < times; i++) {
		struct conn c = { .flow = f };

		judge_flow(judge, &c);
	}
	judge_end(judge, all);
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->at[i].text->id, rule) == 0)
			return &all->at[i];
	return NULL;
}

static void expect(const char *name, const struct flow *f, const char *rule, enum expected expected,
		   size_t times, enum severity severity, enum certainty certainty)
{
	struct arena *arena = arena_new();
	const struct finding *found = judge_one(arena, f, rule, times, 3);

	if (!found != (expected == SILENT))
		fail_msg("%s: %s %s", name, rule, found ? "fired" : "did not fire");
	if (!found) {
		arena_free(arena);
		return;
	}
	if (found->severity != severity)
		fail_msg("%s: severity %s", name, severity_name(found->severity));
	if (found->certainty != certainty)
		fail_msg("%s: certainty %s", name, certainty_name(found->certainty));
	arena_free(arena);
}

static void rst_refused(void **state)
{
	struct flow f = refused();

	(void)state;
	expect("one may be somebody probing", &f, "rst-refused", FIRES, 1, SEVERITY_NOTE,
	       CERTAINTY_CERTAIN);
	expect("a second wants in", &f, "rst-refused", FIRES, 2, SEVERITY_PROBLEM, CERTAINTY_CERTAIN);
	f.opened_seen = false;
	expect("SYN not captured", &f, "rst-refused", FIRES, 1, SEVERITY_NOTE, CERTAINTY_POSSIBLE);
	f = refused();
	f.handshake_done = true;
	f.pattern = PATTERN_RESET;
	expect("a reset after the handshake", &f, "rst-refused", SILENT, 1, 0, 0);
}

/* The refusal came with 64; what the host answers to other SYNs, with 62 and so on. */
static void rst_admin(void **state)
{
	static const struct {
		const char *name;
		uint8_t ttl, host_ttl;
		bool is_nearer;
	} rows[] = {
		{ "a router on the way", 64, 63, true },
		{ "from the same distance", 63, 63, false },
		{ "nothing else was heard of the host", 64, 0, false },
		{ "the host is nearer: it refuses itself, what answers stands before it", 62, 63, false },
		{ "another program's TTL, the same distance", 62, 253, false },
		{ "the box begins with 255", 254, 62, true },
		{ "a Windows host behind a Linux router", 63, 126, true },
	};
	struct flow f = refused();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		f.rsts[0].ttl = rows[i].ttl;
		f.rsts[0].host_ttl = rows[i].host_ttl;
		expect(rows[i].name, &f, "rst-admin", rows[i].is_nearer ? FIRES : SILENT, 1, SEVERITY_NOTE,
		       CERTAINTY_LIKELY);
		expect(rows[i].name, &f, "rst-refused", rows[i].is_nearer ? SILENT : FIRES, 1, SEVERITY_NOTE,
		       CERTAINTY_CERTAIN);
	}
	expect("a rule too much", &f, "rst-admin", FIRES, 2, SEVERITY_WARNING, CERTAINTY_LIKELY);
	f.opened_seen = false;
	expect("SYN not captured", &f, "rst-admin", FIRES, 1, SEVERITY_NOTE, CERTAINTY_POSSIBLE);
}

static void rst_after_close(void **state)
{
	struct flow f = after_close();

	(void)state;
	expect("data seen", &f, "rst-after-close", FIRES, 1, SEVERITY_WARNING, CERTAINTY_CERTAIN);
	f.is_lossy = true;
	expect("packets were lost", &f, "rst-after-close", FIRES, 1, SEVERITY_WARNING, CERTAINTY_LIKELY);
	f = after_close();
	f.content = CONTENT_FIN_RST_ONLY;
	f.rsts[0].trigger = TRIGGER_NONE;
	f.rsts[0].answers_trigger = false;
	f.rsts[0].peer_bytes_after_own_fin = 0;
	expect("FIN and RST only", &f, "rst-after-close", FIRES, 1, SEVERITY_WARNING, CERTAINTY_LIKELY);
	f = after_close();
	f.rsts[0].after_own_fin = false;
	expect("no FIN of its sender", &f, "rst-after-close", SILENT, 1, 0, 0);
	f = after_close();
	f.rsts[0].with_ack = true;
	f.rsts[0].shape = RST_SHAPE_ACTIVE;
	expect("unread data after its own FIN", &f, "rst-after-close", SILENT, 1, 0, 0);
	f = after_close();
	f.rsts[0].after_peer_fin = true;
	expect("both had closed", &f, "rst-after-close", SILENT, 1, 0, 0);
}

/* One reset of an open connection; what else is true of it, the caller says. */
static struct flow reset_by(enum side from, enum rst_shape shape, enum trigger trigger)
{
	struct flow f = base();

	f.pattern = PATTERN_RESET;
	f.n_rsts = f.n_rst_packets = 1;
	f.rsts[0] = (struct flow_rst){ .from = from, .shape = shape, .trigger = trigger,
				       .with_ack = shape == RST_SHAPE_ACTIVE, .at_ns = S,
				       .answers_trigger = shape == RST_SHAPE_REPLY,
				       .seq_is_next = true, .trigger_gap_ns = 100,
				       .own_fin_gap_ns = TIME_NONE, .idle_ns = S };
	return f;
}

/* What one reset is called, and how sure that is, in a whole capture and in one without data. */
struct cause_row {
	const char *name, *rule;
	enum expected expected;
	enum severity severity;
	enum certainty whole, without_data;
	struct flow flow;
};

static void check_causes(const struct cause_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct flow f = rows[i].flow;

		expect(rows[i].name, &f, rows[i].rule, rows[i].expected, 1, rows[i].severity,
		       rows[i].whole);
		f.content = CONTENT_FIN_RST_ONLY;
		if (rows[i].expected == FIRES)
			expect(rows[i].name, &f, rows[i].rule, FIRES, 1, rows[i].severity,
			       rows[i].without_data);
	}
}

static struct flow with(struct flow f, const struct flow_rst *more)
{
	struct flow_rst *r = &f.rsts[0];

	r->sender_bytes = more->sender_bytes;
	r->peer_bytes = more->peer_bytes;
	r->peer_bytes_since_own = more->peer_bytes_since_own;
	r->peer_bytes_after_own_fin = more->peer_bytes_after_own_fin;
	r->after_own_fin = more->after_own_fin;
	r->after_peer_fin = more->after_peer_fin;
	r->peer_fin_acked = more->peer_fin_acked;
	r->of_old_incarnation = more->of_old_incarnation;
	r->is_challenge_pair = more->is_challenge_pair;
	r->probes_unanswered = more->probes_unanswered;
	r->retransmissions_unanswered = more->retransmissions_unanswered;
	r->ttl_differs = more->ttl_differs;
	r->window_is_odd = more->window_is_odd;
	r->sender_went_on = more->sender_went_on;
	if (more->after_own_fin)
		r->own_fin_gap_ns = 1000;
	if (more->is_challenge_pair)
		r->seq_is_next = false;
	return f;
}

#define RESET(side, shape, trigger, ...)                                                           \
	with(reset_by(SIDE_##side, RST_SHAPE_##shape, TRIGGER_##trigger),                          \
	     &(struct flow_rst){ __VA_ARGS__ })

static struct flow not_open(struct flow f)
{
	f.handshake_done = false;
	return f;
}

static void active_causes(void **state)
{
	const struct cause_row rows[] = {
		{ "a request, no answer, reset", "rst-unread-data", FIRES, SEVERITY_WARNING,
		  CERTAINTY_LIKELY, CERTAINTY_POSSIBLE,
		  RESET(SERVER, ACTIVE, DATA, .peer_bytes = 100, .peer_bytes_since_own = 100) },
		{ "data after the half-close", "rst-unread-data", FIRES, SEVERITY_WARNING,
		  CERTAINTY_LIKELY, CERTAINTY_POSSIBLE,
		  RESET(SERVER, ACTIVE, DATA, .peer_bytes = 100, .peer_bytes_after_own_fin = 100,
			.after_own_fin = true) },
		{ "nothing of the peer can be unread", "rst-unread-data", SILENT, 0, 0, 0,
		  RESET(SERVER, ACTIVE, ACK, .sender_bytes = 50, .peer_bytes = 100) },
		{ "its own answer was the last word", "rst-linger-zero", FIRES, SEVERITY_NOTE,
		  CERTAINTY_LIKELY, CERTAINTY_POSSIBLE,
		  RESET(SERVER, ACTIVE, ACK, .sender_bytes = 50, .peer_bytes = 100) },
		{ "a client that has its answer: read or not", "rst-linger-zero", FIRES,
		  SEVERITY_NOTE, CERTAINTY_POSSIBLE, CERTAINTY_POSSIBLE,
		  RESET(CLIENT, ACTIVE, DATA, .sender_bytes = 50, .peer_bytes = 100,
			.peer_bytes_since_own = 100) },
		{ "TCP_LINGER2 in FIN-WAIT-2", "rst-linger-zero", FIRES, SEVERITY_NOTE,
		  CERTAINTY_POSSIBLE, CERTAINTY_POSSIBLE,
		  RESET(SERVER, ACTIVE, ACK, .sender_bytes = 50, .after_own_fin = true) },
		{ "it answers a segment", "rst-linger-zero", SILENT, 0, 0, 0,
		  RESET(SERVER, REPLY, DATA, .sender_bytes = 50, .peer_bytes = 100) },
		{ "two probes without an answer", "rst-keepalive-timeout", FIRES, SEVERITY_WARNING,
		  CERTAINTY_CERTAIN, CERTAINTY_LIKELY,
		  RESET(CLIENT, ACTIVE, DATA, .sender_bytes = 50, .peer_bytes = 9,
			.probes_unanswered = 2) },
		{ "one probe", "rst-keepalive-timeout", FIRES, SEVERITY_WARNING, CERTAINTY_LIKELY,
		  CERTAINTY_POSSIBLE,
		  RESET(CLIENT, ACTIVE, DATA, .sender_bytes = 50, .probes_unanswered = 1) },
		{ "answered", "rst-keepalive-timeout", SILENT, 0, 0, 0,
		  RESET(CLIENT, ACTIVE, DATA, .sender_bytes = 50) },
		{ "three copies, no answer, reset", "rst-user-timeout", FIRES, SEVERITY_WARNING,
		  CERTAINTY_POSSIBLE, CERTAINTY_POSSIBLE,
		  RESET(CLIENT, ACTIVE, DATA, .sender_bytes = 50, .peer_bytes = 9,
			.retransmissions_unanswered = 3) },
		{ "one copy may be a probe of the tail", "rst-user-timeout", SILENT, 0, 0, 0,
		  RESET(CLIENT, ACTIVE, DATA, .sender_bytes = 50, .retransmissions_unanswered = 1) },
		{ "neither said a word", "rst-listener-closed", FIRES, SEVERITY_WARNING,
		  CERTAINTY_POSSIBLE, CERTAINTY_POSSIBLE, RESET(SERVER, ACTIVE, ACK) },
		{ "the client did it", "rst-listener-closed", SILENT, 0, 0, 0,
		  RESET(CLIENT, ACTIVE, SYN_ACK) },
		{ "the server had spoken", "rst-listener-closed", SILENT, 0, 0, 0,
		  RESET(SERVER, ACTIVE, ACK, .sender_bytes = 1) },
	};

	(void)state;
	check_causes(rows, ARRAY_LEN(rows));
}

static void reply_causes(void **state)
{
	const struct cause_row rows[] = {
		{ "data in the middle of it", "rst-no-such-connection", FIRES, SEVERITY_WARNING,
		  CERTAINTY_LIKELY, CERTAINTY_POSSIBLE,
		  RESET(SERVER, REPLY, DATA, .sender_bytes = 5, .peer_bytes = 100) },
		{ "a late FIN meets nobody", "rst-no-such-connection", FIRES, SEVERITY_WARNING,
		  CERTAINTY_LIKELY, CERTAINTY_POSSIBLE,
		  RESET(SERVER, REPLY, FIN, .sender_bytes = 5, .after_own_fin = true,
			.after_peer_fin = true) },
		{ "a living socket gave up", "rst-no-such-connection", SILENT, 0, 0, 0,
		  RESET(SERVER, ACTIVE, DATA, .sender_bytes = 5) },
		{ "the handshake's last ACK", "rst-backlog-overflow", FIRES, SEVERITY_PROBLEM,
		  CERTAINTY_LIKELY, CERTAINTY_POSSIBLE, RESET(SERVER, REPLY, ACK) },
		{ "later", "rst-backlog-overflow", SILENT, 0, 0, 0,
		  RESET(SERVER, REPLY, ACK, .sender_bytes = 10) },
		{ "SYN-ACK to a client that has gone", "rst-connect-abandoned", FIRES, SEVERITY_NOTE,
		  CERTAINTY_LIKELY, CERTAINTY_POSSIBLE,
		  not_open(RESET(CLIENT, REPLY, SYN_ACK)) },
		{ "after the handshake", "rst-connect-abandoned", SILENT, 0, 0, 0,
		  RESET(CLIENT, REPLY, SYN_ACK) },
		{ "an old connection answered the SYN", "rst-half-open", FIRES, SEVERITY_WARNING,
		  CERTAINTY_LIKELY, CERTAINTY_POSSIBLE,
		  RESET(CLIENT, REPLY, ACK, .of_old_incarnation = true) },
		{ "of this connection", "rst-half-open", SILENT, 0, 0, 0, RESET(CLIENT, REPLY, ACK) },
		{ "TIME-WAIT answered the SYN", "rst-time-wait-reuse", FIRES, SEVERITY_WARNING,
		  CERTAINTY_LIKELY, CERTAINTY_POSSIBLE,
		  RESET(CLIENT, REPLY, ACK, .of_old_incarnation = true, .after_own_fin = true,
			.after_peer_fin = true) },
		{ "the old one was open", "rst-time-wait-reuse", SILENT, 0, 0, 0,
		  RESET(CLIENT, REPLY, ACK, .of_old_incarnation = true) },
		{ "both had closed", "rst-after-fin-complete", FIRES, SEVERITY_NOTE,
		  CERTAINTY_CERTAIN, CERTAINTY_LIKELY,
		  RESET(CLIENT, REPLY, ACK, .after_own_fin = true, .after_peer_fin = true,
			.peer_fin_acked = true) },
		{ "one had not", "rst-after-fin-complete", SILENT, 0, 0, 0,
		  RESET(CLIENT, REPLY, DATA, .after_own_fin = true) },
		{ "inexact, challenged, exact", "rst-challenge", FIRES, SEVERITY_NOTE,
		  CERTAINTY_CERTAIN, CERTAINTY_LIKELY,
		  RESET(CLIENT, REPLY, DATA, .is_challenge_pair = true) },
		{ "exact at once", "rst-challenge", SILENT, 0, 0, 0, RESET(CLIENT, REPLY, DATA) },
	};

	(void)state;
	check_causes(rows, ARRAY_LEN(rows));
}

static void forged(void **state)
{
	const struct cause_row rows[] = {
		{ "two signs", "rst-injected", FIRES, SEVERITY_WARNING, CERTAINTY_LIKELY,
		  CERTAINTY_POSSIBLE,
		  RESET(SERVER, ACTIVE, DATA, .ttl_differs = true, .window_is_odd = true) },
		{ "the sender went on", "rst-injected", FIRES, SEVERITY_WARNING, CERTAINTY_LIKELY,
		  CERTAINTY_POSSIBLE, RESET(SERVER, REPLY, DATA, .sender_went_on = true) },
		{ "another hop limit alone", "rst-injected", FIRES, SEVERITY_WARNING,
		  CERTAINTY_POSSIBLE, CERTAINTY_POSSIBLE,
		  RESET(SERVER, REPLY, DATA, .ttl_differs = true) },
		{ "a shape no Linux sends", "rst-injected", FIRES, SEVERITY_WARNING,
		  CERTAINTY_POSSIBLE, CERTAINTY_POSSIBLE, RESET(SERVER, ODD, DATA) },
		{ "no sign", "rst-injected", SILENT, 0, 0, 0, RESET(SERVER, REPLY, DATA) },
	};

	(void)state;
	check_causes(rows, ARRAY_LEN(rows));
}

/* Several connections of one port in one instant: then it was the listener. */
static void listeners_close_together(void **state)
{
	struct flow f = RESET(SERVER, ACTIVE, ACK);

	(void)state;
	expect("two at once", &f, "rst-listener-closed", FIRES, 2, SEVERITY_WARNING, CERTAINTY_LIKELY);
}

/* Each a moment after the one before. */
static void listeners_close_one_by_one(void **state)
{
	static const int64_t within_ns = 10 * 1000000;

	(void)state;
	for (int64_t less_ns = 0; less_ns < 2; less_ns++) {
		struct flow first = RESET(SERVER, ACTIVE, ACK), second = first;
		struct arena *arena = arena_new();
		struct judge *j = judge_new(arena, 60000, 3);
		struct conn a = { .flow = &first }, b = { .flow = &second };
		struct findings all;

		second.rsts[0].at_ns += within_ns - less_ns;
		judge_flow(j, &a);
		judge_flow(j, &b);
		judge_end(j, &all);
		assert_int_equal(all.n, 1);
		assert_string_equal(all.at[0].text->id, "rst-listener-closed");
		assert_int_equal(all.at[0].certainty, less_ns ? CERTAINTY_LIKELY : CERTAINTY_POSSIBLE);
		arena_free(arena);
	}
}

static void many_abort(void **state)
{
	struct flow f = RESET(SERVER, ACTIVE, ACK, .sender_bytes = 50, .peer_bytes = 100);

	(void)state;
	expect("nine", &f, "rst-linger-zero", FIRES, 9, SEVERITY_NOTE, CERTAINTY_LIKELY);
	expect("ten", &f, "rst-linger-zero", FIRES, 10, SEVERITY_WARNING, CERTAINTY_LIKELY);
}

static void expect_fact(const struct flow *f, const char *rule, const char *name, int64_t number)
{
	struct arena *arena = arena_new();
	const struct finding *found = judge_one(arena, f, rule, 1, 3);

	assert_non_null(found);
	const struct fact *fact = finding_find_fact(found, name, strlen(name));
	assert_int_equal(fact ? fact->number : -1, number);
	arena_free(arena);
}

/* What was not seen is not told as nothing. */
static void facts_of_resets(void **state)
{
	struct flow f = after_close();

	(void)state;
	expect_fact(&f, "rst-after-close", "data_after_close", 100);
	expect_fact(&f, "rst-after-close", "longest_after_fin", 1000);
	f.content = CONTENT_FIN_RST_ONLY;
	f.rsts[0].trigger = TRIGGER_NONE;
	f.rsts[0].peer_bytes_after_own_fin = 0;
	f.rsts[0].own_fin_gap_ns = TIME_NONE;
	expect_fact(&f, "rst-after-close", "data_after_close", -1);
	expect_fact(&f, "rst-after-close", "longest_after_fin", -1);
	f = RESET(SERVER, ACTIVE, DATA, .peer_bytes = 100, .peer_bytes_since_own = 60);
	expect_fact(&f, "rst-unread-data", "bytes_before", 60);
	expect_fact(&f, "rst-unread-data", "idle_before", 1000);
	f.rsts[0].peer_bytes_since_own = 0;
	f.rsts[0].idle_ns--;
	expect_fact(&f, "rst-unread-data", "bytes_before", -1);
	expect_fact(&f, "rst-unread-data", "idle_before", -1);
}

static void assert_fact(const char *where, const struct finding *f, const char *name, int64_t want)
{
	const struct fact *fact = finding_find_fact(f, name, strlen(name));

	if ((fact ? fact->number : -1) != want)
		fail_msg("%s: %s is %lld", where, name, fact ? (long long)fact->number : -1);
}

static void fin_unanswered(void **state)
{
	struct flow f = unanswered(61LL * S);

	(void)state;
	expect("a minute", &f, "fin-unanswered", FIRES, 1, SEVERITY_WARNING, CERTAINTY_LIKELY);
	f.content = CONTENT_FIN_RST_ONLY;
	f.end[SIDE_CLIENT].fin.acked_ns = TIME_NONE;
	expect("FIN and RST only", &f, "fin-unanswered", FIRES, 1, SEVERITY_WARNING, CERTAINTY_POSSIBLE);
	f = unanswered(61LL * S - 1);
	expect("the capture ends sooner", &f, "fin-unanswered", SILENT, 1, 0, 0);
	f = unanswered(61LL * S);
	f.end[SIDE_CLIENT].fin.acked_ns = TIME_NONE;
	expect("not even acknowledged", &f, "fin-unanswered", SILENT, 1, 0, 0);
	f = unanswered(61LL * S);
	f.is_one_sided = true;
	expect("one direction only", &f, "fin-unanswered", SILENT, 1, 0, 0);
	f = half_close(2 * (int64_t)S, 0);
	expect("answered", &f, "fin-unanswered", SILENT, 1, 0, 0);
}

/* The client's FIN is known by its acknowledgement, at 1 s, alone. */
static struct flow closed_unseen(int64_t capture_end_ns)
{
	struct flow f = unanswered(capture_end_ns);

	f.end[SIDE_CLIENT].fin.is_inferred = true;
	f.end[SIDE_CLIENT].fin.at_ns = f.end[SIDE_CLIENT].fin.last_ns = TIME_NONE;
	return f;
}

static void fin_not_captured(void **state)
{
	static const char rule[] = "fin-unanswered";
	struct arena *arena = arena_new();
	struct flow f = closed_unseen(61LL * S);
	const struct finding *found;

	(void)state;
	expect("a minute after its ACK", &f, rule, FIRES, 1, SEVERITY_WARNING, CERTAINTY_POSSIBLE);
	found = judge_one(arena, &f, rule, 2, 3);
	assert_fact("a minute", found, "waited", 60000);
	assert_fact("a minute", found, "fins_not_captured", 2);
	assert_non_null(found->says);
	f = closed_unseen(61LL * S - 1);
	expect("the capture ends sooner", &f, rule, SILENT, 1, 0, 0);
	f = closed_unseen(61LL * S);
	f.end[SIDE_CLIENT].fin.acked_ns = TIME_NONE;
	expect("nobody knows when", &f, rule, SILENT, 1, 0, 0);
	f = closed_unseen(61LL * S);
	f.is_untimed = true;
	expect("the capture has no time stamps", &f, rule, SILENT, 1, 0, 0);
	f = unanswered(61LL * S);
	found = judge_one(arena, &f, rule, 1, 3);
	assert_fact("it was captured", found, "fins_not_captured", -1);
	assert_null(found->says);
	struct judge *j = judge_new(arena, 60000, 3);
	struct flow unseen = closed_unseen(61LL * S);
	struct findings all;
	judge_flow(j, &(struct conn){ .flow = &f });
	judge_flow(j, &(struct conn){ .flow = &unseen });
	judge_end(j, &all);
	assert_int_equal(all.n, 1);
	assert_fact("one of two", &all.at[0], "fins_not_captured", 1);
	assert_null(all.at[0].says);
	arena_free(arena);
}

static const struct finding *judge_sockets(struct arena *arena, const struct flow flows[], size_t n,
					   struct findings *all)
{
	static struct sock_full full = { .rqueue = 1, .info.len = SOCK_INFO_LEN_BASIC };
	static const struct sock sock = { .state = STATE_CLOSE_WAIT, .full = &full };
	static const struct netns netns = { .sysctls.max_tw_buckets = { true, 131072 } };
	struct judge *j = judge_new(arena, 60000, 3);

	for (size_t i = 0; i < n; i++) {
		struct conn c = { .sock = &sock, .netns = &netns, .owner = OWNER_NONE,
				  .age = { true, true, 1 }, .flow = &flows[i], .our_side = SIDE_CLIENT };

		judge_sock(j, &c);
	}
	judge_end(j, all);
	assert_int_equal(all->n, 1);
	return &all->at[0];
}

static void assert_first_fin(const char *where, const struct finding *f, int64_t at_ns, const char *from)
{
	assert_fact(where, f, "fin_at", at_ns);
	assert_string_equal(finding_find_fact(f, "fin_from", strlen("fin_from"))->text, from);
}

/* When the first FIN of several sockets was sent: one that was not captured hides no other one's time. */
static void first_fin_of_sockets(void **state)
{
	struct arena *arena = arena_new();
	struct flow seen = unanswered(100LL * S), flows[2] = { seen, seen };
	struct findings all;

	(void)state;
	flows[1].end[SIDE_CLIENT].fin = (struct flow_fin){ .seen = true, .is_inferred = true, .at_ns = TIME_NONE,
							   .last_ns = TIME_NONE, .acked_ns = 2 * (int64_t)S };
	assert_first_fin("known by a later ACK", judge_sockets(arena, flows, 2, &all), S, "us");
	flows[1].end[SIDE_CLIENT].fin.acked_ns = S / 2;
	assert_first_fin("by an earlier one", judge_sockets(arena, flows, 2, &all), S / 2, "us");
	flows[1].is_untimed = true;
	assert_first_fin("nobody knows when", judge_sockets(arena, flows, 2, &all), S, "us");
	/* The peer's FIN was lost in the capture; ours, which acknowledges it, came last. */
	flows[0].closed_first = CLOSED_SERVER;
	flows[0].end[SIDE_CLIENT].fin.covers_peer_fin = true;
	flows[0].end[SIDE_SERVER].fin = (struct flow_fin){ .seen = true, .is_inferred = true, .at_ns = TIME_NONE,
							   .last_ns = TIME_NONE, .acked_ns = S };
	assert_first_fin("the peer's", judge_sockets(arena, flows, 1, &all), S, "the peer");
	flows[0].closed_first = CLOSED_CLIENT;
	assert_first_fin("ours", judge_sockets(arena, flows, 1, &all), S, "us");
	flows[0].end[SIDE_SERVER].fin = (struct flow_fin){ .seen = true, .at_ns = S - 1, .last_ns = S - 1,
							   .acked_ns = S };
	assert_first_fin("both captured, the peer's first", judge_sockets(arena, flows, 1, &all), S - 1, "the peer");
	flows[0].end[SIDE_SERVER].fin.at_ns = S + 1;
	assert_first_fin("both captured, ours first", judge_sockets(arena, flows, 1, &all), S, "us");
	arena_free(arena);
}

static void half_close_long(void **state)
{
	struct flow f = half_close(60LL * S, 0);

	(void)state;
	expect("silent", &f, "half-close-long", FIRES, 1, SEVERITY_WARNING, CERTAINTY_CERTAIN);
	f = half_close(60LL * S, 5000);
	expect("a download runs on", &f, "half-close-long", FIRES, 1, SEVERITY_NOTE, CERTAINTY_CERTAIN);
	f = half_close(60LL * S, 0);
	f.end[SIDE_SERVER].fin.is_inferred = true;
	expect("a FIN was not captured", &f, "half-close-long", FIRES, 1, SEVERITY_WARNING,
	       CERTAINTY_LIKELY);
	f = half_close(60LL * S - 1, 0);
	expect("shorter", &f, "half-close-long", SILENT, 1, 0, 0);
	f = unanswered(200LL * S);
	expect("not over yet", &f, "half-close-long", SILENT, 1, 0, 0);
}

/* Whatever --min-age is: half-closes below a second are what closing takes. */
static void half_close_of_a_second(void **state)
{
	(void)state;
	for (int64_t less_ns = 0; less_ns < 2; less_ns++) {
		struct flow f = half_close(S - less_ns, 0);
		struct arena *arena = arena_new();
		struct judge *j = judge_new(arena, 0, 3);
		struct conn c = { .flow = &f };
		struct findings all;

		judge_flow(j, &c);
		judge_end(j, &all);
		assert_int_equal(all.n, 1 - less_ns);
		arena_free(arena);
	}
}

static struct flow repeated(uint32_t copies, bool acked)
{
	struct flow f = unanswered(100LL * S);

	f.end[SIDE_CLIENT].fin.retransmissions = copies;
	f.end[SIDE_CLIENT].fin.last_ns = 3LL * S;
	if (!acked)
		f.end[SIDE_CLIENT].fin.acked_ns = TIME_NONE;
	return f;
}

static void repeated_fins(void **state)
{
	struct flow f = repeated(3, false);

	(void)state;
	expect("three copies", &f, "fin-not-acked", FIRES, 1, SEVERITY_WARNING, CERTAINTY_CERTAIN);
	f.content = CONTENT_FIN_RST_ONLY;
	expect("ACKs were not captured", &f, "fin-not-acked", SILENT, 1, 0, 0);
	f = repeated(2, false);
	expect("two copies", &f, "fin-not-acked", SILENT, 1, 0, 0);
	f = repeated(2, true);
	expect("acknowledged at last", &f, "fin-retransmitted", FIRES, 1, SEVERITY_NOTE,
	       CERTAINTY_CERTAIN);
	expect("often", &f, "fin-retransmitted", FIRES, 3, SEVERITY_WARNING, CERTAINTY_CERTAIN);
	f = repeated(1, true);
	expect("one may be a probe of the tail", &f, "fin-retransmitted", SILENT, 1, 0, 0);
	f = repeated(2, true);
	f.is_lossy = true;
	expect("the capture itself lost packets", &f, "fin-retransmitted", SILENT, 1, 0, 0);
}

static void silent_end(void **state)
{
	struct flow f = base();

	(void)state;
	f.pattern = PATTERN_SILENT;
	expect("nobody answered", &f, "silent-end", FIRES, 1, SEVERITY_WARNING, CERTAINTY_POSSIBLE);
	f.content = CONTENT_PARTIAL;
	expect("packets are missing", &f, "silent-end", SILENT, 1, 0, 0);
	f = base();
	expect("open and idle", &f, "silent-end", SILENT, 1, 0, 0);
}

static void idle_timeout_middlebox(void **state)
{
	struct flow f = base();

	(void)state;
	f.pattern = PATTERN_SILENT;
	f.end[SIDE_CLIENT].unanswered = 3;
	f.end[SIDE_CLIENT].idle_before_unanswered_ns = 400LL * S;
	expect("after a pause", &f, "idle-timeout-middlebox", FIRES, 1, SEVERITY_NOTE, CERTAINTY_POSSIBLE);
	expect("three of them", &f, "idle-timeout-middlebox", FIRES, 3, SEVERITY_WARNING,
	       CERTAINTY_POSSIBLE);
	f.end[SIDE_CLIENT].unanswered = 2;
	expect("two copies", &f, "idle-timeout-middlebox", SILENT, 3, 0, 0);
	f.end[SIDE_CLIENT].unanswered = 3;
	f.end[SIDE_CLIENT].idle_before_unanswered_ns = 30LL * S;
	expect("half a minute", &f, "idle-timeout-middlebox", FIRES, 1, SEVERITY_NOTE, CERTAINTY_POSSIBLE);
	f.end[SIDE_CLIENT].idle_before_unanswered_ns = 30LL * S - 1;
	expect("too short a pause", &f, "idle-timeout-middlebox", SILENT, 3, 0, 0);
	f.end[SIDE_CLIENT].idle_before_unanswered_ns = 400LL * S;
	f.is_one_sided = true;
	expect("the answers passed elsewhere", &f, "idle-timeout-middlebox", SILENT, 3, 0, 0);
}

enum { MAX_PAUSES = 6 };

/* Connections to one server, each with a pause that it survived, one that it did not, or both, in seconds. */
struct pauses {
	const char *name;
	struct { int fatal_s, survived_s; bool is_sudden, is_lossy, is_elsewhere; } conns[MAX_PAUSES];
	enum severity severity;
	enum certainty certainty;
	int pause_s, survived_s, survivors, keepidle_s; /* -1: no such fact */
	const char *matches;                            /* a word of it; NULL: no such fact */
};

static struct flow paused(const struct pauses *p, size_t i)
{
	struct flow f = base();

	f.survived_pause_ns = p->conns[i].survived_s ? p->conns[i].survived_s * (int64_t)S : TIME_NONE;
	f.is_lossy = p->conns[i].is_lossy;
	f.end[SIDE_SERVER].at.port += p->conns[i].is_elsewhere;
	f.end[SIDE_CLIENT].idle_before_unanswered_ns = p->conns[i].fatal_s * (int64_t)S;
	if (!p->conns[i].fatal_s && !p->conns[i].is_sudden)
		return f;
	f.pattern = PATTERN_SILENT;
	f.end[SIDE_CLIENT].unanswered = 3;
	return f;
}

static void assert_matches(const char *where, const struct finding *f, const char *want)
{
	const struct fact *fact = finding_find_fact(f, "matches", strlen("matches"));

	if (!fact != !want || (fact && !strstr(fact->text, want)))
		fail_msg("%s: matches %s", where, fact ? fact->text : "nothing");
}

/* One time that parts the pauses that did harm from those that did none is a timer. */
static void pauses_that_are_split(void **state)
{
#define LIVED(s, ...) { .survived_s = (s), __VA_ARGS__ }
#define DIED(s, ...) { .fatal_s = (s), __VA_ARGS__ }
#define SUDDEN { .is_sudden = true }
	static const struct pauses cases[] = {
		{ "three above, one below", { DIED(400), DIED(370), DIED(380), LIVED(300) },
		  SEVERITY_WARNING, CERTAINTY_LIKELY, 370, 300, 1, 60, "350 s of AWS" },
		{ "whoever speaks first", { LIVED(31), DIED(40), LIVED(35), DIED(37), DIED(38) },
		  SEVERITY_WARNING, CERTAINTY_LIKELY, 37, 35, 2, 18, NULL },
		{ "keepalive below what is known to do no harm", { LIVED(31), DIED(400), DIED(400), DIED(400) },
		  SEVERITY_WARNING, CERTAINTY_LIKELY, 400, 31, 1, 31, NULL },
		{ "the same connections, earlier",
		  { DIED(400, .survived_s = 300), DIED(400, .survived_s = 310), DIED(400, .survived_s = 300) },
		  SEVERITY_WARNING, CERTAINTY_LIKELY, 400, 310, 3, 60, "350 s of AWS" },
		{ "exactly a usual time", { DIED(75), DIED(75), DIED(75), LIVED(60) },
		  SEVERITY_WARNING, CERTAINTY_LIKELY, 75, 60, 1, 37, "nginx" },
		{ "two may be chance", { DIED(400), DIED(400), LIVED(300) },
		  SEVERITY_NOTE, CERTAINTY_POSSIBLE, 400, 300, 1, 60, NULL },
		{ "nobody to compare with", { DIED(400), DIED(400), DIED(400) },
		  SEVERITY_WARNING, CERTAINTY_POSSIBLE, 400, -1, -1, 60, NULL },
		{ "a longer one did no harm", { DIED(400), DIED(400), DIED(400), LIVED(300), LIVED(500) },
		  SEVERITY_WARNING, CERTAINTY_POSSIBLE, 400, 500, 2, 60, NULL },
		{ "nor did one as long", { DIED(400), DIED(401), DIED(402), LIVED(400) },
		  SEVERITY_WARNING, CERTAINTY_POSSIBLE, 400, 400, 1, 60, NULL },
		{ "one without a pause: the host is gone", { DIED(400), DIED(400), DIED(400), LIVED(300), SUDDEN },
		  SEVERITY_WARNING, CERTAINTY_POSSIBLE, 400, 300, 1, 60, NULL },
		{ "a pause with packets missing is none",
		  { DIED(400), DIED(400), DIED(400), LIVED(500, .is_lossy = true) },
		  SEVERITY_WARNING, CERTAINTY_POSSIBLE, 400, -1, -1, 60, NULL },
		{ "another server's", { DIED(400), DIED(400), DIED(400), LIVED(500, .is_elsewhere = true) },
		  SEVERITY_WARNING, CERTAINTY_POSSIBLE, 400, -1, -1, 60, NULL },
	};
#undef LIVED
#undef DIED
#undef SUDDEN

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *arena = arena_new();
		struct judge *judge = judge_new(arena, 60000, 0);
		const struct pauses *p = &cases[i];
		const struct finding *found = NULL;
		struct findings all;

		for (size_t k = 0; k < MAX_PAUSES; k++) {
			struct flow f = paused(p, k);
			struct conn c = { .flow = &f };

			judge_flow(judge, &c);
		}
		judge_end(judge, &all);
		for (size_t k = 0; k < all.n; k++)
			if (strcmp(all.at[k].text->id, "idle-timeout-middlebox") == 0) {
				assert_null(found);
				found = &all.at[k];
			}
		assert_non_null(found);
		if (found->severity != p->severity || found->certainty != p->certainty)
			fail_msg("%s: %s, %s", p->name, severity_name(found->severity),
				 certainty_name(found->certainty));
		assert_fact(p->name, found, "pause", p->pause_s * INT64_C(1000));
		assert_fact(p->name, found, "survived", p->survived_s < 0 ? -1 : p->survived_s * INT64_C(1000));
		assert_fact(p->name, found, "survivors", p->survivors);
		assert_fact(p->name, found, "keepidle", p->keepidle_s);
		assert_matches(p->name, found, p->matches);
		arena_free(arena);
	}
}

static void pauses_without_harm(void **state)
{
	struct flow f = base();

	(void)state;
	f.survived_pause_ns = 400LL * S;
	expect("only witnesses", &f, "idle-timeout-middlebox", SILENT, 3, 0, 0);
}

static void simultaneous_close(void **state)
{
	struct flow f = half_close(1000, 0);

	(void)state;
	f.pattern = PATTERN_SIMULTANEOUS;
	f.closed_first = CLOSED_BOTH;
	expect("FINs that crossed", &f, "simultaneous-close", FIRES, 1, SEVERITY_NOTE, CERTAINTY_CERTAIN);
	f.end[SIDE_CLIENT].fin.is_inferred = true;
	expect("one of them not captured", &f, "simultaneous-close", FIRES, 1, SEVERITY_NOTE,
	       CERTAINTY_LIKELY);
	f = half_close(1000, 0);
	expect("one after the other", &f, "simultaneous-close", SILENT, 1, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rst_refused),
		cmocka_unit_test(rst_admin),
		cmocka_unit_test(rst_after_close),
		cmocka_unit_test(active_causes),
		cmocka_unit_test(reply_causes),
		cmocka_unit_test(forged),
		cmocka_unit_test(listeners_close_together),
		cmocka_unit_test(listeners_close_one_by_one),
		cmocka_unit_test(many_abort),
		cmocka_unit_test(facts_of_resets),
		cmocka_unit_test(repeated_fins),
		cmocka_unit_test(silent_end),
		cmocka_unit_test(idle_timeout_middlebox),
		cmocka_unit_test(pauses_that_are_split),
		cmocka_unit_test(pauses_without_harm),
		cmocka_unit_test(fin_unanswered),
		cmocka_unit_test(fin_not_captured),
		cmocka_unit_test(first_fin_of_sockets),
		cmocka_unit_test(half_close_long),
		cmocka_unit_test(half_close_of_a_second),
		cmocka_unit_test(simultaneous_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

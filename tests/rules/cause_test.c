#include "rules/cause.h"
#include "util/attr.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

/* One reset and what it is called, one thing changed from row to row. packets_test.c has what rules make of
 * these names. */

#define SECOND_NS INT64_C(1000000000)

/* The rest of its connection; nothing: open, and the capture has all of it. */
enum around {
	NOT_DONE = 1 << 0, /* no handshake */
	UNOPENED = 1 << 1, /* it began before the capture */
	REFUSED = 1 << 2,
	LOSSY = 1 << 3,
	THIN = 1 << 4,     /* FINs and resets alone */
	FIN_ACKED = 1 << 5, /* the peer's */
	ONE_SIDED = 1 << 6, /* of the other end, nothing */
};

#define ACTIVE(side) .from = SIDE_##side, .shape = RST_SHAPE_ACTIVE, .with_ack = true
#define REPLY(side, to) .from = SIDE_##side, .shape = RST_SHAPE_REPLY, .trigger = TRIGGER_##to
#define ANSWERS .answers_trigger = true
#define OWN_FIN .after_own_fin = true
#define BOTH_FINS .after_own_fin = true, .after_peer_fin = true
/* Times of 0 stand for none. */
#define AT_ONCE .trigger_gap_ns = 100
#define SOON_AFTER_FIN .own_fin_gap_ns = 1000

#define CERTAIN CERTAINTY_CERTAIN
#define LIKELY CERTAINTY_LIKELY
#define POSSIBLE CERTAINTY_POSSIBLE

struct row {
	unsigned around;
	struct flow_rst rst;
	const char *rule; /* NULL: nothing is claimed */
	enum certainty certainty;
};

static void check_rows(const struct row rows[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		struct rst_cause causes[MAX_FLOW_RSTS];
		struct flow f = {
			.handshake_done = !(r->around & NOT_DONE),
			.opened_seen = !(r->around & UNOPENED),
			.pattern = r->around & REFUSED ? PATTERN_REFUSED : PATTERN_RESET,
			.is_lossy = r->around & LOSSY,
			.content = r->around & THIN ? CONTENT_FIN_RST_ONLY : CONTENT_FULL,
			.is_one_sided = r->around & ONE_SIDED,
			.n_rsts = 1,
			.rsts = { r->rst },
		};

		f.end[side_other(r->rst.from)].fin.acked_ns = r->around & FIN_ACKED ? 1 : TIME_NONE;
		if (!r->rst.trigger_gap_ns)
			f.rsts[0].trigger_gap_ns = TIME_NONE;
		if (!r->rst.own_fin_gap_ns)
			f.rsts[0].own_fin_gap_ns = TIME_NONE;
		cause_name_all(&f, causes);
		const char *rule = causes[0].rule ? causes[0].rule : "nothing";
		if (strcmp(rule, r->rule ? r->rule : "nothing") != 0)
			fail_msg("row %zu: %s, not %s", i, rule, r->rule);
		if (r->rule && causes[0].certainty != r->certainty)
			fail_msg("row %zu: %s is %s", i, rule, certainty_name(causes[0].certainty));
	}
}

static void opening(void **state)
{
	static const struct row rows[] = {
		{ NOT_DONE | REFUSED, { REPLY(SERVER, SYN), .with_ack = true }, "rst-refused", CERTAIN },
		{ NOT_DONE | REFUSED, { REPLY(SERVER, SYN), .with_ack = true, .seq = 7 }, "rst-refused", LIKELY },
		{ NOT_DONE | REFUSED | UNOPENED, { REPLY(SERVER, SYN), .with_ack = true }, "rst-refused", POSSIBLE },
		{ NOT_DONE, { REPLY(SERVER, SYN), .with_ack = true }, NULL, 0 },
		{ NOT_DONE | REFUSED, { REPLY(SERVER, SYN) }, "rst-no-such-connection", POSSIBLE },
		{ NOT_DONE | REFUSED, { REPLY(CLIENT, SYN), .with_ack = true }, NULL, 0 },
		{ REFUSED, { REPLY(SERVER, SYN), .with_ack = true }, NULL, 0 },

		{ NOT_DONE, { REPLY(CLIENT, SYN_ACK), ANSWERS }, "rst-connect-abandoned", LIKELY },
		{ NOT_DONE, { ACTIVE(CLIENT), .trigger = TRIGGER_SYN_ACK, ANSWERS }, "rst-linger-zero", LIKELY },
		{ NOT_DONE, { REPLY(SERVER, SYN_ACK), ANSWERS }, "rst-no-such-connection", LIKELY },
		{ NOT_DONE, { REPLY(CLIENT, ACK), ANSWERS }, "rst-no-such-connection", LIKELY },
		{ NOT_DONE, { REPLY(CLIENT, SYN_ACK) }, "rst-no-such-connection", POSSIBLE },
		{ NOT_DONE, { REPLY(CLIENT, SYN_ACK), ANSWERS, .of_old_incarnation = true }, "rst-half-open", LIKELY },
		{ 0, { REPLY(CLIENT, SYN_ACK), ANSWERS }, "rst-no-such-connection", LIKELY },

		{ 0, { REPLY(CLIENT, ACK), .of_old_incarnation = true }, "rst-half-open", LIKELY },
		{ 0, { ACTIVE(CLIENT), .of_old_incarnation = true }, "rst-linger-zero", LIKELY },
		{ 0, { REPLY(CLIENT, ACK), .of_old_incarnation = true, .with_ack = true }, NULL, 0 },
		{ 0, { REPLY(SERVER, ACK), .of_old_incarnation = true }, "rst-no-such-connection", POSSIBLE },
		{ 0, { REPLY(CLIENT, ACK), .of_old_incarnation = true, OWN_FIN }, "rst-half-open", LIKELY },
		{ 0, { REPLY(CLIENT, ACK), .of_old_incarnation = true, .after_peer_fin = true }, "rst-half-open", LIKELY },
		{ 0, { REPLY(CLIENT, ACK), .of_old_incarnation = true, BOTH_FINS }, "rst-time-wait-reuse", LIKELY },
	};

	(void)state;
	check_rows(rows, ARRAY_LEN(rows));
}

static void who_sent_it(void **state)
{
	static const struct row rows[] = {
		{ NOT_DONE | REFUSED, { REPLY(SERVER, SYN), .with_ack = true, .ttl = 63, .host_ttl = 60,
		  .not_sent = true }, "rst-injected", LIKELY },
		{ NOT_DONE | REFUSED, { REPLY(SERVER, SYN), .with_ack = true, .not_sent = true,
		  .not_sent_is_certain = true }, "rst-injected", CERTAIN },

		{ 0, { REPLY(CLIENT, DATA), .is_challenge_pair = true }, "rst-challenge", CERTAIN },
		{ 0, { REPLY(CLIENT, DATA), .is_challenge_pair = true, .seq_is_next = true }, "rst-challenge", CERTAIN },
		{ 0, { ACTIVE(CLIENT), .is_challenge_pair = true }, "rst-challenge", CERTAIN },
		{ 0, { ACTIVE(CLIENT), .is_challenge_pair = true, .seq_is_next = true }, "rst-linger-zero", LIKELY },
		{ 0, { REPLY(CLIENT, ACK), .is_challenge_pair = true, .of_old_incarnation = true }, "rst-half-open", LIKELY },
		{ 0, { REPLY(CLIENT, ACK), .is_challenge_pair = true, .ttl_differs = true }, "rst-challenge", CERTAIN },
		{ LOSSY, { REPLY(CLIENT, DATA), .is_challenge_pair = true }, "rst-challenge", LIKELY },
		{ THIN, { REPLY(CLIENT, DATA), .is_challenge_pair = true }, "rst-challenge", LIKELY },

		{ 0, { ACTIVE(CLIENT), .window_is_odd = true }, "rst-linger-zero", LIKELY },
		{ 0, { ACTIVE(CLIENT), .ttl_differs = true }, "rst-injected", POSSIBLE },
		{ 0, { ACTIVE(CLIENT), .window_is_odd = true, .ttl_differs = true }, "rst-injected", LIKELY },
		{ 0, { ACTIVE(CLIENT), .window_is_odd = true, .options_are_odd = true }, "rst-injected", LIKELY },
		{ 0, { ACTIVE(CLIENT), .window_is_odd = true, .id_is_odd = true }, "rst-injected", LIKELY },
		{ 0, { ACTIVE(CLIENT), .window_is_odd = true, .has_payload = true }, "rst-injected", LIKELY },
		{ 0, { ACTIVE(CLIENT), .sender_went_on = true }, "rst-injected", LIKELY },
		{ LOSSY, { ACTIVE(CLIENT), .sender_went_on = true }, "rst-injected", POSSIBLE },
		{ 0, { .shape = RST_SHAPE_ODD }, "rst-injected", POSSIBLE },
		{ 0, { REPLY(CLIENT, ACK), BOTH_FINS, .peer_fin_acked = true, .ttl_differs = true },
		  "rst-injected", POSSIBLE },
	};

	(void)state;
	check_rows(rows, ARRAY_LEN(rows));
}

static void replies(void **state)
{
	static const struct row rows[] = {
		{ 0, { REPLY(CLIENT, ACK), BOTH_FINS, .peer_fin_acked = true }, "rst-after-fin-complete", CERTAIN },
		{ FIN_ACKED, { REPLY(CLIENT, ACK), BOTH_FINS }, "rst-after-fin-complete", CERTAIN },
		{ 0, { REPLY(CLIENT, ACK), BOTH_FINS }, "rst-no-such-connection", POSSIBLE },
		{ 0, { REPLY(CLIENT, FIN), BOTH_FINS, .peer_fin_acked = true }, "rst-no-such-connection", POSSIBLE },
		{ 0, { REPLY(CLIENT, DATA), OWN_FIN, .peer_fin_acked = true }, "rst-after-close", POSSIBLE },
		{ FIN_ACKED, { REPLY(CLIENT, ACK), .after_peer_fin = true }, "rst-no-such-connection", POSSIBLE },
		{ FIN_ACKED, { ACTIVE(CLIENT), BOTH_FINS, .trigger = TRIGGER_ACK }, "rst-linger-zero", POSSIBLE },

		{ 0, { REPLY(SERVER, ACK), ANSWERS, AT_ONCE }, "rst-backlog-overflow", LIKELY },
		{ 0, { REPLY(SERVER, ACK), ANSWERS, .trigger_gap_ns = SECOND_NS / 10 - 1 }, "rst-backlog-overflow", LIKELY },
		{ 0, { REPLY(SERVER, ACK), ANSWERS, .trigger_gap_ns = SECOND_NS / 10 }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, ACK), ANSWERS }, "rst-no-such-connection", LIKELY },
		{ 0, { ACTIVE(SERVER), .trigger = TRIGGER_ACK, ANSWERS, AT_ONCE }, "rst-listener-closed", POSSIBLE },
		{ 0, { REPLY(CLIENT, ACK), ANSWERS, AT_ONCE }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, DATA), ANSWERS, AT_ONCE }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, ACK), AT_ONCE }, "rst-no-such-connection", POSSIBLE },
		{ 0, { REPLY(SERVER, ACK), ANSWERS, AT_ONCE, OWN_FIN }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, ACK), ANSWERS, AT_ONCE, .after_peer_fin = true }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, ACK), ANSWERS, AT_ONCE, .sender_bytes = 1 }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, ACK), ANSWERS, AT_ONCE, .peer_bytes = 1 }, "rst-no-such-connection", LIKELY },

		{ 0, { REPLY(SERVER, ACK), ANSWERS, OWN_FIN, SOON_AFTER_FIN }, "rst-linger-zero", POSSIBLE },
		{ 0, { REPLY(SERVER, ACK), ANSWERS, OWN_FIN, .own_fin_gap_ns = SECOND_NS - 1 }, "rst-linger-zero", POSSIBLE },
		{ 0, { REPLY(SERVER, ACK), ANSWERS, OWN_FIN, .own_fin_gap_ns = SECOND_NS }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, ACK), ANSWERS, OWN_FIN }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, ACK), OWN_FIN, SOON_AFTER_FIN }, "rst-no-such-connection", POSSIBLE },
		{ 0, { REPLY(SERVER, ACK), ANSWERS, SOON_AFTER_FIN }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, ACK), ANSWERS, BOTH_FINS, SOON_AFTER_FIN }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, ACK), ANSWERS, OWN_FIN, SOON_AFTER_FIN, .peer_bytes_after_own_fin = 5 },
		  "rst-no-such-connection", LIKELY },
		{ 0, { ACTIVE(SERVER), .trigger = TRIGGER_ACK, ANSWERS, OWN_FIN, SOON_AFTER_FIN, .probes_unanswered = 2 },
		  "rst-keepalive-timeout", CERTAIN },

		{ 0, { REPLY(SERVER, DATA), ANSWERS, OWN_FIN, .peer_bytes_after_own_fin = 9 }, "rst-after-close", CERTAIN },
		{ LOSSY, { REPLY(SERVER, DATA), ANSWERS, OWN_FIN, .peer_bytes_after_own_fin = 9 },
		  "rst-after-close", LIKELY },
		{ 0, { REPLY(SERVER, DATA), OWN_FIN, .peer_bytes_after_own_fin = 9 }, "rst-after-close", POSSIBLE },
		{ 0, { REPLY(SERVER, NONE), ANSWERS, OWN_FIN, .peer_bytes_after_own_fin = 9 },
		  "rst-after-close", POSSIBLE },
		{ 0, { REPLY(SERVER, DATA), ANSWERS, OWN_FIN, SOON_AFTER_FIN }, "rst-after-close", POSSIBLE },
		{ THIN, { REPLY(SERVER, NONE), OWN_FIN }, "rst-after-close", LIKELY },
		{ 0, { REPLY(SERVER, DATA), ANSWERS, OWN_FIN, .with_ack = true }, NULL, 0 },
		{ 0, { REPLY(SERVER, DATA), ANSWERS, .peer_bytes = 9 }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, DATA), ANSWERS, BOTH_FINS }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, FIN), ANSWERS, OWN_FIN }, "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, PROBE), ANSWERS, OWN_FIN }, "rst-no-such-connection", LIKELY },
		/* Its last data, and the FIN behind it. */
		{ 0, { REPLY(SERVER, FIN), ANSWERS, BOTH_FINS, .peer_bytes_after_own_fin = 9 }, "rst-after-close", LIKELY },
		{ LOSSY, { REPLY(SERVER, FIN), ANSWERS, BOTH_FINS, .peer_bytes_after_own_fin = 9 }, "rst-after-close",
		  POSSIBLE },
		{ 0, { REPLY(SERVER, FIN), ANSWERS, BOTH_FINS, .peer_bytes_after_own_fin = 9, .peer_fin_acked = true },
		  "rst-no-such-connection", LIKELY },
		{ 0, { REPLY(SERVER, FIN), ANSWERS, BOTH_FINS }, "rst-no-such-connection", LIKELY },

		{ LOSSY, { REPLY(SERVER, DATA), ANSWERS, .peer_bytes = 9 }, "rst-no-such-connection", POSSIBLE },
		{ 0, { REPLY(SERVER, DATA), .peer_bytes = 9, .with_ack = true }, NULL, 0 },
		{ 0, { REPLY(SERVER, DATA), .with_ack = true }, NULL, 0 },
	};

	(void)state;
	check_rows(rows, ARRAY_LEN(rows));
}

static void from_a_living_socket(void **state)
{
	static const struct row rows[] = {
		{ 0, { ACTIVE(CLIENT), .probes_unanswered = 2 }, "rst-keepalive-timeout", CERTAIN },
		{ LOSSY, { ACTIVE(CLIENT), .probes_unanswered = 2 }, "rst-keepalive-timeout", LIKELY },
		{ 0, { ACTIVE(CLIENT), .probes_unanswered = 1 }, "rst-keepalive-timeout", LIKELY },
		{ ONE_SIDED, { ACTIVE(CLIENT), .probes_unanswered = 2 }, "rst-keepalive-timeout", LIKELY },
		{ ONE_SIDED, { ACTIVE(CLIENT) }, "rst-linger-zero", POSSIBLE },
		{ 0, { REPLY(CLIENT, DATA), .probes_unanswered = 2, .with_ack = true }, NULL, 0 },
		{ 0, { ACTIVE(CLIENT), .probes_unanswered = 2, .retransmissions_unanswered = 2 },
		  "rst-keepalive-timeout", CERTAIN },

		{ 0, { ACTIVE(CLIENT), .retransmissions_unanswered = 2 }, "rst-user-timeout", POSSIBLE },
		{ 0, { ACTIVE(SERVER), .retransmissions_unanswered = 2 }, "rst-user-timeout", POSSIBLE },
		{ 0, { ACTIVE(CLIENT), .retransmissions_unanswered = 1 }, "rst-linger-zero", LIKELY },
		{ 0, { REPLY(CLIENT, DATA), .retransmissions_unanswered = 2, .with_ack = true }, NULL, 0 },

		{ 0, { ACTIVE(SERVER) }, "rst-listener-closed", POSSIBLE },
		{ 0, { ACTIVE(CLIENT) }, "rst-linger-zero", LIKELY },
		{ UNOPENED, { ACTIVE(SERVER) }, "rst-linger-zero", LIKELY },
		{ 0, { ACTIVE(SERVER), OWN_FIN }, "rst-linger-zero", POSSIBLE },
		{ 0, { ACTIVE(SERVER), .after_peer_fin = true }, "rst-linger-zero", LIKELY },
		{ 0, { ACTIVE(SERVER), .sender_bytes = 1 }, "rst-linger-zero", LIKELY },

		{ 0, { ACTIVE(SERVER), .peer_bytes = 9 }, "rst-unread-data", LIKELY },
		{ 0, { ACTIVE(SERVER), .peer_bytes = 9, .peer_bytes_since_own = 9, .sender_bytes = 5 },
		  "rst-unread-data", LIKELY },
		{ 0, { ACTIVE(SERVER), .peer_bytes = 9, .sender_bytes = 5 }, "rst-linger-zero", LIKELY },
		{ 0, { ACTIVE(CLIENT), .peer_bytes = 9, .peer_bytes_since_own = 9 }, "rst-unread-data", LIKELY },
		{ 0, { ACTIVE(CLIENT), .peer_bytes = 9, .sender_bytes = 5 }, "rst-linger-zero", LIKELY },
		{ 0, { ACTIVE(CLIENT), .peer_bytes = 9, .peer_bytes_since_own = 9, .sender_bytes = 5 },
		  "rst-linger-zero", POSSIBLE },
		{ 0, { ACTIVE(SERVER), OWN_FIN, .peer_bytes = 9, .peer_bytes_after_own_fin = 9 },
		  "rst-unread-data", LIKELY },
		{ 0, { ACTIVE(SERVER), OWN_FIN, .peer_bytes = 9, .peer_bytes_since_own = 9 }, "rst-linger-zero", POSSIBLE },
		{ LOSSY, { ACTIVE(SERVER), .peer_bytes = 9 }, "rst-unread-data", POSSIBLE },
		{ LOSSY, { ACTIVE(CLIENT) }, "rst-linger-zero", POSSIBLE },
	};

	(void)state;
	check_rows(rows, ARRAY_LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening),
		cmocka_unit_test(who_sent_it),
		cmocka_unit_test(replies),
		cmocka_unit_test(from_a_living_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

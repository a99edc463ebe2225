#include "rules/catalogue.h"
#include "rules/facts.h"
#include "rules/rule.h"
#include "rules/words.h"

/* How it works: what no rule claims is still explained. "Ordinary" is said only where every rule of
 * the state could look and said no; where one could not, the socket is unjudged. */

static bool weigh_unjudged(const struct group *g, const struct bounds *b, struct finding *f)
{
	bool is_old = g->oldest.known && g->oldest.ms >= b->old;

	/* They may be harmless or not; many old ones are worth a look with more privilege. */
	f->severity = g->state == STATE_CLOSE_WAIT && g->count >= 10 && is_old ? SEVERITY_WARNING :
										 SEVERITY_NOTE;
	f->certainty = CERTAINTY_POSSIBLE;
	finding_fact_text(f, "state", state_name(g->state));
	if (g->n_hidden > 0)
		finding_fact(f, "owner_not_visible", FACT_COUNT, (int64_t)g->n_hidden);
	if (g->n_age_unknown > 0)
		finding_fact(f, "age_unknown", FACT_COUNT, (int64_t)g->n_age_unknown);
	if (g->rqueue > 0)
		finding_fact(f, "recv_q", FACT_BYTES, (int64_t)g->rqueue);
	if (g->n_tls_rx > 0)
		finding_fact(f, "kernel_tls", FACT_COUNT, (int64_t)g->n_tls_rx);
	if (g->n_tls_rx == g->count && !g->n_hidden && !g->n_age_unknown)
		f->says = N_("{count} {count:connection|connections} in {state} could not be judged: the kernel "
			     "decrypts {count:it|them} (kTLS), so Recv-Q does not tell what the program has "
			     "read; the oldest has waited {oldest}.");
	fact_fin(f, g);
	return true;
}

#define ORDINARY(index, name, its_title, its_says, its_why, its_refs)                              \
	[index] = {                                                                                \
		.text = {                                                                          \
			.id = name,                                                                \
			.title = its_title,                                                        \
			.says = its_says,                                                          \
			.why = its_why,                                                            \
			.refs = its_refs,                                                          \
		},                                                                                 \
		.scope = SCOPE_NETNS,                                                              \
		.weigh = weigh_certain_note,                                                           \
	}

const struct rule ordinary_rules[] = {
	ORDINARY(ORDINARY_CLOSE_WAIT, "close-wait-ordinary", N_("the peer has closed, we have not yet"),
		 N_("{count} {count:connection is|connections are} in CLOSE-WAIT, none of them for "
		    "unusually long: the peer has closed, the program here has not yet."),
		 N_("A program needs a moment between the peer's FIN and its own close(), and may "
		    "legally still send an answer. No timer ends this state: look again if the number "
		    "grows."),
		 "RFC 9293 section 3.6"),
	ORDINARY(ORDINARY_FIN_WAIT_1, "fin-wait-1-ordinary", N_("our FIN is not acknowledged yet"),
		 N_("{count} {count:connection is|connections are} in FIN-WAIT-1: closed here, the FIN "
		    "(and any data before it) is not acknowledged yet."),
		 N_("Linux delays the ACK of a FIN by about 40 ms. If the peer stays silent the kernel "
		    "repeats the FIN and gives up after about 100 s, or 15 minutes if a descriptor is "
		    "still open."),
		 "RFC 9293 section 3.6; Linux net/ipv4/tcp_timer.c, tcp_orphan_retries()"),
	ORDINARY(ORDINARY_FIN_WAIT_2, "fin-wait-2-ordinary", N_("our side is closed, the peer's not yet"),
		 N_("{count} half-closed {count:connection is|connections are} in FIN-WAIT-2, not for "
		    "long or with data still coming: we have finished sending, the peer has not."),
		 N_("shutdown(SHUT_WR) says 'I have finished sending' and leaves the other direction "
		    "open, which is what it is for."),
		 "RFC 9293 section 3.6.1; shutdown(2)"),
	ORDINARY(ORDINARY_CLOSING, "closing-ordinary", N_("both closed at once"),
		 N_("{count} {count:connection is|connections are} in CLOSING: both ends sent their FIN "
		    "at the same time and ours is not acknowledged yet."),
		 N_("A simultaneous close. It ends with the ACK, or with the retransmissions of our "
		    "FIN after about 100 s."),
		 "RFC 9293 section 3.6"),
	ORDINARY(ORDINARY_LAST_ACK, "last-ack-ordinary", N_("waiting for the last ACK"),
		 N_("{count} {count:connection is|connections are} in LAST-ACK: the peer closed first, "
		    "we followed, the ACK of our FIN has not come yet."),
		 N_("It ends with that ACK. If the peer is gone the kernel gives up after about "
		    "100 s."),
		 "RFC 9293 section 3.6; Linux net/ipv4/tcp_timer.c, tcp_orphan_retries()"),
	ORDINARY(ORDINARY_TIME_WAIT, "time-wait-ordinary", N_("the ordinary end of who closed first"),
		 N_("{count} {count:connection is|connections are} in TIME-WAIT, the ordinary end of a "
		    "connection that this host closed first; the last ends in {ends_last}."),
		 N_("Whoever closes first waits 60 s, to acknowledge a repeated FIN and to keep late "
		    "segments away from the next connection. It costs no process and no descriptor."),
		 "RFC 9293 section 3.6; RFC 1337"),
	[UNJUDGED] = {
		.text = {
			.id = "unjudged",
			.title = N_("seen, but not judged: evidence is missing"),
			.says = N_("{count} {count:connection|connections} in {state} could not be "
				   "judged: whose {count:it is|they are}, or how old, cannot be seen from "
				   "here; the oldest has waited {oldest}."),
			.why = N_("The rules for this state need the process that holds the descriptor "
				  "and the age of the state. Without privilege other users' "
				  "descriptors cannot be read."),
			.fixes = {
				{ .kind = FIX_OPERATION,
				  .text = N_("Where the owner is missing: look again as root, or with "
					     "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH; in a container, on "
					     "its host."),
				  .command = "sudo tcpwhy" },
				{ .kind = FIX_OPERATION,
				  .text = N_("Where the age is missing: a capture that saw their FINs "
					     "tells it.") },
			},
			.refs = "proc(5), /proc/PID/fd; ptrace(2), access mode checking",
		},
		.scope = SCOPE_NETNS,
		.weigh = weigh_unjudged,
	},
};
const size_t n_ordinary_rules = ARRAY_LEN(ordinary_rules);

const struct rule *rules_unjudged(void)
{
	return &ordinary_rules[UNJUDGED];
}

const struct rule *rules_ordinary(enum state state)
{
	static const uint8_t rows[STATE_MAX] = {
		[STATE_CLOSE_WAIT] = ORDINARY_CLOSE_WAIT, [STATE_FIN_WAIT_1] = ORDINARY_FIN_WAIT_1,
		[STATE_FIN_WAIT_2] = ORDINARY_FIN_WAIT_2, [STATE_CLOSING] = ORDINARY_CLOSING,
		[STATE_LAST_ACK] = ORDINARY_LAST_ACK,     [STATE_TIME_WAIT] = ORDINARY_TIME_WAIT,
	};

	return &ordinary_rules[rows[state]];
}

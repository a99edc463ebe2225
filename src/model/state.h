#pragma once

/* The states of RFC 9293, numbered as the kernel numbers them (include/net/tcp_states.h). */

#include "util/attr.h"

#include <stdbool.h>
#include <stdint.h>

enum state {
	STATE_UNKNOWN = 0,
	STATE_ESTABLISHED = 1,
	STATE_SYN_SENT,
	STATE_SYN_RECV,
	STATE_FIN_WAIT_1,
	STATE_FIN_WAIT_2,
	STATE_TIME_WAIT,
	STATE_CLOSED,
	STATE_CLOSE_WAIT,
	STATE_LAST_ACK,
	STATE_LISTEN,
	STATE_CLOSING,
	STATE_NEW_SYN_RECV, /* a request socket; dumped as SYN-RECV */
	STATE_MAX,
};

#define STATE_BIT(s) (1u << (s))

enum {
	STATES_TEARDOWN = STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_FIN_WAIT_1) |
			  STATE_BIT(STATE_FIN_WAIT_2) | STATE_BIT(STATE_CLOSING) |
			  STATE_BIT(STATE_LAST_ACK) | STATE_BIT(STATE_TIME_WAIT),
	STATES_JUDGED = STATES_TEARDOWN | STATE_BIT(STATE_LISTEN),
	STATES_ALL = STATES_TEARDOWN | STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_SYN_SENT) |
		     STATE_BIT(STATE_SYN_RECV) | STATE_BIT(STATE_CLOSED) |
		     STATE_BIT(STATE_LISTEN) | STATE_BIT(STATE_NEW_SYN_RECV),
};

/* The name ss prints for its rows in full: "CLOSE-WAIT". "UNKNOWN" outside the enum. */
const char *state_name(enum state s);
/* Every usual spelling: case, "-", "_" and nothing are alike; FIN_WAIT2, fin-wait-2, TIMEWAIT … and
 * ss's own abbreviations (estab). STATE_UNKNOWN: none of them. */
enum state state_parse(const char *text);

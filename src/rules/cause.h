#pragma once

/* Why a reset was sent, from what packets show of it and of what went before.
 *
 * Linux sends two kinds. An *active* one is a living socket giving up: RST|ACK, seq is its own next
 * number, with window and time stamps. A *reply* answers a segment that met no socket, or one that
 * has nobody to read it: bare, window 0, seq is that segment's ack. Active resets are bit-identical
 * whatever their reason, so their causes are never certain. Source: RFC 9293 section 3.5.2; Linux
 * net/ipv4/tcp_output.c, tcp_send_active_reset(); tcp_ipv4.c, tcp_v4_send_reset(). */

#include "model/conn.h"

/* One row a cause; asked in order, the first that matches names it. */
struct cause {
	const char *rule; /* its id */
	bool (*matches)(const struct flow *f, const struct flow_rst *r);
	enum certainty (*how_sure)(const struct flow *f, const struct flow_rst *r);
};

/* How many routers a packet has passed: hosts and boxes begin with a TTL of 64, 128 or 255. */
unsigned cause_routers_passed(uint8_t ttl);

/* The cause of each reset of a flow; .rule NULL where the packets decide none. */
void cause_name_all(const struct flow *flow, struct rst_cause causes[static MAX_FLOW_RSTS]);

#pragma once

/* How long a connection has been in its state, and what ends it. Pure arithmetic on one conn.
 *
 * Milliseconds. Bounds are honest: `is_exact` false means at least, ENDS_UNKNOWN that nothing
 * seen decides it. Source: Linux net/ipv4/tcp_timer.c,
 * tcp_orphan_retries() and tcp_model_timeout(); tcp_minisocks.c, tcp_time_wait(). */

#include "model/conn.h"

struct age lifetime_age(const struct conn *c, int64_t look_time_ns);
struct ends lifetime_ends(const struct conn *c);

/* The time N retransmissions take from the minimum RTO of 200 ms, as tcp_model_timeout() has it. */
uint64_t lifetime_retries_ms(int64_t retries, uint64_t rto_max_ms);

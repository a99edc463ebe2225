#pragma once

/* Marries what was read: socket and packets, the two sockets of a connection whose ends are both on
 * this host, sockets nobody owns any more and the process that probably closed them.
 *
 * A struct join points into its look and flows and owns its indexes only. A connection (struct
 * conn) is made on demand, so a million sockets need no million connections. */

#include "model/conn.h"
#include "model/ports.h"

#include <stdbool.h>
#include <stddef.h>

struct join;

struct join *join_new(const struct look *look);
void join_free(struct join *j);

/* Is there a socket with this flow's addresses, in either direction? */
bool join_wants_flow(struct join *j, const struct flow *flow);
/* Keeps a flow (which must outlive the join) as evidence for its sockets. */
void join_add_flow(struct join *j, const struct flow *flow);

void join_sock(struct join *j, const struct sock *sock, struct conn *ret);
/* Only what the socket says itself: no owner, no other end, no packets, no age. *c is zeroed, or from here. */
void join_nothing(const struct join *j, const struct sock *sock, struct conn *c);
/* A connection known from packets only. */
void join_flow(const struct flow *flow, struct conn *ret);

/* The budgets of every (source, destination, port) that uses at least `min_used` local ports. The
 * caller frees ret->at. */
void join_ports(const struct join *j, uint32_t min_used, struct port_budgets *ret);

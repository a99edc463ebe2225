#pragma once

/* One connection as rules see it: the kernel's socket, the packets of it, and who holds it.
 *
 * Made by join/ for one socket or one flow at a time, points into the look and the kept flows, owns
 * nothing. At least one of `sock` and `flow` is there. */

#include "model/flow.h"
#include "model/look.h"
#include "model/sided.h"

#include <stdbool.h>
#include <stdint.h>

enum owner_status {
	OWNER_KNOWN,      /* a descriptor was found */
	OWNER_NONE,       /* there is none to find: orphan, TIME-WAIT, request */
	OWNER_UNACCEPTED, /* in a listener's queue: procs are the listener's owners */
	OWNER_HIDDEN,     /* there must be one, it could not be seen */
	OWNER_ATTRIBUTED, /* inferred; `basis` says from what */
};

enum basis {
	BASIS_NONE,
	BASIS_LISTENER,          /* the local port is a listener's here */
	BASIS_SAME_DESTINATION,  /* live connections of one process to the same peer */
	BASIS_NO_PRIVILEGE,      /* hidden: other users' descriptors were not readable */
	BASIS_NOT_FOUND,         /* hidden: everything was readable and nobody has it */
	BASIS_NOT_LOOKED,        /* hidden: owners were not asked for */
	BASIS_TIME_LIMIT,        /* hidden: not all processes were looked at */
};

/* How long in this state. `is_exact` false: at least. */
struct age {
	bool known;
	bool is_exact;
	uint64_t ms;
};

enum ends_by {
	ENDS_UNKNOWN,
	ENDS_TIMEWAIT,
	ENDS_FIN_TIMEOUT,
	ENDS_RETRIES,
	ENDS_KEEPALIVE,
	ENDS_USER_TIMEOUT,
	ENDS_NEVER,
};

struct ends {
	enum ends_by by;
	bool in_known;
	uint64_t in_ms;
};

/* Never stronger than the evidence. */
enum certainty { CERTAINTY_POSSIBLE, CERTAINTY_LIKELY, CERTAINTY_CERTAIN };

/* Why a reset of the flow was sent: a rule's id. */
struct rst_cause {
	const char *rule; /* NULL: not named */
	enum certainty certainty;
};

enum { MAX_CONN_HOLDERS = 16, MAX_CONN_RULES = 8 };

struct conn {
	const struct sock *sock; /* NULL: only packets */
	const struct flow *flow; /* NULL: no packets */
	const struct sided_flow *sided; /* seen from both ends; NULL: nobody asked */
	enum side our_side;      /* of the flow, where both are there */
	const struct netns *netns;
	enum owner_status owner;
	enum basis basis;
	struct holder holders[MAX_CONN_HOLDERS];
	const struct in_flight *in_flight; /* nobody holds it: a descriptor may wait there; NULL: nowhere */
	size_t n_in_flight;
	bool flight_is_partial;     /* it may wait elsewhere as well */
	size_t n_holders;           /* all of them; only the first MAX_CONN_HOLDERS are in holders */
	const struct sock *listener; /* of our local port, if there is one; of several the one with the longest
				      * queue, where the connection is in one */
	size_t n_listeners;          /* SO_REUSEPORT: more than one may own the queue */
	/* Who holds them, one a process, and what waits in the queues of each. The longest come first:
	 * n_queued are not empty. */
	const struct holder *listener_holders;
	const uint32_t *queues;
	size_t n_listener_holders, n_queued;
	uint64_t oldest_client_ms;   /* of a listener: a client has waited so long at least; 0: not known */
	const struct sock *mptcp;     /* of a subflow: the MPTCP socket it serves, if that was seen */
	const struct sock *subflow;   /* of an MPTCP socket that keeps no times (before Linux 6.10): the one
				       * below it that heard from the peer last; NULL: none */
	const struct sock *other_end; /* the same connection's other socket on this host */
	const struct proc *other_proc; /* who holds it; NULL unknown */
	int other_fd;
	struct age age;
	struct ends ends;
	/* Filled by rules/: the ids that claim it, ended by NULL, and the cause of each reset. */
	const char *rules[MAX_CONN_RULES + 1];
	struct rst_cause rst_causes[MAX_FLOW_RSTS];
};

/* Held by more than one process: fork() and exec() pass descriptors on, threads do not count. */
static inline bool conn_is_shared(const struct conn *c)
{
	if (c->owner != OWNER_KNOWN)
		return false;
	for (size_t i = 1; i < c->n_holders && i < MAX_CONN_HOLDERS; i++)
		if (c->holders[i].proc != c->holders[0].proc)
			return true;
	return false;
}

/* The process to name as its owner; NULL: nobody, or who it was is inferred and several fit. */
static inline const struct proc *conn_proc(const struct conn *c)
{
	bool is_inferred = c->owner == OWNER_ATTRIBUTED || c->owner == OWNER_UNACCEPTED;

	return c->n_holders == 0 || (is_inferred && c->n_holders > 1) ? NULL : c->holders[0].proc;
}

const char *owner_status_name(enum owner_status s);
const char *certainty_name(enum certainty c);
const char *ends_by_name(enum ends_by e);

#pragma once

/* What one pass over the sockets gathers for the rows. Private to check/: check.c fills it, the
 * files that judge read it. Freed by check_end(). */

#include "check/check.h"
#include "model/check.h"
#include "model/look.h"
#include "model/ports.h"

/* One descriptor of a connection in CLOSE-WAIT. */
struct held {
	const struct proc *proc;
	const struct netns *netns;
	bool has_fd, is_old, may_be_old;
	uint64_t conn; /* which: processes may share one, and hold it by several descriptors */
	bool is_parked, has_age;
	int64_t age_ms;
};

/* The connection that has waited longest. */
struct oldest {
	struct conn at;
	bool is_there;
	uint64_t n_unaged;
};

/* A destination with many of its ports taken, and one of its sockets. */
struct busy {
	struct port_budget budget;
	struct conn example;
};

struct check {
	const struct look *look;
	struct check_past past;
	uint64_t old_ms;
	struct held *held;
	size_t n_held, cap_held;
	uint64_t n_close_waits;
	uint64_t n_hidden, n_hidden_old; /* CLOSE-WAITs of processes that may not be seen */
	struct oldest close_wait, fin_wait_2;
	struct conn listener;
	int64_t listener_share;
	bool has_listener;
	struct port_budget ports;
	struct conn ports_example;
	int64_t ports_share;
	bool has_ports, ports_unknown;
	struct busy *busy;
	size_t n_busy, cap_busy;
	struct conn *turned_away; /* listeners that have turned clients away */
	size_t n_turned_away, cap_turned_away;
	bool is_lost;    /* the next look will not know of this one */
	uint64_t *minis; /* [n_netns]: what counts against tcp_max_tw_buckets */
};

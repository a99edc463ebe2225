#pragma once

/* A rule: a row of words and two pure functions.
 *
 * `claims` looks at one connection and says whether this is its case. One connection, one claim:
 * the rows of a state are asked in catalogue order and the first that fires takes it. Connections a
 * rule has claimed are gathered in groups (one process, one listener, one destination …);
 * `weigh` then turns a group into severity, certainty and typed facts.
 *
 * `needs` is checked by judge.c before `claims` is asked, so a rule never tests for missing data:
 * what a rule needed and nobody could see makes its verdict UNKNOWN, and a connection that no rule
 * claimed but one could not judge is reported as unjudged, never as fine. Rules open no file, ask no
 * clock and print nothing. */

#include "model/audit.h"
#include "model/finding.h"
#include "model/ports.h"
#include "rules/runtime.h"

#include <stdbool.h>
#include <stdint.h>

enum verdict { VERDICT_SILENT, VERDICT_FIRES, VERDICT_UNKNOWN };

/* What one group is about. */
enum scope {
	SCOPE_PROCESS,     /* the process that holds the descriptors */
	SCOPE_LISTENER,    /* the listener in whose queue they wait */
	SCOPE_LOCAL,       /* our address and port, whoever listens there */
	SCOPE_DESTINATION, /* the remote address and port */
	SCOPE_PEER,        /* the remote host; where we connected to it, and its port */
	SCOPE_SERVICE,     /* our listener if the local port has one, else the destination */
	SCOPE_PROCESS_DESTINATION, /* the process, for each remote address and port */
	SCOPE_NETNS,
	SCOPE_FLOW,        /* the server's address and port, from packets */
};

enum needs {
	NEED_OWNER = 1,  /* a descriptor was found, or there is none to find */
	NEED_AGE = 2,
	NEED_INFO = 4,   /* tcp_info as far as the times since */
	NEED_RQUEUE = 8, /* Recv-Q counts bytes and the FIN: neither of MPTCP, nor of its subflows, nor of kTLS */
	NEED_STATE = 16, /* the state is what the application did: not of a subflow */
};

enum { MS = 1, SECOND_MS = 1000, MINUTE_MS = 60000, HOUR_MS = 3600000 };

/* Ages in milliseconds; all scale with --min-age except where a rule's certainty is concerned. */
struct bounds {
	uint64_t young;      /* 5 s: a healthy teardown is over, two lost FINs included */
	uint64_t suspicious; /* 60 s: the longest ordinary wait of Linux teardown */
	uint64_t old;        /* 10 min: beyond usual HTTP keep-alive times */
	uint64_t forgotten;  /* 1 h: beyond any pool's idle time */
};

enum { GROUP_FDS_MAX = 64, GROUP_SHARERS_MAX = 16, GROUP_CULPRITS_MAX = 4, GROUP_MOMENTS_MAX = 3 };

/* A process of this host that holds other ends of a group's connections, in CLOSE-WAIT. */
struct culprit {
	const struct proc *proc;
	int fd;      /* one of them */
	uint64_t n;
	bool is_far; /* in another network namespace: only the addresses say that it is the other end */
};

struct group {
	const struct rule *rule;
	struct subject subject;
	uint64_t count, n_age_unknown, n_shared, n_hidden, n_keepalive, n_mptcp, n_tls_rx;
	struct age oldest;
	uint64_t rqueue, wqueue; /* sums, bytes; the FIN is counted in rqueue */
	uint64_t ends_first_ms, ends_last_ms;
	bool ends_at_most; /* by retries: what else may end one earlier cannot be seen */
	uint32_t fds[GROUP_FDS_MAX];
	uint64_t n_fds;
	enum state state;
	const struct sock *listener;
	size_t n_listeners;
	size_t n_owners;         /* candidates, where the owner is inferred: */
	uint32_t candidates[MAX_CONN_HOLDERS]; /* their pids */
	size_t n_candidates;
	const uint32_t *queues;  /* and what waits for each of them, if they are of listeners */
	size_t n_queued;
	enum basis basis;
	const struct in_flight *in_flight; /* see struct conn */
	size_t n_in_flight;
	bool flight_is_partial;
	struct culprit culprits[GROUP_CULPRITS_MAX]; /* the first ones found */
	size_t n_culprits;
	uint32_t sharers[GROUP_SHARERS_MAX]; /* pids of all that hold one of them */
	size_t n_sharers;
	const struct proc *listener_proc;    /* who holds the listener of the local port */
	uint64_t n_persist;
	uint32_t least_window;      /* of the peers, bytes; 0: none is open, or not reported */
	uint64_t n_hears, n_absent; /* by the owner's epoll sets */
	uint32_t watch_events;      /* of the last one that is in a set */
	uint8_t most_retrans;
	uint64_t longest_half_close_ms;
	uint64_t oldest_client_ms;  /* of a listener, see struct conn */
	/* Of those whose options were read; opts are the first one's. */
	uint64_t n_opts, n_opts_keepalive, n_opts_linger, n_opts_reuseaddr;
	const struct sock_opts *opts, *opts_keepalive, *opts_linger;
	bool keepalives_differ, lingers_differ, timeouts_differ;
	struct {
		const struct audit_row *row;
		const char *name, *value, *usual, *proposed; /* as sysctl(8) has them; NULL: one number */
	} audit;                             /* of a harmful setting; of other host rules a count: */
	int64_t value;
	uint64_t n_sockets, n_close_wait;    /* of a process that is near its limit */
	/* Packets. */
	uint64_t n_with_fin;     /* sockets whose FIN the capture holds */
	int64_t first_fin_ns;
	bool first_fin_is_ours, fin_acked, may_miss_acks;
	enum closed_first closed_first; /* of the connection of first_fin_ns; client/server */
	enum side our_side;
	enum certainty weakest;  /* of the single cases, where the rule tells them apart */
	uint64_t longest_ns;
	uint64_t bytes;
	enum side side;          /* who did it */
	int64_t last_ns;         /* of resets */
	const char *saw;         /* by the program at the other end of a reset */
	uint8_t ttl, host_ttl;   /* of the last refusal; see struct flow_rst */
	/* Told by connections that were claimed and by witnesses. */
	int64_t shortest_fatal_ns, longest_survived_ns; /* pauses; 0: none */
	uint64_t n_survivors, n_sudden; /* connections that survived one; that fell silent without one */
	bool lacks_witnesses;    /* some may have found no room */
	int64_t moments_ns[GROUP_MOMENTS_MAX]; /* the first ones that are no two of one event */
	size_t n_moments;
	uint64_t n_inferred;     /* connections whose FIN was not captured, only its acknowledgement */
	const struct port_budget *ports;
	struct conn *examples;
	size_t n_examples;
};

struct rule {
	struct rule_text text;
	enum scope scope;
	uint32_t states;   /* STATE_BIT mask of the sockets it is asked about; 0: packets only */
	unsigned needs;
	enum verdict (*claims)(const struct conn *c, const struct bounds *b);
	/* The certainty of each case; the group gets the weakest. NULL: weigh() says it. */
	enum certainty (*how_sure)(const struct conn *c);
	/* false: too few to be worth a finding of its own; the group goes to `otherwise`. */
	bool (*weigh)(const struct group *g, const struct bounds *b, struct finding *f);
	const struct rule *otherwise;
	/* Has a connection, known from packets and not claimed, to be heard where those of its server are
	 * weighed? Asked of every one: cheap. hear() gathers what such a one tells, and each that is claimed. */
	bool (*is_witness)(const struct conn *c);
	void (*hear)(struct group *g, const struct conn *c);
	/* Connections of different kinds make groups of their own, and one of them alone is not named
	 * so: only a crowd makes it true. NULL: all are of one kind. */
	uint32_t (*kind_of)(const struct conn *c);
	bool of_mptcp;         /* asked of MPTCP sockets as well */
	bool is_reset;         /* claims the connections with a reset of this cause; no claims() */
	bool counts_after_fin; /* of a reset: bytes and time since its sender's FIN */
	enum advice advice; /* of the owner's runtime, in front of the row's fixes */
};

/* The families. Each array is in the order in which its rows are asked. */
extern const struct rule owner_rules[], close_wait_rules[], unacked_rules[], fin_wait_rules[],
	time_wait_rules[], port_rules[], listener_rules[], limit_rules[], host_rules[], reset_rules[],
	ending_rules[], silence_rules[],
	ordinary_rules[];
extern const size_t n_owner_rules, n_close_wait_rules, n_unacked_rules, n_fin_wait_rules,
	n_time_wait_rules, n_port_rules, n_listener_rules, n_limit_rules, n_host_rules,
	n_reset_rules, n_ending_rules, n_silence_rules, n_ordinary_rules;

/* Certainty one step down, for every piece of evidence that is missing. */
static inline enum certainty lowered(enum certainty c)
{
	return c == CERTAINTY_CERTAIN ? CERTAINTY_LIKELY : CERTAINTY_POSSIBLE;
}

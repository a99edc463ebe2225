#pragma once

/* A pathology in one line: a spec becomes `n` connections, the judge is asked, and one row says what
 * must come out. */

#include "rules/judge.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum expected { SILENT, FIRES, UNKNOWN };

/* What the kernel shows of one socket, and what is known of its owner. Zero is "nothing special". */
struct spec {
	enum state state;
	enum timer timer;
	uint32_t rqueue, wqueue, inode;
	uint64_t age_ms;           /* AGE_UNKNOWN: not known */
	uint32_t expires_ms, data_recv_ms, data_sent_ms, ack_recv_ms;
	bool no_info, is_mini, is_hidden, no_holder;
	bool has_tls_rx;           /* the kernel decrypts */
	bool is_mptcp, is_subflow; /* the MPTCP socket; one of its subflows, alone */
	bool has_listener;
	uint32_t listener_rqueue, listener_backlog;
	size_t n_listeners;
	uint64_t fd_used, fd_limit;
	bool other_in_close_wait, other_in_fin_wait;
	bool is_tracked;           /* this namespace tracks connections */
	int64_t tw_buckets;        /* tcp_max_tw_buckets; 0: 131072 */
	char proc_state;           /* 0: sleeping */
	const char *wchan;
	bool is_shared;            /* a second process holds it, too */
	bool is_strays;            /* held by one that is not the listener's owner */
	int fd;                    /* its descriptor; 0: 5 */
	bool nobody_has_it;        /* everything could be read */
	uint64_t in_flight;        /* descriptors in a UNIX socket of another process */
	bool flight_is_partial;    /* not all UNIX sockets were asked */
	size_t n_receivers;        /* such sockets, if more than one */
	bool is_client;            /* we connected: 40000 here, 443 there */
	uint16_t peer_port;        /* 0: 40000, or 443 of a client */
	uint16_t local_port;       /* 0: 8080, or 40000 of a client */
	struct setting conntrack_close_wait_s;
	uint8_t retrans, backoff;
	uint32_t rto_ms;
	bool has_window;           /* the kernel tells it, from 5.4 on */
	uint32_t window;           /* the peer's, bytes */
	enum watch watch;
};

#define AGE_UNKNOWN UINT64_MAX

struct row {
	const char *name;
	const char *rule;
	enum expected expected;
	enum severity severity;
	enum certainty certainty;
	uint64_t n;
	struct spec spec;
};

void check_rows(const struct row *rows, size_t n);

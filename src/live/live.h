#pragma once

/* One look at a host: sockets, owners, processes, settings; or the same from a recorded look.
 *
 * Reads only. What cannot be seen becomes a gap in the look; only a look without any socket table
 * at all fails. Netlink is decoded in diag.c alone (libmnl). */

#include "model/look.h"
#include "util/attr.h"
#include "util/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum owners_wanted {
	OWNERS_NONE,     /* opens nothing under /proc/PID */
	OWNERS_TEARDOWN, /* of sockets in teardown states, and of listeners */
	OWNERS_ALL,      /* of every socket with an inode */
};

struct live_request {
	const char *from;      /* a recorded look's folder, or a snapshot; NULL: this machine */
	const char *record;    /* folder to write this look into; NULL: none */
	struct packer *packer; /* snapshot to write it into, the caller's: see live/pack.h; NULL: none */
	const char *netns;     /* a name, a pid or a path; NULL: the caller's own */
	bool all_netns;
	uint32_t states;       /* mask; STATE_LISTEN included where listeners are wanted */
	/* TIME-WAITs of namespaces that have few, as well, see live_stream(): each walk through the kernel's
	 * table passes every socket of the machine, so one that asks for all is half of two. */
	bool with_few_timewaits;
	/* Their number is wanted, not they: by sockstat, see hostinfo_timewaits(). Without it they are read. */
	bool count_timewaits;
	bool want_info;        /* tcp_info: the evidence for age and queues */
	bool want_memory;      /* skmem: what a listener turned away, for check */
	bool want_host;        /* sysctls and counters */
	enum owners_wanted owners;
	bool want_watch;       /* the epoll sets of those that hold unread CLOSE-WAITs */
	bool want_sockopts;    /* options of a sample of held sockets: see live/sockopts.h */
	bool want_dead;        /* search owners even where no socket has one: see live/dead.h */
	bool no_dead;          /* descriptors of ended connections are of no interest */
	bool only_inet4, only_inet6;
	int64_t deadline_ns;   /* CLOCK_MONOTONIC; what is not seen by then is a gap. 0: none */
	/* INET_DIAG_REQ_BYTECODE, or NULL. The kernel then returns only what it accepts, and all listeners.
	 * A recording holds what was not asked for, too, and takes no notice. */
	const void *bytecode;
	size_t bytecode_len;
	/* May be NULL. Called for each row as it arrives, before owners are known; true: done with
	 * it, it is counted but not kept in look->socks. `s` and `s->full` are gone afterwards. An
	 * interrupted dump is then not repeated. See live_stream(). */
	bool (*on_sock)(void *arg, const struct look *look, const struct sock *s);
	void *on_sock_arg;
	/* Stop looking for owners when every wanted socket has one: fast, but not all holders of a
	 * shared socket are found. */
	bool one_owner_is_enough;
};

/* Is it over? */
bool live_is_late(const struct live_request *req);

/* 0, or -errno with *fail filled and *ret untouched. The caller frees with look_free(). */
MUST_CHECK int live_look(const struct live_request *req, struct look **ret, struct fail *fail);
/* The namespaces of a look at this machine once more: req->on_sock takes the sockets of req->states one by one, and no
 * memory grows with them. For states whose sockets nobody owns, TIME-WAIT by the million; a namespace
 * whose few TIME-WAITs the look has already is left out. What cannot be seen becomes a gap of the look. 0, or -errno with *fail filled. */
MUST_CHECK int live_stream(const struct live_request *req, struct look *look, struct fail *fail);

#pragma once

/* One look: everything one reading of a host saw. Built by live/, read by everyone, owned by its
 * arena. `states` counts every socket of the host that was seen, filtered or not. */

#include "model/gap.h"
#include "model/host.h"
#include "model/proc.h"
#include "model/sock.h"
#include "util/arena.h"

/* A UNIX socket in which descriptors wait to be received. */
struct in_flight {
	const struct proc *proc; /* who has the receiving end */
	int fd;
	uint64_t n;
};

struct look {
	struct arena *arena;
	struct host host;
	struct netns *netns; /* [n_netns], never none */
	size_t n_netns;
	struct sock *socks; /* [n_socks], each cookie once */
	size_t n_socks, cap_socks;
	struct proc **procs; /* [n_procs], those that hold a wanted socket */
	size_t n_procs;
	struct in_flight *in_flight; /* [n_in_flight], sought only while a socket has no owner */
	size_t n_in_flight;
	bool flight_is_partial; /* some sockets were not asked: there is a gap that says so */
	uint64_t states[STATE_MAX];
	/* Were all processes' descriptors readable? false: an owner that was not found may exist. */
	bool owners_complete;
	bool owners_looked; /* false: nobody asked for owners */
	bool owners_late;   /* the time was over before all had been looked at */
	/* Was INFO asked for, SYN-RECV dumped …: the mask of states this look asked the kernel for. */
	uint32_t asked_states;
	bool is_narrowed; /* and only for some of them: of addresses or ports, of one family */
	const char *source; /* "live", or the name of the recorded look */
	struct gaps gaps;
};

struct look *look_new(void);
void look_free(struct look *look);
/* Room for one more socket, zeroed; NULL when the cap of 2^24 is reached. */
struct sock *look_add_sock(struct look *look);

#pragma once

/* Descriptors of connections that the kernel has already ended: after a reset, a failed keepalive, `ss
 * -K` or an acknowledged LAST-ACK no listing shows the socket, but its descriptor may stay open.
 *
 * dead_note() collects socket descriptors nobody asked for while owners are searched. If a process has
 * enough of TCP among them dead_confirm() lists the sockets once more, because a busy server opens some
 * between the first look and the search, and keeps what is still the same descriptor and in no listing.
 * Only on this machine, of processes in the namespaces of the look; a recording keeps the result in
 * proc/PID/dead_fds. A namespace that cannot be listed again has none, and what a cap cut off is a gap.
 *
 * A process may hold sockets of any namespace: as long as some are in no listing, all that can be found are
 * listed, for a second at most. Where some could not be, the result is unsure.
 * Source: Linux net/socket.c, sockfs_xattr_get(); net/ipv4/tcp.c, tcp_done(). */

#include "live/netns.h"
#include "live/root.h"
#include "model/look.h"

enum {
	DEAD_WORTH_A_WORD = 10,       /* fewer may be sockets that are about to connect */
	DEAD_MAX_PER_PROCESS = 4096,
	DEAD_MAX = 65536,
};

struct dead_fd {
	struct proc *proc;
	uint32_t inode;
	int fd;
	bool is_mptcp, is_listed; /* by dead_confirm() */
};

struct dead {
	struct dead_fd *at;
	size_t n, cap;
	size_t n_beyond; /* not kept: beyond one of the caps */
};

/* `proc` may not be known yet: the last `n` of them are then given one by dead_own(). */
void dead_note(struct dead *d, uint32_t inode, int fd);
void dead_forget(struct dead *d, size_t n); /* the last n */
void dead_own(struct dead *d, size_t n, struct proc *proc);
/* Fills n_dead, dead_fds and dead_is_unsure of the processes, and records them. */
void dead_confirm(struct dead *d, struct root *root, const struct live_request *req,
		  const struct netns_list *places, struct look *look);
/* Of a recording: does it say that the process has such descriptors, and which? */
bool dead_is_recorded(const struct root *root, unsigned pid);
void dead_replay(struct root *root, struct arena *arena, struct proc *proc);
void dead_free(struct dead *d);

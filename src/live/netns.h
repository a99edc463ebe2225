#pragma once

/* Network namespaces of this machine: which there are, and how to stand in one.
 *
 * setns(2) moves the calling thread. netns_leave() brings it back; a thread that cannot come back
 * would report one namespace as another, so that ends the look. Entering needs CAP_SYS_ADMIN.
 * Source: namespaces(7), ip-netns(8); facts of proc(5): /proc/PID/ns, /proc/self/mountinfo. */

#include "live/live.h"
#include "live/root.h"
#include "model/look.h"

#include <stdbool.h>
#include <stdint.h>

struct netns_place {
	uint64_t inode;
	const char *path; /* absolute; NULL: where the caller is already */
	const char *name; /* from /run/netns; NULL: none */
	bool is_gone;     /* nothing is there, or another one: see netns_seek() */
};

struct netns_list {
	struct netns_place *at; /* freed with netns_list_free(); its strings live in the arena */
	size_t n, cap;
	size_t n_refused; /* processes whose namespace could not be read; or all of them, or the mounts */
	const char *hidden; /* why /proc does not show every process, a translated sentence; NULL: it does */
	bool is_full;     /* there are more */
};

/* The caller's own, alone. */
void netns_list_own(const struct root *root, struct netns_list *ret);
/* Every distinct one that a process or a mount shows, the caller's own first. A thread may be in one of its
 * own: netns_seek() finds those. */
void netns_list_all(const struct root *root, struct arena *arena, struct netns_list *ret);

struct netns_seek {
	bool in_threads; /* among all but the main threads, at some 10 us each; else processes and mounts */
	const struct live_request *req; /* it ends when live_is_late() */
	/* Called for a place that is gone and has another way in, or that is new, as soon as it is met, as its
	 * process may end. Clears is_gone, or is called again for the next way. false: no more. */
	bool (*visit)(void *arg, struct netns_place *place);
	void *arg;
};

/* One more walk through all processes. false: visit() has ended it. */
bool netns_seek(const struct root *root, struct arena *arena, const struct netns_seek *how,
		struct netns_list *list);
/* By name of /run/netns, pid, or path. */
MUST_CHECK int netns_list_one(const struct root *root, struct arena *arena, const char *which,
			      struct netns_list *ret, struct fail *fail);
void netns_list_free(struct netns_list *list);

/* Into a place; *ret_home is what netns_leave() needs. 0 or -errno; then nothing has moved. -ENOENT: the
 * namespace is not there any more; the path may lead to another one, as numbers of processes are used again. */
MUST_CHECK int netns_enter(const struct netns_place *place, int *ret_home);
MUST_CHECK int netns_leave(int home);

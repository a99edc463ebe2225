#pragma once

/* Network namespaces of this machine: which there are, and how to stand in one.
 *
 * setns(2) moves the calling thread. netns_leave() brings it back; a thread that cannot come back
 * would report one namespace as another, so that ends the look. Entering needs CAP_SYS_ADMIN.
 * Source: namespaces(7), ip-netns(8); facts of proc(5): /proc/PID/ns, /proc/self/mountinfo. */

#include "live/root.h"
#include "model/look.h"

#include <stdint.h>

struct netns_place {
	uint64_t inode;
	const char *path; /* absolute; NULL: where the caller is already */
	const char *name; /* from /run/netns; NULL: none */
};

struct netns_list {
	struct netns_place *at; /* freed with netns_list_free(); its strings live in the arena */
	size_t n, cap;
	size_t n_refused; /* processes whose namespace could not be read; or all of them, or the mounts */
};

/* The caller's own, alone. */
void netns_list_own(const struct root *root, struct netns_list *ret);
/* Every distinct one that a process or a mount shows, the caller's own first. */
void netns_list_all(const struct root *root, struct arena *arena, struct netns_list *ret);
/* By name of /run/netns, pid, or path. */
MUST_CHECK int netns_list_one(const struct root *root, struct arena *arena, const char *which,
			      struct netns_list *ret, struct fail *fail);
void netns_list_free(struct netns_list *list);

/* Into a place; *ret_home is what netns_leave() needs. 0 or -errno; then nothing has moved. */
MUST_CHECK int netns_enter(const struct netns_place *place, int *ret_home);
MUST_CHECK int netns_leave(int home);

#pragma once

/* Who holds a descriptor of which socket: the links of proc/PID/fd.
 *
 * All holders are found, as the FIN goes out only when the last one closes. Tables of threads that
 * are not the process's own are read too, and the fixed files of io_uring, whose holder has the
 * descriptor of the ring. A socket in flight over SCM_RIGHTS or owned by the kernel has no holder
 * anywhere. Source: proc(5); Linux fs/proc/fd.c, io_uring/fdinfo.c. */

#include "live/live.h"
#include "live/netns.h"
#include "live/polls.h"
#include "live/root.h"
#include "model/look.h"

/* Is this the machine's own pid namespace, in which every process has a number? */
bool owners_sees_all_pids(const struct root *root);
/* Has the process more than one thread? Of a recording nobody knows: maybe. */
bool owners_has_threads(const struct root *root, unsigned pid);
/* Fills holders of look->socks as req->owners asks, look->procs, and what could not be seen. Opens
 * nothing when no socket with an inode is asked for, unless req->want_dead. `places` are those of the
 * look's namespaces; NULL for a recording. With req->want_watch *polls is filled. */
void owners_find(struct root *root, const struct live_request *req, const struct netns_list *places,
		 struct look *look, struct polls *polls);

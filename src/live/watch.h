#pragma once

/* Does the owner's event loop listen for the end of a stream? The masks of its epoll sets.
 *
 * Asked only of owned CLOSE-WAITs with something unread: the epoll sets of their first holder are
 * read, of at most WATCH_MAX_PROCS processes; what was not read stays WATCH_UNKNOWN. Source: proc(5), /proc/PID/fdinfo; Linux fs/eventpoll.c, ep_show_fdinfo(). */

#include "live/polls.h"
#include "live/root.h"
#include "model/look.h"

enum { WATCH_MAX_PROCS = 64 };

/* After owners_find(): fills full->watch and full->watch_events. */
void watch_find(struct root *root, struct look *look, const struct polls *polls);

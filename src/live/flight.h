#pragma once

/* Descriptors on their way through UNIX sockets (SCM_RIGHTS): sent, received by nobody yet, and so in no
 * process's table. Which files they are nobody tells, only how many wait in which socket.
 *
 * Sockets that are no connection anybody asked for are noted while owners are searched, up to FLIGHT_MAX;
 * they are asked only if a connection has no owner. What was not noted makes a gap of the look.
 * Starts as { 0 }; flight_free() ends it.
 * Source: Linux net/unix/af_unix.c, unix_show_fdinfo(); since 5.13. */

#include "live/root.h"
#include "model/look.h"

enum { FLIGHT_MAX = 20000 };

struct flight_fd {
	unsigned pid;
	int fd;
	uint32_t inode;
};

struct flight {
	struct flight_fd *at;
	size_t n, cap;
	size_t n_beyond; /* not noted */
};

void flight_note(struct flight *f, struct flight_fd fd);
/* Fills look->in_flight from those noted that are UNIX sockets. */
void flight_find(const struct flight *f, struct root *root, struct look *look);
void flight_free(struct flight *f);

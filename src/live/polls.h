#pragma once

/* Where the processes that hold wanted sockets wait for events: the descriptors of their epoll sets and rings.
 *
 * Noted while owners are looked for, so that nobody reads a table of descriptors twice. Of a process the
 * first few; one more than can be read says that there are more. Starts as { 0 }; polls_free() ends it. */

#include <stdbool.h>
#include <stddef.h>

enum { POLLS_MAX_SETS = 64 };

struct poll_fd {
	unsigned pid;
	int fd;
	bool is_ring; /* io_uring, else epoll */
};

struct polls {
	struct poll_fd *at; /* those of a process side by side */
	size_t n, cap;
};

/* `first` is what polls->n was when the process's table was begun. */
void polls_note(struct polls *p, size_t first, struct poll_fd fd);
/* The first of a process; NULL: it has none. The others follow, up to at + n. */
const struct poll_fd *polls_find(const struct polls *p, unsigned pid);
void polls_free(struct polls *p);

#define AUTO_POLLS __attribute__((cleanup(polls_free))) struct polls

#pragma once

/* A process that holds sockets, as /proc shows it. Strings come from outside: the process chose
 * them, they may hold any byte but NUL, and are escaped when printed. Everything lives in the arena
 * of its look. Source: proc(5). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

enum { PROC_MAX_DEAD = 64 };

struct proc {
	pid_t pid, ppid, pgrp;
	const char *comm;
	const char *cmdline;   /* arguments joined by blanks; NULL: unreadable; "" a kernel thread */
	const char *exe;       /* NULL: unreadable */
	uint32_t uid;          /* real uid; has_uid false: unknown */
	bool has_uid;
	char state;            /* R S D T t Z …; '?' unknown */
	uint32_t n_threads;
	bool leader_is_gone;   /* its process group's leader has ended; false: it lives, or unknown */
	pid_t tracer;          /* pid of who traces it; 0: nobody, or unknown */
	const char *wchan;     /* kernel function its main thread waits in; NULL: none or unknown */
	uint64_t start_ticks;  /* since boot; tells a reused pid */
	uint64_t n_fds;        /* descriptors in use; has_fds false: unknown */
	bool has_fds;
	uint64_t n_dead;       /* descriptors of connections the kernel has ended; 0: none, or not looked */
	uint32_t *dead_fds;    /* the first PROC_MAX_DEAD of them */
	bool dead_is_unsure;   /* or they are of a network namespace that could not be listed */
	uint64_t fd_limit;     /* soft RLIMIT_NOFILE; 0: unknown */
	const char *unit;      /* systemd unit or scope; NULL: none or unknown */
	const char *container; /* container id, 64 hex digits, or the name LXC gave it; NULL: none seen */
	const char *pod;       /* the pod's uid under Kubernetes; NULL: none seen */
	uint64_t netns;        /* inode of its network namespace; 0: unknown */
};

/* By a signal or a tracer; "T (stopped)", "t (tracing stop)" of proc(5). */
static inline bool proc_has_stop_state(const struct proc *p)
{
	return p->state == 'T' || p->state == 't';
}

/* A frozen control group shows as a wait channel: do_freezer_trap() of version 2, __refrigerator()
 * of version 1. Source: Linux kernel/signal.c, kernel/freezer.c. */
static inline bool proc_is_stopped(const struct proc *p)
{
	return proc_has_stop_state(p) || (p->wchan && (strcmp(p->wchan, "do_freezer_trap") == 0 ||
						       strcmp(p->wchan, "__refrigerator") == 0));
}

/* One descriptor of one process that refers to a socket. */
struct holder {
	const struct proc *proc;
	int fd;
	bool of_thread; /* in a table of its own, which one of the threads has */
};

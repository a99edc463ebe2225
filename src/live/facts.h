#pragma once

/* What /proc says about one process, and the parsers of its files. The text may be anything: a
 * process names itself. Source: proc(5), cgroups(7). */

#include "live/root.h"
#include "model/proc.h"
#include "util/arena.h"

/* The process behind proc/PID, as far as it is readable; never NULL. Its pid is certain. */
struct proc *facts_read(struct root *root, struct arena *arena, unsigned pid);

/* "812 (a) R 1 (b) S 1 ..." -> comm, state, ppid, start_ticks. false: not such a line. */
MUST_CHECK bool facts_parse_stat(const char *text, struct arena *arena, struct proc *ret);
/* The real uid and the tracer of a status file; what is not there is left alone. */
void facts_parse_status(const char *status, struct proc *ret);
/* The kernel function that a stack file begins with; NULL: it names none. */
char *facts_parse_stack(const char *stack, struct arena *arena);
/* The soft limit of "Max open files"; UINT64_MAX for unlimited, 0 when it is not there. */
uint64_t facts_parse_fd_limit(const char *limits);
/* systemd unit and container id out of proc/PID/cgroup; NULL each when there is none. */
void facts_parse_cgroup(const char *text, struct arena *arena, struct proc *ret);
/* Arguments, each ended by a NUL, become one line. */
char *facts_join_cmdline(const char *bytes, size_t n, struct arena *arena);

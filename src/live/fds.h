#pragma once

/* How many descriptors a process has open now, without a look at any of them: whoever opened, closed or
 * was handed one since has another number, as a rule.
 *
 * Source: Linux 6.2 fs/proc/fd.c, proc_fd_getattr(): the size of /proc/PID/fd. Before, it was 0. */

#include "util/attr.h"

#include <stdint.h>
#include <sys/types.h>

/* 0; -ESRCH: it has ended; -EOPNOTSUPP: this kernel does not say. */
MUST_CHECK int fds_count(pid_t pid, uint64_t *ret);

#pragma once

/* The system calls that are left, by filters of seccomp(2). Nothing is allocated; there is no way back. Where the
 * kernel or the processor is not known, nothing happens. */

#include <stdbool.h>

/* Reading open files, thinking and writing; `reads`: and opening files to read; `writes`: and putting new
 * files in the place of others. */
void calls_of_parsing(bool reads, bool writes);
/* What some looks take more than others: files; descriptors of other processes, by a helper that may be killed. */
enum { LOOK_WRITES = 1, LOOK_BORROWS = 2 };

/* Looking at this machine: nothing is run, nobody is reached into or signalled, nothing is typed, no socket but
 * netlink's; and without LOOK_WRITES nothing is written but to what is open. */
void calls_of_looking(unsigned takes);

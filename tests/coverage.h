#pragma once

/* In front of every file of a build that counts what is reached: what a process has counted is written when
 * it ends, and _exit(2) is an end that nobody else notices. */

#include <unistd.h>

void __gcov_dump(void);

#define _exit(status) (__gcov_dump(), _exit(status))

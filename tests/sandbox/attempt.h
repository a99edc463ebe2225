#pragma once

/* What the tests of both sandboxes share: a place of their own, ways to ask how an attempt ended, and attempts
 * that are made in both. An attempt is 0 if it was refused. */

#include "cli/sandbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A folder that is open for reading, one for what is written, and what is beside them. */
extern char place[], look[64], in_look[64], out[64], beside[64];

int make_place(void **state);
/* Whatever an attempt has made, too: then a test has failed. */
int remove_place(void **state);

/* Of a process that has ended, as a shell says it. */
int status_of(int status);
int is_refused(long result);
/* EPERM is the filter's answer, EACCES would be Landlock's, which not every kernel has. */
int is_filtered(long result);

/* Nobody has this number: what lets the call through says ESRCH, and nobody is harmed. */
enum { NO_PROCESS = INT32_MAX };

/* And root's descriptors could signal anybody. */
int signal_another(int fd);
/* 0: it could. */
int signal_itself(int fd);
int end_itself(int fd);

void without(unsigned a, unsigned b);
/* Who the process is inside, as the kernel says it: a file that was opened before, read there. */
void status_inside(void (*before)(void), const struct sandbox_doors *doors, char *to, size_t size);
void assert_line(const char *status, const char *name, const char *want);

#if defined(__x86_64__)
/* By the calls of 32 bits, which have other numbers. */
long getpid_of_32_bits(void);
bool has_calls_of_32_bits(void);
#endif

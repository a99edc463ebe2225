#pragma once

/* Descriptors on their way through UNIX sockets (SCM_RIGHTS): sent, received by nobody yet, and so in no
 * process's table. Which files they are nobody tells, only how many wait in which socket.
 * Source: Linux net/unix/af_unix.c, unix_show_fdinfo(); since 5.13. */

#include "live/root.h"
#include "model/look.h"

/* Fills look->in_flight from the UNIX sockets of these processes. */
void flight_find(struct root *root, struct look *look, const unsigned pids[], size_t n_pids);

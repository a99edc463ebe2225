#pragma once

/* The kernel's notices of TCP sockets it has freed, of the namespace in which they were asked for.
 *
 * A hint, never a ledger: notices may be lost, minisocks have none, and the owner has gone before.
 * Source: Linux net/core/sock_diag.c, sock_diag_broadcast_destroy(); SKNLGRP_INET_TCP_DESTROY. */

#include "model/sock.h"
#include "util/attr.h"

/* A descriptor to wait for, or -errno: this kernel, or this container, has none. */
MUST_CHECK int gone_open(void);
/* see() of all that have come; the socket is valid only during the call. */
void gone_read(int fd, void (*see)(void *ctx, const struct sock *s), void *ctx);

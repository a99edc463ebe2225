#pragma once

/* Advice that several rules share, word for word. */

#include "util/i18n.h"

#define FIX_CLOSE_ON_EOF                                                                           \
	{ .kind = FIX_CODE,                                                                        \
	  .text = N_("close() the descriptor when read() returns 0 or fails, on every path: check "  \
		     "the error and timeout paths first. Tie it to a scope (RAII, with, "           \
		     "try-with-resources, defer).") }
#define FIX_RESTART_AS_STOP_GAP                                                                    \
	{ .kind = FIX_OPERATION,                                                                   \
	  .text = N_("Restarting the process closes them, and the leak begins again. Save the "      \
		     "evidence before you do."),                                                   \
	  .command = "ls -l /proc/{pid}/fd" }

#define AVOID_FIN_TIMEOUT_CLOSE_WAIT                                                               \
	N_("tcp_fin_timeout and every other sysctl: none of them ends a CLOSE-WAIT.")
#define AVOID_KEEPALIVE_CLOSE_WAIT                                                                 \
	N_("SO_KEEPALIVE: at best the row disappears, the descriptor stays open and leaked.")
#define AVOID_LINGER_CLOSE_WAIT                                                                    \
	N_("SO_LINGER: it acts inside close(), which is the call that is missing.")
#define AVOID_SS_KILL                                                                              \
	N_("ss -K: it resets the connection and leaves the descriptor open.")

#include "model/sock.h"

_Static_assert(sizeof(struct sock) == 64, "a million sockets are kept");

const char *timer_name(enum timer t)
{
	static const char *const names[] = {
		[TIMER_OFF] = "off",           [TIMER_ON] = "on",
		[TIMER_KEEPALIVE] = "keepalive", [TIMER_TIMEWAIT] = "timewait",
		[TIMER_PERSIST] = "persist",
	};

	return (unsigned)t < ARRAY_LEN(names) ? names[t] : "?";
}

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

static unsigned doublings(const struct sock *s)
{
	unsigned backoff = s->full->info.backoff;

	return s->retrans < backoff ? s->retrans : backoff;
}

uint64_t sock_first_rto_ms(const struct sock *s)
{
	unsigned n = doublings(s);

	return n < 32 ? s->full->info.rto_us / 1000 >> n : 0;
}

uint64_t sock_tried_ms(const struct sock *s)
{
	uint32_t rto_ms = s->full->info.rto_us / 1000;
	unsigned n = doublings(s);
	uint64_t tried_ms = n > 0 && rto_ms > s->expires_ms ? rto_ms - s->expires_ms : 0;

	for (unsigned i = 1; i <= n && i < 32; i++)
		tried_ms += rto_ms >> i;
	return tried_ms;
}

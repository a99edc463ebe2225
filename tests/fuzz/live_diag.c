/* Bytes of a recorded dump, as diag_decode() gets them from a file or from the kernel. */

#include "live/cookies.h"
#include "live/diag.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Look at all that is kept: the sanitizers see what was never written. */
static uint64_t sum_rows(const struct look *look)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < look->n_socks; i++) {
		const struct sock *s = &look->socks[i];

		if (s->state >= STATE_MAX)
			abort();
		sum += s->cookie + s->pair.local.port + s->expires_ms;
		if (s->full)
			sum += s->full->inode + s->full->info.snd_wnd + s->full->cgroup_id + s->full->token +
			       s->full->is_v6only;
	}
	return sum;
}

static void decode(const uint8_t *data, size_t size, bool is_mptcp)
{
	static const struct live_request req = { .states = STATES_ALL, .want_info = true };
	struct cookies seen = { 0 };
	struct diag_rows rows = { .look = look_new(), .req = &req, .seen = &seen,
				  .is_mptcp = is_mptcp };
	volatile uint64_t sum;

	cookies_clear(&seen);
	if (diag_decode(&rows, data, size) > size)
		abort();
	sum = sum_rows(rows.look);
	(void)sum;
	if (rows.n != rows.look->n_socks)
		abort();
	cookies_free(&seen);
	look_free(rows.look);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	decode(data, size, false);
	decode(data, size, true);
	return 0;
}

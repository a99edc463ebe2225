#pragma once

/* Netlink sock_diag: one question asked, its answer decoded into rows of a look. The only file that knows
 * netlink. Every length is checked: a recording comes through the same decoder as the kernel.
 * Source: Linux net/ipv4/inet_diag.c; sock_diag(7). */

#include "live/live.h"
#include "live/root.h"
#include "model/look.h"

enum { DIAG_MAX_MESSAGE = 32 * 1024 }; /* the kernel never sends more at once */

/* What the kernel said, as far as it was read. */
struct diag_rows {
	struct look *look;
	const struct live_request *req;
	unsigned netns;
	uint32_t seq;         /* answers to other questions are skipped; 0: take all (a recording) */
	size_t first;         /* rows of this dump begin here in look->socks */
	struct cookies *seen;
	uint64_t states[STATE_MAX];
	bool is_mptcp;        /* of the protocol MPTCP, not of TCP */
	size_t n, n_subflows; /* wanted rows, each cookie once, kept or not */
	size_t n_malformed, n_dropped; /* too short to be a row; beyond the cap of a look */
	bool is_interrupted, is_done, is_late;
	int error;            /* what the kernel answered instead, -errno */
};

/* Decodes the whole messages at the front of bytes; the rest is the beginning of one. Returns how
 * many bytes were used. */
MUST_CHECK size_t diag_decode(struct diag_rows *rows, const void *bytes, size_t n);
/* Asks the kernel, in the namespace the calling thread is in, for family AF_INET, AF_INET6 or, of TCP
 * and by the older request, AF_UNSPEC: both in one walk. The raw answer also goes to `copy`, see
 * root_record_open(). 0 or -errno. */
MUST_CHECK int diag_ask(struct root *root, uint8_t family, int copy, struct diag_rows *rows);

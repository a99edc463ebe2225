#pragma once

/* Recognises packets that were captured twice: on two interfaces, before and after a router, by a
 * mirror port that sees both directions.
 *
 * Remembers the last few thousand segments. A copy has the same TCP numbers and the same IP id and
 * comes within a millisecond; a retransmission has another id. Where there is no id (IPv6, and the
 * zero of a reset that answers) another interface or TTL must tell, or the capture must have shown
 * copies before, or the time: what the other end did not ask for again is not sent again at once. */

#include "util/attr.h"
#include "wire/segment.h"

#include <stdbool.h>
#include <stdint.h>

enum { N_PAIRS = 1024, N_SENDERS = 64 };

struct dup {
	int64_t at_ns;
	uint64_t signature;
	uint32_t link_id;
	uint32_t number; /* of the segment, in this capture */
	uint16_t checksum;
	uint8_t ttl;
};

struct dups {
	uint32_t n_certain; /* copies recognised without doubt in this capture */
	uint32_t n_quick;   /* and those by their time alone, */
	uint32_t n_once;    /* among so many segments that would have shown one */
	int64_t at_ns;      /* of the last segment */
	bool is_fine;       /* the clock tells such times apart */
	uint32_t number;
	uint32_t senders[N_SENDERS]; /* the end that sent each of the last ones */
	struct dup recent[N_PAIRS][2]; /* by signature, the last one first: a line of the cache */
};

/* Also remembers the segment. */
MUST_CHECK bool dups_has(struct dups *d, const struct segment *s);

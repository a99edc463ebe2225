#pragma once

/* Recognises packets that were captured twice: on two interfaces, before and after a router, by a
 * mirror port that sees both directions.
 *
 * Remembers the last few thousand segments. A copy has the same TCP numbers and the same IP id and
 * comes within a millisecond; a retransmission has another id. Where there is no id (IPv6, and the
 * zero of a reset that answers) another interface or TTL must tell, or the capture must have shown
 * copies before. */

#include "util/attr.h"
#include "wire/segment.h"

#include <stdbool.h>
#include <stdint.h>

enum { N_DUPS = 2048 };

struct dup {
	int64_t at_ns;
	uint64_t signature;
	uint32_t link_id;
	uint8_t ttl;
};

struct dups {
	uint32_t n_certain; /* copies recognised without doubt in this capture */
	struct dup recent[N_DUPS];
};

/* Also remembers the segment. */
MUST_CHECK bool dups_has(struct dups *d, const struct segment *s);

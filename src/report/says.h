#pragma once

/* Fills the {fact} places of a sentence.
 *
 *	{oldest}              the fact, formatted by its kind
 *	{count:one|many}      picks by whether the fact is 1
 *	{{                    a brace
 *
 * Facts are the finding's own and four that every finding has: count, oldest, local, peer. A place
 * without a fact prints "?". Text facts are escaped for a terminal. */

#include "model/finding.h"
#include "util/buf.h"

void says_fill(struct buf *b, const char *translated, const struct finding *f, bool ascii);
/* One fact, formatted. */
void says_fact(struct buf *b, const struct fact *fact, bool ascii);
/* "3 min 20 s", "1 d 4 h", "450 ms". */
void says_duration(struct buf *b, uint64_t ms);
/* "12 KiB". */
void says_bytes(struct buf *b, uint64_t n);
/* Local time to the millisecond, with its date. */
/* "192.0.2.1:443"; port 0 is every port of the address and left out. */
void says_endpoint(struct buf *b, struct endpoint e);
void says_instant(struct buf *b, int64_t ns);

#pragma once

/* The captures of one command line: opened first, read into one flow table, their damage kept as
 * gaps. Freed with captures_close(). */

#include "cli/options.h"
#include "model/flow.h"
#include "util/attr.h"
#include "wire/capture.h"
#include "wire/flowtab.h"

#include <stdbool.h>
#include <stddef.h>

struct captures {
	struct capture *at[MAX_CAPTURES + 1];
	const struct capture_info *infos[MAX_CAPTURES + 1];
	size_t n;
	struct flowtab *tab;
	struct flowtab *other; /* --two-sided: of the second capture; else NULL */
	bool is_live;
};

/* Files, and the interface if one is named. false: one could not be opened, and that is said. */
MUST_CHECK bool captures_open(const struct options *o, struct captures *ret);
/* Of the interface, if one is named: takes its packets, unseen. false: that failed, and is said. */
MUST_CHECK bool captures_collect(struct captures *c, const struct options *o);
/* Reads them all. What could not be read to its end is said and becomes a gap in `gaps`. false: not
 * one of them held anything to report on. */
bool captures_read(struct captures *c, const struct options *o, struct gaps *gaps);
void captures_close(struct captures *c);

#pragma once

/* One look at the host and the packets that belong to it, read in the order that fits: a live
 * capture before the look (its FINs then precede it), files after it. */

#include "cli/captures.h"
#include "join/join.h"
#include "live/live.h"

struct evidence {
	struct look *look;
	struct join *join;
};

/* STATUS_OK, or STATUS_FAILED after saying why. After the last look nothing can be opened any more. */
MUST_CHECK int evidence_gather(const struct options *o, const struct live_request *req, bool is_last_look,
			       struct captures *captures, struct evidence *ret);
/* Flows with a socket become its evidence; `lone` (may be NULL) is called for each of the others. */
void evidence_marry(struct evidence *e, struct captures *captures,
		    void (*lone)(void *ctx, const struct flow *view), void *ctx);
void evidence_free(struct evidence *e);

#pragma once

/* FINs and resets of a device as they come, each with what its connection looks like by then.
 *
 * Parses a stranger's bytes: enter the sandbox between capture_open_live() and the first call.
 * Connections are forgotten, all at once, before they need more than some megabytes. */

#include "model/flow.h"
#include "util/attr.h"
#include "wire/capture.h"

struct follow;

struct followed_segment {
	int64_t at_ns;
	enum side from;
	bool is_rst, is_again;
};

typedef void follow_fn(void *ctx, const struct flow *now, const struct followed_segment *s);

struct follow *follow_new(struct capture *device, follow_fn *see, void *ctx);
/* All that is there now. 0 or -errno. */
MUST_CHECK int follow_some(struct follow *f);
void follow_free(struct follow *f);

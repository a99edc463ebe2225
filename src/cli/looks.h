#pragma once

/* One look after the other, each judged and made a picture, at a bounded price.
 *
 * Sockets are listed at every look. Who holds them is searched only so often that it costs a
 * hundredth of one processor; in between, sockets that were there before keep their holders, and
 * those that are new are said to be. A picture is valid until the next one. */

#include "cli/options.h"
#include "filter/filter.h"
#include "model/frame.h"
#include "util/attr.h"
#include "util/fail.h"

struct looks;

struct looks *looks_new(const struct options *o, const struct filter *filter);
void looks_free(struct looks *l);
/* Who holds the socket at `local`, or its listener, as far as looks have seen: of any state if
 * options ask for events. NULL: not known. Valid until the next look. */
const struct proc *looks_who(const struct looks *l, struct endpoint local, struct endpoint peer);
/* 0, or -errno with *fail filled. */
MUST_CHECK int looks_next(struct looks *l, struct frame *ret, struct fail *fail);

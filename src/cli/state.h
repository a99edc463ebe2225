#pragma once

/* The file in which a check keeps what the next one compares with.
 *
 * Replaced at once (util/replace.h), so that two checks at the same time leave the look of one of
 * them, whole; both compared with what was there before. Nothing in it is believed unless it is a
 * plain file of root's or our own; what is wrong with it is a gap of the look. */

#include "check/check.h"
#include "cli/options.h"

/* What is there, in the look's arena. */
void state_read(const char *path, bool all_netns, struct look *look, struct check_past *ret);
/* false: it could not be written, which is a gap. */
bool state_write(const char *path, const struct memory *m, struct look *look);
/* --state, or the usual place where there is one; NULL: neither. */
const char *state_path(const struct options *o);

#pragma once

/* The settings that touch closing, judged one by one: values in, verdicts out. What each does and where
 * its thresholds come from stands in knobs.c. */

#include "model/audit.h"
#include "model/look.h"

#include <stddef.h>

enum { MAX_AUDIT_ROWS = 64 };

/* Fills ret[] in a fixed order; answers how many. Rows whose file does not exist here are there, too,
 * with an unknown value. `ns` is one of the look's. */
size_t settings_audit(const struct look *look, const struct netns *ns,
		      struct audit_row ret[static MAX_AUDIT_ROWS]);

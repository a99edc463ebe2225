#pragma once

/* The settings that touch closing, judged one by one: values in, verdicts out. Thresholds carry their
 * reason in settings.c. */

#include "model/audit.h"

#include <stddef.h>

enum { MAX_AUDIT_ROWS = 64 };

/* Fills ret[] in a fixed order; answers how many. Rows whose file does not exist here are there, too,
 * with an unknown value. */
size_t settings_audit(const struct netns *ns, const struct host *host,
		      struct audit_row ret[static MAX_AUDIT_ROWS]);

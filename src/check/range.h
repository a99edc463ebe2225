#pragma once

/* Ranges as the Monitoring Plugins guidelines write them, in thousandths of a unit.
 *
 *	10        alert below 0 and above 10        10:       below 10
 *	~:10      above 10                          10:20     outside
 *	@10:20    inside, ends included             ~:        never
 *
 * Ends are decimal numbers; of times also 500ms, 90s, 5m, 2h, 1d; of shares also 80%, of rates also 5/min or
 * 2/s. */

#include "model/check.h"
#include "util/attr.h"

/* false: not a range; *ret is untouched. */
MUST_CHECK bool range_parse(const char *text, enum check_unit unit, struct range *ret);
bool range_alerts(const struct range *r, int64_t value);
/* For any value from `low` to `high`. */
bool range_can_alert(const struct range *r, int64_t low, int64_t high);

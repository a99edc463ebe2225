#pragma once

/* Durations as people write them: "500ms", "90s", "5m", "2h", "1d"; a bare number is seconds. */

#include "util/attr.h"

#include <stdbool.h>
#include <stdint.h>

/* false: not a duration, or longer than a thousand years. */
MUST_CHECK bool duration_parse(const char *text, uint64_t *ret_ms);

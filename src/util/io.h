#pragma once

/* Writing to a descriptor, whatever interrupts it or takes less than it was given. */

#include "util/attr.h"

#include <stddef.h>

/* 0, or -errno: then some of it may be written. Allocates nothing. */
MUST_CHECK int write_all(int fd, const void *bytes, size_t n);

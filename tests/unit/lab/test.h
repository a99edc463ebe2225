#pragma once

/* The headers cmocka wants in front of its own. Every test of this folder includes it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

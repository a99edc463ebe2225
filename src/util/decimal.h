#pragma once

/* Numbers in digits, without printf(3), whose look at its format costs more than the digits: a million rows
 * are made of them. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { DECIMAL_MAX = 20 }; /* digits of UINT64_MAX */

/* No NUL. Returns the end. */
static inline char *decimal_put(char *to, uint64_t n)
{
	char digits[DECIMAL_MAX];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	memcpy(to, digits + at, sizeof(digits) - at);
	return to + sizeof(digits) - at;
}

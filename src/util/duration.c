#include "util/duration.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A thousand years: sums of a few durations stay far from the end of any type. */
#define MAX_MS (UINT64_C(1000) * 366 * 86400 * 1000)

bool duration_parse(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
		{ "ms", 1 },      { "", 1000 },      { "s", 1000 },     { "sec", 1000 },
		{ "m", 60000 },   { "min", 60000 },  { "h", 3600000 },  { "d", 86400000 },
	};
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		uint64_t ms;

		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (__builtin_mul_overflow((uint64_t)n, units[i].ms, &ms) || ms > MAX_MS)
			return false;
		*ret_ms = ms;
		return true;
	}
	return false;
}

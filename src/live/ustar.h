#pragma once

/* One header of a tar archive, as snapshots are written and read. Numbers are octal digits.
 * Source: POSIX.1-2017, pax, "ustar Interchange Format". */

#include <stddef.h>
#include <stdint.h>

enum { USTAR_BLOCK = 512, USTAR_TARGET = 100 };
enum { USTAR_FILE = '0', USTAR_LINK = '2', USTAR_PAX = 'x' }; /* kinds */

struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], kind;
	char target[USTAR_TARGET], magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct ustar) == USTAR_BLOCK, "a header is one block");

/* The sum of all bytes, those of the sum itself counted as blanks. */
static inline unsigned ustar_sum(const struct ustar *h)
{
	const uint8_t *at = (const void *)h;
	unsigned sum = sizeof(h->checksum) * ' ';

	for (size_t i = 0; i < USTAR_BLOCK; i++)
		if (i < offsetof(struct ustar, checksum) || i >= offsetof(struct ustar, kind))
			sum += at[i];
	return sum;
}

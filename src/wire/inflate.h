#pragma once

/* Compressed captures as plain streams: gzip (RFC 1952, members one after the other too) and zstd
 * (RFC 8878). Unpacked as it is read, in constant memory, so a file that unpacks to very much costs
 * time only. A stream that breaks off ends like a cut file; a damaged one gives a read error. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum packing { PACKED_NOT, PACKED_GZIP, PACKED_ZSTD };

/* By the first bytes of a file. */
enum packing inflate_recognise(const uint8_t *magic, size_t n);
/* A stream of the unpacked bytes; closing it leaves `packed` open. NULL: out of memory. */
FILE *inflate_open(FILE *packed, enum packing packing);

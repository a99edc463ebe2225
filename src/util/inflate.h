#pragma once

/* Compressed files as plain streams: gzip (RFC 1952, members one after the other too) and zstd
 * (RFC 8878). Unpacked as it is read, in constant memory, so a file that unpacks to very much costs
 * time only. A stream that breaks off ends like a cut file, and inflate_is_whole() tells; a damaged one
 * gives a read error. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum packing { PACKED_NOT, PACKED_GZIP, PACKED_ZSTD };

/* By the first bytes of a file. */
enum packing inflate_recognise(const uint8_t *magic, size_t n);
struct inflate;

/* A stream of the unpacked bytes; closing it leaves `packed` open. NULL: out of memory. */
FILE *inflate_open(FILE *packed, enum packing packing, const struct inflate **ret);
/* At the end of the stream, before it is closed: was it the end of what was packed, checksums and all? */
bool inflate_is_whole(const struct inflate *s);

#pragma once

/* Our own reader of pcapng: libpcap refuses files whose interfaces differ in link type or snap
 * length, and sections of another byte order, and dumpcap writes both.
 *
 * Streams: memory is bounded by the largest block that holds a packet or an interface (capped),
 * other blocks are passed over. Nothing is kept of the file. Source: draft-ietf-opsawg-pcapng. */

#include "wire/source.h"

#include <stdio.h>

struct pcapng;

/* The file stands at its first byte. Borrowed. */
struct pcapng *pcapng_new(FILE *file, struct source *to);
void pcapng_free(struct pcapng *p);

/* The next packet goes to the source. 1: one more; 0: the end; -errno: the file is cut or damaged,
 * and the info says how. */
MUST_CHECK int pcapng_next(struct pcapng *p);

/* flood TUPLES: on standard output, a pcap of so many segments, each of another connection: SYNs and FINs
 * in turn, from addresses and ports that count up, as a flood's would. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME = 20 + 20 };

static void put32(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 24);
	at[1] = (uint8_t)(v >> 16);
	at[2] = (uint8_t)(v >> 8);
	at[3] = (uint8_t)v;
}

int main(int argc, char **argv)
{
	static const uint32_t header[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 101 }; /* RAW: IP itself */
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	struct {
		uint32_t record[4];
		uint8_t at[FRAME];
	} p = { .at = { 0x45, 0, 0, FRAME, 0, 0, 0, 0, 64, 6 } };

	fwrite(header, sizeof(header), 1, stdout);
	for (uint32_t i = 0; i < n; i++) {
		p.record[0] = 1700000000 + i / 1000000;
		p.record[1] = i % 1000000;
		p.record[2] = p.record[3] = FRAME;
		put32(p.at + 12, 0x0a000000 + i / 50000);
		put32(p.at + 16, 0xc0a80001);
		put32(p.at + 20, (1024 + i % 50000) << 16 | 443);
		put32(p.at + 24, i * 2654435761u);
		p.at[32] = 5 << 4;
		p.at[33] = i % 2 ? 1 : 2;
		if (fwrite(&p, sizeof(p), 1, stdout) != 1)
			return 1;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

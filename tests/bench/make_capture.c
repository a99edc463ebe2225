/* make_capture FILE FLOWS [PAYLOAD]: a pcap file of FLOWS connections of 15 packets, 1000 at a time side
 * by side, eight of them with PAYLOAD bytes (0), closed by four segments; what a busy proxy's capture looks like to a flow table. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 1000, PACKETS = 15, FRAME = 14 + 20 + 20, MAX_PAYLOAD = 1460, FIRST_DATA = 3, N_DATA = 8 };
enum { FIN = 1, SYN = 2, ACK = 16 };

static void put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v & 0xffff);
}

/* How many packets with data that end has sent before packet k: the client begins, then they take turns. */
static uint32_t data_before(int k, int from_server)
{
	int n = k < FIRST_DATA ? 0 : k > FIRST_DATA + N_DATA ? N_DATA : k - FIRST_DATA;

	return (uint32_t)(n + !from_server) / 2;
}

/* Packet k of a connection: who sends it, and with which flags. */
static void put_packet(FILE *f, uint32_t flow, int k, uint32_t payload, uint64_t us)
{
	static const struct {
		uint8_t from_server, flags;
	} plan[PACKETS] = {
		{ 0, SYN }, { 1, SYN | ACK }, { 0, ACK }, { 0, ACK }, { 1, ACK }, { 0, ACK }, { 1, ACK },
		{ 0, ACK }, { 1, ACK }, { 0, ACK }, { 1, ACK },
		{ 0, FIN | ACK }, { 1, ACK }, { 1, FIN | ACK }, { 0, ACK },
	};
	static const uint8_t data[MAX_PAYLOAD];
	uint32_t len = k >= FIRST_DATA && k < FIRST_DATA + N_DATA ? payload : 0, size = FRAME + len;
	uint32_t record[4] = { (uint32_t)(1700000000 + us / 1000000), (uint32_t)(us % 1000000), size, size };
	uint32_t client = 0x0a000000 + (flow >> 14), server = 0x0a800001;
	uint32_t base[2] = { flow * 2654435761u, flow * 40503u + 7 };
	int back = plan[k].from_server;
	/* A SYN and a FIN take a number each. */
	uint32_t seq = base[back] + (k > back) + (back ? k > 13 : k > 11) + data_before(k, back) * payload;
	uint32_t ack = base[!back] + 1 + (back ? k > 11 : k > 13) + data_before(k, !back) * payload;
	uint8_t p[FRAME] = { [12] = 8, [14] = 0x45, [22] = 64, [23] = 6, [46] = 5 << 4, [48] = 1 };

	put16(p + 16, 40 + len);
	put32(p + 26, back ? server : client);
	put32(p + 30, back ? client : server);
	put16(p + 34, back ? 443 : 1024 + (flow & 0x3fff));
	put16(p + 36, back ? 1024 + (flow & 0x3fff) : 443);
	put32(p + 38, seq);
	put32(p + 42, plan[k].flags & ACK ? ack : 0);
	p[47] = plan[k].flags;
	fwrite(record, sizeof(record), 1, f);
	fwrite(p, sizeof(p), 1, f);
	fwrite(data, 1, len, f);
}

int main(int argc, char **argv)
{
	const uint32_t header[] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };
	FILE *f = argc == 3 || argc == 4 ? fopen(argv[1], "wb") : NULL;
	uint32_t n = f ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
	uint32_t payload = argc == 4 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
	uint64_t us = 0;

	if (!f || payload > MAX_PAYLOAD) {
		fprintf(stderr, "usage: %s FILE FLOWS [PAYLOAD]\n", argv[0]);
		return 2;
	}
	fwrite(header, sizeof(header), 1, f);
	for (uint32_t first = 0; first < n; first += AT_ONCE)
		for (int k = 0; k < PACKETS; k++)
			for (uint32_t i = first; i < n && i < first + AT_ONCE; i++)
				put_packet(f, i, k, payload, us++);
	return fclose(f) == 0 ? 0 : 1;
}

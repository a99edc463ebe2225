/* make_capture FILE FLOWS PAYLOAD DATA AT_ONCE: a pcap file of FLOWS connections, of which AT_ONCE run side
 * by side and take turns in no order: a handshake, DATA packets with PAYLOAD bytes, four segments that close
 * it; what a busy proxy's capture looks like to a flow table. One in five is IPv6. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ETHERNET = 14, IPV4 = 20, IPV6 = 40, TCP = 32, MAX_PAYLOAD = 1460, FIRST_DATA = 3, N_CLOSING = 4 };
enum { FIN = 1, SYN = 2, ACK = 16 };

/* What all of them have in common. */
struct load {
	uint32_t payload, n_data, at_once;
};

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
static uint32_t data_before(const struct load *l, uint32_t k, bool from_server)
{
	uint32_t n = k < FIRST_DATA ? 0 : k - FIRST_DATA < l->n_data ? k - FIRST_DATA : l->n_data;

	return (n + !from_server) / 2;
}

/* Who sends packet k of a connection, and with which flags. */
static uint8_t plan(const struct load *l, uint32_t k, bool *ret_from_server)
{
	static const struct {
		bool from_server;
		uint8_t flags;
	} first[FIRST_DATA] = { { false, SYN }, { true, SYN | ACK }, { false, ACK } },
	  last[N_CLOSING] = { { false, FIN | ACK }, { true, ACK }, { true, FIN | ACK }, { false, ACK } };

	if (k < FIRST_DATA) {
		*ret_from_server = first[k].from_server;
		return first[k].flags;
	}
	if (k < FIRST_DATA + l->n_data) {
		*ret_from_server = (k - FIRST_DATA) % 2;
		return ACK;
	}
	*ret_from_server = last[k - FIRST_DATA - l->n_data].from_server;
	return last[k - FIRST_DATA - l->n_data].flags;
}

/* The IP header without what a flow table does not look at. */
static size_t put_ip(uint8_t *p, uint32_t flow, bool back, uint32_t len)
{
	uint32_t client = 0x0a000000 + (flow >> 14), server = 0x0a800001;

	if (flow % 5 != 4) {
		p[12] = 8;
		p[14] = 0x45;
		put16(p + 16, IPV4 + TCP + len);
		p[22] = 64;
		p[23] = 6;
		put32(p + 26, back ? server : client);
		put32(p + 30, back ? client : server);
		return ETHERNET + IPV4;
	}
	p[12] = 0x86;
	p[13] = 0xdd;
	p[14] = 0x60;
	put16(p + 18, TCP + len);
	p[20] = 6;
	p[21] = 64;
	p[22] = p[38] = 0xfd;
	put32(p + 34, back ? server : client);
	put32(p + 50, back ? client : server);
	return ETHERNET + IPV6;
}

static void put_packet(FILE *f, const struct load *l, uint32_t flow, uint32_t k, uint64_t us)
{
	static const uint8_t data[MAX_PAYLOAD];
	uint32_t base[2] = { flow * 2654435761u, flow * 40503u + 7 }, fin = FIRST_DATA + l->n_data;
	uint32_t len = k >= FIRST_DATA && k < fin ? l->payload : 0;
	uint8_t p[ETHERNET + IPV6 + TCP] = { 0 };
	bool back;
	uint8_t flags = plan(l, k, &back);
	size_t ip = put_ip(p, flow, back, len);
	uint32_t size = (uint32_t)ip + TCP + len, port = 1024 + (flow & 0x3fff);
	uint32_t record[4] = { (uint32_t)(1700000000 + us / 1000000), (uint32_t)(us % 1000000), size, size };
	uint8_t *tcp = p + ip;

	put16(tcp, back ? 443 : port);
	put16(tcp + 2, back ? port : 443);
	/* A SYN and a FIN take a number each. */
	put32(tcp + 4, base[back] + (k > back) + (back ? k > fin + 2 : k > fin) +
			       data_before(l, k, back) * l->payload);
	if (flags & ACK)
		put32(tcp + 8, base[!back] + 1 + (back ? k > fin : k > fin + 2) +
				       data_before(l, k, !back) * l->payload);
	tcp[12] = 8 << 4;
	tcp[13] = flags;
	tcp[14] = 1;
	put32(tcp + 20, 0x0101080a); /* time stamps */
	put32(tcp + 24, (uint32_t)(us / 1000));
	fwrite(record, sizeof(record), 1, f);
	fwrite(p, ip + TCP, 1, f);
	fwrite(data, 1, len, f);
}

/* A step that has no divisor in common with n takes each place once, far from the one before. */
static uint32_t step_through(uint32_t n)
{
	uint32_t step = n / 2 + n / 8 + 1;

	for (;; step++) {
		uint32_t a = n, b = step;

		while (b) {
			uint32_t rest = a % b;

			a = b;
			b = rest;
		}
		if (a == 1)
			return step;
	}
}

int main(int argc, char **argv)
{
	const uint32_t header[] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };
	FILE *f = argc == 6 ? fopen(argv[1], "wb") : NULL;
	uint32_t n = f ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
	struct load l = { 0 };
	uint64_t us = 0;

	if (f)
		l = (struct load){ (uint32_t)strtoul(argv[3], NULL, 10), (uint32_t)strtoul(argv[4], NULL, 10),
				   (uint32_t)strtoul(argv[5], NULL, 10) };
	if (!f || l.payload > MAX_PAYLOAD || !l.at_once) {
		fprintf(stderr, "usage: %s FILE FLOWS PAYLOAD DATA AT_ONCE\n", argv[0]);
		return 2;
	}
	fwrite(header, sizeof(header), 1, f);
	for (uint32_t first = 0, some; first < n; first += some) {
		some = n - first < l.at_once ? n - first : l.at_once;
		uint32_t step = step_through(some), at = 0;

		for (uint32_t k = 0; k < FIRST_DATA + l.n_data + N_CLOSING; k++)
			for (uint32_t i = 0; i < some; i++, at = (at + step) % some)
				put_packet(f, &l, first + at, k, us++);
	}
	return fclose(f) == 0 ? 0 : 1;
}

#pragma once

/* With which TTL or hop limit an address answers SYNs: what a refusal in its name is compared with.
 *
 * Learned from SYN-ACKs, an address of each capture by itself: another point of the path sees another
 * number. One may have come another way; of HOST_ANSWERS that are alike none has. At most MAX_HOSTS
 * addresses are remembered, the first ones. Starts as { 0 }; hosts_free() releases it. */

#include "util/hash.h"
#include "util/index.h"
#include "wire/segment.h"

enum { MAX_HOSTS = 1 << 14, HOST_ANSWERS = 3 };

struct host_seen {
	uint8_t addr[16];
	uint8_t is_inet6, capture;
	uint8_t ttl; /* 0: several */
	uint8_t answers; /* up to HOST_ANSWERS */
};

struct hosts {
	struct host_seen *at;
	uint32_t n;
	struct index by_addr;
};

/* A SYN-ACK came. */
void hosts_learn(struct hosts *h, const struct hash_key *key, const struct segment *s);
/* The TTL of the address's SYN-ACKs in that capture; 0: they were too few, or differ. */
uint8_t hosts_ttl(const struct hosts *h, const struct hash_key *key, const uint8_t addr[static 16],
		  bool is_inet6, uint8_t capture);
void hosts_free(struct hosts *h);

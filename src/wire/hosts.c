#include "wire/hosts.h"
#include "util/arena.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_LEN = offsetof(struct host_seen, ttl) };

static struct host_seen host_of(const uint8_t *addr, bool is_inet6, uint8_t capture)
{
	struct host_seen host = { .is_inet6 = is_inet6, .capture = capture };

	memcpy(host.addr, addr, is_inet6 ? 16 : 4);
	return host;
}

static struct host_seen *find(const struct hosts *h, const struct host_seen *host, uint64_t hash)
{
	uint32_t at;

	for (size_t it = index_first(&h->by_addr, hash); index_next(&h->by_addr, hash, &it, &at);)
		if (memcmp(&h->at[at], host, KEY_LEN) == 0)
			return &h->at[at];
	return NULL;
}

void hosts_learn(struct hosts *h, const struct hash_key *key, const struct segment *s)
{
	struct host_seen host = host_of(s->addr[0], s->is_inet6, s->capture);
	uint64_t hash = hash_bytes(key, &host, KEY_LEN);
	struct host_seen *known = find(h, &host, hash);

	if (known && known->ttl != s->ttl)
		known->ttl = 0;
	if (known && known->answers < HOST_ANSWERS)
		known->answers++;
	if (known || h->n == MAX_HOSTS)
		return;
	if (!h->at)
		h->at = xrealloc_array(NULL, MAX_HOSTS, sizeof(*h->at));
	host.ttl = s->ttl;
	host.answers = 1;
	index_add(&h->by_addr, hash, h->n);
	h->at[h->n++] = host;
}

uint8_t hosts_ttl(const struct hosts *h, const struct hash_key *key, const uint8_t addr[static 16],
		  bool is_inet6, uint8_t capture)
{
	struct host_seen host = host_of(addr, is_inet6, capture);
	const struct host_seen *known = find(h, &host, hash_bytes(key, &host, KEY_LEN));

	return known && known->answers == HOST_ANSWERS ? known->ttl : 0;
}

void hosts_free(struct hosts *h)
{
	free(h->at);
	index_free(&h->by_addr);
}

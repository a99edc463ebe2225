#pragma once

/* A keyed hash for tables that strangers can fill: SipHash-1-3 with a key drawn once a table, so
 * that nobody outside can choose colliding addresses. Source: Aumasson and Bernstein, "SipHash: a
 * fast short-input PRF", 2012. */

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

/* From getrandom(2); falls back to clock and address bits where that is refused. */
struct hash_key hash_key_new(void);
uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t n);

static inline uint64_t hash_u64(const struct hash_key *key, uint64_t value)
{
	/* Inodes and cookies come from our own kernel: one strong multiply is enough. */
	value = (value ^ key->k0) * 0x9e3779b97f4a7c15u;
	return value ^ (value >> 29) ^ key->k1;
}

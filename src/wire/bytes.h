#pragma once

/* A view of bytes that can only shrink: the one way to read a packet.
 *
 * Every read may fail, and then leaves the view and *ret as they were. The view owns nothing. What
 * is read is in host order. This is the only file of wire/ with pointer arithmetic on packets. */

#include "util/attr.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *at;
	size_t left;
};

MUST_CHECK static inline bool bytes_skip(struct bytes *b, size_t n)
{
	if (b->left < n)
		return false;
	b->at += n;
	b->left -= n;
	return true;
}

/* The first n bytes become *ret, the rest stays. */
MUST_CHECK static inline bool bytes_take(struct bytes *b, size_t n, struct bytes *ret)
{
	if (b->left < n)
		return false;
	*ret = (struct bytes){ b->at, n };
	b->at += n;
	b->left -= n;
	return true;
}

MUST_CHECK static inline bool bytes_copy(struct bytes *b, void *ret, size_t n)
{
	if (b->left < n)
		return false;
	memcpy(ret, b->at, n);
	b->at += n;
	b->left -= n;
	return true;
}

MUST_CHECK static inline bool bytes_u8(struct bytes *b, uint8_t *ret)
{
	return bytes_copy(b, ret, 1);
}

MUST_CHECK static inline bool bytes_be16(struct bytes *b, uint16_t *ret)
{
	if (b->left < 2)
		return false;
	*ret = (uint16_t)(b->at[0] << 8 | b->at[1]);
	b->at += 2;
	b->left -= 2;
	return true;
}

MUST_CHECK static inline bool bytes_be32(struct bytes *b, uint32_t *ret)
{
	uint32_t v;

	if (!bytes_copy(b, &v, 4))
		return false;
	*ret = __builtin_bswap32(v);
	return true;
}

/* Little endian, for radiotap, capture headers and files written on such machines. */
MUST_CHECK static inline bool bytes_le16(struct bytes *b, uint16_t *ret)
{
	uint16_t v;

	if (!bytes_be16(b, &v))
		return false;
	*ret = __builtin_bswap16(v);
	return true;
}

MUST_CHECK static inline bool bytes_le32(struct bytes *b, uint32_t *ret)
{
	uint32_t v;

	if (!bytes_be32(b, &v))
		return false;
	*ret = __builtin_bswap32(v);
	return true;
}

/* Looks n bytes ahead without moving; false: not there. */
MUST_CHECK static inline bool bytes_peek(const struct bytes *b, size_t n, uint8_t *ret)
{
	if (b->left <= n)
		return false;
	*ret = b->at[n];
	return true;
}

/* Of a header that bytes_take() has given as a whole: what stands `at` a place in it. There is nothing to
 * ask then; a place beyond it is our own mistake, and where it is a constant the compiler has checked. */
static inline void bytes_copy_at(const struct bytes *whole, size_t at, void *ret, size_t n)
{
	assert(at + n <= whole->left);
	memcpy(ret, whole->at + at, n);
}

static inline uint8_t bytes_u8_at(const struct bytes *whole, size_t at)
{
	uint8_t v;

	bytes_copy_at(whole, at, &v, sizeof(v));
	return v;
}

static inline uint16_t bytes_be16_at(const struct bytes *whole, size_t at)
{
	uint16_t v;

	bytes_copy_at(whole, at, &v, sizeof(v));
	return __builtin_bswap16(v);
}

static inline uint32_t bytes_be32_at(const struct bytes *whole, size_t at)
{
	uint32_t v;

	bytes_copy_at(whole, at, &v, sizeof(v));
	return __builtin_bswap32(v);
}

/* Keeps the first n bytes at most. */
static inline void bytes_limit(struct bytes *b, size_t n)
{
	if (b->left > n)
		b->left = n;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "be32 and le32 swap for this order");

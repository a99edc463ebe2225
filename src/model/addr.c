#include "model/addr.h"
#include "util/decimal.h"

#include <arpa/inet.h>
#include <string.h>

_Static_assert(sizeof(struct pair) == 36, "a hash key has no padding");

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

struct addr addr_from_v4(const uint8_t bytes[4])
{
	struct addr a;

	memcpy(a.b, mapped_prefix, sizeof(mapped_prefix));
	memcpy(a.b + 12, bytes, 4);
	return a;
}

struct addr addr_from_v6(const uint8_t bytes[16])
{
	struct addr a;

	memcpy(a.b, bytes, sizeof(a.b));
	return a;
}

bool addr_is_v4(struct addr a)
{
	return memcmp(a.b, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool addr_is_any(struct addr a)
{
	static const uint8_t zero[16];

	return memcmp(a.b, zero, 16) == 0 || (addr_is_v4(a) && memcmp(a.b + 12, zero, 4) == 0);
}

/* "::a.b.c.d" in the notation of inet_ntop(3). */
static bool addr_is_v4_compatible(struct addr a)
{
	static const uint8_t zero[12];

	return memcmp(a.b, zero, sizeof(zero)) == 0 && (a.b[12] || a.b[13]);
}

bool addr_is_loopback(struct addr a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return addr_is_v4(a) ? a.b[12] == 127 : memcmp(a.b, one, 16) == 0;
}

bool addr_equal(struct addr a, struct addr b)
{
	return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

bool addr_has_prefix(struct addr a, struct addr prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (bits > 128)
		return false;
	if (memcmp(a.b, prefix.b, whole) != 0)
		return false;
	return rest == 0 || ((a.b[whole] ^ prefix.b[whole]) >> (8 - rest)) == 0;
}

static char *put_hex(char *to, unsigned n)
{
	for (int shift = n > 0xfff ? 12 : n > 0xff ? 8 : n > 0xf ? 4 : 0; shift >= 0; shift -= 4)
		*to++ = "0123456789abcdef"[n >> shift & 15];
	return to;
}

static char *put_octet(char *to, unsigned n)
{
	if (n >= 100)
		*to++ = (char)('0' + n / 100);
	if (n >= 10)
		*to++ = (char)('0' + n / 10 % 10);
	*to++ = (char)('0' + n % 10);
	return to;
}

static char *put_v4(char *to, const uint8_t b[4])
{
	for (int i = 0; i < 4; i++) {
		to = put_octet(to, b[i]);
		*to++ = '.';
	}
	return to - 1;
}

/* The first of the longest rows of at least two zero groups; *ret_n 0: none. RFC 5952 section 4.2. */
static int longest_zeros(const unsigned groups[8], int *ret_n)
{
	int best = 0;

	*ret_n = 1;
	for (int i = 0, n; i < 8; i += n + 1) {
		for (n = 0; i + n < 8 && groups[i + n] == 0; n++)
			;
		if (n > *ret_n) {
			best = i;
			*ret_n = n;
		}
	}
	*ret_n = *ret_n > 1 ? *ret_n : 0;
	return best;
}

static char *put_v6(char *to, const uint8_t b[16])
{
	unsigned groups[8];
	int n_zeros;

	for (int i = 0; i < 8; i++)
		groups[i] = (unsigned)b[2 * i] << 8 | b[2 * i + 1];
	int zeros = longest_zeros(groups, &n_zeros);
	for (int i = 0; i < 8; i++) {
		if (n_zeros && i == zeros) {
			*to++ = ':';
			i += n_zeros - 1;
			if (i == 7)
				*to++ = ':';
			continue;
		}
		if (i > 0)
			*to++ = ':';
		to = put_hex(to, groups[i]);
	}
	return to;
}

/* By hand: addresses are the bulk of a million rows, and inet_ntop(3) is four times as slow. */
const char *addr_format(struct addr a, char buf[static ADDR_TEXT_MAX])
{
	/* "::1.2.3.4", long deprecated: let the library know about it. */
	if (!addr_is_v4(a) && addr_is_v4_compatible(a))
		return inet_ntop(AF_INET6, a.b, buf, ADDR_TEXT_MAX);
	*(addr_is_v4(a) ? put_v4(buf, a.b + 12) : put_v6(buf, a.b)) = '\0';
	return buf;
}

bool addr_parse(const char *text, struct addr *ret)
{
	uint8_t b[16];

	if (inet_pton(AF_INET, text, b) == 1)
		*ret = addr_from_v4(b);
	else if (inet_pton(AF_INET6, text, b) == 1)
		*ret = addr_from_v6(b);
	else
		return false;
	return true;
}

char *endpoint_put(struct endpoint e, char to[static ENDPOINT_TEXT_MAX])
{
	if (addr_is_any(e.addr)) {
		*to++ = '*';
	} else if (addr_is_v4(e.addr)) {
		to = put_v4(to, e.addr.b + 12);
	} else {
		*to++ = '[';
		to += strlen(addr_format(e.addr, to));
		*to++ = ']';
	}
	*to++ = ':';
	if (e.port)
		return decimal_put(to, e.port);
	*to++ = '*';
	return to;
}

const char *endpoint_format(struct endpoint e, char buf[static ENDPOINT_TEXT_MAX])
{
	*endpoint_put(e, buf) = '\0';
	return buf;
}

bool endpoint_equal(struct endpoint a, struct endpoint b)
{
	return a.port == b.port && addr_equal(a.addr, b.addr);
}

struct pair pair_swap(struct pair p)
{
	return (struct pair){ .local = p.peer, .peer = p.local };
}

bool pair_equal(const struct pair *a, const struct pair *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

#include "model/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
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

const char *addr_format(struct addr a, char buf[static ADDR_TEXT_MAX])
{
	if (addr_is_v4(a))
		return inet_ntop(AF_INET, a.b + 12, buf, ADDR_TEXT_MAX);
	return inet_ntop(AF_INET6, a.b, buf, ADDR_TEXT_MAX);
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

const char *endpoint_format(struct endpoint e, char buf[static ENDPOINT_TEXT_MAX])
{
	char addr[ADDR_TEXT_MAX], port[8] = "*";

	if (e.port)
		snprintf(port, sizeof(port), "%u", e.port);
	if (addr_is_any(e.addr))
		snprintf(buf, ENDPOINT_TEXT_MAX, "*:%s", port);
	else if (addr_is_v4(e.addr))
		snprintf(buf, ENDPOINT_TEXT_MAX, "%s:%s", addr_format(e.addr, addr), port);
	else
		snprintf(buf, ENDPOINT_TEXT_MAX, "[%s]:%s", addr_format(e.addr, addr), port);
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

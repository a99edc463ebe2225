#pragma once

/* Addresses, ports and the pair of endpoints that names a connection.
 *
 * An address is sixteen bytes in network order; IPv4 is kept in its mapped form ::ffff:a.b.c.d, so
 * that a socket of a dual-stack listener and the IPv4 packets of its connection compare equal.
 * Which family the *socket* has is not the address's business (struct sock says it). Ports are in
 * host order. Source: RFC 4291 section 2.5.5.2. */

#include "util/attr.h"

#include <stdbool.h>
#include <stdint.h>

struct addr {
	uint8_t b[16];
};

struct endpoint {
	struct addr addr;
	uint16_t port;
};

/* One connection seen from one end. No padding: usable as a hash key. */
struct pair {
	struct endpoint local, peer;
};

enum { ADDR_TEXT_MAX = 64, ENDPOINT_TEXT_MAX = 80 };

struct addr addr_from_v4(const uint8_t bytes[4]);
struct addr addr_from_v6(const uint8_t bytes[16]);
bool addr_is_v4(struct addr a);       /* IPv4, kept as mapped */
bool addr_is_any(struct addr a);      /* 0.0.0.0 or :: */
bool addr_is_loopback(struct addr a); /* 127/8 or ::1 */
bool addr_equal(struct addr a, struct addr b);
/* Do the first `bits` bits agree? IPv4 counts from 96. */
bool addr_has_prefix(struct addr a, struct addr prefix, unsigned bits);
/* "10.0.0.1", "2001:db8::1". Returns buf. */
const char *addr_format(struct addr a, char buf[static ADDR_TEXT_MAX]);
/* false: not an address. Accepts both families and "::ffff:1.2.3.4". */
MUST_CHECK bool addr_parse(const char *text, struct addr *ret);

/* "10.0.0.1:80", "[2001:db8::1]:80"; port 0 is "*", the unspecified address "*". */
const char *endpoint_format(struct endpoint e, char buf[static ENDPOINT_TEXT_MAX]);
/* The same without a NUL. Returns the end. */
char *endpoint_put(struct endpoint e, char to[static ENDPOINT_TEXT_MAX]);
bool endpoint_equal(struct endpoint a, struct endpoint b);

struct pair pair_swap(struct pair p);
bool pair_equal(const struct pair *a, const struct pair *b);

#include "wire/decode.h"

/* How it works: link types that few meet, as a table of what stands before the packet. Some are of a
 * fixed length in front of LLC, Ethernet or IP; the others say themselves how long they are.
 * Numbers and layouts: https://www.tcpdump.org/linktypes.html */

/* FDDI: frame control (LLC in the upper half is 5), two addresses. */
enum skip_reason decode_fddi(struct decoder *d, struct packet p)
{
	uint8_t control;

	if (!bytes_u8(&p.b, &control) || !bytes_skip(&p.b, 12))
		return SKIP_SHORT_LINK;
	return control >> 4 == 5 ? decode_llc(d, p) : SKIP_NOT_IP;
}

/* Token ring: access and frame control, two addresses, and a route if the source's first bit is set;
 * the route's first byte holds its length. */
enum skip_reason decode_token_ring(struct decoder *d, struct packet p)
{
	uint8_t control, source, route;

	if (!bytes_skip(&p.b, 1) || !bytes_u8(&p.b, &control) || !bytes_skip(&p.b, 6) ||
	    !bytes_u8(&p.b, &source) || !bytes_skip(&p.b, 5))
		return SKIP_SHORT_LINK;
	if ((source & 0x80) && (!bytes_peek(&p.b, 0, &route) || !bytes_skip(&p.b, route & 0x1f)))
		return SKIP_SHORT_LINK;
	return (control & 0xc0) == 0x40 ? decode_llc(d, p) : SKIP_NOT_IP;
}

/* RFC 2625: two addresses of eight bytes. */
enum skip_reason decode_ip_over_fc(struct decoder *d, struct packet p)
{
	return bytes_skip(&p.b, 16) ? decode_llc(d, p) : SKIP_SHORT_LINK;
}

/* SunATM: the lower half of the first byte is the kind of traffic (2 is LLC), then VPI and VCI. */
enum skip_reason decode_sunatm(struct decoder *d, struct packet p)
{
	uint8_t kind;

	if (!bytes_u8(&p.b, &kind) || !bytes_skip(&p.b, 3))
		return SKIP_SHORT_LINK;
	return (kind & 0x0f) == 2 ? decode_llc(d, p) : SKIP_NOT_IP;
}

/* OpenBSD's IPsec device: family, SPI, flags. */
enum skip_reason decode_enc(struct decoder *d, struct packet p)
{
	return bytes_skip(&p.b, 12) ? decode_ip(d, p) : SKIP_SHORT_LINK;
}

/* Solaris: version, family, hook, length, two interfaces, two zones. */
enum skip_reason decode_ipnet(struct decoder *d, struct packet p)
{
	return bytes_skip(&p.b, 24) ? decode_ip(d, p) : SKIP_SHORT_LINK;
}

/* IP over FireWire: two addresses of eight bytes, a type of Ethernet. */
enum skip_reason decode_ieee1394(struct decoder *d, struct packet p)
{
	uint16_t type;

	if (!bytes_skip(&p.b, 16) || !bytes_be16(&p.b, &type))
		return SKIP_SHORT_LINK;
	return decode_ethertype(d, p, type);
}

/* IEEE 802.3br: preamble and delimiter; d5 begins a whole frame, others are pieces of one. */
enum skip_reason decode_mpacket(struct decoder *d, struct packet p)
{
	uint8_t delimiter;

	if (!bytes_skip(&p.b, 7) || !bytes_u8(&p.b, &delimiter))
		return SKIP_SHORT_LINK;
	return delimiter == 0xd5 ? decode_ethernet(d, p) : SKIP_FRAGMENT;
}

/* macOS, with the process: length, kind of record, link type of what follows; little-endian. */
enum skip_reason decode_pktap(struct decoder *d, struct packet p)
{
	uint32_t size, dlt;

	if (!decode_deeper(d))
		return SKIP_TOO_DEEP;
	if (!bytes_le32(&p.b, &size) || !bytes_skip(&p.b, 4) || !bytes_le32(&p.b, &dlt) ||
	    size < 12 || !bytes_skip(&p.b, size - 12))
		return SKIP_SHORT_LINK;
	const struct link_type *inner = dlt <= INT16_MAX ? link_find((int)dlt) : NULL;
	return inner ? inner->decode(d, p) : SKIP_LINK_TYPE;
}

/* Endace: time stamp, type, flags, lengths; extension headers of eight bytes while the first bit of
 * the type, then of each of them, says so; two bytes before an Ethernet frame. */
enum skip_reason decode_erf(struct decoder *d, struct packet p)
{
	enum { ETH = 2, COLOR_ETH = 11, DSM_COLOR_ETH = 16 };
	uint8_t type, more;

	if (!bytes_skip(&p.b, 8) || !bytes_u8(&p.b, &type) || !bytes_skip(&p.b, 7))
		return SKIP_SHORT_LINK;
	for (more = type; more & 0x80;)
		if (!decode_deeper(d) || !bytes_u8(&p.b, &more) || !bytes_skip(&p.b, 7))
			return SKIP_SHORT_LINK;
	type &= 0x7f;
	if (type != ETH && type != COLOR_ETH && type != DSM_COLOR_ETH)
		return SKIP_NOT_IP;
	return bytes_skip(&p.b, 2) ? decode_ethernet(d, p) : SKIP_SHORT_LINK;
}

/* Behind the addresses: f0 is IP at once (RFC 1051); d4 IP in pieces (RFC 1201), of which 0 is the
 * only one and an odd number the first. */
static enum skip_reason arcnet_payload(struct decoder *d, struct packet p)
{
	uint8_t type, piece;

	if (!bytes_u8(&p.b, &type))
		return SKIP_SHORT_LINK;
	if (type == 0xf0)
		return decode_ip(d, p);
	if (type != 0xd4)
		return SKIP_NOT_IP;
	if (!bytes_u8(&p.b, &piece) || !bytes_skip(&p.b, 2))
		return SKIP_SHORT_LINK;
	return piece == 0 || (piece & 1) ? decode_ip(d, p) : SKIP_FRAGMENT;
}

enum skip_reason decode_arcnet(struct decoder *d, struct packet p)
{
	return bytes_skip(&p.b, 2) ? arcnet_payload(d, p) : SKIP_SHORT_LINK;
}

/* With two bytes of offset. */
enum skip_reason decode_arcnet_linux(struct decoder *d, struct packet p)
{
	return bytes_skip(&p.b, 4) ? arcnet_payload(d, p) : SKIP_SHORT_LINK;
}

/* Amateur radio: a command, addresses of seven bytes of which the last one ends odd, control 03,
 * protocol cc for IP. */
enum skip_reason decode_ax25_kiss(struct decoder *d, struct packet p)
{
	enum { MAX_ADDRESSES = 10 };
	uint8_t last = 0, control, protocol;

	if (!bytes_skip(&p.b, 1))
		return SKIP_SHORT_LINK;
	for (int i = 0; i < MAX_ADDRESSES && !(last & 1); i++)
		if (!bytes_skip(&p.b, 6) || !bytes_u8(&p.b, &last))
			return SKIP_SHORT_LINK;
	if (!bytes_u8(&p.b, &control) || !bytes_u8(&p.b, &protocol))
		return SKIP_SHORT_LINK;
	return control == 0x03 && protocol == 0xcc ? decode_ip(d, p) : SKIP_NOT_IP;
}

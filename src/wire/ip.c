#include "wire/decode.h"

/* How it works: the length in the IP header, not the frame, says where the segment ends, because
 * short Ethernet frames are padded. It is believed only as far as the frame reached on the wire.
 * Length 0 is a packet captured before segmentation offload filled it in: then the frame rules.
 *
 * Only the first fragment of a datagram holds a TCP header; it is used alone, the others are
 * counted. Nothing is reassembled: a stranger would own the memory. */

enum {
	PROTO_HOPOPTS = 0,
	PROTO_IPIP = 4,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_IPV6 = 41,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_GRE = 47,
	PROTO_ESP = 50,
	PROTO_AH = 51,
	PROTO_DSTOPTS = 60,
	PROTO_ETHERIP = 97,
	PROTO_MPLS = 137,
	PROTO_MOBILITY = 135,
	PROTO_SHIM6 = 140,
};

/* The packet ends where its header says, or where the frame did. */
static void limit(struct decoder *d, struct packet *p, uint32_t wire_len)
{
	uint64_t have = (uint64_t)p->b.left + p->cut;

	if (wire_len >= have)
		return;
	bytes_limit(&p->b, wire_len);
	p->cut = (uint32_t)(wire_len - p->b.left);
	d->missing = p->cut;
}

static enum skip_reason decode_payload(struct decoder *d, struct packet p, uint8_t proto)
{
	bool outer_v6 = d->seg->is_inet6;

	switch (proto) {
	case PROTO_TCP:
		return decode_tcp(d, p);
	case PROTO_UDP:
		return decode_udp(d, p);
	case PROTO_GRE:
		return decode_gre(d, p);
	case PROTO_IPIP:
		decode_enter(d, outer_v6 ? TUNNEL_4IN6 : TUNNEL_IPIP);
		return decode_ipv4(d, p);
	case PROTO_IPV6:
		decode_enter(d, outer_v6 ? TUNNEL_6IN6 : TUNNEL_6IN4);
		return decode_ipv6(d, p);
	case PROTO_ETHERIP:
		return decode_etherip(d, p);
	case PROTO_MPLS:
		return decode_mpls(d, p);
	case PROTO_ESP:
		return SKIP_ENCRYPTED;
	default:
		return SKIP_NOT_TCP;
	}
}

/* Authentication Header: next, length in words less two; the same before IPv4 and IPv6 payload. */
static enum skip_reason skip_ah(struct packet *p, uint8_t *ret_next)
{
	uint8_t next, words;

	if (!bytes_u8(&p->b, &next) || !bytes_u8(&p->b, &words) ||
	    !bytes_skip(&p->b, (words + 2u) * 4 - 2))
		return SKIP_SHORT_IP;
	*ret_next = next;
	return SKIP_NONE;
}

enum skip_reason decode_ipv4(struct decoder *d, struct packet p)
{
	struct segment *s = d->seg;
	struct bytes b = p.b, fixed;

	if (!decode_deeper(d))
		return SKIP_TOO_DEEP;
	if (!bytes_take(&b, 20, &fixed))
		return SKIP_SHORT_IP;
	uint8_t version = bytes_u8_at(&fixed, 0), proto = bytes_u8_at(&fixed, 9);
	uint16_t total = bytes_be16_at(&fixed, 2), fragment = bytes_be16_at(&fixed, 6);

	s->ip_id = bytes_be16_at(&fixed, 4);
	s->ttl = bytes_u8_at(&fixed, 8);
	bytes_copy_at(&fixed, 12, s->addr[0], 4);
	bytes_copy_at(&fixed, 16, s->addr[1], 4);
	size_t header = (version & 15u) * 4;
	if (version >> 4 != 4 || header < 20 || (total && total < header))
		return SKIP_BAD_IP;
	if (fragment & 0x1fff)
		return SKIP_FRAGMENT;
	s->is_inet6 = false;
	s->df = fragment & 0x4000;
	if (total)
		limit(d, &p, total);
	if (!bytes_skip(&p.b, header))
		return SKIP_SHORT_IP;
	if (proto == PROTO_AH && skip_ah(&p, &proto) != SKIP_NONE)
		return SKIP_SHORT_IP;
	return decode_payload(d, p, proto);
}

/* Walks the extension headers. */
static enum skip_reason decode_ipv6_chain(struct decoder *d, struct packet p, uint8_t next)
{
	uint8_t words;
	uint16_t fragment;

	for (;;) {
		if (!decode_deeper(d))
			return SKIP_TOO_DEEP;
		switch (next) {
		case PROTO_HOPOPTS:
		case PROTO_ROUTING:
		case PROTO_DSTOPTS:
		case PROTO_MOBILITY:
		case PROTO_SHIM6:
			if (!bytes_u8(&p.b, &next) || !bytes_u8(&p.b, &words) ||
			    !bytes_skip(&p.b, words * 8u + 6))
				return SKIP_SHORT_IP;
			break;
		case PROTO_FRAGMENT:
			if (!bytes_u8(&p.b, &next) || !bytes_skip(&p.b, 1) ||
			    !bytes_be16(&p.b, &fragment) || !bytes_skip(&p.b, 4))
				return SKIP_SHORT_IP;
			if (fragment & 0xfff8)
				return SKIP_FRAGMENT;
			break;
		case PROTO_AH:
			if (skip_ah(&p, &next) != SKIP_NONE)
				return SKIP_SHORT_IP;
			break;
		default:
			return decode_payload(d, p, next);
		}
	}
}

enum skip_reason decode_ipv6(struct decoder *d, struct packet p)
{
	struct segment *s = d->seg;
	struct bytes fixed;

	if (!decode_deeper(d))
		return SKIP_TOO_DEEP;
	if (!bytes_take(&p.b, 40, &fixed))
		return SKIP_SHORT_IP;
	uint16_t payload = bytes_be16_at(&fixed, 4);
	uint8_t next = bytes_u8_at(&fixed, 6);

	s->ttl = bytes_u8_at(&fixed, 7);
	bytes_copy_at(&fixed, 8, s->addr[0], 16);
	bytes_copy_at(&fixed, 24, s->addr[1], 16);
	if (bytes_u8_at(&fixed, 0) >> 4 != 6)
		return SKIP_BAD_IP;
	s->is_inet6 = true;
	s->df = false;
	s->ip_id = 0;
	if (payload)
		limit(d, &p, payload);
	return decode_ipv6_chain(d, p, next);
}

enum skip_reason decode_ip(struct decoder *d, struct packet p)
{
	uint8_t version;

	if (!bytes_peek(&p.b, 0, &version))
		return SKIP_SHORT_IP;
	switch (version >> 4) {
	case 4:
		return decode_ipv4(d, p);
	case 6:
		return decode_ipv6(d, p);
	default:
		return SKIP_NOT_IP;
	}
}

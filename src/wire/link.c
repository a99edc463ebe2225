#include "wire/decode.h"

/* How it works: one row and one function a link type. What they share (Ethernet types, LLC, PPP
 * protocols, MPLS) is a function that several call. Numbers are those of files
 * (https://www.tcpdump.org/linktypes.html) and, where libpcap maps one to another, its own too. */

enum ethertype {
	TYPE_IPV4 = 0x0800,
	TYPE_VLAN = 0x8100,
	TYPE_TEB = 0x6558, /* Ethernet again, behind GRE or GENEVE */
	TYPE_IPV6 = 0x86dd,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_UPSTREAM = 0x8848,
	TYPE_PPPOE = 0x8864,
	TYPE_QINQ = 0x88a8,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_PBB = 0x88e7,
	TYPE_CISCO_METADATA = 0x8909,
	TYPE_NSH = 0x894f,
	TYPE_LENGTH_MAX = 1500, /* up to here it is a length, and LLC follows */
};

static enum skip_reason decode_pppoe(struct decoder *d, struct packet p)
{
	uint8_t version, code;

	if (!bytes_u8(&p.b, &version) || !bytes_u8(&p.b, &code) || !bytes_skip(&p.b, 4))
		return SKIP_SHORT_LINK;
	return version == 0x11 && code == 0 ? decode_ppp(d, p) : SKIP_NOT_IP;
}

/* Version, number of options of four bytes, then a type. */
static bool skip_cisco_metadata(struct bytes *b, uint16_t *ret_type)
{
	uint8_t n;

	return bytes_skip(b, 1) && bytes_u8(b, &n) && bytes_skip(b, n * 4u) && bytes_be16(b, ret_type);
}

/* RFC 8300: its length in words stands in six bits of the second byte, the next protocol in the
 * fourth. */
static enum skip_reason decode_nsh(struct decoder *d, struct packet p)
{
	enum { NSH_IPV4 = 1, NSH_IPV6 = 2, NSH_ETHERNET = 3, NSH_MPLS = 5 };
	uint8_t words, next;

	if (!bytes_skip(&p.b, 1) || !bytes_u8(&p.b, &words) || !bytes_skip(&p.b, 1) ||
	    !bytes_u8(&p.b, &next) || (words & 0x3f) < 2 || !bytes_skip(&p.b, (words & 0x3fu) * 4 - 4))
		return SKIP_SHORT_LINK;
	if (next == NSH_ETHERNET)
		return decode_ethernet(d, p);
	if (next == NSH_MPLS)
		return decode_mpls(d, p);
	return next == NSH_IPV4 || next == NSH_IPV6 ? decode_ip(d, p) : SKIP_NOT_IP;
}

enum skip_reason decode_ethertype(struct decoder *d, struct packet p, uint16_t type)
{
	for (;;) {
		if (!decode_deeper(d))
			return SKIP_TOO_DEEP;
		switch (type) {
		case TYPE_IPV4:
			return decode_ipv4(d, p);
		case TYPE_IPV6:
			return decode_ipv6(d, p);
		case TYPE_VLAN:
		case TYPE_QINQ:
		case TYPE_QINQ_OLD:
			if (!bytes_skip(&p.b, 2) || !bytes_be16(&p.b, &type))
				return SKIP_SHORT_LINK;
			break;
		case TYPE_CISCO_METADATA:
			if (!skip_cisco_metadata(&p.b, &type))
				return SKIP_SHORT_LINK;
			break;
		case TYPE_PBB: /* the service's tag, then the customer's frame */
			return bytes_skip(&p.b, 4) ? decode_ethernet(d, p) : SKIP_SHORT_LINK;
		case TYPE_NSH:
			return decode_nsh(d, p);
		case TYPE_MPLS:
		case TYPE_MPLS_UPSTREAM:
			return decode_mpls(d, p);
		case TYPE_PPPOE:
			return decode_pppoe(d, p);
		case TYPE_TEB:
			return decode_ethernet(d, p);
		default:
			return type <= TYPE_LENGTH_MAX ? decode_llc(d, p) : SKIP_NOT_IP;
		}
	}
}

enum skip_reason decode_ethernet(struct decoder *d, struct packet p)
{
	uint16_t type;

	if (!bytes_skip(&p.b, 12) || !bytes_be16(&p.b, &type))
		return SKIP_SHORT_LINK;
	return decode_ethertype(d, p, type);
}

/* IEEE 802.2: destination and source SAP, control. aa aa 03 is SNAP, with an organisation and its
 * own type; 06 06 03 is IP at once; fe fe 03 is OSI, whose NLPID cc means IPv4. */
enum skip_reason decode_llc(struct decoder *d, struct packet p)
{
	enum { ORG_BRIDGED = 0x0080c2 };
	uint8_t sap, org_high, nlpid;
	uint16_t org_low, type;

	if (!bytes_u8(&p.b, &sap) || !bytes_skip(&p.b, 2))
		return SKIP_SHORT_LINK;
	if (sap == 0x06)
		return decode_ip(d, p);
	if (sap == 0xfe)
		return bytes_u8(&p.b, &nlpid) && (nlpid == 0xcc || nlpid == 0x8e) ?
			       decode_ip(d, p) : SKIP_NOT_IP;
	if (sap != 0xaa)
		return SKIP_NOT_IP;
	if (!bytes_u8(&p.b, &org_high) || !bytes_be16(&p.b, &org_low) || !bytes_be16(&p.b, &type))
		return SKIP_SHORT_LINK;
	uint32_t org = (uint32_t)org_high << 16 | org_low;
	if (org == ORG_BRIDGED)
		return (type == 1 || type == 7) && bytes_skip(&p.b, 2) ? decode_ethernet(d, p)
								      : SKIP_NOT_IP;
	return type > TYPE_LENGTH_MAX ? decode_ethertype(d, p, type) : SKIP_NOT_IP;
}

/* Labels up to the one with the bottom bit. What follows is not said: IP starts with its version; a
 * pseudo-wire starts with a control word whose first nibble is 0. */
enum skip_reason decode_mpls(struct decoder *d, struct packet p)
{
	uint32_t label;
	uint8_t first;

	do {
		if (!decode_deeper(d))
			return SKIP_TOO_DEEP;
		if (!bytes_be32(&p.b, &label))
			return SKIP_SHORT_LINK;
	} while (!(label & 0x100));
	if (!bytes_peek(&p.b, 0, &first))
		return SKIP_SHORT_LINK;
	if (first >> 4 == 4 || first >> 4 == 6)
		return decode_ip(d, p);
	if (first >> 4 == 0 && !bytes_skip(&p.b, 4))
		return SKIP_SHORT_LINK;
	return decode_ethernet(d, p);
}

/* Address and control (ff 03) may be left out; a protocol below 256 may be one byte, which is odd. */
enum skip_reason decode_ppp(struct decoder *d, struct packet p)
{
	enum { PPP_IPV4 = 0x21, PPP_IPV6 = 0x57, PPP_MPLS = 0x281 };
	uint8_t first, second;
	uint16_t proto;

	if (bytes_peek(&p.b, 0, &first) && first == 0xff && !bytes_skip(&p.b, 2))
		return SKIP_SHORT_LINK;
	if (!bytes_u8(&p.b, &first))
		return SKIP_SHORT_LINK;
	proto = first;
	if (!(first & 1)) {
		if (!bytes_u8(&p.b, &second))
			return SKIP_SHORT_LINK;
		proto = (uint16_t)(first << 8 | second);
	}
	if (proto == PPP_MPLS)
		return decode_mpls(d, p);
	return proto == PPP_IPV4 || proto == PPP_IPV6 ? decode_ip(d, p) : SKIP_NOT_IP;
}

static enum skip_reason decode_chdlc(struct decoder *d, struct packet p)
{
	uint16_t type;

	if (!bytes_skip(&p.b, 2) || !bytes_be16(&p.b, &type))
		return SKIP_SHORT_LINK;
	return decode_ethertype(d, p, type);
}

static enum skip_reason decode_ppp_hdlc(struct decoder *d, struct packet p)
{
	uint8_t first;

	if (!bytes_peek(&p.b, 0, &first))
		return SKIP_SHORT_LINK;
	return first == 0x0f || first == 0x8f ? decode_chdlc(d, p) : decode_ppp(d, p);
}

/* The address ends with an odd byte; then control 03, perhaps a zero, and the protocol. */
static enum skip_reason decode_frame_relay(struct decoder *d, struct packet p)
{
	uint8_t byte, control, nlpid;
	uint16_t org_low, type;
	unsigned n = 0;

	do {
		if (!bytes_u8(&p.b, &byte) || ++n > 4)
			return SKIP_SHORT_LINK;
	} while (!(byte & 1));
	if (!bytes_u8(&p.b, &control) || !bytes_u8(&p.b, &nlpid) ||
	    (nlpid == 0 && !bytes_u8(&p.b, &nlpid)))
		return SKIP_SHORT_LINK;
	if (control != 0x03)
		return SKIP_NOT_IP;
	if (nlpid == 0xcc || nlpid == 0x8e)
		return decode_ip(d, p);
	if (nlpid != 0x80 || !bytes_skip(&p.b, 1) || !bytes_be16(&p.b, &org_low) ||
	    !bytes_be16(&p.b, &type))
		return SKIP_NOT_IP;
	return decode_ethertype(d, p, type);
}

/* A byte of direction, then the type without it. */
static enum skip_reason decode_ppp_with_dir(struct decoder *d, struct packet p)
{
	return bytes_skip(&p.b, 1) ? decode_ppp(d, p) : SKIP_SHORT_LINK;
}

static enum skip_reason decode_chdlc_with_dir(struct decoder *d, struct packet p)
{
	return bytes_skip(&p.b, 1) ? decode_chdlc(d, p) : SKIP_SHORT_LINK;
}

static enum skip_reason decode_frame_relay_with_dir(struct decoder *d, struct packet p)
{
	return bytes_skip(&p.b, 1) ? decode_frame_relay(d, p) : SKIP_SHORT_LINK;
}

/* NULL: the address family in the byte order and the numbering of whoever wrote it; LOOP: in
 * network order. IP's own version says the same and is never foreign. */
static enum skip_reason decode_null(struct decoder *d, struct packet p)
{
	return bytes_skip(&p.b, 4) ? decode_ip(d, p) : SKIP_SHORT_LINK;
}

/* Linux "any": packet type, device type, address, protocol. There is no interface in it. */
static enum skip_reason decode_sll(struct decoder *d, struct packet p)
{
	uint16_t packet_type, protocol;

	if (!bytes_be16(&p.b, &packet_type) || !bytes_skip(&p.b, 12) ||
	    !bytes_be16(&p.b, &protocol))
		return SKIP_SHORT_LINK;
	d->seg->link_id = packet_type + 1u;
	return decode_ethertype(d, p, protocol);
}

static enum skip_reason decode_sll2(struct decoder *d, struct packet p)
{
	uint16_t protocol;
	uint32_t interface;
	uint8_t packet_type;

	if (!bytes_be16(&p.b, &protocol) || !bytes_skip(&p.b, 2) ||
	    !bytes_be32(&p.b, &interface) ||
	    !bytes_skip(&p.b, 2) || !bytes_u8(&p.b, &packet_type) || !bytes_skip(&p.b, 9))
		return SKIP_SHORT_LINK;
	d->seg->link_id = interface << 3 | (packet_type + 1u);
	return decode_ethertype(d, p, protocol);
}

/* Family, version, resource, then attributes padded to four bytes until the payload. The lengths
 * are in the byte order of the machine that logged, which the first length betrays. */
static enum skip_reason decode_nflog(struct decoder *d, struct packet p)
{
	enum { ATTR_PAYLOAD = 9, HEADER = 4 };
	uint16_t size, type;
	struct bytes body;

	if (!bytes_skip(&p.b, HEADER))
		return SKIP_SHORT_LINK;
	while (bytes_le16(&p.b, &size) && bytes_le16(&p.b, &type)) {
		if (size >= 0x100 && (size & 0xff) == 0 && (type >> 8) <= 64 && !(type & 0xff)) {
			size = __builtin_bswap16(size);
			type = __builtin_bswap16(type);
		}
		if (size < HEADER)
			return SKIP_SHORT_LINK;
		if ((type & 0x7fff) == ATTR_PAYLOAD) {
			if (p.b.left > size - (size_t)HEADER)
				p = (struct packet){ { p.b.at, size - (size_t)HEADER }, 0 };
			return decode_ip(d, p);
		}
		if (!bytes_take(&p.b, ((size + 3u) & ~3u) - HEADER, &body))
			return SKIP_SHORT_LINK;
	}
	return SKIP_SHORT_LINK;
}

/* OpenBSD's packet filter log: its first byte is its length without the padding to four. */
static enum skip_reason decode_pflog(struct decoder *d, struct packet p)
{
	uint8_t size;

	if (!bytes_peek(&p.b, 0, &size) || !bytes_skip(&p.b, (size + 3u) & ~3u))
		return SKIP_SHORT_LINK;
	return decode_ip(d, p);
}

/* Per-Packet Information: a header of a length of its own, then a frame of the type it names. */
static enum skip_reason decode_ppi(struct decoder *d, struct packet p)
{
	uint16_t size;
	uint32_t dlt;

	if (!decode_deeper(d))
		return SKIP_TOO_DEEP;
	if (!bytes_skip(&p.b, 2) || !bytes_le16(&p.b, &size) || !bytes_le32(&p.b, &dlt) ||
	    size < 8 || !bytes_skip(&p.b, size - 8u))
		return SKIP_SHORT_LINK;
	const struct link_type *inner = dlt <= INT16_MAX ? link_find((int)dlt) : NULL;
	return inner ? inner->decode(d, p) : SKIP_LINK_TYPE;
}

/* Infiniband: a destination of forty bytes with pseudo header, type, reserved. */
static enum skip_reason decode_ipoib(struct decoder *d, struct packet p)
{
	uint16_t type;

	if (!bytes_skip(&p.b, 40) || !bytes_be16(&p.b, &type) || !bytes_skip(&p.b, 2))
		return SKIP_SHORT_LINK;
	return decode_ethertype(d, p, type);
}

/* Prism's fixed 144 bytes, or an AVS header, which starts with its version and its length. */
static enum skip_reason decode_prism(struct decoder *d, struct packet p)
{
	uint32_t version, size;
	struct packet rest = p;

	if (!bytes_be32(&p.b, &version) || !bytes_be32(&p.b, &size))
		return SKIP_SHORT_LINK;
	if (version >> 12 != 0x80211)
		size = 144;
	return bytes_skip(&rest.b, size) ? decode_80211(d, rest) : SKIP_SHORT_LINK;
}

static const struct link_type link_types[] = {
	{ 1, "EN10MB", decode_ethernet },
	{ 276, "LINUX_SLL2", decode_sll2 },
	{ 113, "LINUX_SLL", decode_sll },
	{ 12, "RAW", decode_ip },
	{ 14, "RAW", decode_ip },
	{ 101, "RAW", decode_ip },
	{ 228, "IPV4", decode_ip }, /* some writers put either version into both */
	{ 229, "IPV6", decode_ip },
	{ 0, "NULL", decode_null },
	{ 108, "LOOP", decode_null },
	{ 9, "PPP", decode_ppp_hdlc },
	{ 50, "PPP_SERIAL", decode_ppp_hdlc },
	{ 51, "PPP_ETHER", decode_pppoe },
	{ 166, "PPP_PPPD", decode_ppp_with_dir },
	{ 204, "PPP_WITH_DIR", decode_ppp_with_dir },
	{ 104, "C_HDLC", decode_chdlc },
	{ 205, "C_HDLC_WITH_DIR", decode_chdlc_with_dir },
	{ 107, "FRELAY", decode_frame_relay },
	{ 206, "FRELAY_WITH_DIR", decode_frame_relay_with_dir },
	{ 11, "ATM_RFC1483", decode_llc },
	{ 100, "ATM_RFC1483", decode_llc },
	{ 105, "IEEE802_11", decode_80211 },
	{ 127, "IEEE802_11_RADIO", decode_radiotap },
	{ 119, "PRISM_HEADER", decode_prism },
	{ 163, "IEEE802_11_RADIO_AVS", decode_prism },
	{ 192, "PPI", decode_ppi },
	{ 117, "PFLOG", decode_pflog },
	{ 239, "NFLOG", decode_nflog },
	{ 219, "MPLS", decode_mpls },
	{ 242, "IPOIB", decode_ipoib },
	{ 10, "FDDI", decode_fddi },
	{ 6, "IEEE802", decode_token_ring },
	{ 122, "IP_OVER_FC", decode_ip_over_fc },
	{ 123, "SUNATM", decode_sunatm },
	{ 109, "ENC", decode_enc },
	{ 226, "IPNET", decode_ipnet },
	{ 138, "APPLE_IP_OVER_IEEE1394", decode_ieee1394 },
	{ 274, "ETHERNET_MPACKET", decode_mpacket },
	{ 258, "PKTAP", decode_pktap },
	{ 197, "ERF", decode_erf },
	{ 7, "ARCNET", decode_arcnet },
	{ 129, "ARCNET_LINUX", decode_arcnet_linux },
	{ 202, "AX25_KISS", decode_ax25_kiss },
};

const struct link_type *link_find(int dlt)
{
	for (size_t i = 0; i < ARRAY_LEN(link_types); i++)
		if (link_types[i].dlt == dlt)
			return &link_types[i];
	return NULL;
}

#include "wire/decode.h"

/* How it works: a tunnel is recognised by its IP protocol or its registered UDP port, in either
 * direction, and its header must be plausible; if not, the packet is simply not TCP. UDP payload
 * is nobody's promise, so each header is checked for what its document fixes.
 * Source: RFC 2784, 2890 (GRE), draft-foschiano-erspan, RFC 7348 (VXLAN), RFC 8926 (GENEVE),
 * 3GPP TS 29.281 (GTP-U), RFC 4380 (Teredo), RFC 2661 (L2TP), RFC 7510 (MPLS in UDP), RFC 3378, RFC 6830 (LISP). */

enum {
	TYPE_PPP = 0x880b,
	TYPE_ERSPAN_2 = 0x88be,
	TYPE_ERSPAN_3 = 0x22eb,
	TYPE_WCCP = 0x883e,
	TYPE_EOIP = 0x6400,  /* MikroTik: Ethernet, and a key that holds its length */
	TYPE_ARUBA = 0x8200, /* to 83f0: IEEE 802.11 between access points and their controller */
};

enum {
	PORT_L2TP = 1701,
	PORT_GTPU = 2152,
	PORT_TEREDO = 3544,
	PORT_VXLAN = 4789,
	PORT_VXLAN_GPE = 4790,
	PORT_LISP = 4341,
	PORT_GENEVE = 6081,
	PORT_UDP_MPLS = 6635,
	PORT_VXLAN_LINUX = 8472,
	PORT_TZSP = 37008,
};

/* Version 1 is PPTP's: a key always, perhaps an acknowledgement number. */
static bool skip_gre_options(struct bytes *b, uint16_t flags)
{
	if ((flags & 0xc000) && !bytes_skip(b, 4)) /* checksum or routing: both fields */
		return false;
	if ((flags & 0x2000) && !bytes_skip(b, 4))
		return false;
	if ((flags & 0x1000) && !bytes_skip(b, 4))
		return false;
	return !((flags & 7) == 1 && (flags & 0x0080)) || bytes_skip(b, 4);
}

/* Type II has a header of eight bytes when GRE carries a sequence number, and none (type I) if it
 * does not; type III has twelve, and eight more when its last bit says so. */
static enum skip_reason decode_erspan(struct decoder *d, struct packet p, uint16_t type,
				      bool has_sequence)
{
	uint8_t last;

	decode_enter(d, TUNNEL_ERSPAN);
	if (type == TYPE_ERSPAN_2) {
		if (has_sequence && !bytes_skip(&p.b, 8))
			return SKIP_SHORT_LINK;
		return decode_ethernet(d, p);
	}
	if (!bytes_skip(&p.b, 11) || !bytes_u8(&p.b, &last) ||
	    ((last & 1) && !bytes_skip(&p.b, 8)))
		return SKIP_SHORT_LINK;
	return decode_ethernet(d, p);
}

/* The first version has no header of its own, the second one of four bytes. */
static enum skip_reason decode_wccp(struct decoder *d, struct packet p)
{
	uint8_t first;

	if (bytes_peek(&p.b, 0, &first) && first >> 4 != 4 && !bytes_skip(&p.b, 4))
		return SKIP_SHORT_LINK;
	return decode_ip(d, p);
}

enum skip_reason decode_gre(struct decoder *d, struct packet p)
{
	uint16_t flags, type;

	if (!decode_deeper(d))
		return SKIP_TOO_DEEP;
	if (!bytes_be16(&p.b, &flags) || !bytes_be16(&p.b, &type) ||
	    !skip_gre_options(&p.b, flags))
		return SKIP_SHORT_LINK;
	decode_enter(d, TUNNEL_GRE);
	switch (type) {
	case TYPE_ERSPAN_2:
	case TYPE_ERSPAN_3:
		return decode_erspan(d, p, type, flags & 0x1000);
	case TYPE_PPP:
		return decode_ppp(d, p);
	case TYPE_WCCP:
		return decode_wccp(d, p);
	case TYPE_EOIP:
		return decode_ethernet(d, p);
	default:
		return (type & 0xfe0f) == TYPE_ARUBA ? decode_80211(d, p) : decode_ethertype(d, p, type);
	}
}

enum skip_reason decode_etherip(struct decoder *d, struct packet p)
{
	if (!bytes_skip(&p.b, 2))
		return SKIP_SHORT_LINK;
	decode_enter(d, TUNNEL_ETHERIP);
	return decode_ethernet(d, p);
}

/* The I flag must be set. With the P flag (GPE) the last byte of the first word names the payload. */
static enum skip_reason decode_vxlan(struct decoder *d, struct packet p)
{
	enum { GPE_IPV4 = 1, GPE_IPV6 = 2, GPE_ETHERNET = 3 };
	uint8_t flags, next;

	if (!bytes_u8(&p.b, &flags) || !bytes_skip(&p.b, 2) || !bytes_u8(&p.b, &next) ||
	    !bytes_skip(&p.b, 4) || !(flags & 0x08))
		return SKIP_NOT_TCP;
	decode_enter(d, TUNNEL_VXLAN);
	if (!(flags & 0x04) || next == GPE_ETHERNET)
		return decode_ethernet(d, p);
	return next == GPE_IPV4 || next == GPE_IPV6 ? decode_ip(d, p) : SKIP_NOT_TCP;
}

static enum skip_reason decode_geneve(struct decoder *d, struct packet p)
{
	enum { TYPE_TEB = 0x6558 };
	uint8_t words;
	uint16_t type;

	if (!bytes_u8(&p.b, &words) || !bytes_skip(&p.b, 1) || !bytes_be16(&p.b, &type) ||
	    words >> 6 != 0 || !bytes_skip(&p.b, 4 + (words & 63u) * 4))
		return SKIP_NOT_TCP;
	decode_enter(d, TUNNEL_GENEVE);
	return type == TYPE_TEB ? decode_ethernet(d, p) : decode_ethertype(d, p, type);
}

/* Version 1, protocol type GTP, message 255 (a user's packet). Any of the three low flags brings
 * four bytes, the last of which names the first extension header. */
static enum skip_reason decode_gtpu(struct decoder *d, struct packet p)
{
	uint8_t flags, message, extension = 0, words;

	if (!bytes_u8(&p.b, &flags) || !bytes_u8(&p.b, &message) || !bytes_skip(&p.b, 6) ||
	    (flags & 0xf0) != 0x30 || message != 255)
		return SKIP_NOT_TCP;
	if ((flags & 7) && (!bytes_skip(&p.b, 3) || !bytes_u8(&p.b, &extension)))
		return SKIP_NOT_TCP;
	while ((flags & 4) && extension) {
		if (!decode_deeper(d) || !bytes_u8(&p.b, &words) || !words ||
		    !bytes_skip(&p.b, words * 4u - 2) || !bytes_u8(&p.b, &extension))
			return SKIP_NOT_TCP;
	}
	decode_enter(d, TUNNEL_GTPU);
	return decode_ip(d, p);
}

/* An authentication (0x0001) or origin (0x0000) indication may stand before the IPv6 packet. */
static enum skip_reason decode_teredo(struct decoder *d, struct packet p)
{
	uint8_t first, kind, id_len, auth_len;

	if (bytes_peek(&p.b, 0, &first) && first == 0 && bytes_peek(&p.b, 1, &kind) && kind == 1) {
		if (!bytes_skip(&p.b, 2) || !bytes_u8(&p.b, &id_len) ||
		    !bytes_u8(&p.b, &auth_len) || !bytes_skip(&p.b, 9u + id_len + auth_len))
			return SKIP_NOT_TCP;
	}
	if (bytes_peek(&p.b, 0, &first) && first == 0 && !bytes_skip(&p.b, 8))
		return SKIP_NOT_TCP;
	if (!bytes_peek(&p.b, 0, &first) || first >> 4 != 6)
		return SKIP_NOT_TCP;
	decode_enter(d, TUNNEL_TEREDO);
	return decode_ipv6(d, p);
}

/* Version 2 data messages: length, sequence and offset fields are there if their flag is. */
static enum skip_reason decode_l2tp(struct decoder *d, struct packet p)
{
	uint16_t flags, offset;

	if (!bytes_be16(&p.b, &flags) || (flags & 0x800f) != 2 ||
	    ((flags & 0x4000) && !bytes_skip(&p.b, 2)) || !bytes_skip(&p.b, 4) ||
	    ((flags & 0x0800) && !bytes_skip(&p.b, 4)))
		return SKIP_NOT_TCP;
	if ((flags & 0x0200) && (!bytes_be16(&p.b, &offset) || !bytes_skip(&p.b, offset)))
		return SKIP_NOT_TCP;
	decode_enter(d, TUNNEL_L2TP);
	return decode_ppp(d, p);
}

static enum skip_reason decode_udp_mpls(struct decoder *d, struct packet p)
{
	decode_enter(d, TUNNEL_UDP_MPLS);
	return decode_mpls(d, p);
}

/* RFC 6830: eight bytes of flags, nonce and locators. */
static enum skip_reason decode_lisp(struct decoder *d, struct packet p)
{
	if (!bytes_skip(&p.b, 8))
		return SKIP_NOT_TCP;
	decode_enter(d, TUNNEL_LISP);
	return decode_ip(d, p);
}

/* Version 1, received, Ethernet; tags up to the end (1), of which padding (0) has no length. */
static enum skip_reason decode_tzsp(struct decoder *d, struct packet p)
{
	uint8_t version, type, tag, size;
	uint16_t encapsulated;

	if (!bytes_u8(&p.b, &version) || !bytes_u8(&p.b, &type) || !bytes_be16(&p.b, &encapsulated) ||
	    version != 1 || type != 0 || encapsulated != 1)
		return SKIP_NOT_TCP;
	for (tag = 0; tag != 1;) {
		if (!bytes_u8(&p.b, &tag))
			return SKIP_NOT_TCP;
		if (tag > 1 && (!bytes_u8(&p.b, &size) || !bytes_skip(&p.b, size)))
			return SKIP_NOT_TCP;
	}
	decode_enter(d, TUNNEL_TZSP);
	return decode_ethernet(d, p);
}

static const struct {
	uint16_t port;
	link_fn *decode;
} tunnels[] = {
	{ PORT_VXLAN, decode_vxlan },
	{ PORT_VXLAN_LINUX, decode_vxlan },
	{ PORT_VXLAN_GPE, decode_vxlan },
	{ PORT_GENEVE, decode_geneve },
	{ PORT_GTPU, decode_gtpu },
	{ PORT_TEREDO, decode_teredo },
	{ PORT_L2TP, decode_l2tp },
	{ PORT_UDP_MPLS, decode_udp_mpls },
	{ PORT_LISP, decode_lisp },
	{ PORT_TZSP, decode_tzsp },
};

enum skip_reason decode_udp(struct decoder *d, struct packet p)
{
	uint16_t from, to;

	if (!decode_deeper(d))
		return SKIP_TOO_DEEP;
	if (!bytes_be16(&p.b, &from) || !bytes_be16(&p.b, &to) || !bytes_skip(&p.b, 4))
		return SKIP_NOT_TCP;
	for (size_t i = 0; i < ARRAY_LEN(tunnels); i++)
		if (to == tunnels[i].port)
			return tunnels[i].decode(d, p);
	/* Teredo, L2TP and GTP-U answer from their port to any. */
	for (size_t i = 0; i < ARRAY_LEN(tunnels); i++)
		if (from == tunnels[i].port)
			return tunnels[i].decode(d, p);
	return SKIP_NOT_TCP;
}

const char *tunnel_name(enum tunnel t)
{
	static const char *const names[] = {
		[TUNNEL_NONE] = "",
		[TUNNEL_GRE] = "gre",
		[TUNNEL_ERSPAN] = "erspan",
		[TUNNEL_IPIP] = "ipip",
		[TUNNEL_6IN4] = "6in4",
		[TUNNEL_4IN6] = "4in6",
		[TUNNEL_6IN6] = "6in6",
		[TUNNEL_VXLAN] = "vxlan",
		[TUNNEL_GENEVE] = "geneve",
		[TUNNEL_GTPU] = "gtp-u",
		[TUNNEL_TEREDO] = "teredo",
		[TUNNEL_L2TP] = "l2tp",
		[TUNNEL_ETHERIP] = "etherip",
		[TUNNEL_UDP_MPLS] = "mpls-udp",
		[TUNNEL_LISP] = "lisp",
		[TUNNEL_TZSP] = "tzsp",
	};

	return names[t];
}

#include "util/attr.h"
#include "wire/decode.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* One frame for every link type and tunnel: what stands before the IP packet, in words and in bytes.
 * The packet itself is always the same FIN of 10.0.0.1:40000 to 10.0.0.2:80, in IPv4 or IPv6. */

enum { EN10MB = 1, MAX_FRAME = 512, IP_TCP = 6, IP_IPIP = 4, IP_6IN4 = 41, IP_GRE = 47,
       IP_ETHERIP = 97, IP_UDP = 17 };

#define ETHER "020000000002 020000000001 "

struct frame {
	uint8_t at[MAX_FRAME];
	size_t n;
};

static const struct row {
	const char *name;
	int dlt;
	const char *before;  /* the first IP header, hexadecimal */
	bool is_inet6;       /* the innermost packet */
	uint8_t proto;       /* of an outer IPv4 header; 0: the packet comes at once */
	uint16_t udp_port;   /* behind that, with IP_UDP */
	const char *within;  /* the tunnel's own headers */
	const char *tunnel;
	const char *behind;  /* the packet: padding, trailers */
} rows[] = {
	{ .name = "Ethernet", .dlt = EN10MB, .before = ETHER "0800" },
	{ .name = "Ethernet, padded to 60 bytes", .dlt = EN10MB,
	  .before = ETHER "0800", .behind = "000000000000" },
	{ .name = "Ethernet, IPv6", .dlt = EN10MB, .before = ETHER "86dd", .is_inet6 = true },
	{ .name = "VLAN 5", .dlt = EN10MB, .before = ETHER "8100 0005 0800" },
	{ .name = "QinQ", .dlt = EN10MB, .before = ETHER "88a8 0064 8100 0005 0800" },
	{ .name = "QinQ of old, three tags", .dlt = EN10MB,
	  .before = ETHER "9100 0064 8100 0005 8100 0006 86dd", .is_inet6 = true },
	{ .name = "VLAN, LLC with SNAP", .dlt = EN10MB,
	  .before = ETHER "8100 0005 0030 aaaa03 000000 0800" },
	{ .name = "MPLS, one label", .dlt = EN10MB, .before = ETHER "8847 00010140" },
	{ .name = "MPLS, two labels, IPv6", .dlt = EN10MB,
	  .before = ETHER "8847 00010040 00020140", .is_inet6 = true },
	{ .name = "MPLS pseudo-wire with control word", .dlt = EN10MB,
	  .before = ETHER "8847 00010140 00000000 " ETHER "0800" },
	{ .name = "PPPoE", .dlt = EN10MB, .before = ETHER "8864 11 00 0001 002a 0021" },
	{ .name = "PPPoE, IPv6 in a VLAN", .dlt = EN10MB,
	  .before = ETHER "8100 0005 8864 11 00 0001 003e 0057", .is_inet6 = true },
	{ .name = "cooked", .dlt = 113, .before = "0000 0001 0006 0200000000010000 0800" },
	{ .name = "cooked, second version", .dlt = 276,
	  .before = "0800 0000 00000003 0001 00 06 0200000000010000" },
	{ .name = "raw", .dlt = 12, .before = "" },
	{ .name = "raw of OpenBSD", .dlt = 14, .before = "", .is_inet6 = true },
	{ .name = "raw in a file", .dlt = 101, .before = "" },
	{ .name = "IPv4", .dlt = 228, .before = "" },
	{ .name = "IPv6", .dlt = 229, .before = "", .is_inet6 = true },
	{ .name = "IPv6 where IPv4 is promised", .dlt = 228, .before = "", .is_inet6 = true },
	{ .name = "null, written by a little-endian machine", .dlt = 0, .before = "02000000" },
	{ .name = "null, written by a big-endian one", .dlt = 0, .before = "00000002" },
	{ .name = "null, IPv6 of FreeBSD", .dlt = 0, .before = "1c000000", .is_inet6 = true },
	{ .name = "loop", .dlt = 108, .before = "00000002" },
	{ .name = "PPP", .dlt = 9, .before = "ff03 0021" },
	{ .name = "PPP without address and control", .dlt = 9, .before = "0021" },
	{ .name = "PPP with a short protocol", .dlt = 9, .before = "21" },
	{ .name = "PPP, IPv6", .dlt = 50, .before = "ff03 0057", .is_inet6 = true },
	{ .name = "PPP, Cisco's framing", .dlt = 50, .before = "0f00 0800" },
	{ .name = "PPP, MPLS", .dlt = 9, .before = "ff03 0281 00010140" },
	{ .name = "PPPoE without Ethernet", .dlt = 51, .before = "11 00 0001 002a 0021" },
	{ .name = "PPP of pppd", .dlt = 166, .before = "01 ff03 0021" },
	{ .name = "PPP with a direction", .dlt = 204, .before = "00 ff03 0021" },
	{ .name = "C-HDLC", .dlt = 104, .before = "0f00 0800" },
	{ .name = "C-HDLC with a direction", .dlt = 205,
	  .before = "01 0f00 86dd", .is_inet6 = true },
	{ .name = "Frame Relay", .dlt = 107, .before = "1841 03 cc" },
	{ .name = "Frame Relay, SNAP", .dlt = 107, .before = "1841 03 00 80 000000 0800" },
	{ .name = "Frame Relay with a direction", .dlt = 206,
	  .before = "00 1841 03 8e", .is_inet6 = true },
	{ .name = "RFC 1483", .dlt = 100, .before = "aaaa03 000000 0800" },
	{ .name = "RFC 1483, bridged Ethernet", .dlt = 11,
	  .before = "aaaa03 0080c2 0007 0000 " ETHER "0800" },
	{ .name = "802.11, data to the access point", .dlt = 105,
	  .before = "0801 0000 020000000002 020000000001 020000000003 0000 "
	  "aaaa03 000000 0800" },
	{ .name = "802.11, QoS", .dlt = 105,
	  .before = "8802 0000 020000000002 020000000001 020000000003 0000 0000 "
	  "aaaa03 000000 0800" },
	{ .name = "802.11, four addresses", .dlt = 105,
	  .before = "0803 0000 020000000002 020000000001 020000000003 0000 "
	  "020000000004 aaaa03 000000 86dd", .is_inet6 = true },
	{ .name = "radiotap", .dlt = 127,
	  .before = "00 00 0800 00000000 0801 0000 020000000002 020000000001 020000000003 0000 "
	  "aaaa03 000000 0800" },
	{ .name = "radiotap, header padded to four bytes", .dlt = 127,
	  .before = "00 00 0900 02000000 20 "
	  "8802 0000 020000000002 020000000001 020000000003 0000 0000 0000 aaaa03 000000 0800" },
	{ .name = "radiotap, clock and flags", .dlt = 127,
	  .before = "00 00 1100 03000000 0102030405060708 00 "
	  "0801 0000 020000000002 020000000001 020000000003 0000 aaaa03 000000 0800" },
	{ .name = "AVS", .dlt = 163, .before = "80211001 00000010 0000000000000000 "
	  "0801 0000 020000000002 020000000001 020000000003 0000 aaaa03 000000 0800" },
	{ .name = "PPI", .dlt = 192, .before = "00 00 0800 01000000 " ETHER "0800" },
	{ .name = "PF log", .dlt = 117, .before = "09 0200 000000000000 000000" },
	{ .name = "NFLOG", .dlt = 239, .before = "02 00 0000 0800 0100 08000000 2c00 0900" },
	{ .name = "NFLOG of a big-endian machine", .dlt = 239,
	  .before = "02 00 0000 0008 0001 00000008 002c 0009" },
	{ .name = "MPLS alone", .dlt = 219, .before = "00010140" },
	{ .name = "IP over Infiniband", .dlt = 242,
	  .before = "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
	  "00000000 00000000 0800 0000" },
	{ .name = "FDDI", .dlt = 10, .before = "50 020000000002 020000000001 aaaa03 000000 0800" },
	{ .name = "token ring", .dlt = 6, .before = "10 40 020000000002 020000000001 aaaa03 000000 86dd",
	  .is_inet6 = true },
	{ .name = "token ring with a route", .dlt = 6,
	  .before = "10 40 020000000002 820000000001 0630 0011 0020 aaaa03 000000 0800" },
	{ .name = "IP over Fibre Channel", .dlt = 122,
	  .before = "0000 020000000002 0000 020000000001 aaaa03 000000 0800" },
	{ .name = "SunATM", .dlt = 123, .before = "82 00 0064 aaaa03 000000 0800" },
	{ .name = "OpenBSD's enc", .dlt = 109, .before = "02000000 34120000 00000000" },
	{ .name = "Solaris' ipnet", .dlt = 226, .before = "01 1a 0000 00000044 00000001 00000000 00000000 00000000",
	  .is_inet6 = true },
	{ .name = "IP over FireWire", .dlt = 138, .before = "0200000000000002 0200000000000001 0800" },
	{ .name = "Ethernet mPackets", .dlt = 274, .before = "55555555555555 d5 " ETHER "0800" },
	{ .name = "PKTAP of macOS", .dlt = 258, .before = "10000000 01000000 01000000 00000000 " ETHER "0800" },
	{ .name = "ERF", .dlt = 197, .before = "0000000000000000 02 04 0054 0000 0042 0000 " ETHER "0800" },
	{ .name = "ERF with an extension header", .dlt = 197,
	  .before = "0000000000000000 82 04 0054 0000 0042 0300000000000000 0000 " ETHER "0800" },
	{ .name = "ARCNET, RFC 1201", .dlt = 7, .before = "01 02 d4 00 0001" },
	{ .name = "ARCNET of Linux, RFC 1051", .dlt = 129, .before = "01 02 0000 f0" },
	{ .name = "AX.25 in KISS", .dlt = 202, .before = "00 82828282828260 84848484848461 03 cc" },
	{ .name = "provider backbone bridge", .dlt = EN10MB, .before = ETHER "88e7 00001234 " ETHER "0800" },
	{ .name = "Cisco metadata", .dlt = EN10MB, .before = ETHER "8909 01 01 0001 0005 0800" },
	{ .name = "NSH", .dlt = EN10MB, .before = ETHER "894f 0fc2 02 01 000123ff" },
	{ .name = "NSH with Ethernet and contexts", .dlt = EN10MB, .before = ETHER "894f 0fc6 01 03 000123ff "
	  "00000000 00000000 00000000 00000000 " ETHER "86dd", .is_inet6 = true },
	{ .name = "LISP", .dlt = EN10MB, .before = ETHER "0800", .proto = IP_UDP, .udp_port = 4341,
	  .within = "80000001 00000001", .is_inet6 = true, .tunnel = "lisp" },
	{ .name = "TZSP", .dlt = EN10MB, .before = ETHER "0800", .proto = IP_UDP, .udp_port = 37008,
	  .within = "01 00 0001 00 0a 01 c8 01 " ETHER "0800", .tunnel = "tzsp" },
	{ .name = "WCCP", .dlt = EN10MB, .before = ETHER "0800", .proto = IP_GRE,
	  .within = "0000 883e 00000000", .tunnel = "gre" },
	{ .name = "EoIP", .dlt = EN10MB, .before = ETHER "0800", .proto = IP_GRE,
	  .within = "2001 6400 00360019 " ETHER "0800", .tunnel = "gre" },
	{ .name = "Aruba", .dlt = EN10MB, .before = ETHER "0800", .proto = IP_GRE,
	  .within = "0000 8200 0801 0000 020000000002 020000000001 020000000003 0000 aaaa03 000000 0800",
	  .tunnel = "gre" },
	{ .name = "GRE", .dlt = EN10MB,
	  .before = ETHER "0800", .proto = IP_GRE, .within = "0000 0800", .tunnel = "gre" },
	{ .name = "GRE with checksum, key and number", .dlt = EN10MB,
	  .before = ETHER "0800", .proto = IP_GRE,
	  .within = "b000 86dd 12340000 00000005 00000001", .is_inet6 = true, .tunnel = "gre" },
	{ .name = "GRE with Ethernet", .dlt = EN10MB,
	  .before = ETHER "0800", .proto = IP_GRE, .within = "0000 6558 " ETHER "0800",
	  .tunnel = "gre" },
	{ .name = "PPTP", .dlt = 101,
	  .before = "", .proto = IP_GRE, .within = "3081 880b 002c0001 00000001 00000001 ff03 0021",
	  .tunnel = "gre" },
	{ .name = "ERSPAN, type II", .dlt = EN10MB, .before = ETHER "0800", .proto = IP_GRE,
	  .within = "1000 88be 00000001 1000000000000000 " ETHER "0800", .tunnel = "gre/erspan" },
	{ .name = "ERSPAN, type III", .dlt = EN10MB, .before = ETHER "0800", .proto = IP_GRE,
	  .within = "1000 22eb 00000001 200000000000000000000000 " ETHER "0800", .tunnel = "gre/erspan" },
	{ .name = "IPIP", .dlt = EN10MB,
	  .before = ETHER "0800", .proto = IP_IPIP, .within = "", .tunnel = "ipip" },
	{ .name = "6in4", .dlt = EN10MB,
	  .before = ETHER "0800", .proto = IP_6IN4, .within = "", .is_inet6 = true, .tunnel = "6in4" },
	{ .name = "EtherIP", .dlt = EN10MB,
	  .before = ETHER "0800", .proto = IP_ETHERIP, .within = "3000 " ETHER "0800",
	  .tunnel = "etherip" },
	{ .name = "VXLAN", .dlt = EN10MB, .before = ETHER "0800", .proto = IP_UDP, .udp_port = 4789,
	  .within = "08000000 00002a00 " ETHER "0800", .tunnel = "vxlan" },
	{ .name = "VXLAN on Linux's old port, a VLAN in it", .dlt = EN10MB,
	  .before = ETHER "0800", .proto = IP_UDP, .udp_port = 8472,
	  .within = "08000000 00002a00 " ETHER "8100 0005 0800", .tunnel = "vxlan" },
	{ .name = "VXLAN-GPE", .dlt = EN10MB,
	  .before = ETHER "0800", .proto = IP_UDP, .udp_port = 4790,
	  .within = "0c000002 00002a00", .is_inet6 = true, .tunnel = "vxlan" },
	{ .name = "GENEVE with an option", .dlt = EN10MB,
	  .before = ETHER "0800", .proto = IP_UDP, .udp_port = 6081,
	  .within = "02 00 6558 00002a00 0102800100000000 " ETHER "0800", .tunnel = "geneve" },
	{ .name = "GTP-U", .dlt = EN10MB, .before = ETHER "0800", .proto = IP_UDP, .udp_port = 2152,
	  .within = "30 ff 0028 00000001", .tunnel = "gtp-u" },
	{ .name = "GTP-U with an extension header", .dlt = EN10MB,
	  .before = ETHER "0800", .proto = IP_UDP, .udp_port = 2152,
	  .within = "34 ff 0030 00000001 0000 00 85 01 1000 00", .tunnel = "gtp-u" },
	{ .name = "Teredo", .dlt = EN10MB,
	  .before = ETHER "0800", .proto = IP_UDP, .udp_port = 3544, .within = "",
	  .is_inet6 = true, .tunnel = "teredo" },
	{ .name = "L2TP", .dlt = EN10MB, .before = ETHER "0800", .proto = IP_UDP, .udp_port = 1701,
	  .within = "0002 0001 0001 ff03 0021", .tunnel = "l2tp" },
	{ .name = "MPLS in UDP", .dlt = EN10MB,
	  .before = ETHER "0800", .proto = IP_UDP, .udp_port = 6635, .within = "00010140",
	  .tunnel = "mpls-udp" },
};

static void add(struct frame *f, const void *bytes, size_t n)
{
	assert_true(f->n + n <= MAX_FRAME);
	memcpy(f->at + f->n, bytes, n);
	f->n += n;
}

static void add_hex(struct frame *f, const char *hex)
{
	unsigned byte;

	for (; hex && *hex; hex += *hex == ' ' ? 1 : 2) {
		if (*hex == ' ')
			continue;
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		add(f, &(uint8_t){ (uint8_t)byte }, 1);
	}
}

static void add_ipv4(struct frame *f, uint8_t proto, size_t payload)
{
	uint8_t header[20] = { 0x45, [8] = 64, [9] = proto, [12] = 10, 0, 0, 1, 10, 0, 0, 2 };
	size_t n = sizeof(header) + payload;

	header[2] = (uint8_t)(n >> 8);
	header[3] = (uint8_t)n;
	add(f, header, sizeof(header));
}

/* 40000 > 80, FIN and ACK, numbers 1101 and 500301. */
static void add_fin(struct frame *f, bool is_inet6)
{
	const uint8_t tcp[20] = { 0x9c, 0x40, 0, 80, 0, 0, 0x04, 0x4d, 0, 0x07, 0xa2, 0x4d, 0x50, 0x11,
				  0xfa, 0xf0 };
	const uint8_t ipv6[40] = { 0x60, [5] = sizeof(tcp), IP_TCP, 64, [8] = 0xfd, [23] = 1,
				   [24] = 0xfd, [39] = 2 };

	if (is_inet6)
		add(f, ipv6, sizeof(ipv6));
	else
		add_ipv4(f, IP_TCP, sizeof(tcp));
	add(f, tcp, sizeof(tcp));
}

static void add_udp(struct frame *f, uint16_t port, size_t payload)
{
	size_t n = payload + 8;

	add(f, (uint8_t[]){ 0xc0, 0, (uint8_t)(port >> 8), (uint8_t)port, (uint8_t)(n >> 8), (uint8_t)n,
			    0, 0 }, 8);
}

static void build(const struct row *r, struct frame *ret)
{
	struct frame within = { 0 };

	*ret = (struct frame){ 0 };
	add_hex(&within, r->within);
	add_fin(&within, r->is_inet6);
	add_hex(ret, r->before);
	if (r->proto)
		add_ipv4(ret, r->proto, within.n + (r->proto == IP_UDP ? 8 : 0));
	if (r->proto == IP_UDP)
		add_udp(ret, r->udp_port, within.n);
	add(ret, within.at, within.n);
	add_hex(ret, r->behind);
}

static const char *innermost(const char *stack)
{
	const char *slash = strrchr(stack, '/');

	return slash ? slash + 1 : stack;
}

/* Over what an earlier frame left behind, as a batch is used again and again. */
static bool decode(const struct row *r, struct frame *f, size_t captured, struct segment *ret)
{
	const struct link_type *link = link_find(r->dlt);
	struct decoder d = { 0 };

	assert_non_null(link);
	memset(ret, 0xa5, sizeof(*ret));
	ret->is_inet6 = ret->df = ret->has_ts = ret->has_options = ret->is_header_cut = false;
	return decode_frame(&d, link, (struct bytes){ f->at, captured }, (uint32_t)f->n, ret);
}

static void finds_the_fin(void **state)
{
	const struct row *r = *state;
	struct segment s;
	struct frame f;

	build(r, &f);
	assert_true(decode(r, &f, f.n, &s));
	assert_int_equal(s.port[0], 40000);
	assert_int_equal(s.port[1], 80);
	assert_int_equal(s.flags, TCP_FIN | TCP_ACK);
	assert_int_equal(s.seq, 1101);
	assert_int_equal(s.ack, 500301);
	assert_int_equal(s.len, 0);
	assert_int_equal(s.ts_val, 0);
	assert_int_equal(s.is_inet6, r->is_inet6);
	assert_int_equal(!!s.tunnel, !!r->tunnel);
	if (r->tunnel)
		assert_string_equal(tunnel_name(s.tunnel & 15), innermost(r->tunnel));
}

/* Cut anywhere before the flags it is no segment; the last byte is never read beyond. */
static void cut_short(void **state)
{
	const struct row *r = *state;
	struct segment s;
	struct frame f;

	build(r, &f);
	size_t padding = r->behind ? strlen(r->behind) / 2 : 0;
	for (size_t n = 0; n < f.n; n++) {
		struct frame *cut = malloc(sizeof(*cut));

		assert_non_null(cut);
		*cut = f;
		assert_int_equal(decode(r, cut, n, &s), n + padding + 6 >= f.n);
		free(cut);
	}
}

int main(void)
{
	struct CMUnitTest tests[2 * ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		tests[2 * i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = finds_the_fin,
						    .initial_state = (void *)&rows[i] };
		tests[2 * i + 1] = (struct CMUnitTest){ .name = rows[i].name, .test_func = cut_short,
							.initial_state = (void *)&rows[i] };
	}
	return _cmocka_run_group_tests("wire-link", tests, ARRAY_LEN(tests), NULL, NULL);
}

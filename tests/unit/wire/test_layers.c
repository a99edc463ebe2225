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

/* What the layers say of packets that hold no segment, and of headers that few packets have: one table,
 * each row a frame in words and in bytes, and what it comes to. IP lengths are 0, as before segmentation
 * offload filled them in: then the frame ends the packet. */

enum { ETHERNET = 1, RAW = 12, FRELAY = 107, WIFI = 105, RADIOTAP = 127, NFLOG = 239, PPI = 192, ERF = 197,
       AX25 = 202, PKTAP = 258, PPP = 9, MAX_FRAME = 4096 };

#define MACS "020000000002 020000000001 "
#define IP4(proto) "45 00 0000 0000 0000 40 " proto " 0000 0a000001 0a000002 "
#define IP6(next) "60000000 0000 " next " 40 fd000000000000000000000000000001 fd000000000000000000000000000002 "
#define TCP "9c40 0050 0000044d 0007a24d 50 11 faf0 0000 0000 "
#define UDP(from, to) from " " to " 0000 0000 "
#define FIN IP4("06") TCP
#define FIN6 IP6("06") TCP
#define SNAP "aaaa03 000000 0800 "
#define ADDRESSES "020000000002 020000000001 020000000003 0000 "

static const struct row {
	const char *name;
	int dlt;
	const char *hex;
	enum skip_reason reason; /* SKIP_NONE: the FIN is found, cut anywhere before its flags it is not */
	const char *tunnel;      /* the innermost */
	uint32_t ts_val;         /* with it, has_ts */
	bool is_inet6, has_options;
} rows[] = {
	/* IP */
	{ .name = "authenticated IPv4", .dlt = RAW,
	  .hex = IP4("33") "06 04 0000 00000001 00000001 000000000000000000000000 " TCP },
	{ .name = "authenticated IPv6", .dlt = RAW,
	  .hex = IP6("33") "06 04 0000 00000001 00000001 000000000000000000000000 " TCP, .is_inet6 = true },
	{ .name = "MPLS in IPv4", .dlt = RAW, .hex = IP4("89") "00010140 " FIN },
	{ .name = "IPv4 in IPv6", .dlt = RAW, .hex = IP6("04") FIN, .tunnel = "4in6" },
	{ .name = "IPv6 in IPv6", .dlt = RAW, .hex = IP6("29") FIN6, .tunnel = "6in6", .is_inet6 = true },
	{ .name = "every extension header", .dlt = RAW,
	  .hex = IP6("00") "2b 00 000000000000 3c 01 000000000000 0000000000000000 87 00 000000000000 "
	  "8c 00 000000000000 2c 00 000000000000 06 00 0001 00000001 " TCP, .is_inet6 = true },
	{ .name = "IPv4 options", .dlt = RAW,
	  .hex = "46 00 0000 0000 0000 40 06 0000 0a000001 0a000002 01010100 " TCP },
	{ .name = "the second fragment of IPv4", .dlt = RAW,
	  .hex = "45 00 0000 0001 00b9 40 06 0000 0a000001 0a000002 " TCP, .reason = SKIP_FRAGMENT },
	{ .name = "the second fragment of IPv6", .dlt = RAW,
	  .hex = IP6("2c") "06 00 05a8 00000001 " TCP, .reason = SKIP_FRAGMENT },
	{ .name = "ESP", .dlt = RAW, .hex = IP4("32") "00000001 00000001 ", .reason = SKIP_ENCRYPTED },
	{ .name = "ICMP", .dlt = RAW, .hex = IP4("01") "0800 0000 ", .reason = SKIP_NOT_TCP },
	{ .name = "IPv6 without a next header", .dlt = RAW, .hex = IP6("3b"), .reason = SKIP_NOT_TCP },
	{ .name = "IPv4 header of four words", .dlt = RAW,
	  .hex = "44 00 0000 0000 0000 40 06 0000 0a000001 0a000002 " TCP, .reason = SKIP_BAD_IP },
	{ .name = "IPv4 shorter than its header", .dlt = RAW,
	  .hex = "46 00 0014 0000 0000 40 06 0000 0a000001 0a000002 01010100 " TCP, .reason = SKIP_BAD_IP },
	{ .name = "version 5", .dlt = RAW, .hex = "55 00 0000 ", .reason = SKIP_NOT_IP },
	{ .name = "IPv4 that is none", .dlt = ETHERNET, .hex = MACS "0800 " FIN6, .reason = SKIP_BAD_IP },
	{ .name = "IPv6 that is none", .dlt = ETHERNET,
	  .hex = MACS "86dd " IP4("06") TCP "0000000000000000 ", .reason = SKIP_BAD_IP },
	/* TCP */
	{ .name = "header of four words", .dlt = RAW,
	  .hex = IP4("06") "9c40 0050 0000044d 0007a24d 40 11 faf0 0000 0000 ", .reason = SKIP_BAD_TCP },
	{ .name = "header longer than the packet", .dlt = RAW,
	  .hex = IP4("06") "9c40 0050 0000044d 0007a24d 60 11 faf0 0000 0000 ", .reason = SKIP_BAD_TCP },
	{ .name = "timestamps where Linux puts them", .dlt = RAW,
	  .hex = IP4("06") "9c40 0050 0000044d 0007a24d 80 11 faf0 0000 0000 0101080a 00000007 00000008 ",
	  .ts_val = 7, .has_options = true },
	{ .name = "timestamps behind a segment size", .dlt = RAW,
	  .hex = IP4("06") "9c40 0050 0000044d 0007a24d 90 11 faf0 0000 0000 020405b4 080a 00000009 00000008 01 00 ",
	  .ts_val = 9, .has_options = true },
	{ .name = "twelve bytes of other options", .dlt = RAW,
	  .hex = IP4("06") "9c40 0050 0000044d 0007a24d 80 11 faf0 0000 0000 020405b4 01010402 01030307 ",
	  .has_options = true },
	{ .name = "timestamps of a wrong size", .dlt = RAW,
	  .hex = IP4("06") "9c40 0050 0000044d 0007a24d 70 11 faf0 0000 0000 0806 00000009 0101 ",
	  .has_options = true },
	{ .name = "an option shorter than its head", .dlt = RAW,
	  .hex = IP4("06") "9c40 0050 0000044d 0007a24d 90 11 faf0 0000 0000 0501 080a 00000009 00000008 0101 0000 ",
	  .has_options = true },
	{ .name = "an option beyond the header", .dlt = RAW,
	  .hex = IP4("06") "9c40 0050 0000044d 0007a24d 60 11 faf0 0000 0000 0103 0508 ", .has_options = true },
	{ .name = "an option without a size", .dlt = RAW,
	  .hex = IP4("06") "9c40 0050 0000044d 0007a24d 60 11 faf0 0000 0000 0101 0105 ", .has_options = true },
	/* GRE */
	{ .name = "ERSPAN, type I", .dlt = RAW, .hex = IP4("2f") "0000 88be " MACS "0800 " FIN, .tunnel = "erspan" },
	{ .name = "ERSPAN, type III with its last words", .dlt = RAW,
	  .hex = IP4("2f") "1000 22eb 00000001 2000000000000000 00000001 0000000000000000 " MACS "0800 " FIN,
	  .tunnel = "erspan" },
	{ .name = "WCCP, first version", .dlt = RAW, .hex = IP4("2f") "0000 883e " FIN, .tunnel = "gre" },
	{ .name = "GRE with a route", .dlt = RAW, .hex = IP4("2f") "4000 0800 00000000 " FIN, .tunnel = "gre" },
	{ .name = "PPTP without an acknowledgement", .dlt = RAW,
	  .hex = IP4("2f") "2001 880b 00000001 ff03 0021 " FIN, .tunnel = "gre" },
	/* UDP */
	{ .name = "DNS", .dlt = RAW, .hex = IP4("11") UDP("c000", "0035") FIN, .reason = SKIP_NOT_TCP },
	{ .name = "GTP-U from its port", .dlt = RAW,
	  .hex = IP4("11") UDP("0868", "c000") "30 ff 0028 00000001 " FIN, .tunnel = "gtp-u" },
	{ .name = "VXLAN without a network", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "12b5") "00000000 00002a00 " MACS "0800 " FIN, .reason = SKIP_NOT_TCP },
	{ .name = "VXLAN-GPE, IPv4", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "12b6") "0c000001 00002a00 " FIN, .tunnel = "vxlan" },
	{ .name = "VXLAN-GPE, Ethernet", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "12b6") "0c000003 00002a00 " MACS "0800 " FIN, .tunnel = "vxlan" },
	{ .name = "VXLAN-GPE, NSH", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "12b6") "0c000004 00002a00 " FIN, .reason = SKIP_NOT_TCP },
	{ .name = "GENEVE with IPv4 at once", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "17c1") "00 00 0800 00002a00 " FIN, .tunnel = "geneve" },
	{ .name = "GENEVE of another version", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "17c1") "40 00 0800 00002a00 " FIN, .reason = SKIP_NOT_TCP },
	{ .name = "GTP-U, an echo", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "0868") "30 01 0028 00000001 " FIN, .reason = SKIP_NOT_TCP },
	{ .name = "GTP of charging", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "0868") "20 ff 0028 00000001 " FIN, .reason = SKIP_NOT_TCP },
	{ .name = "GTP-U with a number and no extension", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "0868") "32 ff 002c 00000001 0001 00 00 " FIN, .tunnel = "gtp-u" },
	{ .name = "GTP-U, an extension of no words", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "0868") "34 ff 0030 00000001 0000 00 85 00 1000 00 " FIN,
	  .reason = SKIP_NOT_TCP },
	{ .name = "Teredo, authenticated", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "0dd8") "0001 02 03 aabb ccddee 0000000000000000 00 " FIN6,
	  .tunnel = "teredo", .is_inet6 = true },
	{ .name = "Teredo with an origin", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "0dd8") "0000 63bf f5fffffd " FIN6, .tunnel = "teredo", .is_inet6 = true },
	{ .name = "Teredo that is none", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "0dd8") FIN, .reason = SKIP_NOT_TCP },
	{ .name = "L2TP with length, numbers and offset", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "06a5") "4a02 0046 0001 0001 0000 0000 0002 0000 ff03 0021 " FIN,
	  .tunnel = "l2tp" },
	{ .name = "L2TP, a control message", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "06a5") "c802 000c 0001 0001 0000 0000 ", .reason = SKIP_NOT_TCP },
	{ .name = "L2TP of the third version", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "06a5") "0003 0001 0001 ff03 0021 " FIN, .reason = SKIP_NOT_TCP },
	{ .name = "TZSP, padded", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "9090") "01 00 0001 00 0a 01 c8 00 01 " MACS "0800 " FIN, .tunnel = "tzsp" },
	{ .name = "TZSP of another version", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "9090") "02 00 0001 01 " MACS "0800 " FIN, .reason = SKIP_NOT_TCP },
	{ .name = "TZSP, a keepalive", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "9090") "01 04 0001 01 " MACS "0800 " FIN, .reason = SKIP_NOT_TCP },
	{ .name = "TZSP of token ring", .dlt = RAW,
	  .hex = IP4("11") UDP("c000", "9090") "01 00 0002 01 " MACS "0800 " FIN, .reason = SKIP_NOT_TCP },
	/* IEEE 802.11 */
	{ .name = "802.11, QoS and HT control", .dlt = WIFI,
	  .hex = "8882 0000 " ADDRESSES "0000 00000000 " SNAP FIN },
	{ .name = "802.11, a beacon", .dlt = WIFI, .hex = "8000 0000 " ADDRESSES SNAP FIN, .reason = SKIP_NOT_IP },
	{ .name = "802.11, no data", .dlt = WIFI, .hex = "4801 0000 " ADDRESSES SNAP FIN, .reason = SKIP_NOT_IP },
	{ .name = "802.11, protected", .dlt = WIFI, .hex = "0841 0000 " ADDRESSES SNAP FIN,
	  .reason = SKIP_ENCRYPTED },
	{ .name = "802.11, an aggregate", .dlt = WIFI, .hex = "8802 0000 " ADDRESSES "8000 " SNAP FIN,
	  .reason = SKIP_NOT_IP },
	{ .name = "radiotap with three words of presence", .dlt = RADIOTAP,
	  .hex = "00 00 1900 030000a0 00000080 00000000 0102030405060708 00 0801 0000 " ADDRESSES SNAP FIN },
	{ .name = "radiotap that ends before its flags", .dlt = RADIOTAP,
	  .hex = "00 00 0800 02000000 0801 0000 " ADDRESSES SNAP FIN, .reason = SKIP_SHORT_LINK },
	{ .name = "radiotap that ends before its clock", .dlt = RADIOTAP,
	  .hex = "00 00 0c00 01000000 00000000 0801 0000 " ADDRESSES SNAP FIN, .reason = SKIP_SHORT_LINK },
	{ .name = "radiotap that ends in its presence", .dlt = RADIOTAP,
	  .hex = "00 00 0800 01000080 0801 0000 " ADDRESSES SNAP FIN, .reason = SKIP_SHORT_LINK },
	{ .name = "radiotap shorter than its head", .dlt = RADIOTAP,
	  .hex = "00 00 0600 00000000 0801 0000 " ADDRESSES SNAP FIN, .reason = SKIP_SHORT_LINK },
	/* LLC, and what else stands in front of it */
	{ .name = "IP as IEEE 802.2 names it", .dlt = ETHERNET, .hex = MACS "002b 060603 " FIN },
	{ .name = "OSI's number for IPv4", .dlt = ETHERNET, .hex = MACS "002c fefe03 cc " FIN },
	{ .name = "OSI's number for IPv6", .dlt = ETHERNET, .hex = MACS "0040 fefe03 8e " FIN6, .is_inet6 = true },
	{ .name = "IS-IS", .dlt = ETHERNET, .hex = MACS "002c fefe03 83 " FIN, .reason = SKIP_NOT_IP },
	{ .name = "spanning tree", .dlt = ETHERNET, .hex = MACS "0026 424203 0000000000 ", .reason = SKIP_NOT_IP },
	{ .name = "SNAP with a length for a type", .dlt = ETHERNET, .hex = MACS "0030 aaaa03 000000 0400 " FIN,
	  .reason = SKIP_NOT_IP },
	{ .name = "bridged Ethernet with its checksum", .dlt = 100,
	  .hex = "aaaa03 0080c2 0001 0000 " MACS "0800 " FIN },
	{ .name = "bridged token ring", .dlt = 100, .hex = "aaaa03 0080c2 0003 0000 " MACS "0800 " FIN,
	  .reason = SKIP_NOT_IP },
	{ .name = "NSH with MPLS", .dlt = ETHERNET, .hex = MACS "894f 0fc2 02 05 000123ff 00010140 " FIN },
	{ .name = "NSH with IPv6", .dlt = ETHERNET, .hex = MACS "894f 0fc2 02 02 000123ff " FIN6, .is_inet6 = true },
	{ .name = "NSH with an experiment", .dlt = ETHERNET, .hex = MACS "894f 0fc2 02 fe 000123ff " FIN,
	  .reason = SKIP_NOT_IP },
	{ .name = "NSH of one word", .dlt = ETHERNET, .hex = MACS "894f 0fc1 01 01 000123ff " FIN,
	  .reason = SKIP_SHORT_LINK },
	{ .name = "ARP", .dlt = ETHERNET, .hex = MACS "0806 0001 0800 06 04 0001 ", .reason = SKIP_NOT_IP },
	{ .name = "PPPoE, of the session's making", .dlt = ETHERNET, .hex = MACS "8864 11 09 0001 002a 0021 " FIN,
	  .reason = SKIP_NOT_IP },
	{ .name = "PPP, negotiating", .dlt = PPP, .hex = "ff03 c021 01010004 ", .reason = SKIP_NOT_IP },
	{ .name = "C-HDLC, to all", .dlt = PPP, .hex = "8f00 0800 " FIN },
	{ .name = "Frame Relay, an address of five bytes", .dlt = FRELAY, .hex = "18 40 40 40 41 03 cc " FIN,
	  .reason = SKIP_SHORT_LINK },
	{ .name = "Frame Relay, numbered", .dlt = FRELAY, .hex = "1841 00 cc " FIN, .reason = SKIP_NOT_IP },
	{ .name = "Frame Relay, of the line's state", .dlt = FRELAY, .hex = "0001 03 08 00750100 ",
	  .reason = SKIP_NOT_IP },
	{ .name = "NFLOG, padded behind the packet", .dlt = NFLOG,
	  .hex = "02 00 0000 2c00 0900 " FIN "00000000 " },
	{ .name = "NFLOG, an attribute shorter than its head", .dlt = NFLOG, .hex = "02 00 0000 0300 0100 00000000 ",
	  .reason = SKIP_SHORT_LINK },
	{ .name = "PPI of an unknown type", .dlt = PPI, .hex = "00 00 0800 0f270000 " FIN,
	  .reason = SKIP_LINK_TYPE },
	{ .name = "PPI of a type beyond all numbers", .dlt = PPI, .hex = "00 00 0800 00000100 " FIN,
	  .reason = SKIP_LINK_TYPE },
	{ .name = "PPI shorter than its head", .dlt = PPI, .hex = "00 00 0700 01000000 " FIN,
	  .reason = SKIP_SHORT_LINK },
	{ .name = "ERF, coloured Ethernet", .dlt = ERF,
	  .hex = "0000000000000000 0b 04 0054 0000 0042 0000 " MACS "0800 " FIN },
	{ .name = "ERF, Ethernet of a classifier", .dlt = ERF,
	  .hex = "0000000000000000 10 04 0054 0000 0042 0000 " MACS "0800 " FIN },
	{ .name = "ERF, a cell", .dlt = ERF, .hex = "0000000000000000 03 04 0054 0000 0042 0000 " MACS "0800 " FIN,
	  .reason = SKIP_NOT_IP },
	{ .name = "AX.25 over more stations than it allows", .dlt = AX25,
	  .hex = "00 82828282828260 84848484848460 82828282828260 84848484848460 82828282828260 84848484848460 "
	  "82828282828260 84848484848460 82828282828260 84848484848460 82828282828260 03 cc " FIN,
	  .reason = SKIP_NOT_IP },
};

struct frame {
	uint8_t at[MAX_FRAME];
	size_t n;
};

static void add_hex(struct frame *f, const char *hex)
{
	unsigned byte;

	for (; *hex; hex += *hex == ' ' ? 1 : 2) {
		if (*hex == ' ')
			continue;
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		assert_true(f->n < MAX_FRAME);
		f->at[f->n++] = (uint8_t)byte;
	}
}

/* What it comes to. The frame lies at the end of an allocation of its own. */
static enum skip_reason decode(int dlt, const struct frame *f, size_t captured, struct segment *ret)
{
	struct decoder d = { 0 };
	uint8_t *copy = malloc(captured + 1);
	enum skip_reason reason = SKIP_NONE;

	assert_non_null(copy);
	memcpy(copy + 1, f->at, captured);
	*ret = (struct segment){ 0 };
	bool found = decode_frame(&d, link_find(dlt), (struct bytes){ copy + 1, captured }, (uint32_t)f->n, ret);
	free(copy);
	for (enum skip_reason r = SKIP_NONE + 1; r < N_SKIPS; r++)
		if (d.skips[r])
			reason = r;
	assert_int_equal(found, reason == SKIP_NONE);
	return reason;
}

static void comes_to(void **state)
{
	const struct row *r = *state;
	struct frame f = { .n = 0 };
	struct segment s;

	add_hex(&f, r->hex);
	assert_string_equal(skip_reason_name(decode(r->dlt, &f, f.n, &s)), skip_reason_name(r->reason));
	if (r->reason != SKIP_NONE)
		return;
	assert_int_equal(s.port[0], 40000);
	assert_int_equal(s.seq, 1101);
	assert_int_equal(s.flags, TCP_FIN | TCP_ACK);
	assert_int_equal(s.is_inet6, r->is_inet6);
	assert_int_equal(s.has_options, r->has_options);
	assert_int_equal(s.has_ts, r->ts_val != 0);
	assert_int_equal(s.ts_val, r->ts_val);
	assert_string_equal(tunnel_name(s.tunnel & 15), r->tunnel ? r->tunnel : "");
}

/* From some length on the segment is found; before that it is not, and never another one. */
static void cut_short(void **state)
{
	const struct row *r = *state;
	struct frame f = { .n = 0 };
	bool was_found = false;
	struct segment s;

	add_hex(&f, r->hex);
	for (size_t n = 0; n < f.n; n++) {
		bool found = decode(r->dlt, &f, n, &s) == SKIP_NONE;

		assert_false(found && r->reason != SKIP_NONE);
		assert_false(was_found && !found);
		if (found)
			assert_int_equal(s.seq, 1101);
		was_found = found;
	}
}

/* Headers within headers, more than any packet has: whatever layer counts last, it ends there. */
static void too_deep(void **state)
{
	static const char *const nests[] = {
		IP4("04"),
		IP6("29"),
		IP6("3c") "29 00 000000000000 ",
		IP4("2f") "0000 0800 ",
		IP4("2f") "0000 6558 " MACS "0800 ",
		IP4("2f") "0000 8847 00000040 00010140 ",
		IP4("2f") "0000 8200 0801 0000 " ADDRESSES SNAP,
		IP4("11") UDP("c000", "10f5") "80000001 00000001 ",
		IP4("11") UDP("c000", "0868") "34 ff 0030 00000001 0000 00 85 01 1000 00 ",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nests); i++) {
		for (unsigned first = 0; first < 8; first++) {
			struct frame f = { .n = 0 };
			struct segment s;

			add_hex(&f, MACS);
			for (unsigned k = 0; k < first; k++)
				add_hex(&f, "8100 0001 ");
			add_hex(&f, nests[i][0] == '6' ? "86dd " : "0800 ");
			for (unsigned k = 0; k < 33; k++)
				add_hex(&f, nests[i]);
			add_hex(&f, FIN);
			enum skip_reason reason = decode(ETHERNET, &f, f.n, &s);

			/* UDP's payload is nobody's promise. */
			assert_true(reason == SKIP_TOO_DEEP || reason == SKIP_NOT_TCP);
		}
	}
}

/* The same of headers that name what follows themselves. */
static void too_deep_at_once(void **state)
{
	static const struct {
		int dlt;
		const char *head, *nest;
	} nests[] = {
		{ PPI, "", "00 00 0800 c0000000 " },
		{ PKTAP, "", "10000000 01000000 02010000 00000000 " },
		{ ERF, "0000000000000000 82 04 0054 0000 0042 ", "8300000000000000 " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nests); i++) {
		struct frame f = { .n = 0 };
		struct segment s;

		add_hex(&f, nests[i].head);
		for (unsigned k = 0; k < 40; k++)
			add_hex(&f, nests[i].nest);
		enum skip_reason reason = decode(nests[i].dlt, &f, f.n, &s);

		assert_true(reason == SKIP_TOO_DEEP || reason == SKIP_SHORT_LINK);
	}
}

int main(void)
{
	struct CMUnitTest tests[2 * ARRAY_LEN(rows) + 2];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		tests[2 * i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = comes_to,
						    .initial_state = (void *)&rows[i] };
		tests[2 * i + 1] = (struct CMUnitTest){ .name = rows[i].name, .test_func = cut_short,
							.initial_state = (void *)&rows[i] };
	}
	tests[2 * ARRAY_LEN(rows)] = (struct CMUnitTest)cmocka_unit_test(too_deep);
	tests[2 * ARRAY_LEN(rows) + 1] = (struct CMUnitTest)cmocka_unit_test(too_deep_at_once);
	return _cmocka_run_group_tests("wire-layers", tests, ARRAY_LEN(tests), NULL, NULL);
}

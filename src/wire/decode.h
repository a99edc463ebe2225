#pragma once

/* Frames in, segments out: link.c, ip.c, tunnel.c and tcp.c, one layer each.
 *
 * A layer gets a packet (a view and the number of its bytes that were on the wire but not
 * captured), takes its own header off and hands the smaller packet on. The innermost TCP segment
 * of a frame counts. What is no TCP segment is counted by reason in the decoder; nothing here
 * keeps a pointer into the frame. */

#include "util/attr.h"
#include "wire/bytes.h"
#include "wire/segment.h"

#include <stdbool.h>
#include <stdint.h>

/* Why a frame gave no segment. */
enum skip_reason {
	SKIP_NONE,
	SKIP_SHORT_LINK,   /* the frame ends within its link header */
	SKIP_NOT_IP,       /* ARP, LLDP, IEEE 802.11 management … */
	SKIP_ENCRYPTED,    /* a protected IEEE 802.11 frame, or ESP */
	SKIP_SHORT_IP,
	SKIP_BAD_IP,       /* impossible version or length */
	SKIP_FRAGMENT,     /* not the first fragment: no TCP header in it */
	SKIP_NOT_TCP,
	SKIP_TOO_DEEP,     /* more layers than MAX_LAYERS */
	SKIP_SHORT_TCP,    /* cut before the flags */
	SKIP_BAD_TCP,      /* impossible data offset */
	SKIP_ODD_FLAGS,    /* flags no TCP sends: scans */
	SKIP_DUPLICATE,    /* captured twice: two interfaces, a mirror port */
	SKIP_LINK_TYPE,    /* of an interface whose link type is not known here */
	SKIP_NO_INTERFACE, /* pcapng: of an interface that was never described */
	N_SKIPS,
};

/* Tunnels that show in flow.tunnel; below 16, see struct segment. */
enum tunnel {
	TUNNEL_NONE,
	TUNNEL_GRE,
	TUNNEL_ERSPAN,
	TUNNEL_IPIP,
	TUNNEL_6IN4,
	TUNNEL_4IN6,
	TUNNEL_6IN6,
	TUNNEL_VXLAN,
	TUNNEL_GENEVE,
	TUNNEL_GTPU,
	TUNNEL_TEREDO,
	TUNNEL_L2TP,
	TUNNEL_ETHERIP,
	TUNNEL_UDP_MPLS,
	TUNNEL_LISP,
	TUNNEL_TZSP,
};

/* Headers of one frame, VLAN tags and extension headers included: a stranger's frame may nest
 * hundreds; real ones stay below ten. */
enum { MAX_LAYERS = 32 };

struct packet {
	struct bytes b;
	uint32_t cut; /* bytes at the end of it that were on the wire and are not in b */
};

struct decoder {
	uint64_t skips[N_SKIPS];
	uint64_t n_cut;        /* of them, frames whose headers were whole on the wire and are not here */
	uint32_t cut_at;       /* the most that was captured of one of these */
	unsigned layers;       /* of the frame in work */
	uint32_t missing;      /* of the packet in work: see struct packet, cut */
	struct segment *seg;   /* being filled */
};

typedef enum skip_reason link_fn(struct decoder *d, struct packet p);

struct link_type {
	int dlt;          /* as in a file: LINKTYPE_…; the few that differ from DLT_… are mapped */
	const char *name;
	link_fn *decode;
};

/* NULL: not known here. */
const struct link_type *link_find(int dlt);

/* One frame of `wire_len` bytes of which b holds the captured ones. true: *ret is a segment (all
 * but at_ns, side and hash). false: counted in d->skips. */
MUST_CHECK bool decode_frame(struct decoder *d, const struct link_type *link, struct bytes b,
			     uint32_t wire_len, struct segment *ret);

const char *skip_reason_name(enum skip_reason r);
const char *tunnel_name(enum tunnel t);

/* The layers, for each other. */
enum skip_reason decode_ethernet(struct decoder *d, struct packet p);
enum skip_reason decode_ethertype(struct decoder *d, struct packet p, uint16_t type);
enum skip_reason decode_llc(struct decoder *d, struct packet p);
enum skip_reason decode_ppp(struct decoder *d, struct packet p);
enum skip_reason decode_mpls(struct decoder *d, struct packet p);
enum skip_reason decode_80211(struct decoder *d, struct packet p);
enum skip_reason decode_radiotap(struct decoder *d, struct packet p);
enum skip_reason decode_ip(struct decoder *d, struct packet p); /* by its version */
enum skip_reason decode_ipv4(struct decoder *d, struct packet p);
enum skip_reason decode_ipv6(struct decoder *d, struct packet p);
enum skip_reason decode_gre(struct decoder *d, struct packet p);
enum skip_reason decode_udp(struct decoder *d, struct packet p); /* tunnels in it */
enum skip_reason decode_etherip(struct decoder *d, struct packet p);
enum skip_reason decode_tcp(struct decoder *d, struct packet p);

/* Rows of link_rare.c. */
enum skip_reason decode_fddi(struct decoder *d, struct packet p);
enum skip_reason decode_token_ring(struct decoder *d, struct packet p);
enum skip_reason decode_ip_over_fc(struct decoder *d, struct packet p);
enum skip_reason decode_sunatm(struct decoder *d, struct packet p);
enum skip_reason decode_enc(struct decoder *d, struct packet p);
enum skip_reason decode_ipnet(struct decoder *d, struct packet p);
enum skip_reason decode_ieee1394(struct decoder *d, struct packet p);
enum skip_reason decode_mpacket(struct decoder *d, struct packet p);
enum skip_reason decode_pktap(struct decoder *d, struct packet p);
enum skip_reason decode_erf(struct decoder *d, struct packet p);
enum skip_reason decode_arcnet(struct decoder *d, struct packet p);
enum skip_reason decode_arcnet_linux(struct decoder *d, struct packet p);
enum skip_reason decode_ax25_kiss(struct decoder *d, struct packet p);

/* Notes that what follows is inside a tunnel. */
static inline void decode_enter(struct decoder *d, enum tunnel t)
{
	if (!(d->seg->tunnel >> 28))
		d->seg->tunnel = d->seg->tunnel << 4 | t;
}

/* Every layer calls it first: false when the frame is nested too deeply. */
MUST_CHECK static inline bool decode_deeper(struct decoder *d)
{
	return ++d->layers <= MAX_LAYERS;
}

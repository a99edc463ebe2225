#pragma once

/* One TCP segment as values, after all headers around it are gone: what the flow table reads.
 *
 * `len` is payload on the wire, not in the capture: a frame cut by the snap length is whole here.
 * A header that was cut behind its flags has no window, no checksum and no options
 * (`is_header_cut`). IPv4 addresses stand in the first four bytes. */

#include <stdbool.h>
#include <stdint.h>

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
};

struct segment {
	int64_t at_ns;
	uint8_t addr[2][16]; /* source, destination; network order */
	uint16_t port[2];
	uint32_t seq, ack, len;
	uint32_t ts_val;
	uint32_t tunnel;     /* a stack of enum tunnel, four bits each, outermost highest; 0: none */
	uint32_t link_id;    /* interface and direction where the link type tells; 0: unknown */
	uint16_t window, checksum, ip_id;
	uint8_t flags, ttl;
	uint8_t capture;     /* which of the flow table's captures it came from */
	bool is_inet6, df, has_ts, has_options, is_header_cut;
	/* Of the flow table: the hash of both ends, and which of them, in the order of the key, sent. */
	uint8_t side;
	uint32_t hash;
};

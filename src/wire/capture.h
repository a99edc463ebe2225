#pragma once

/* A capture: a file (pcap, pcapng) or a device, read through libpcap into a flow table.
 *
 * capture_open_*() opens the privileged door only; nothing of a stranger's bytes is parsed before
 * capture_read(), so that the caller can drop privileges in between. A capture that is cut, holds
 * odd frames or breaks off keeps what was good: capture_info() says what was skipped and why. The
 * only file that includes pcap.h is capture.c. */

#include "model/flow.h"
#include "util/attr.h"
#include "util/fail.h"

#include <stdbool.h>
#include <stdint.h>

struct capture;
struct flowtab;

/* "-" is standard input. 0, or -errno with *fail filled. Never prints. */
MUST_CHECK int capture_open_file(const char *name, struct capture **ret, struct fail *fail);

/* The same file from its beginning, after it has been read, without opening anything; it ends where
 * that reading did. -ESPIPE: it was a pipe, or nothing of it was used. */
MUST_CHECK int capture_open_again(const struct capture *c, struct capture **ret);

/* A device ("any" too), with an in-kernel filter for segments with SYN, FIN or RST: IPv4 with
 * options, IPv6, one and two VLAN tags. `keep` names a file that receives the raw packets, or
 * NULL. Packets are counted from this call on, before capture_read() starts. */
MUST_CHECK int capture_open_live(const char *device, const char *keep, struct capture **ret,
				 struct fail *fail);

struct capture_progress {
	void (*report)(void *ctx, const struct capture_info *so_far, int percent_or_minus_1);
	void *ctx;
};

/* Of a device: takes what comes until `for_ms` have passed since the opening or a signal (SIGINT,
 * SIGTERM) comes; 0: what is there now. Nothing is parsed. May be called again with a later time.
 * `progress` may be NULL. 0 or -errno, with the reason in info->error. */
MUST_CHECK int capture_collect(struct capture *c, uint64_t for_ms, uint64_t max_packets,
			       const struct capture_progress *progress);

/* Reads to the end of the file, or of what capture_collect() took, into the table. `max_packets` 0: no
 * bound. 0; or -errno when it could not be read to its end: then info->error says why and everything
 * before it is in the table. */
int capture_read(struct capture *c, struct flowtab *tab, uint64_t max_packets,
		 const struct capture_progress *progress);
/* The same for several at once, the packets of all of them in order of time: results[i] is what
 * capture_read() of the i-th would answer. `max_packets` counts segments of all. */
void capture_read_merged(struct capture *const captures[], size_t n, struct flowtab *tab,
			 uint64_t max_packets, const struct capture_progress *progress,
			 int results[]);
/* Of a device, instead of the two above: parses what is there now into the table, straight from the
 * kernel; and the descriptor to wait for. 0 or -errno. */
MUST_CHECK int capture_follow(struct capture *c, struct flowtab *tab);
int capture_fd(const struct capture *c);
const struct capture_info *capture_info(const struct capture *c);
/* The info stays valid until here. */
void capture_close(struct capture *c);

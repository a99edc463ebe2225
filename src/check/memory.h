#pragma once

/* What one look leaves behind for the next: how much the owners of CLOSE-WAITs and the busiest
 * destinations had then, and where the kernel's counters stood. JSON, "tcpwhy.state/1".
 *
 * Whoever reads trusts nothing: types, ranges, caps and completeness are checked, and any fault makes
 * the whole text worthless. Only the largest of each kind are kept. Times are milliseconds since
 * boot; lists live in the arena that was given. */

#include "model/addr.h"
#include "model/look.h"
#include "util/attr.h"
#include "util/buf.h"

#include <stddef.h>
#include <stdint.h>

enum {
	MEMORY_MAX_OWNERS = 512,
	MEMORY_MAX_PORTS = 256,
	MEMORY_MAX_NETNS = 1024,
	MEMORY_MAX_LISTENERS = 256,
	MEMORY_MAX_BYTES = 1 << 20,
};

struct memory_owner {
	int64_t pid, start_ticks; /* the second tells a reused pid */
	int64_t n;                /* descriptors in CLOSE-WAIT, idle pools apart */
};

struct memory_ports {
	int64_t netns;
	struct addr local;
	struct endpoint peer;
	int64_t held, waiting; /* ports that no timer returns, and TIME-WAITs that connect() cannot have */
};

enum memory_counter { MEMORY_TW_OVERFLOWS, MEMORY_LISTEN_OVERFLOWS, MEMORY_ABORTS, N_MEMORY_COUNTERS };

struct memory_netns {
	int64_t netns;
	int64_t counters[N_MEMORY_COUNTERS]; /* since it was made; -1: not known */
};

/* One that has turned clients away. */
struct memory_listener {
	int64_t netns, cookie, drops;
};

struct memory {
	const char *boot_id;
	int64_t netns; /* inode of the only namespace looked at; 0: several, or all there were */
	int64_t uptime_ms;
	struct memory_owner *owners;
	struct memory_ports *ports;
	struct memory_netns *netnses;
	struct memory_listener *listeners;
	size_t n_owners, n_ports, n_netnses, n_listeners;
};

/* false: damaged, of another version, or no such text at all; *ret is untouched. */
MUST_CHECK bool memory_read(const char *text, size_t n, struct arena *arena, struct memory *ret);
void memory_write(struct buf *b, const struct memory *m);
/* Of the same boot and namespace, and earlier? Else it has nothing to say about this look. */
bool memory_is_of(const struct memory *m, const struct look *look, bool all_netns);
/* With all of them asked for, the first container to start and the last to end change nothing. */
int64_t memory_netns_of(const struct look *look, bool all_netns);

/* NULL: it had none then, or too few to be kept. */
const struct memory_owner *memory_owner(const struct memory *m, const struct proc *p);
const struct memory_ports *memory_ports(const struct memory *m, int64_t netns, struct addr local,
					struct endpoint peer);
const struct memory_netns *memory_netns(const struct memory *m, int64_t netns);
/* Clients it had turned away by then; -1: not known. */
int64_t memory_drops(const struct memory *m, int64_t netns, uint64_t cookie);

#pragma once

/* The machine and its network namespaces at the time of a look: what rules read besides sockets.
 *
 * A sysctl or counter that was not there or could not be read is unknown, which is not zero: ask
 * `known` first. Strings live in the look's arena. */

#include "util/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct setting {
	bool known;
	int64_t value;
};

enum sysctl_id {
#define SYSCTL(member, path, unit, does) SYSCTL_##member,
#include "model/sysctls.def"
#undef SYSCTL
	N_SYSCTLS,
};

struct sysctls {
#define SYSCTL(member, path, unit, does) struct setting member;
#include "model/sysctls.def"
#undef SYSCTL
	struct setting port_low, port_high; /* ip_local_port_range, bounds included */
	uint32_t reserved_in_range;         /* ip_local_reserved_ports inside that range */
	bool reserved_known;
	const char *reserved;               /* the list itself, "8080,9148-9153"; NULL: unknown */
	struct setting mem_pages[3];        /* tcp_mem: low, pressure, high */
	/* Why it is unknown: ENOENT, EACCES …, by sysctl_id. 0: it is known, or nobody has asked. */
	uint8_t error[N_SYSCTLS];
};

/* Monotonic counters of one namespace since it was made. */
struct counters {
#define COUNTER(member, file, line, name, means) struct setting member;
#include "model/counters.def"
#undef COUNTER
	/* Of connection tracking: packets refused because no entry could be made (a full table is one
	 * reason), and entries thrown out before their time because it was full.
	 * Source: Linux net/netfilter/nf_conntrack_core.c, nf_conntrack_in(), early_drop(). */
	struct setting conntrack_drops, conntrack_early_drops;
};

struct netns {
	uint64_t inode;    /* of the nsfs file; 0: unknown */
	const char *name;  /* from /run/netns; NULL: none known */
	uint32_t n_sockets;
	uint32_t n_subflows; /* of MPTCP among them, listeners left out */
	bool has_few_timewaits; /* and they are among the sockets of the look */
	bool is_of_thread; /* its process is in another one */
	int64_t uptime_ms; /* of the machine: a connection knows its namespace alone; 0: unknown */
	struct sysctls sysctls;
	struct counters counters;
	struct setting n_timewait; /* TIME-WAIT and short FIN-WAIT-2: "tw" of sockstat */
};

struct host {
	const char *name;
	const char *kernel;
	const char *boot_id;
	int64_t time_ns;         /* when the look was taken, epoch */
	int64_t hz;              /* clock ticks a second of start_ticks */
	int64_t uptime_ms;
	struct setting orphans;  /* machine-wide, from sockstat, as is the next */
	struct setting tcp_pages; /* memory of all TCP sockets */
	struct setting files_open; /* of the whole machine, from file-nr */
};

#pragma once

/* The machine, and the settings and counters of its network namespaces. Absent or unreadable is
 * unknown, never zero. Source: proc(5), Documentation/networking/ip-sysctl.rst. */

#include "live/root.h"
#include "model/host.h"
#include "model/look.h"

/* Name, kernel, boot, uptime. time_ns and hz are the caller's: a recording has its own. */
void hostinfo_read_machine(struct root *root, struct look *look);
/* Sysctls and counters of look->netns[netns], where the calling thread is. */
void hostinfo_read_netns(struct root *root, unsigned netns, struct look *look);
/* Do sockstat and sockstat6 say that no TCP socket is here? Unreadable: no. */
bool hostinfo_is_empty(struct root *root, unsigned netns);
/* TIME-WAITs and short FIN-WAIT-2s of the namespace, by its sockstat. */
struct setting hostinfo_timewaits(struct root *root, unsigned netns);
/* Full TCP sockets: those in the kernel's tables, of the namespace where the calling thread is; and all of the
 * machine. One that was never connected, or whose connection has ended, is in no table.
 * Source: Linux net/ipv4/proc.c, sockstat_seq_show(); net/ipv4/inet_hashtables.c, __inet_hash(). */
struct hostinfo_tcp {
	struct setting here, machine;
};
struct hostinfo_tcp hostinfo_count_tcp(const struct root *root);
/* Does /proc/net/protocols count sockets of MPTCP here? Unreadable: no. */
bool hostinfo_uses_mptcp(struct root *root, unsigned netns);

/* How many ports of "8080,9148-9153" are between low and high. false: not such a list. */
MUST_CHECK bool hostinfo_count_ports(const char *list, int64_t low, int64_t high, uint32_t *ret);
/* The value of `name` in the pair of lines that begin with `prefix`: a line of names, a line of
 * values, as in netstat and snmp. */
struct setting hostinfo_counter(const char *text, const char *prefix, const char *name);
/* The sum over all processors of column `name` of /proc/net/stat/nf_conntrack: a line of names, then
 * hexadecimal numbers. */
struct setting hostinfo_column(const char *text, const char *name);
/* "TCP: inuse 5 orphan 0 tw 2": the number behind `name` in the line that begins with `prefix`. */
struct setting hostinfo_sockstat(const char *text, const char *prefix, const char *name);

#pragma once

/* The tables behind topics.h, one file for each subject, in the order of the list of topics. Rows
 * are static and untranslated; ids and aliases are unique, spelling folded (see topics_find()). */

#include "model/topic.h"

#include <stddef.h>

/* Names longer than this when folded are no topic's. */
enum { TOPIC_NAME_MAX = 64 };

struct topic_table {
	const struct topic *at;
	size_t n;
};

extern const struct topic_table explain_states, explain_timers, explain_time_wait, explain_ports,
	explain_listeners, explain_limits, explain_conntrack, explain_closing, explain_options,
	explain_errnos, explain_winsock, explain_counters;

#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* "net/ipv4/tcp_fin_timeout" -> "netipv4tcpfintimeout", "close(2)" -> "close". The length, or 0 if
 * nothing is left or it is too long. */
size_t topic_name_fold(const char *name, char ret[static TOPIC_NAME_MAX + 1]);

#pragma once

/* What tcpwhy can explain besides its rules: the states, the settings, the socket options, the
 * error numbers, the counters. Offline, no privileges; every claim names its source in `refs`. */

#include "model/topic.h"

#include <stddef.h>

size_t topics_count(void);
/* Grouped by kind: states, settings, socket options, errors, counters. NULL: i is out of range. */
const struct topic *topics_at(size_t i);
/* By id or alias, case and "-", "_", ".", "/" and blanks folded, "/proc/sys/" and "(...)" left off:
 * "net.ipv4.tcp_fin_timeout" and "tcp_fin_timeout" are the same, so are "close(2)" and "close". A
 * spelling that is exactly an id or alias wins: IP_LOCAL_PORT_RANGE is the socket option,
 * ip_local_port_range the setting. NULL: none. */
const struct topic *topics_find(const char *name);
/* What a mistyped name most likely meant: the id of a topic, or one of the names in `more` (the
 * rule ids, say; n_more of them). A third of its letters may be wrong. NULL: nothing is that near.
 */
const char *topics_nearest(const char *name, const char *const *more, size_t n_more);

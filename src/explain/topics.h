#pragma once

/* What tcpwhy can explain besides its rules: the states, the settings, the socket options, the
 * error numbers. Offline, no privileges; every claim names its source in `refs`. */

#include "model/topic.h"

#include <stddef.h>

size_t topics_count(void);
const struct topic *topics_at(size_t i);
/* By id or alias, case and "-", "_", "." folded; "net.ipv4.tcp_fin_timeout" and "tcp_fin_timeout"
 * are the same. NULL: none. */
const struct topic *topics_find(const char *name);

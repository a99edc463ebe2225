#pragma once

/* Hosts, "HOST[/LEN][:PORT]", in every spelling of ss: *, :22, 10.0.0.0/8, [2001:db8::1]:443, inet6:::1,
 * a name, a service. A name is resolved (getaddrinfo(3)) and may mean several addresses. */

#include "filter/node.h"

/* The condition as a tree of NODE_HOST in `arena`; NULL: *ret_expected says what was expected. */
const struct node *host_parse(const char *text, bool is_dst, struct arena *arena,
			      const char **ret_expected);
/* "22", ":22", "ssh", ":ssh", "*". -1 for any. false: not a port. */
MUST_CHECK bool port_parse(const char *text, int *ret);

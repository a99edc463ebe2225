#pragma once

/* One setting as `tcpwhy audit` sees it: its value here, what it does, what people wrongly believe of
 * it, and a verdict for this host. Texts are untranslated (N_()). Source of defaults and effects:
 * Linux Documentation/networking/ip-sysctl.rst, nf_conntrack-sysctl.rst, tcp(7). */

#include "model/host.h"

#include <stdbool.h>
#include <stdint.h>

enum audit_verdict { AUDIT_FINE, AUDIT_NOTE, AUDIT_WARNING };

struct audit_row {
	const char *name;        /* below /proc/sys: "net/ipv4/tcp_fin_timeout" */
	const char *unit;        /* "s", "ms"; "" a number */
	struct setting value;    /* not known: no such file here, or not readable */
	struct setting usual;    /* the kernel's default; not known: it depends on the machine */
	bool is_range;           /* two numbers: the second ones are these */
	int64_t value_high, usual_high, proposed_high;
	bool per_netns;
	const char *does;
	const char *does_not;    /* NULL: nobody believes anything wrong */
	const char *danger;      /* of changing it; NULL: none known */
	enum audit_verdict verdict;
	const char *why;         /* of the verdict; NULL where it is fine */
	int rule;                /* for the rules themselves: the row it is a finding of; -1: none */
	struct setting proposed; /* not known: leave it */
};

#pragma once

/* One setting as `tcpwhy audit` sees it: its value here, what it does, what people wrongly believe of
 * it, and a verdict for this host. Texts are untranslated (N_()); a list points into the look's arena.
 * A setting without a value is not judged, and `absence` says why it has none. Source of defaults and
 * effects: Linux Documentation/networking/ip-sysctl.rst, nf_conntrack-sysctl.rst, tcp(7). */

#include "model/host.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum audit_verdict { AUDIT_FINE, AUDIT_NOTE, AUDIT_WARNING };

enum audit_absence {
	AUDIT_HERE,
	AUDIT_REMOVED,       /* newer kernels have it no more */
	AUDIT_NO_KERNEL,     /* this kernel has no such file */
	AUDIT_NO_MODULE,     /* the module that makes it is not loaded */
	AUDIT_INITIAL_NETNS, /* one for the machine, shown in the initial namespace alone */
	AUDIT_UNREADABLE,    /* it is there, or may be: reading failed */
};

enum { MAX_AUDIT_NUMBERS = 3 };

/* One number, two of a range, three of tcp_mem; or a list of ports as text. */
struct audit_value {
	size_t n; /* 0: unknown */
	int64_t at[MAX_AUDIT_NUMBERS];
	const char *list; /* not NULL: instead of the numbers, n is 1 */
};

struct audit_row {
	const char *name;        /* below /proc/sys: "net/ipv4/tcp_fin_timeout" */
	const char *unit;        /* "s", "ms"; "" a number */
	struct audit_value value;
	struct audit_value usual;    /* the kernel's default */
	const char *usual_depends;   /* on what, where it is unknown; NULL: nobody knows */
	struct audit_value proposed; /* unknown: leave it */
	struct setting used;     /* how much of this limit is taken; not known: it is none, or unreadable */
	bool per_netns;          /* false: one for the machine */
	bool is_set_elsewhere;   /* read-only here: the initial namespace's holds */
	const char *does;
	const char *does_not;    /* NULL: nobody believes anything wrong */
	const char *danger;      /* of changing it; NULL: none known */
	enum audit_verdict verdict;
	bool is_problem;         /* a warning of something that breaks now or certainly will */
	const char *why;         /* of the verdict; NULL where it is fine */
	const char *rule;        /* id of the rule whose finding it is; NULL: none */
	int rule_row;            /* for the rules themselves; -1: none */
	enum audit_absence absence;
	const char *absent_why;  /* NULL: it is here */
};

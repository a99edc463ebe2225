#pragma once

/* An expression as a tree. Nodes and their strings live in the filter's arena.
 *
 * A leaf is one question about a connection. What it asks stands in the fields of its kind; the
 * rest are zero. AND and OR have two branches, NOT has one. */

#include "filter/filter.h"
#include "util/arena.h"

enum node_kind {
	NODE_AND,
	NODE_OR,
	NODE_NOT,
	NODE_STATE,   /* states */
	NODE_HOST,    /* is_dst, family, prefix, bits, port */
	NODE_PORT,    /* is_dst, compare, number */
	NODE_NUMBER,  /* what, compare, number */
	NODE_NAME,    /* what, compare (EQ or NE), text */
	NODE_CLAIM,   /* what */
};

enum compare { COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE };

enum { V4_OFFSET = 96 };

enum family { FAMILY_ANY, FAMILY_INET, FAMILY_INET6 };

enum asked {
	ASKED_PID, ASKED_UID, ASKED_INO, ASKED_AGE_MS, ASKED_RQUEUE, ASKED_WQUEUE, ASKED_RETRANS,
	ASKED_TIMER, ASKED_FWMARK, ASKED_DEV, ASKED_NETNS_INODE, ASKED_CGROUP,
	ASKED_COMM, ASKED_UNIT, ASKED_CONTAINER, ASKED_POD, ASKED_NETNS_NAME, ASKED_RULE,
	ASKED_ORPHAN, ASKED_OWNED, ASKED_UNACCEPTED, ASKED_AUTOBOUND,
};

struct node {
	enum node_kind kind;
	const struct node *a, *b;
	bool is_dst;
	enum compare compare;
	enum asked what;
	uint32_t states;
	bool is_exclude;     /* "exclude X" narrows, it asks for nothing */
	enum family family;  /* FAMILY_ANY: any address */
	bool is_strict;      /* "inet:": not the IPv4 address of an IPv6 socket */
	struct addr prefix;
	unsigned bits;       /* of the sixteen bytes: IPv4 counts from V4_OFFSET */
	int port;            /* -1: any */
	uint64_t number, mask;
	const char *text;
};

struct filter {
	struct arena *arena;
	const struct node *root;  /* NULL: accepts everything */
	uint32_t only, except;    /* `state` and `exclude` in front, as in ss; 0: not given */
	unsigned needs;
};

/* The filter's own three-valued logic: what cannot be known is neither yes nor no. */
enum truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN };

/* One condition against an address and port; used for `src` and `dst`. `is_inet6`: of the row, so
 * that the answer is the kernel's, which never shows an IPv4 row to an IPv6 prefix. */
bool host_matches(const struct node *n, struct endpoint at, bool is_inet6);

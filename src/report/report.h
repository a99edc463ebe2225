#pragma once

/* What the user reads. A report is written front to back: begin, connections, findings, gaps, end;
 * each format is one const instance (text.c, json.c, jsonl.c) and decides how a value looks.
 *
 * Everything that came from outside is escaped here and nowhere else. Nothing is judged here. A
 * report owns nothing but its output buffer; writing errors are remembered and answered by
 * report_end(). */

#include "model/finding.h"
#include "model/idle.h"
#include "model/ladder.h"
#include "util/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum report_kind { REPORT_WHY, REPORT_LIST, REPORT_PCAP };

/* Counts over all connections of a capture, for the summary of a post-mortem. */
enum { MAX_CAUSES = 24, MAX_SLOWEST = 3 };

struct pcap_summary {
	uint64_t n, by_pattern[N_PATTERNS];
	struct {
		const char *rule; /* NULL: resets whose cause the packets do not decide */
		uint64_t n;
	} causes[MAX_CAUSES]; /* in any order; n 0: unused */
	const struct flow *slowest[MAX_SLOWEST]; /* longest half-closes of a second and more; NULL */
	uint64_t closed_first[4]; /* by enum closed_first */
	uint64_t opened_seen;
	const struct idle_sum *idle; /* of captures that hold what came before; NULL: of none */
};

struct column;

enum { MAX_COLUMNS = 40 };

/* Which columns a table has, and in which order; see report/columns.h. */
struct columns {
	const struct column *at[MAX_COLUMNS];
	size_t n;
};

struct report_options {
	enum report_kind kind;
	int width;        /* columns of the terminal; 0: not a terminal, do not cut */
	bool colour;
	bool ascii;       /* no UTF-8 rules or arrows */
	bool verbose;     /* every connection, every fix, the ladder */
	bool no_header;
	bool processes, timers, extended, info, memory; /* ss's -p -o -e -i -m */
	struct columns columns; /* of the table; none: the usual ones */
	size_t n_examples;
	const struct look *look; /* NULL: only packets */
	const struct capture_info *const *captures;
	size_t n_captures;
	const struct pcap_summary *summary; /* REPORT_PCAP */
	const struct sided_sum *sided; /* of two captures, one of each end; NULL */
	uint64_t min_age_ms;
};

struct report;

struct format {
	const char *name; /* "text", "json", "json-lines", "csv" */
	/* Findings before connections: people read the worst first, scripts stream. */
	bool findings_first;
	void (*begin)(struct report *r);
	void (*conn)(struct report *r, const struct conn *c);
	void (*ladder)(struct report *r, const struct ladder *l); /* NULL: left out */
	void (*finding)(struct report *r, const struct finding *f);
	void (*gap)(struct report *r, const struct gap *g);
	void (*end)(struct report *r, bool is_complete);
};

const struct format *format_find(const char *name);

struct report *report_begin(const struct format *format, const struct report_options *options,
			    int fd);
void report_conn(struct report *r, const struct conn *c);
/* Of the connection reported last. Only people get it. */
void report_ladder(struct report *r, const struct ladder *l);
void report_finding(struct report *r, const struct finding *f);
void report_gap(struct report *r, const struct gap *g);
/* Writes the rest and frees the report. 0, or -errno of the first failed write (EPIPE too). */
MUST_CHECK int report_end(struct report *r, bool is_complete);

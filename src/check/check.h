#pragma once

/* Judges a whole host by a table of checks that need no thresholds: age and shares of limits, not
 * raw counts.
 *
 *	check_new(); check_sock() for every socket, check_ports() for every budget;
 *	check_end(&results)
 *
 * Pure: opens no file, asks no clock, prints nothing. What could not be seen makes a check UNKNOWN
 * where it could have changed the answer, never OK. */

#include "check/memory.h"
#include "model/check.h"
#include "model/look.h"
#include "model/ports.h"
#include "util/attr.h"

/* The ranges in force, one pair for each row of the table. */
struct check_levels {
	struct range warn[MAX_CHECKS], crit[MAX_CHECKS];
};

/* The look before this one. */
struct check_past {
	const struct memory *look; /* NULL: there is none */
	const char *none;          /* then: why; NULL: growth is not asked for */
	bool all_netns;            /* every namespace is looked at, however many there are */
};

struct check;

size_t check_rows_count(void);
const struct check_row *check_row_at(size_t i);

void check_levels_default(struct check_levels *ret);
/* "name=RANGE[,name=RANGE…]". NULL: done; else the part of `text` that is wrong, up to *ret_len
 * bytes; *ret_row is the check it names, NULL if there is no such check. */
MUST_CHECK const char *check_levels_parse(const char *text, struct range levels[static MAX_CHECKS],
					  size_t *ret_len, const struct check_row **ret_row);

/* Connections that have waited for `old_ms` count for close-wait.count. */
struct check *check_new(const struct look *look, uint64_t old_ms, const struct check_past *past);
/* Of any state, joined; c->rules may be filled. */
void check_sock(struct check *k, const struct conn *c);
void check_ports(struct check *k, const struct port_budget *budget, const struct conn *example);
/* After the last socket: what the next look has to know, in the look's arena. false: the last one is
 * so recent that it is the better one to compare with. */
bool check_remember(struct check *k, struct memory *ret);
/* That could not be kept: growth will not show in the next look either, which is not fine. */
void check_lose(struct check *k);
/* Findings say which rule holds for the worst owner. Frees the check. */
void check_end(struct check *k, const struct findings *findings, const struct check_levels *levels,
	       bool is_whole, struct check_results *ret);

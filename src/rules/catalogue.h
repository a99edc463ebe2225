#pragma once

/* All rules in one order: families as in catalogue.c, rows as in their family. */

#include "rules/rule.h"

/* Rows of ordinary_rules. */
enum {
	ORDINARY_CLOSE_WAIT,
	ORDINARY_FIN_WAIT_1,
	ORDINARY_FIN_WAIT_2,
	ORDINARY_CLOSING,
	ORDINARY_LAST_ACK,
	ORDINARY_TIME_WAIT,
	UNJUDGED,
};

const struct rule *rules_at(size_t i);
/* The i of a rule of the families. */
size_t rules_place(const struct rule *r);
/* What a socket is called that no rule claimed: ordinary life, or evidence was missing. */
const struct rule *rules_ordinary(enum state state);
const struct rule *rules_unjudged(void);

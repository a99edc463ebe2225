#pragma once

/* Which runtime a process is, by the name of its program, and the fix in that runtime's own words.
 *
 * A name is a hint, not a proof: the advice is phrased for whoever knows the program and comes in
 * front of the generic one, never instead of it. Defaults and option names are those of the projects'
 * own documentation. */

#include "model/finding.h"
#include "model/proc.h"

/* What the advice is about; the rows of rules name one. */
enum advice {
	ADVICE_NONE,
	ADVICE_LEAK,   /* closed by the peer, not by us */
	ADVICE_STUCK,  /* nobody reads */
	ADVICE_ACCEPT, /* nobody accepts */
	ADVICE_POOL,   /* parked connections */
	ADVICE_PORTS,  /* too many connections opened anew */
	N_ADVICES,
};

/* NULL: not recognised, or nothing particular to say. `p` may be NULL. */
const struct fix *runtime_fix(const struct proc *p, enum advice about);

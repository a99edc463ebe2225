#pragma once

/* The table behind settings.h: one row a setting of one number, with its default, the myth, the danger
 * and the function that judges it. Rows are static; judges are pure and are asked only about values
 * that were read. */

#include "model/audit.h"

#include <stddef.h>

/* What a judge sees, and the row in which it writes its verdict. */
struct judgement {
	int64_t value;
	const struct netns *ns;
	const struct host *host;
	struct audit_row *row; /* everything but the verdict is filled in */
};

/* Whose setting is it, and where does its file stand? */
enum knob_home {
	HOME_NETNS,   /* each namespace has its own */
	HOME_INITIAL, /* the machine's, a file of the initial namespace */
	HOME_SHARED,  /* the machine's, read-only in other namespaces */
	HOME_MACHINE, /* the machine's, the same file everywhere */
};

enum { NO_DEFAULT = INT32_MIN };

struct knob {
	enum sysctl_id id;
	int64_t usual;              /* NO_DEFAULT: by usual_depends, or by hash_part */
	int hash_part;              /* the default is this part of the hash table of connections; 0: not */
	const char *usual_depends;
	enum knob_home home;
	enum audit_absence absence; /* what a missing file means, HOME_INITIAL and modules apart */
	const char *absent_why;     /* NULL: nothing is known of older kernels */
	struct setting (*used)(const struct judgement *j);
	void (*judge)(const struct judgement *j);
	const char *does_not, *danger;
};

extern const struct knob knobs[];
extern const size_t n_knobs;

/* Words for judges of rows that are no knob. harm(): it is a finding of its own, in the words of that
 * row of host_rules; proposing is separate. */
void knob_say(const struct judgement *j, enum audit_verdict verdict, const char *why);
void knob_harm(const struct judgement *j, int row);
void knob_propose(const struct judgement *j, int64_t value);
/* Entries of the hash table of connections that the namespace uses; 0: unknown. */
int64_t knob_hash_size(const struct sysctls *ctl);

#pragma once

/* What a rule found: a sentence with its evidence, its certainty and the way out.
 *
 * Texts point into the rule's row (untranslated; report/ translates) with {fact} places that are
 * filled from `facts`; see report/says.h. Examples and facts live in the findings' arena. */

#include "model/conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_PROBLEM };

enum subject_kind {
	SUBJECT_PROCESS,
	SUBJECT_LISTENER,
	SUBJECT_DESTINATION,
	SUBJECT_HOST,
	SUBJECT_CONNECTION,
};

struct subject {
	enum subject_kind kind;
	const struct proc *proc;   /* NULL: none or unknown */
	const struct netns *netns; /* NULL: the finding is not about a namespace */
	struct endpoint local, peer;
	bool has_local, has_peer;
	bool is_rest; /* all destinations beyond those with a finding of their own */
};

enum fact_kind {
	FACT_COUNT,    /* a number without unit */
	FACT_MS,       /* a duration in milliseconds */
	FACT_BYTES,
	FACT_PERCENT,
	FACT_TEXT,     /* from outside or from us: escaped when printed */
	FACT_SENTENCE, /* ours, translated when printed */
	FACT_LIST,     /* numbers: descriptors, pids */
	FACT_TIME_NS,  /* an instant, epoch */
};

enum { MAX_FACTS = 32 };

struct fact {
	const char *name;
	enum fact_kind kind;
	int64_t number;
	bool at_least, at_most; /* durations: a bound */
	const char *text;
	const uint32_t *list;
	size_t n_list;
	uint64_t n_list_all; /* how many there were; the list is capped */
};

enum fix_kind { FIX_CODE, FIX_SOCKOPT, FIX_SYSCTL, FIX_OPERATION };

struct fix {
	enum fix_kind kind;
	const char *text;     /* what to do */
	const char *command;  /* the exact line; NULL none. May hold {fact} places */
	const char *current;  /* name of the fact with the value in force; NULL none */
	const char *proposed; /* the value to set; NULL none */
	const char *effect;   /* NULL: the text says it */
	const char *risk;     /* NULL: none known */
};

enum { MAX_FIXES = 6, MAX_AVOID = 6 };

/* What a rule's row says in words. */
struct rule_text {
	const char *id;    /* stable: printed, documented, scripted */
	const char *title; /* a few words, for lists */
	const char *says, *why;
	struct fix fixes[MAX_FIXES];    /* ended by text == NULL */
	const char *avoid[MAX_AVOID];   /* ended by NULL */
	const char *refs;
};

struct finding {
	const struct rule_text *text;
	enum severity severity;
	enum certainty certainty;
	struct subject subject;
	uint64_t count;
	struct age oldest;
	struct fact facts[MAX_FACTS];
	size_t n_facts;
	const struct fix *own_fix;     /* in the words of the owner's runtime, first; NULL */
	const char *says;              /* instead of the row's, where one rule has two sentences */
	const struct conn *examples;   /* [n_examples] */
	size_t n_examples;
	size_t place;                  /* of its making: keeps equals in order */
};

struct findings {
	struct arena *arena;
	struct finding *at; /* worst first after judge_end() */
	size_t n, cap;
	uint64_t n_uncounted; /* times a connection was left out of a finding for want of room */
};

const char *severity_name(enum severity s);
const char *subject_kind_name(enum subject_kind k);
const char *fix_kind_name(enum fix_kind k);

/* The i-th way out, best first; NULL: there are no more. */
const struct fix *finding_fix(const struct finding *f, size_t i);
struct fact *finding_fact(struct finding *f, const char *name, enum fact_kind kind, int64_t number);
void finding_fact_text(struct finding *f, const char *name, const char *text);
void finding_fact_sentence(struct finding *f, const char *name, const char *text);
const struct fact *finding_find_fact(const struct finding *f, const char *name, size_t len);

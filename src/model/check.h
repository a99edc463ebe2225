#pragma once

/* What a health check found: one result for each row of its table, with the ranges it was judged by.
 *
 * Numbers are thousandths of the row's unit, so that no locale and no rounding touches them: a
 * second is 1000, one percent is 1000, one socket is 1000. Texts are untranslated and may hold
 * {fact} places, which `worst` fills (report/says.h). Strings live in the look's arena. */

#include "model/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The exit statuses of the Monitoring Plugins guidelines. */
enum check_status { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };

enum check_unit { CHECK_COUNT, CHECK_SECONDS, CHECK_PERCENT, CHECK_A_MINUTE };

/* [@]start:end of the guidelines: alert outside, with @ inside, both ends included. */
struct range {
	bool is_set; /* false: there is no such level */
	bool is_inside;
	int64_t start, end; /* RANGE_LOWEST, RANGE_HIGHEST: without bound */
};

#define RANGE_LOWEST INT64_MIN
#define RANGE_HIGHEST INT64_MAX

struct check_row {
	const char *name; /* stable: typed, printed, documented: "close-wait.age" */
	enum check_unit unit;
	struct range warn, crit;
	const char *rule;    /* id of the rule behind it; NULL: the number speaks for itself */
	const char *help;    /* of its metric, untranslated; NULL: "age of the oldest" and the like */
	const char *says;    /* about `worst` */
	const char *more;    /* what the first line has no room for; NULL: nothing */
	const char *fine;    /* the same, where there is nobody to name */
	const char *next;    /* what to do first */
	const char *command; /* that shows more; may hold {pid} and {peer}; NULL: none */
};

struct check_result {
	const struct check_row *row;
	enum check_status status;
	struct range warn, crit;
	bool known;
	int64_t value;
	bool is_harmless;  /* not known, and OK: there is no such thing here, or whatever it may be is fine */
	bool is_unwatched; /* its growth, and nobody asked for that; not known, and no alarm */
	bool has_limit;
	uint64_t used, limit;  /* of a share; in units */
	const char *rule;      /* the row's, or that of the worst owner's finding; NULL: none */
	const char *unknown;   /* why it could not be judged, about `worst`; NULL: it was. CHECK_OK and
				* not known alarms nobody, but is called OK only if it is harmless */
	bool has_worst;        /* false: there is nobody to name */
	struct finding worst;  /* subject and facts; its text, severity and examples mean nothing */
};

enum { MAX_CHECKS = 16 };

/* All processes of one name and unit, and the CLOSE-WAITs they hold, each once. */
struct check_owner {
	const char *comm, *unit; /* from outside; unit NULL: none or unknown */
	uint64_t n_close_wait;
};

struct check_results {
	struct check_result at[MAX_CHECKS];
	size_t n;
	enum check_status status;
	const struct check_result *first; /* the one to speak of; NULL: all are fine */
	bool is_whole;                    /* false: sockets may be missing in the look */
	const struct gap *missing;        /* then: why; NULL: not known */
	const struct check_owner *owners; /* [n_owners], most first; those that could be seen */
	size_t n_owners;
};

/* "OK", "WARNING", "CRITICAL", "UNKNOWN" */
const char *check_status_name(enum check_status s);
/* CRITICAL before WARNING before UNKNOWN before OK. */
bool check_is_worse(enum check_status a, enum check_status b);

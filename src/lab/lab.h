#pragma once

/* The lab: makes a pathology for real in a private network namespace and lets the ordinary code
 * diagnose it. Touches nothing outside the namespaces and processes it made; ends them all, also
 * when interrupted. */

#include <stdbool.h>
#include <stddef.h>

struct lab_scenario {
	const char *name;  /* the rule id it shows, or "demo", "time-wait" */
	const char *rule;  /* the rule that must answer */
	const char *title; /* one line, translated by the printer */
};

/* Runs `tcpwhy ARGV` in the calling process, as main() would; answers its exit status. */
typedef int lab_tcpwhy(int argc, char **argv);

struct lab_request {
	const char *name;   /* NULL: list */
	bool all, json, verbose, quiet;
	lab_tcpwhy *tcpwhy;
};

const struct lab_scenario *lab_scenarios(size_t *ret_n);
/* 0 the verdict was the expected one; 1 it was not, or the scenario could not be made (says why on
 * stderr); 2 no such scenario. */
int lab_run(const struct lab_request *req);

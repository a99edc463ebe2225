#pragma once

/* The lab: makes a pathology for real in a private network namespace and lets the ordinary code
 * diagnose it. Touches nothing outside the namespaces and processes it made; ends them all, also
 * when interrupted. Prints on stdout what was made, the diagnosis and the verdict (with `json` only
 * the diagnosis, the rest goes to stderr), and on stderr what went wrong. */

#include <stdbool.h>
#include <stddef.h>

struct stage;

struct lab_scenario {
	const char *name;  /* the rule id it shows, "demo", or "near-…" */
	const char *rule;  /* the rule that must answer; of a near miss: the one it must not wake */
	const char *title; /* one line, translated by the printer */
	const char *option; /* what the diagnosis needs to be told; NULL: nothing */
	bool is_near_miss; /* healthy life: no warning and no problem may come */
	const char *why_not; /* a private namespace cannot have it, and why; translated by the printer */
	const char *sysctl, *value; /* of the namespace, set at first; its rule is expected then */
	void (*make)(struct stage *st); /* NULL: the setting is all */
};

/* Runs `tcpwhy ARGV` in the calling process, as main() would; answers its exit status. */
typedef int lab_tcpwhy(int argc, char **argv);
/* Captures on `device` into `file`, in a process of its own: writes one byte to `ready_fd` once
 * packets are being kept, goes on until `stop_fd` is at its end, answers an exit status. */
typedef int lab_capture(const char *device, const char *file, int ready_fd, int stop_fd);

struct lab_request {
	const char *name; /* NULL: list */
	bool all, json, verbose, quiet;
	lab_tcpwhy *tcpwhy;
	lab_capture *capture; /* NULL: sockets only; what needs packets cannot be made */
};

const struct lab_scenario *lab_scenarios(size_t *ret_n);
/* 0 the verdict was the expected one; 1 it was not, or the scenario could not be made (says why on
 * stderr; the line begins with "tcpwhy: lab: not possible here:" where this machine forbids it);
 * 2 no such scenario, of which nothing is said. With `all` 0 means that every scenario that can be made got its verdict. */
int lab_run(const struct lab_request *req);

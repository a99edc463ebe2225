#pragma once

/* The command line: one table of commands and one of options. Parsing, --help and the check of the
 * completions all come out of them.
 *
 * Option letters keep the meaning they have in their family: ss for `list`, tcpdump for `pcap`, monitoring plugins for
 * `check`.
 * Strings point into argv. */

#include "util/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum command { COMMAND_WHY, COMMAND_LIST, COMMAND_PCAP, COMMAND_EXPLAIN, COMMAND_LAB, COMMAND_AUDIT,
	       COMMAND_CHECK, COMMAND_WATCH, COMMAND_SNAPSHOT };

enum { MAX_CAPTURES = 64, MAX_LEVELS = 32 };

struct options {
	enum command command;
	const char *format; /* "text", "json", "json-lines", "prometheus", "openmetrics" */
	enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER } colour;
	bool verbose, no_progress, two_sided, no_sandbox, exit_code, all;
	bool events, all_states, no_header, processes, timers, extended, info, memory;
	bool only_inet4, only_inet6, all_netns, dead_sockets, sockopts;
	const char *netns, *from, *record, *write, *interface, *draft, *by, *columns, *sort;
	const char *captures[MAX_CAPTURES];
	size_t n_captures;
	uint64_t for_ms, min_age_ms, max_packets, max_connections;
	size_t n_examples, top;
	struct {
		const char *text; /* NAME=RANGE[,…] */
		bool is_critical;
	} levels[MAX_LEVELS];
	size_t n_levels;
	const char *output, *config, *state;
	uint64_t timeout_ms, delay_ms, budget_ms;
	const char *const *words; /* what is left: the filter, the topic, the scenario */
	size_t n_words;
};

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

/* Wrong usage of `check` is 3, UNKNOWN, as are its --help and --version. */
enum { STATUS_UNKNOWN = 3 };

/* For the completions: the i-th command, NULL behind the last; the next option of a command that has
 * a help text, from *at = 0 on. What does and help say is untranslated. */
struct option_shown {
	const char *name, *arg, *help; /* arg: NULL or what --help calls the value */
	char letter;                   /* '\0': none */
};
const char *options_command_at(size_t i, const char **ret_does);
bool options_next(enum command command, size_t *at, struct option_shown *ret);
/* The command by the name of the program, or by the first word; -1: neither. */
int options_command(int argc, char **argv, bool *ret_is_word);

/* The command that a mistyped word most likely meant; NULL: none is that near. */
const char *options_nearest_command(const char *word);

/* true: go on with *ret. false: everything is said; leave with *ret_status. */
MUST_CHECK bool options_parse(int argc, char **argv, struct options *ret, int *ret_status);

#pragma once

/* The commands: each reads, marries, judges and reports, and answers the exit status. What several
 * of them need stands here too. */

#include "cli/options.h"
#include "filter/filter.h"
#include "live/live.h"
#include "model/finding.h"
#include "report/report.h"
#include "util/fail.h"
#include "wire/capture.h"

int run_why(const struct options *o);
int run_list(const struct options *o);
int run_pcap(const struct options *o);
int run_explain(const struct options *o);
int run_check(const struct options *o);
int run_lab(const struct options *o);
int run_audit(const struct options *o);
int run_watch(const struct options *o);
int run_snapshot(const struct options *o);
/* tcpwhy __complete WORD...: what may stand in place of the last, unfinished word; see complete.c. */
int run_complete(int argc, char **argv);
/* The whole program on one command line; main() and the lab call it. */
int run_tcpwhy(int argc, char **argv);

/* Exactly one line on stderr, whatever bytes a name in it has. */
PRINTF(1, 2) void say_line(const char *fmt, ...);
/* "tcpwhy: OBJECT: what is wrong", and the hint on a line of its own. */
void say_failure(const struct fail *fail);
/* NULL: the expression is wrong, and that is said with its place. */
struct filter *parse_filter(const char *const *words, size_t n);
void fill_report_options(const struct options *o, enum report_kind kind, struct report_options *ret);
/* Progress on stderr for work longer than a second, where that is a terminal. */
struct capture_progress progress_for(const struct options *o);
/* Before captures are parsed, once all files are open. false: privileges stayed, so nothing may be parsed. */
MUST_CHECK bool enter_sandbox(const struct options *o, struct fail *fail);
/* Before a look: a recorded one is read in the sandbox, this machine with no more than a look takes. */
MUST_CHECK bool begin_look(const struct options *o, struct fail *fail);
/* live_look(), begun like that; after the last one the sandbox for what is left, joining, judging and reporting. */
MUST_CHECK int take_look(const struct options *o, const struct live_request *req, bool is_last, struct look **ret,
			 struct fail *fail);
/* A request for everything: all states, for the counts are of the whole host, and what `o` asks for. */
struct live_request whole_look(const struct options *o);
/* A line on stderr for each: the table of `list` stands alone on stdout. */
void say_gaps(const struct gaps *gaps);
/* Of a write that may have failed, 0 or -errno: false, and said. That nobody reads on (EPIPE) is not
 * worth a word. */
bool was_written(int error);
/* Of --budget, counted from now; 0: none. */
int64_t deadline_of(const struct options *o);
/* What the findings had no room for. */
void gap_uncounted(const struct findings *findings, struct gaps *gaps);
/* Names of the gaps that make a report incomplete rather than merely unprivileged. */
bool gaps_spoil(const struct gaps *gaps);
/* The first of them; NULL: there is none. */
const struct gap *gaps_spoiler(const struct gaps *gaps);
/* 0, or with --exit-code 1 on a warning and 2 on a problem. */
int status_of(const struct options *o, const struct findings *findings, bool is_whole);

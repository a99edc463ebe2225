#pragma once

/* Asks every rule about every connection, gathers what they claim, and weighs the groups.
 *
 *	judge_new(); judge_sock() / judge_flow() …; judge_listener(), judge_proc(),
 *	judge_ports() …; judge_end(&findings);
 *
 * Findings and their examples live in the arena given to judge_new(). */

#include "model/finding.h"
#include "model/ports.h"

#include <stddef.h>
#include <stdint.h>

struct judge;

struct judge *judge_new(struct arena *arena, uint64_t min_age_ms, size_t n_examples);
/* Names what claims a socket in a teardown state: c->rules, and adds it to that rule's group. */
void judge_sock(struct judge *j, struct conn *c);
/* The same for a connection known from packets; also names the cause of its resets. */
void judge_flow(struct judge *j, struct conn *c);
/* Names only: for lists. */
void judge_name(const struct judge *j, struct conn *c);
/* A listener: only its own limits are judged. */
void judge_listener(struct judge *j, struct conn *c);
/* A process that judge_wants_proc(): near the limit of its descriptors, or with dead ones. */
void judge_proc(struct judge *j, const struct look *look, const struct proc *p);
bool judge_wants_proc(const struct proc *p);
/* The settings and tables of a namespace of the look. */
void judge_host(struct judge *j, const struct look *look, const struct netns *ns);
/* The budget's example socket, joined, says who uses it. */
void judge_ports(struct judge *j, const struct port_budget *budget, const struct conn *example);
/* Findings, worst first. Frees the judge. */
void judge_end(struct judge *j, struct findings *ret);
/* For a judge that only named. */
void judge_free(struct judge *j);

/* The catalogue, for explain, man pages and completions. */
size_t rules_count(void);
const struct rule_text *rules_text(size_t i);
const struct rule_text *rules_find(const char *id);

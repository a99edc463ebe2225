#pragma once

/* Evidence that several rules show in the same words. */

#include "rules/rule.h"

/* "fds": the descriptors, the first 64 of them. */
void fact_fds(struct finding *f, const struct group *g);
/* "pid", "fd_used", "fd_limit", "fd_share" of the subject's process, as far as known. */
void fact_proc(struct finding *f, const struct group *g);
/* "waits_in": the kernel function in which the main thread of the subject's process waits. */
void fact_waits(struct finding *f, const struct group *g);
/* "fin_at", "fin_from", "closed_first", "fin_acked": what a capture says of the earliest FIN. */
void fact_fin(struct finding *f, const struct group *g);
/* "ends_first", "ends_last": when the first and the last of them end by themselves. */
void fact_ends(struct finding *f, const struct group *g);
/* "options_read" and what they are, if any were; values only where all that have them agree. */
void fact_options(struct finding *f, const struct group *g);
/* For rules whose claim is all there is to say: a note, certain, and when it ends. */
bool weigh_certain_note(const struct group *g, const struct bounds *b, struct finding *f);
/* How long a socket in LAST-ACK had been half-closed when its own FIN, or the data in front of it, went out, at
 * most and usually exactly; 0: not known. */
uint64_t half_close_ms(const struct conn *c);
/* A counter since the namespace was made, if it was read and is not zero. */
void fact_counter(struct finding *f, const char *name, const struct setting *counter);
/* A setting's value in force, if known. */
void fact_setting(struct finding *f, const char *name, const struct setting *setting);
/* The process that holds most of the other ends, by "culprit" and "culprit_…"; false: none is known. What
 * only addresses tell, between two namespaces, makes the finding a likely one. */
bool fact_culprit(struct finding *f, const struct group *g);
/* "candidates" and "candidate_pids": the processes of which it may be any. */
void fact_candidates(struct finding *f, const struct group *g);
/* Whose these were, where the owner is inferred: "likely_owner" or "candidates". */
void fact_inferred_owner(struct finding *f, const struct group *g);

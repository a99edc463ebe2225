#pragma once

/* Sockets counted by something they have in common: the answer to every `netstat | awk | sort | uniq
 * -c`. Keys are kept once; the number of different ones is bounded, what is beyond it is counted as
 * "others". */

#include "model/gap.h"
#include "model/state.h"
#include "report/report.h"

struct tally;

struct tally *tally_new(void);
void tally_add(struct tally *t, const char *key, enum state state);
/* Most first, at most `top` of them (0: all). `by` is what they were counted by. 0, or -errno. */
MUST_CHECK int tally_write(struct tally *t, const char *by, size_t top, const struct format *format,
			   const struct report_options *options, const struct gaps *gaps,
			   bool is_complete, int fd);
void tally_free(struct tally *t);

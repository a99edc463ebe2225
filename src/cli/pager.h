#pragma once

/* What is longer than a screen, for people: through $PAGER, else less(1), else more(1), and only where
 * standard output is a terminal. Decide about colour and width before. */

#include "util/attr.h"

#include <sys/types.h>

/* From here on standard output goes to the pager; 0: there is none, it goes where it went. */
MUST_CHECK pid_t pager_begin(void);
/* Ends the output and waits until the reader has seen enough. Of 0 nothing happens. */
void pager_end(pid_t pager);

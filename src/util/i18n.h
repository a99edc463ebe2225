#pragma once

/* Sentences meant for people go through gettext, domain "tcpwhy"; ids, keys and states do not.
 *
 * _() translates where it stands. N_() only marks a string of a static table: whoever prints the
 * row translates it there. */

#include <libintl.h>

#define _(text) gettext(text)
#define N_(text) text

#pragma once

/* The full screen of `tcpwhy watch`: a picture, its findings and what happened, with keys to sort,
 * filter, freeze and scroll. The only file that knows ncurses.
 *
 * From screen_open() to screen_close() the terminal is ours; it is given back at every exit of the
 * program that is not SIGKILL. */

#include "model/frame.h"
#include "util/attr.h"

#include <stdbool.h>
#include <stddef.h>

struct screen;

struct screen_style {
	bool colour, ascii;
};

/* What stands around a picture. */
struct screen_news {
	const char *title;         /* host, time, pause */
	const char *const *events; /* [n_events], oldest first */
	size_t n_events;
};

/* NULL: this terminal cannot do it. */
struct screen *screen_open(const struct screen_style *style);
void screen_close(struct screen *s);

void screen_draw(struct screen *s, const struct frame *f, const struct screen_news *news);
/* Takes what was typed. false: leave. */
MUST_CHECK bool screen_keys(struct screen *s);
/* The picture stays as it is. */
bool screen_is_frozen(const struct screen *s);

#pragma once

/* Text from outside, made harmless. A process, a file or a cgroup chose these bytes: they may move
 * the cursor, forge a line, turn the reading direction or break JSON.
 * Source: ECMA-48 (controls); Unicode UAX 9 (directional formatting); RFC 8259 section 7. */

#include "util/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One character of UTF-8 at s (at most n bytes): its length, or 0 with *ret untouched if invalid. */
size_t utf8_next(const char *s, size_t n, uint32_t *ret);

/* For a terminal: controls, invalid bytes, directional and invisible format characters become \xNN
 * or \u{NNNN}; with `ascii` everything beyond ASCII does. Behind a name that ends from right to left
 * stands U+200E, so that what follows stays where it is. */
void escape_terminal(struct buf *b, const char *s, bool ascii);
#define ESCAPE_LEFT_TO_RIGHT "\u200e"
/* The same for programs to read: nothing is added behind it. */
void escape_visible(struct buf *b, const char *s);
/* A quoted JSON string; invalid bytes become U+FFFD. */
void escape_json(struct buf *b, const char *s);

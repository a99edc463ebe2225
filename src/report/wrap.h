#pragma once

/* Breaks text into lines of a width in display columns, with a hanging indent. */

#include "report/out.h"

#include <stddef.h>

/* Display columns of UTF-8 text; an invalid or unprintable character counts one. */
size_t text_columns(const char *s, size_t n);

/* Writes `text` after `first` (already `first`'s own width wide), following lines indented by
 * `indent` blanks; ends the last line. A word longer than a line stands alone, uncut. */
void wrap_write(struct out *o, const char *first, size_t indent, const char *text, size_t width);

#pragma once

/* A file that others read while it is replaced: they see the old one or the new one, whole. */

#include "util/attr.h"
#include "util/buf.h"
#include "util/fail.h"

/* 0, or -errno with *fail filled; then the old file is untouched and nothing is left behind. The new
 * file may be read by everyone. */
MUST_CHECK int textfile_replace(const char *path, const struct buf *text, struct fail *fail);

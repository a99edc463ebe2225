#pragma once

/* A file that others read while it is replaced: they see the old one or the new one, whole.
 *
 *	replace_begin(path, 0644, &r); write to r.fd; replace_end(&r), or replace_drop(&r)
 *
 * It has no name until it is whole, so whatever ends the program leaves nothing behind; on a file system
 * without such files (NFS, FAT) a hidden name beside it. A link to a file is replaced, not followed; a
 * device, a folder, a link to anything but a file and one into /proc are not (rename(2) would put a file where
 * /dev/stdout was). All fail with -errno and leave the old file as it was. */

#include "util/attr.h"
#include "util/buf.h"

#include <stdbool.h>
#include <sys/types.h>

struct replacement {
	const char *path; /* the caller's */
	int fd;
	struct buf folder, beside;
	bool is_visible;  /* by the name in `beside` */
};

MUST_CHECK int replace_begin(const char *path, mode_t mode, struct replacement *ret);
/* On disk and in place. Either ends it. */
MUST_CHECK int replace_end(struct replacement *r);
void replace_drop(struct replacement *r);

/* All of it in one. */
MUST_CHECK int replace_with(const char *path, mode_t mode, const struct buf *text);
/* What is wrong, translated; for errors of the above. */
const char *replace_reason(int error);

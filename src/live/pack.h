#pragma once

/* A snapshot: the folder of a recorded look (see root.h) as one file, a tar archive compressed with
 * zstd. `tar xf` makes a folder of it that --from reads as well, and `tar c` a snapshot of a folder.
 *
 * A snapshot that is read is hostile: headers are checked, sizes and counts are capped, a name is a
 * name in a table and never opened. All of it is kept in memory until pack_free(). */

#include "util/attr.h"
#include "util/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	PACK_MAX_BYTES = 1 << 30,   /* unpacked: two million sockets, or files, each with a header of 512 bytes */
};

/* ---- reading ---- */

struct pack;

/* From an open file, which stays the caller's; `name` is for messages. 0, or -errno with *fail filled. */
MUST_CHECK int pack_read(int fd, const char *name, struct pack **ret, struct fail *fail);
void pack_free(struct pack *p);

struct pack_entry {
	const char *path; /* "proc/812/stat" */
	const char *at;   /* a link's target is NUL-terminated */
	size_t n;
	bool is_link;
};

/* NULL: not there. */
const struct pack_entry *pack_find(const struct pack *p, const char *path);
bool pack_has_dir(const struct pack *p, const char *dir);
/* The next name in a directory, in order, *at being 0 and ret the same all the time; NULL: no more. */
const char *pack_next(const struct pack *p, const char *dir, size_t *at, char *ret, size_t size);

/* ---- writing ---- */

struct packer;

/* Writes to `fd`, which stays the caller's. NULL: out of memory. */
MUST_CHECK struct packer *packer_new(int fd);
/* A path that comes again replaces the earlier one. Failures are kept for packer_end(). */
void packer_file(struct packer *p, const char *path, const void *bytes, size_t n);
void packer_link(struct packer *p, const char *path, const char *target);
/* A file of unknown length: an open descriptor to write to, which the caller closes before the next
 * entry. -1: failed. */
MUST_CHECK int packer_stream(struct packer *p, const char *path);
/* What was streamed last was nothing. */
void packer_drop(struct packer *p);
/* Ends the archive and frees the packer. 0, or -errno of the first failure. */
MUST_CHECK int packer_end(struct packer *p);

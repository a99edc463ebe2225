#pragma once

/* Where everything a look reads comes from: this machine, or a recorded folder; and where a copy of
 * it goes while recording.
 *
 * Paths are those of a recorded folder, without a leading slash:
 *
 *	look                       time, clock, namespaces, what was refused: lookfile.c
 *	proc/812/stat ...          what proc(5) calls /proc/812/stat
 *	proc/812/fd/7              a symbolic link "socket:[123]"; only wanted sockets are there
 *	proc/812/fd_count          how many descriptors the process had (recorded folders only)
 *	proc/812/leader            "gone": that of its process group (recorded folders only)
 *	proc/812/dead_fds          how many, and the first, of ended connections, and whether that is unsure
 *	                           (recorded folders only)
 *	sockopts                   socket options by inode, if they were asked for
 *	netns.0/sys/net/...        /proc/sys/net as namespace 0 of the look sees it
 *	netns.0/net/...            /proc/net of that namespace
 *	netns.0/netlink.inet       raw answers of sock_diag; or netlink.inet4 and netlink.inet6
 *	netns.0/netlink.mptcp4     the same of MPTCP; and netlink.mptcp6
 *
 * On this machine "netns.N/" is whatever namespace the calling thread is in. A recorded folder is
 * hostile: no symbolic link is followed, no ".." accepted, only regular files are read, and never
 * more than the caller's cap. Functions return -errno on failure. */

#include "util/attr.h"
#include "util/buf.h"
#include "util/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What went wrong while reading, beyond what belongs to life: a process that is gone, a file that
 * this kernel does not have, one that is not for us. */
struct trouble {
	size_t n;
	int error;      /* of the first, positive */
	char path[128];
};

struct root {
	int base_fd;      /* the recorded folder, or /proc of this machine */
	bool is_live;
	struct trouble *trouble; /* the caller's, or NULL: nobody wants to know */
	const struct pack *pack; /* not NULL: base_fd is a snapshot, and this is what it holds */
	int record_fd;    /* a folder; -1: none */
	struct packer *packer; /* a snapshot that is written; NULL: none */
	int record_error; /* the first thing that could not be recorded, -errno */
};

#define ROOT_CLOSED { .base_fd = -1, .record_fd = -1 }

/* `from`: a recorded folder or a snapshot; NULL: this machine. `packer` stays the caller's. */
MUST_CHECK int root_open(const char *from, const char *record, struct packer *packer, struct root *ret,
			 struct fail *fail);
void root_close(struct root *root);

/* Replaces what *ret held; at most cap bytes are read, the rest is left. Copied while recording. */
MUST_CHECK int root_read(struct root *root, const char *path, size_t cap, struct buf *ret);
/* The same, never copied. */
MUST_CHECK int root_peek(const struct root *root, const char *path, size_t cap, struct buf *ret);
/* As readlink(2), but NUL-terminated. Not copied: the caller knows which links matter. */
MUST_CHECK int root_readlink(const struct root *root, const char *path, char *ret, size_t size);
/* A link in an open directory, which is `path`. The length, or -errno. */
MUST_CHECK ssize_t root_readlink_in(const struct root *root, int dir_fd, const char *path,
				    const char *name, char *ret, size_t size);
/* An open directory; the caller closes it. Of a snapshot it is good for dir_begin() alone. */
MUST_CHECK int root_open_dir(const struct root *root, const char *path);

/* A file to read from beginning to end. */
struct root_file {
	int fd;         /* -1: of a snapshot, and the rest are these bytes */
	const char *at;
	size_t n;
};

MUST_CHECK int root_file_open(const struct root *root, const char *path, struct root_file *ret);
/* As read(2), repeated where it is interrupted; -errno. */
MUST_CHECK ssize_t root_file_read(struct root_file *f, void *buf, size_t size);
void root_file_close(struct root_file *f);
#define ROOT_FILE_CLOSED { .fd = -1 }
#define AUTO_ROOT_FILE __attribute__((cleanup(root_file_close))) struct root_file

bool root_is_recorded(const struct root *root);

/* Do nothing unless recording; failures are kept in record_error. */
void root_record_file(struct root *root, const char *path, const void *bytes, size_t n);
void root_record_link(struct root *root, const char *path, const char *target);
/* A file to write more into, emptied first; -1: not recording, or failed. The caller closes it. */
MUST_CHECK int root_record_open(struct root *root, const char *path);
void root_record_write(struct root *root, int fd, const void *bytes, size_t n);
/* The file was opened in vain: there was nothing to copy. */
void root_record_drop(struct root *root, const char *path);

/* Not for us: -EACCES or -EPERM. */
bool root_is_refusal(int error);
/* For those who read through a descriptor of their own: notes -errno as the functions above do. */
void root_note_trouble(const struct root *root, const char *path, int error);

/* Names of a directory, "." and ".." left out. dir_begin() borrows root, path, fd and buffer. */
struct dir {
	const struct root *root;
	const char *path;
	int fd;
	char *buf;
	size_t size, n, at;
	int64_t next; /* lseek(2) here to continue behind the last name */
};

void dir_begin(struct dir *d, const struct root *root, const char *path, int fd, char *buf, size_t size);
const char *dir_next(struct dir *d);

/* A process or descriptor number: "812". false: another name. */
MUST_CHECK bool root_parse_number(const char *text, unsigned *ret);

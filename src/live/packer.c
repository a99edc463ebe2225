#include "live/pack.h"
#include "live/ustar.h"
#include "util/arena.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/io.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

/* How it works: an entry is compressed as it comes. A file of unknown length is collected in memory
 * first, for its size stands in front of it. */

enum { OUT_SIZE = 128 * 1024, CHUNK = 64 * 1024 };

struct packer {
	int fd, error;
	ZSTD_CCtx *zstd;
	char *out;
	int pending;            /* the file of unknown length; -1: none */
	char pending_path[128];
};

struct packer *packer_new(int fd)
{
	struct packer *p = xrealloc_array(NULL, 1, sizeof(*p));

	*p = (struct packer){ .fd = fd, .pending = -1, .zstd = ZSTD_createCCtx() };
	if (!p->zstd) {
		free(p);
		return NULL;
	}
	p->out = xrealloc_array(NULL, OUT_SIZE, 1);
	return p;
}

static void failed(struct packer *p, int error)
{
	if (!p->error)
		p->error = error;
}

static void compress(struct packer *p, const void *bytes, size_t n, ZSTD_EndDirective how)
{
	ZSTD_inBuffer in = { bytes, n, 0 };
	size_t left = 1;

	while (!p->error && (in.pos < in.size || (how == ZSTD_e_end && left > 0))) {
		ZSTD_outBuffer to = { p->out, OUT_SIZE, 0 };

		left = ZSTD_compressStream2(p->zstd, &to, &in, how);
		if (ZSTD_isError(left))
			failed(p, -ENOMEM);
		else
			p->error = write_all(p->fd, p->out, to.pos);
	}
}

static void pad(struct packer *p, size_t n)
{
	static const char zeros[USTAR_BLOCK];

	if (n % USTAR_BLOCK)
		compress(p, zeros, USTAR_BLOCK - n % USTAR_BLOCK, ZSTD_e_continue);
}

static void put_header(struct packer *p, const char *path, char kind, const char *target, size_t size)
{
	struct ustar h = { .mode = "0000600", .uid = "0000000", .gid = "0000000", .mtime = "00000000000",
			   .kind = kind, .magic = "ustar", .version = { '0', '0' } };

	if (strlen(path) > sizeof(h.name))
		failed(p, -ENAMETOOLONG);
	memcpy(h.name, path, strnlen(path, sizeof(h.name)));
	memcpy(h.target, target, strnlen(target, sizeof(h.target)));
	snprintf(h.size, sizeof(h.size), "%011llo", (unsigned long long)size);
	snprintf(h.checksum, sizeof(h.checksum), "%06o", ustar_sum(&h));
	compress(p, &h, sizeof(h), ZSTD_e_continue);
}

static void put_bytes(struct packer *p, const void *bytes, size_t n)
{
	compress(p, bytes, n, ZSTD_e_continue);
	pad(p, n);
}

/* What was streamed before the next entry comes. */
static void flush_pending(struct packer *p)
{
	AUTO_FD fd = p->pending;
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	AUTO_FREE char *chunk = xrealloc_array(NULL, CHUNK, 1);

	p->pending = -1;
	if (fd < 0)
		return;
	if (size < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		failed(p, -errno);
		return;
	}
	put_header(p, p->pending_path, USTAR_FILE, "", (size_t)size);
	for (off_t left = size; left > 0 && !p->error;) {
		ssize_t n = read(fd, chunk, CHUNK);

		if (n <= 0) {
			failed(p, n < 0 ? -errno : -EIO);
			return;
		}
		compress(p, chunk, (size_t)n, ZSTD_e_continue);
		left -= n;
	}
	pad(p, (size_t)size);
}

void packer_file(struct packer *p, const char *path, const void *bytes, size_t n)
{
	flush_pending(p);
	put_header(p, path, USTAR_FILE, "", n);
	put_bytes(p, bytes, n);
}

void packer_link(struct packer *p, const char *path, const char *target)
{
	AUTO_BUF record = { 0 };

	flush_pending(p);
	if (strlen(target) > USTAR_TARGET) {
		size_t n = strlen(" linkpath=\n") + strlen(target);

		/* A record's length counts its own digits. */
		n += n + 3 < 1000 ? 3 : 4;
		buf_printf(&record, "%zu linkpath=%s\n", n, target);
		put_header(p, "PaxHeader", USTAR_PAX, "", record.n);
		put_bytes(p, record.at, record.n);
		target = "";
	}
	put_header(p, path, USTAR_LINK, target, 0);
}

int packer_stream(struct packer *p, const char *path)
{
	if (strcmp(p->pending_path, path) == 0)
		cleanup_fd(&p->pending); /* asked again: the first answer was none */
	else
		flush_pending(p);
	p->pending = memfd_create("tcpwhy", MFD_CLOEXEC);
	snprintf(p->pending_path, sizeof(p->pending_path), "%s", path);
	int fd = p->pending < 0 ? -1 : dup(p->pending);
	if (fd < 0)
		failed(p, -errno);
	return fd;
}

void packer_drop(struct packer *p)
{
	cleanup_fd(&p->pending);
	p->pending = -1;
}

int packer_end(struct packer *p)
{
	static const char end[2 * USTAR_BLOCK];

	flush_pending(p);
	compress(p, end, sizeof(end), ZSTD_e_end);
	int error = p->error;
	ZSTD_freeCCtx(p->zstd);
	free(p->out);
	free(p);
	return error;
}

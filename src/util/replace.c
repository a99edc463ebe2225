#include "util/replace.h"
#include "util/cleanup.h"
#include "util/i18n.h"
#include "util/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

/* How it works: O_TMPFILE and linkat(2), which cannot replace, so it gets a hidden name for the moment until
 * rename(2). Names are of chance, as of mkstemp(3): what a killed program left behind, or another one
 * is writing, is in nobody's way. */

enum { MAX_TRIES = 100 };

static void new_name(struct replacement *r)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	uint64_t chance;
	struct timespec now;

	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		chance = (uint64_t)now.tv_nsec << 20 ^ (uint64_t)getpid();
	}
	buf_clear(&r->beside);
	buf_printf(&r->beside, "%s.tcpwhy-", buf_text(&r->folder));
	for (int i = 0; i < 8; i++, chance /= sizeof(letters) - 1)
		buf_putc(&r->beside, letters[chance % (sizeof(letters) - 1)]);
}

static int open_visible(struct replacement *r)
{
	for (int i = 0; i < MAX_TRIES; i++) {
		new_name(r);
		r->fd = open(buf_text(&r->beside), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		r->is_visible = r->fd >= 0;
		if (r->is_visible || errno != EEXIST)
			return r->is_visible ? 0 : -errno;
	}
	return -EEXIST;
}

static int open_nameless(struct replacement *r)
{
	r->fd = open(buf_text(&r->folder), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (r->fd >= 0)
		return 0;
	/* EISDIR: a kernel before 3.11. */
	return errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT ? open_visible(r) : -errno;
}

static void put_folder_of(struct buf *b, const char *path)
{
	const char *slash = strrchr(path, '/');

	buf_add(b, path, slash ? (size_t)(slash - path) + 1 : 0);
	if (!slash)
		buf_puts(b, "./");
}

/* The name of a descriptor, as /dev/stdout is: whoever redirects it puts a file behind it. Link by link, for
 * each may stand in a folder that is a link itself: /dev/stdout -> fd/1, /dev/fd -> /proc/self/fd. By device,
 * for not everybody who comes here may call statfs(2). */
static bool leads_into_proc(const char *path)
{
	enum { MAX_LINKS = 40 }; /* MAXSYMLINKS of Linux, include/linux/namei.h */
	AUTO_BUF at = { 0 }, folder = { 0 };
	char target[PATH_MAX];
	struct stat proc, st;

	if (stat("/proc", &proc) < 0)
		return false;
	buf_puts(&at, path);
	for (int i = 0; i < MAX_LINKS; i++) {
		buf_clear(&folder);
		put_folder_of(&folder, buf_text(&at));
		if (stat(buf_text(&folder), &st) == 0 && st.st_dev == proc.st_dev)
			return true;
		ssize_t n = readlinkat(AT_FDCWD, buf_text(&at), target, sizeof(target));
		if (n <= 0)
			return false;
		buf_clear(&at);
		if (target[0] != '/')
			buf_puts(&at, buf_text(&folder));
		buf_add(&at, target, (size_t)n);
	}
	return false;
}

static int refuse(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
		return 0;
	if (S_ISLNK(st.st_mode) && leads_into_proc(path))
		return -EEXIST;
	if (S_ISLNK(st.st_mode) && (stat(path, &st) < 0 || S_ISREG(st.st_mode)))
		return 0;
	return S_ISDIR(st.st_mode) ? -EISDIR : -EEXIST;
}

int replace_begin(const char *path, mode_t mode, struct replacement *ret)
{
	struct replacement r = { .path = path, .fd = -1 };
	int error = refuse(path);

	if (error)
		return error;
	put_folder_of(&r.folder, path);
	error = open_nameless(&r);
	if (!error && fchmod(r.fd, mode) < 0)
		error = -errno;
	if (error)
		replace_drop(&r);
	else
		*ret = r;
	return error;
}

static int make_visible(struct replacement *r)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", r->fd);
	for (int i = 0; i < MAX_TRIES && !r->is_visible; i++) {
		new_name(r);
		r->is_visible = linkat(AT_FDCWD, self, AT_FDCWD, buf_text(&r->beside), AT_SYMLINK_FOLLOW) == 0;
		if (!r->is_visible && errno != EEXIST)
			break;
	}
	return r->is_visible ? 0 : -errno;
}

/* The name itself must last as well. Where folders cannot be synced, that is all there is. */
static void sync_folder(const struct replacement *r)
{
	AUTO_FD fd = open(buf_text(&r->folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd);
}

int replace_end(struct replacement *r)
{
	int error = fsync(r->fd) < 0 ? -errno : make_visible(r);

	if (!error && rename(buf_text(&r->beside), r->path) < 0)
		error = -errno;
	if (!error) {
		r->is_visible = false; /* by that name */
		sync_folder(r);
	}
	replace_drop(r);
	return error;
}

void replace_drop(struct replacement *r)
{
	if (r->is_visible)
		unlink(buf_text(&r->beside));
	if (r->fd >= 0)
		close(r->fd);
	buf_free(&r->folder);
	buf_free(&r->beside);
	*r = (struct replacement){ .fd = -1 };
}

int replace_with(const char *path, mode_t mode, const struct buf *text)
{
	struct replacement r;
	int error = replace_begin(path, mode, &r);

	if (error)
		return error;
	error = write_all(r.fd, buf_text(text), text->n);
	if (!error)
		return replace_end(&r);
	replace_drop(&r);
	return error;
}

const char *replace_reason(int error)
{
	return error == -EEXIST ? _("a device, a link to no file or one into /proc: it is not replaced") : strerror(-error);
}

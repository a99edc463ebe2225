#include "live/root.h"
#include "live/pack.h"
#include "util/cleanup.h"
#include "util/i18n.h"
#include "util/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* How it works: a live root is a descriptor of /proc, and a path is rewritten to what it means
 * there. A recorded root walks a path one component at a time with O_NOFOLLOW, which needs no
 * openat2(2) and so works on every kernel.
 *
 * Recording copies at the moment of reading: the folder holds exactly what the look has used. */

static int open_base(const char *from, struct root *ret, struct fail *fail)
{
	const char *base = from ? from : "/proc";
	struct pack *pack;
	struct stat st;

	ret->is_live = !from;
	ret->base_fd = open(base, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (ret->base_fd < 0 || fstat(ret->base_fd, &st) < 0) {
		int error = -errno;
		fail_set(fail, base, "%s", strerror(-error));
		return error;
	}
	if (S_ISDIR(st.st_mode))
		return 0;
	if (!S_ISREG(st.st_mode)) {
		fail_set(fail, base, _("neither a recorded folder nor a snapshot"));
		return -EINVAL;
	}
	int error = pack_read(ret->base_fd, base, &pack, fail);
	if (!error)
		ret->pack = pack;
	return error;
}

int root_open(const char *from, const char *record, struct packer *packer, struct root *ret,
	      struct fail *fail)
{
	struct root root = ROOT_CLOSED;

	root.packer = packer;
	int error = open_base(from, &root, fail);
	if (error) {
		root_close(&root);
		return error;
	}
	if (record) {
		/* Command lines may hold secrets: what is copied is for its maker alone. */
		if (mkdir(record, 0700) < 0 && errno != EEXIST)
			goto failed;
		root.record_fd = open(record, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (root.record_fd < 0)
			goto failed;
		if (faccessat(root.record_fd, "look", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
			errno = EEXIST;
			goto failed;
		}
	}
	*ret = root;
	return 0;
failed:
	error = -errno;
	if (error == -EEXIST)
		fail_set(fail, record, _("there is a recorded look in this folder already"));
	else
		fail_set(fail, record, "%s", strerror(-error));
	root_close(&root);
	return error;
}

static bool is_life(const struct root *root, int error)
{
	switch (error) {
	case ENOENT:
	case ESRCH:
	case ENOTDIR:
	case EINVAL: /* refused by ourselves: no regular file */
	case ELOOP:  /* the same: a link */
		return true;
	case EACCES:
	case EPERM:
		/* Whoever may not see this asks what for; a recording is its reader's own. */
		return root->is_live;
	default:
		return false;
	}
}

bool root_is_refusal(int error)
{
	return error == -EACCES || error == -EPERM;
}

void root_note_trouble(const struct root *root, const char *path, int error)
{
	struct trouble *t = root->trouble;

	if (!t || error >= 0 || is_life(root, -error) || t->n++ > 0)
		return;
	t->error = -error;
	snprintf(t->path, sizeof(t->path), "%s", path);
}

void root_close(struct root *root)
{
	pack_free((struct pack *)root->pack);
	root->pack = NULL;
	cleanup_fd(&root->base_fd);
	cleanup_fd(&root->record_fd);
	root->base_fd = root->record_fd = -1;
}

/* "proc/812/stat" -> "812/stat"; "proc" -> "."; "netns.3/net/snmp" -> "thread-self/net/snmp":
 * /proc/net is that of the thread group's leader, which need not be where the caller is. */
static bool live_path(const char *path, char ret[static PATH_MAX])
{
	const char *rest = strchr(path, '/');
	const char *self = rest && strncmp(rest, "/net/", 5) == 0 ? "thread-self/" : "";
	int n = snprintf(ret, PATH_MAX, "%s%s", self, rest ? rest + 1 : ".");

	return n < PATH_MAX;
}

/* The directory that holds the last component of path, without following a link; *ret_last is set
 * to that component. */
static int open_parent(int base, const char *path, const char **ret_last)
{
	AUTO_FD dir = fcntl(base, F_DUPFD_CLOEXEC, 0);
	char name[NAME_MAX + 1];

	if (dir < 0)
		return -errno;
	for (;;) {
		size_t n = strcspn(path, "/");

		if (n == 0 || n > NAME_MAX || strncmp(path, "..", n) == 0)
			return -ENOENT;
		if (!path[n])
			break;
		memcpy(name, path, n);
		name[n] = '\0';
		int next = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		close(dir);
		dir = next;
		path += n + 1;
	}
	*ret_last = path;
	return take_fd(&dir);
}

static int open_quietly(const struct root *root, const char *path, int flags)
{
	flags |= O_RDONLY | O_CLOEXEC;
	if (root->is_live) {
		char real[PATH_MAX];

		if (!live_path(path, real))
			return -ENAMETOOLONG;
		int fd = openat(root->base_fd, real, flags);
		return fd < 0 ? -errno : fd;
	}
	const char *last;
	AUTO_FD parent = open_parent(root->base_fd, path, &last);
	if (parent < 0)
		return parent;
	/* O_NONBLOCK: a FIFO must not hang us before fstat() can refuse it. */
	int fd = openat(parent, last, flags | O_NOFOLLOW | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int open_at(const struct root *root, const char *path, int flags)
{
	int fd = open_quietly(root, path, flags);

	root_note_trouble(root, path, fd);
	return fd;
}

int root_open_dir(const struct root *root, const char *path)
{
	if (!root->pack)
		return open_at(root, path, O_DIRECTORY);
	if (!pack_has_dir(root->pack, path))
		return -ENOENT;
	int fd = fcntl(root->base_fd, F_DUPFD_CLOEXEC, 0);
	int error = fd < 0 ? -errno : 0;
	root_note_trouble(root, path, error);
	return error ? error : fd;
}

static int open_in_pack(const struct root *root, const char *path, struct root_file *ret)
{
	const struct pack_entry *e = pack_find(root->pack, path);

	if (!e)
		return -ENOENT;
	if (e->is_link)
		return -ELOOP;
	*ret = (struct root_file){ .fd = -1, .at = e->at, .n = e->n };
	return 0;
}

int root_file_open(const struct root *root, const char *path, struct root_file *ret)
{
	if (root->pack)
		return open_in_pack(root, path, ret);
	AUTO_FD fd = open_at(root, path, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (!root->is_live && fstat(fd, &st) < 0) {
		int error = -errno;
		root_note_trouble(root, path, error);
		return error;
	}
	if (!root->is_live && !S_ISREG(st.st_mode))
		return -EINVAL;
	*ret = (struct root_file){ .fd = take_fd(&fd) };
	return 0;
}

ssize_t root_file_read(struct root_file *f, void *buf, size_t size)
{
	ssize_t n;

	if (f->fd < 0) {
		n = (ssize_t)(f->n < size ? f->n : size);
		if (n)
			memcpy(buf, f->at, (size_t)n);
		f->at += n;
		f->n -= (size_t)n;
		return n;
	}
	do {
		n = read(f->fd, buf, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

void root_file_close(struct root_file *f)
{
	cleanup_fd(&f->fd);
}

int root_peek(const struct root *root, const char *path, size_t cap, struct buf *ret)
{
	AUTO_ROOT_FILE f = ROOT_FILE_CLOSED;
	char chunk[4096];
	ssize_t n = 1;
	int error = root_file_open(root, path, &f);

	if (error)
		return error;
	buf_clear(ret);
	while (ret->n < cap && n > 0) {
		size_t room = cap - ret->n;

		n = root_file_read(&f, chunk, room < sizeof(chunk) ? room : sizeof(chunk));
		if (n > 0)
			buf_add(ret, chunk, (size_t)n);
	}
	root_note_trouble(root, path, n < 0 ? (int)n : 0);
	return n < 0 ? (int)n : 0;
}

int root_read(struct root *root, const char *path, size_t cap, struct buf *ret)
{
	int error = root_peek(root, path, cap, ret);

	if (!error)
		root_record_file(root, path, buf_text(ret), ret->n);
	return error;
}

static int link_in_pack(const struct root *root, const char *path, char *ret, size_t size)
{
	const struct pack_entry *e = pack_find(root->pack, path);

	if (!e)
		return -ENOENT;
	if (!e->is_link)
		return -EINVAL;
	snprintf(ret, size, "%s", e->at);
	return 0;
}

static int read_link(const struct root *root, const char *path, char *ret, size_t size)
{
	char real[PATH_MAX];
	const char *last = real;
	AUTO_FD parent = -1;
	int at = root->base_fd;

	if (root->pack)
		return link_in_pack(root, path, ret, size);
	if (root->is_live) {
		if (!live_path(path, real))
			return -ENAMETOOLONG;
	} else {
		parent = open_parent(root->base_fd, path, &last);
		if (parent < 0)
			return parent;
		at = parent;
	}
	ssize_t n = readlinkat(at, last, ret, size - 1);
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return 0;
}

int root_readlink(const struct root *root, const char *path, char *ret, size_t size)
{
	int error = read_link(root, path, ret, size);

	root_note_trouble(root, path, error);
	return error;
}

ssize_t root_readlink_in(const struct root *root, int dir_fd, const char *path, const char *name,
			 char *ret, size_t size)
{
	ssize_t n;

	if (root->pack) {
		char whole[PATH_MAX];

		snprintf(whole, sizeof(whole), "%s/%s", path, name);
		int error = link_in_pack(root, whole, ret, size);
		return error ? error : (ssize_t)strlen(ret);
	}
	n = readlinkat(dir_fd, name, ret, size - 1);
	if (n < 0) {
		int error = -errno;
		root_note_trouble(root, path, error);
		return error;
	}
	ret[n] = '\0';
	return n;
}

/* Makes the directories on the way, then stands in the last one. */
static int record_parent(const struct root *root, const char *path, const char **ret_last)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdirat(root->record_fd, part, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return open_parent(root->record_fd, path, ret_last);
}

static void record_failed(struct root *root, int error)
{
	if (!root->record_error)
		root->record_error = error;
}

bool root_is_recorded(const struct root *root)
{
	return root->record_fd >= 0 || root->packer;
}

int root_record_open(struct root *root, const char *path)
{
	const char *last;

	if (root->packer)
		return packer_stream(root->packer, path);
	if (root->record_fd < 0)
		return -1;
	AUTO_FD parent = record_parent(root, path, &last);
	if (parent < 0) {
		record_failed(root, parent);
		return -1;
	}
	int fd = openat(parent, last, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		record_failed(root, -errno);
	return fd;
}

void root_record_drop(struct root *root, const char *path)
{
	if (root->packer)
		packer_drop(root->packer);
	if (root->record_fd >= 0)
		unlinkat(root->record_fd, path, 0);
}

void root_record_write(struct root *root, int fd, const void *bytes, size_t n)
{
	int error = fd < 0 ? 0 : write_all(fd, bytes, n);

	if (error)
		record_failed(root, error);
}

void root_record_file(struct root *root, const char *path, const void *bytes, size_t n)
{
	if (root->packer) {
		packer_file(root->packer, path, bytes, n);
		return;
	}
	AUTO_FD fd = root_record_open(root, path);

	root_record_write(root, fd, bytes, n);
}

void root_record_link(struct root *root, const char *path, const char *target)
{
	const char *last;

	if (root->packer)
		packer_link(root->packer, path, target);
	if (root->record_fd < 0)
		return;
	AUTO_FD parent = record_parent(root, path, &last);
	if (parent < 0)
		record_failed(root, parent);
	else if (symlinkat(target, parent, last) < 0 && errno != EEXIST)
		record_failed(root, -errno);
}

void dir_begin(struct dir *d, const struct root *root, const char *path, int fd, char *buf, size_t size)
{
	*d = (struct dir){ .root = root, .path = path, .fd = fd, .buf = buf, .size = size };
}

const char *dir_next(struct dir *d)
{
	if (d->root->pack)
		return pack_next(d->root->pack, d->path, &d->at, d->buf, NAME_MAX + 1);
	for (;;) {
		if (d->at >= d->n) {
			ssize_t n = getdents64(d->fd, d->buf, d->size);

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				root_note_trouble(d->root, d->path, -errno);
			if (n <= 0)
				return NULL;
			d->n = (size_t)n;
			d->at = 0;
		}
		const struct dirent64 *e = (const void *)(d->buf + d->at);
		d->at += e->d_reclen;
		d->next = e->d_off;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return e->d_name;
	}
}

bool root_parse_number(const char *text, unsigned *ret)
{
	uint64_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9' && value <= INT_MAX; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	if (at == text || *at || value > INT_MAX)
		return false;
	*ret = (unsigned)value;
	return true;
}

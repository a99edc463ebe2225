#include "live/pack.h"
#include "live/ustar.h"
#include "util/arena.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/i18n.h"
#include "util/inflate.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How it works: the archive is unpacked into memory whole, then its headers are walked once and what
 * they name is sorted by path. A directory is what begins with its name.
 *
 *	block of 512 bytes   ustar header: name, size in octal, kind, target of a link
 *	blocks               the file's bytes, padded
 *	...
 *	two blocks of zeros
 *
 * A target longer than 100 bytes stands in a pax record in front of its header. Of other kinds of
 * entries nothing is kept. */

enum { MAX_TARGET = PATH_MAX };

struct pack {
	struct buf bytes;
	struct arena *names;
	struct pack_entry *at;
	size_t n, cap;
};

static size_t padded(size_t n)
{
	return (n + USTAR_BLOCK - 1) / USTAR_BLOCK * USTAR_BLOCK;
}

static bool octal(const char *text, size_t width, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0;

	while (i < width && text[i] == ' ')
		i++;
	for (; i < width && text[i] >= '0' && text[i] <= '7'; i++)
		value = value << 3 | (uint64_t)(text[i] - '0');
	*ret = value;
	return i == width || text[i] == '\0' || text[i] == ' ';
}

static bool is_zero(const struct ustar *h)
{
	const char *at = (const void *)h;

	for (size_t i = 0; i < USTAR_BLOCK; i++)
		if (at[i])
			return false;
	return true;
}

static bool is_sound(const struct ustar *h, uint64_t *ret_size)
{
	uint64_t sum;

	return octal(h->checksum, sizeof(h->checksum), &sum) && sum == ustar_sum(h) &&
	       octal(h->size, sizeof(h->size), ret_size);
}

static void add(struct pack *p, struct pack_entry entry)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 1024;
		p->at = xrealloc_array(p->at, p->cap, sizeof(*p->at));
	}
	p->at[p->n++] = entry;
}

static const char *path_of(struct pack *p, const struct ustar *h)
{
	const char *name = arena_strndup(p->names, h->name, strnlen(h->name, sizeof(h->name)));

	if (h->prefix[0])
		name = arena_printf(p->names, "%.*s/%s", (int)strnlen(h->prefix, sizeof(h->prefix)), h->prefix,
				    name);
	return strncmp(name, "./", 2) == 0 ? name + 2 : name;
}

/* "23 linkpath=/usr/bin/x\n" among records like it; NULL: none. */
static const char *find_linkpath(struct pack *p, const char *at, size_t n)
{
	static const char key[] = "linkpath=";

	while (n > 0) {
		char *rest;
		size_t len = strtoul(at, &rest, 10); /* ends at the blank, and buffers end in NUL */
		size_t head = (size_t)(rest - at) + 1;

		if (len > n || len <= head || *rest != ' ')
			return NULL;
		if (len > head + strlen(key) && len - head < MAX_TARGET &&
		    memcmp(rest + 1, key, strlen(key)) == 0)
			return arena_strndup(p->names, rest + 1 + strlen(key), len - head - strlen(key) - 1);
		at += len;
		n -= len;
	}
	return NULL;
}

/* Where it ends: NULL at the end of the archive, else what is wrong. */
static const char *walk(struct pack *p)
{
	const char *target = NULL;

	for (size_t at = 0;;) {
		const struct ustar *h = (const void *)(p->bytes.at + at);
		uint64_t size;

		if (p->bytes.n - at < USTAR_BLOCK)
			return _("the snapshot is cut short");
		if (is_zero(h))
			return NULL;
		if (!is_sound(h, &size))
			return at ? _("the snapshot is damaged") : _("not a snapshot: no tar archive");
		at += USTAR_BLOCK;
		if (size > p->bytes.n - at)
			return _("the snapshot is cut short");
		if (h->kind == USTAR_FILE || h->kind == '\0') {
			add(p, (struct pack_entry){ path_of(p, h), p->bytes.at + at, (size_t)size, false });
		} else if (h->kind == USTAR_LINK) {
			if (!target)
				target = arena_strndup(p->names, h->target,
						       strnlen(h->target, sizeof(h->target)));
			add(p, (struct pack_entry){ path_of(p, h), target, strlen(target), true });
		}
		target = h->kind == USTAR_PAX ? find_linkpath(p, p->bytes.at + at, (size_t)size) : NULL;
		at += padded((size_t)size);
		if (at > p->bytes.n)
			return _("the snapshot is cut short");
	}
}

/* What came later under the same name is in front. */
static int by_path(const void *a, const void *b)
{
	const struct pack_entry *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : (x->at < y->at) - (x->at > y->at);
}

static int read_all(FILE *f, struct buf *ret)
{
	enum { CHUNK = 1 << 16 };
	AUTO_FREE char *chunk = xrealloc_array(NULL, CHUNK, 1);

	for (size_t n; (n = fread(chunk, 1, CHUNK, f)) > 0;) {
		if (ret->n + n > PACK_MAX_BYTES)
			return -EFBIG;
		buf_add(ret, chunk, n);
	}
	return ferror(f) ? -(errno ? errno : EIO) : 0;
}

/* -EBADMSG: damaged, or cut short. */
static int unpack(int fd, struct buf *ret)
{
	uint8_t magic[4];
	int copy = dup(fd);
	AUTO_FILE packed = copy < 0 ? NULL : fdopen(copy, "rb");

	if (!packed)
		return -errno;
	size_t n = fread(magic, 1, sizeof(magic), packed);
	enum packing packing = inflate_recognise(magic, n);
	if (packing == PACKED_NOT)
		buf_add(ret, (char *)magic, n);
	else if (fseek(packed, 0, SEEK_SET) < 0)
		return -errno;
	if (packing == PACKED_NOT)
		return read_all(packed, ret);
	const struct inflate *inflate;
	AUTO_FILE plain = inflate_open(packed, packing, &inflate);
	int error = plain ? read_all(plain, ret) : -ENOMEM;
	return !error && !inflate_is_whole(inflate) ? -EBADMSG : error;
}

int pack_read(int fd, const char *name, struct pack **ret, struct fail *fail)
{
	struct pack *p = xrealloc_array(NULL, 1, sizeof(*p));

	*p = (struct pack){ .names = arena_new() };
	int error = unpack(fd, &p->bytes);
	const char *wrong = error == -EFBIG    ? _("it unpacks to more than 1 GiB") :
			    error == -EBADMSG  ? _("the snapshot is damaged or cut short: it cannot be unpacked") :
			    error	       ? strerror(-error) :
			    p->bytes.n < USTAR_BLOCK ? _("not a snapshot: no tar archive") :
						 walk(p);
	if (wrong) {
		fail_set(fail, name, "%s", wrong);
		pack_free(p);
		return error ? error : -EINVAL;
	}
	if (p->n)
		qsort(p->at, p->n, sizeof(*p->at), by_path);
	*ret = p;
	return 0;
}

void pack_free(struct pack *p)
{
	if (!p)
		return;
	buf_free(&p->bytes);
	arena_free(p->names);
	free(p->at);
	free(p);
}

/* The first entry that is not below it. */
static size_t lower_bound(const struct pack *p, const char *path)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(p->at[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct pack_entry *pack_find(const struct pack *p, const char *path)
{
	size_t i = lower_bound(p, path);

	return i < p->n && strcmp(p->at[i].path, path) == 0 ? &p->at[i] : NULL;
}

/* "fd" of "proc/812/fd/7" in "proc/812"; NULL: not in it. */
static const char *below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

bool pack_has_dir(const struct pack *p, const char *dir)
{
	char first[PATH_MAX];

	if (snprintf(first, sizeof(first), "%s/", dir) >= (int)sizeof(first))
		return false;
	size_t i = lower_bound(p, first);
	return i < p->n && below(p->at[i].path, dir);
}

const char *pack_next(const struct pack *p, const char *dir, size_t *at, char *ret, size_t size)
{
	char first[PATH_MAX];

	if (*at == 0) {
		if (snprintf(first, sizeof(first), "%s/", dir) >= (int)sizeof(first))
			return NULL;
		*at = lower_bound(p, first);
		*ret = '\0';
	}
	for (; *at < p->n; ++*at) {
		const char *name = below(p->at[*at].path, dir);
		size_t n = name ? strcspn(name, "/") : 0;

		if (!name)
			break;
		if (n == 0 || n >= size || (strlen(ret) == n && strncmp(ret, name, n) == 0))
			continue;
		memcpy(ret, name, n);
		ret[n] = '\0';
		++*at;
		return ret;
	}
	*at = p->n ? p->n : 1;
	return NULL;
}

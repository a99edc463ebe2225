#include "live/pack.h"
#include "live/ustar.h"
#include "test.h"
#include "util/buf.h"
#include "util/inflate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static int memory(void)
{
	int fd = memfd_create("pack", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static struct pack *unpack(int fd)
{
	struct pack *p = NULL;
	struct fail fail;

	assert_int_equal(pack_read(fd, "it", &p, &fail), 0);
	return p;
}

static void holds(const struct pack *p, const char *path, const char *text, bool is_link)
{
	const struct pack_entry *e = pack_find(p, path);

	assert_non_null(e);
	assert_int_equal(e->is_link, is_link);
	assert_int_equal(e->n, strlen(text));
	assert_memory_equal(e->at, text, e->n);
}

/* Two processes, a link that needs a record of its own, a file of unknown length. */
static int pack_some(const char *long_target)
{
	int fd = memory();
	struct packer *p = packer_new(fd);

	packer_file(p, "proc/12/stat", "old", 3);
	packer_link(p, "proc/12/exe", long_target);
	packer_link(p, "proc/12/fd/7", "socket:[4711]");
	packer_link(p, "proc/12/fd/10", "socket:[4712]");
	int stream = packer_stream(p, "netns.0/netlink.inet");
	assert_int_equal(write(stream, "first", 5), 5);
	close(stream);
	stream = packer_stream(p, "netns.0/netlink.inet");
	assert_int_equal(write(stream, "answer", 6), 6);
	close(stream);
	stream = packer_stream(p, "netns.0/netlink.mptcp4");
	packer_drop(p);
	close(stream);
	packer_file(p, "proc/12/stat", "newer", 5);
	packer_file(p, "proc/12-x/stat", "", 0);
	packer_file(p, "proc/120/stat", "x", 1);
	packer_file(p, "look", "end", 3);
	assert_int_equal(packer_end(p), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void round_trip(void **state)
{
	char target[2000], name[NAME_MAX + 1];
	size_t at = 0;

	(void)state;
	memset(target, 'a', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	for (size_t n = 95; n < sizeof(target); n += n < 120 ? 1 : 293) {
		target[n] = '\0';
		int fd = pack_some(target);
		struct pack *p = unpack(fd);

		holds(p, "proc/12/exe", target, true);
		holds(p, "proc/12/stat", "newer", false);
		holds(p, "netns.0/netlink.inet", "answer", false);
		holds(p, "look", "end", false);
		assert_null(pack_find(p, "proc/12"));
		assert_null(pack_find(p, "netns.0/netlink.mptcp4"));
		pack_free(p);
		close(fd);
		target[n] = 'a';
	}
	int fd = pack_some("short");
	struct pack *p = unpack(fd);

	assert_true(pack_has_dir(p, "proc"));
	assert_true(pack_has_dir(p, "proc/12/fd"));
	assert_false(pack_has_dir(p, "proc/1"));
	assert_false(pack_has_dir(p, "look"));
	assert_string_equal(pack_next(p, "proc/12/fd", &at, name, sizeof(name)), "10");
	assert_string_equal(pack_next(p, "proc/12/fd", &at, name, sizeof(name)), "7");
	assert_null(pack_next(p, "proc/12/fd", &at, name, sizeof(name)));
	assert_null(pack_next(p, "proc/12/fd", &at, name, sizeof(name)));
	at = 0;
	assert_string_equal(pack_next(p, "proc", &at, name, sizeof(name)), "12-x");
	assert_string_equal(pack_next(p, "proc", &at, name, sizeof(name)), "12");
	assert_string_equal(pack_next(p, "proc", &at, name, sizeof(name)), "120");
	assert_null(pack_next(p, "proc", &at, name, sizeof(name)));
	pack_free(p);
	close(fd);
}

static void plain_text(struct buf *ret)
{
	int fd = pack_some("short");
	FILE *packed = fdopen(fd, "rb"), *plain;
	const struct inflate *inflate;
	char chunk[4096];

	plain = inflate_open(packed, PACKED_ZSTD, &inflate);
	assert_non_null(plain);
	for (size_t n; (n = fread(chunk, 1, sizeof(chunk), plain)) > 0;)
		buf_add(ret, chunk, n);
	fclose(plain);
	fclose(packed);
}

static int read_text(const char *text, size_t n)
{
	int fd = memory();
	struct pack *p = NULL;
	struct fail fail;

	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	int error = pack_read(fd, "it", &p, &fail);
	if (!error)
		pack_free(p);
	close(fd);
	return error;
}

/* Cut anywhere, or with any byte of its first headers turned over, it is refused or read, never more. */
static void damaged(void **state)
{
	AUTO_BUF text = { 0 };

	(void)state;
	plain_text(&text);
	assert_int_equal(read_text(text.at, text.n), 0);
	for (size_t n = 0; n < text.n - 2 * (size_t)USTAR_BLOCK; n += 97)
		assert_int_equal(read_text(text.at, n), -EINVAL);
	for (size_t i = 0; i < 4 * (size_t)USTAR_BLOCK; i++) {
		text.at[i] ^= 0x55;
		int error = read_text(text.at, text.n);
		text.at[i] ^= 0x55;
		assert_true(error == 0 || error == -EINVAL);
		if (i < 257 && (i < 148 || i >= 156))
			assert_int_equal(error, -EINVAL); /* the sum tells */
	}
}

/* What tar(1) counts: the sum's own place as blanks. */
static void checksums(void **state)
{
	struct ustar h = { 0 };

	(void)state;
	assert_int_equal(ustar_sum(&h), 8 * ' ');
	h.name[0] = 'a';
	h.pad[11] = (char)0xff;
	memset(h.checksum, 'x', sizeof(h.checksum));
	assert_int_equal(ustar_sum(&h), 8 * ' ' + 'a' + 0xff);
}

static void no_archive(void **state)
{
	static const char zstd[] = { 0x28, (char)0xb5, 0x2f, (char)0xfd, 1, 2, 3 };
	char zeros[2 * USTAR_BLOCK] = { 0 };

	(void)state;
	assert_int_equal(read_text("", 0), -EINVAL);
	assert_int_equal(read_text("junk", 4), -EINVAL);
	assert_int_equal(read_text(zstd, sizeof(zstd)), -EBADMSG);
	assert_int_equal(read_text(zeros, sizeof(zeros)), 0);
}

/* An archive entry by entry, as tar(1) may write it. */
static void add_entry(struct buf *to, const struct ustar *like, const char *bytes)
{
	static const char zeros[USTAR_BLOCK];
	struct ustar h = *like;
	size_t n = strlen(bytes);

	if (!h.size[0])
		snprintf(h.size, sizeof(h.size), "%011o", (unsigned)n & 0777777);
	if (!h.checksum[0])
		snprintf(h.checksum, sizeof(h.checksum), "%06o", ustar_sum(&h));
	buf_add(to, (char *)&h, sizeof(h));
	buf_add(to, bytes, n);
	buf_add(to, zeros, (USTAR_BLOCK - n % USTAR_BLOCK) % USTAR_BLOCK);
}

static struct pack *read_archive(const struct buf *entries)
{
	static const char end[2 * USTAR_BLOCK];
	struct fail fail = { 0 };
	struct pack *p = NULL;
	int fd = memory();

	assert_int_equal(write(fd, entries->at, entries->n), entries->n);
	assert_int_equal(write(fd, end, sizeof(end)), sizeof(end));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	int error = pack_read(fd, "it", &p, &fail);
	assert_int_equal(error != 0, p == NULL);
	close(fd);
	return p;
}

/* What other programs write: a prefix, a kind of zero, a "./" in front, blanks around numbers, folders. */
static void other_writers(void **state)
{
	AUTO_BUF b = { 0 };

	(void)state;
	add_entry(&b, &(struct ustar){ .name = "./", .kind = '5' }, "");
	add_entry(&b, &(struct ustar){ .name = "stat", .prefix = "proc/812", .kind = USTAR_FILE }, "one");
	add_entry(&b, &(struct ustar){ .name = "./look", .kind = '\0' }, "two");
	add_entry(&b, &(struct ustar){ .name = "blank", .size = "          5 ", .kind = USTAR_FILE }, "three");
	add_entry(&b, &(struct ustar){ .name = "full", .kind = USTAR_FILE,
				       .size = { '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '4' } }, "four");
	add_entry(&b, &(struct ustar){ .name = "a//b", .kind = USTAR_FILE }, "five");
	add_entry(&b, &(struct ustar){ .name = "a/c", .kind = USTAR_FILE }, "six");
	struct pack *p = read_archive(&b);
	char name[NAME_MAX + 1], tiny[2], deep[PATH_MAX + 8];
	size_t at = 0;

	assert_non_null(p);
	holds(p, "proc/812/stat", "one", false);
	holds(p, "look", "two", false);
	holds(p, "blank", "three", false);
	holds(p, "full", "four", false);
	assert_null(pack_find(p, ""));
	assert_null(pack_find(p, "zzz"));
	/* A name of nothing is none, and one that finds no room is passed over. */
	assert_string_equal(pack_next(p, "a", &at, name, sizeof(name)), "c");
	assert_null(pack_next(p, "a", &at, name, sizeof(name)));
	at = 0;
	assert_null(pack_next(p, "proc", &at, tiny, sizeof(tiny)));
	memset(deep, 'd', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	at = 0;
	assert_false(pack_has_dir(p, deep));
	assert_null(pack_next(p, deep, &at, name, sizeof(name)));
	assert_false(pack_has_dir(p, "zzz"));
	pack_free(p);
}

/* Records in front of a link: the one that names its target is found among others, a damaged one is not. */
static void records(void **state)
{
	static const struct { const char *record, *target; } rows[] = {
		{ "21 linkpath=/usr/x/y\n", "/usr/x/y" },
		{ "11 mtime=1\n21 linkpath=/usr/x/y\n", "/usr/x/y" },
		{ "11 mtime=1\n", "own" },
		{ "", "own" },
		{ "99 linkpath=/usr/x/y\n", "own" },
		{ "2 linkpath=/usr/x/y\n", "own" },
		{ "0 linkpath=/usr/x/y\n", "own" },
		{ "21_linkpath=/usr/x/y\n", "own" },
		{ "linkpath=/usr/x/y\n", "own" },
		{ "13 linkpath=\n", "" },
		{ "19 hdrcharset=BINARY\n21 linkpath=/usr/x/y\n", "own" },
		{ "21 hdrcharset=BINARY\n21 linkpath=/usr/x/y\n", "/usr/x/y" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF b = { 0 };

		add_entry(&b, &(struct ustar){ .name = "PaxHeader", .kind = USTAR_PAX }, rows[i].record);
		add_entry(&b, &(struct ustar){ .name = "exe", .target = "own", .kind = USTAR_LINK }, "");
		struct pack *p = read_archive(&b);

		assert_non_null(p);
		holds(p, "exe", rows[i].target, true);
		pack_free(p);
	}
}

/* More than one table's worth of entries, a size of blanks, a target longer than any path, and nothing at all. */
static void extremes(void **state)
{
	AUTO_BUF b = { 0 }, none = { 0 }, record = { 0 };
	char name[NAME_MAX + 1];
	size_t at = 0, n = 0;

	(void)state;
	for (unsigned i = 0; i < 1500; i++) {
		struct ustar h = { .kind = USTAR_FILE };

		snprintf(h.name, sizeof(h.name), "proc/%u", i);
		add_entry(&b, &h, "");
	}
	add_entry(&b, &(struct ustar){ .name = "empty", .size = "            ", .kind = USTAR_FILE }, "");
	buf_printf(&record, "5014 linkpath=%*s\n", 4999, "x");
	add_entry(&b, &(struct ustar){ .name = "PaxHeader", .kind = USTAR_PAX }, buf_text(&record));
	add_entry(&b, &(struct ustar){ .name = "exe", .target = "own", .kind = USTAR_LINK }, "");
	struct pack *p = read_archive(&b);
	assert_non_null(p);
	while (pack_next(p, "proc", &at, name, sizeof(name)))
		n++;
	assert_int_equal(n, 1500);
	holds(p, "empty", "", false);
	holds(p, "exe", "own", true);
	pack_free(p);

	add_entry(&none, &(struct ustar){ .name = "proc/", .kind = '5' }, "");
	p = read_archive(&none);
	assert_non_null(p);
	at = 0;
	assert_null(pack_next(p, "proc", &at, name, sizeof(name)));
	assert_null(pack_next(p, "proc", &at, name, sizeof(name)));
	assert_null(pack_find(p, "proc"));
	pack_free(p);
}

/* Numbers that are none, sizes beyond the file, and what cannot be read at all. */
static void refused(void **state)
{
	static const struct ustar rows[] = {
		{ .name = "a", .size = "0000000000x", .kind = USTAR_FILE },
		{ .name = "a", .size = "00000000009", .kind = USTAR_FILE },
		{ .name = "a", .size = "77777777777", .kind = USTAR_FILE },
		{ .name = "a", .size = "00000004000", .kind = USTAR_FILE },
		{ .name = "a", .checksum = "0000001", .kind = USTAR_FILE },
		{ .name = "a", .checksum = "zzz", .kind = USTAR_FILE },
	};
	struct pack *p = NULL;
	struct fail fail;
	int ends[2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF b = { 0 };

		add_entry(&b, &(struct ustar){ .name = "first", .kind = USTAR_FILE }, "x");
		add_entry(&b, &rows[i], "");
		assert_null(read_archive(&b));
	}
	assert_int_equal(pack_read(-1, "it", &p, &fail), -EBADF);
	/* Compressed, and of a pipe, which cannot be begun anew. */
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "\x28\xb5\x2f\xfd....", 8), 8);
	close(ends[1]);
	assert_int_equal(pack_read(ends[0], "it", &p, &fail), -ESPIPE);
	close(ends[0]);
	/* A folder. */
	int fd = open("/proc", O_RDONLY | O_CLOEXEC);
	assert_int_equal(pack_read(fd, "it", &p, &fail), -EISDIR);
	close(fd);
	assert_null(p);
	pack_free(NULL);
}

/* The first failure is told at the end; nothing is written behind it. */
static void cannot_be_written(void **state)
{
	char path[300];

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	struct packer *p = packer_new(memory());
	packer_file(p, path, "x", 1);
	packer_link(p, "a", "b");
	assert_int_equal(packer_end(p), -ENAMETOOLONG);
	/* The first failure is the one that counts. */
	p = packer_new(memory());
	packer_file(p, path, "x", 1);
	packer_file(p, path, "x", 1);
	assert_int_equal(packer_end(p), -ENAMETOOLONG);
	/* No descriptor is left, or one, where two are needed. */
	for (rlim_t left = 0; left < 2; left++) {
		struct rlimit old, none;
		int next = dup(0);

		close(next);
		assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
		p = packer_new(memory());
		none = (struct rlimit){ (rlim_t)next + 1 + left, old.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		int stream = packer_stream(p, "netns.0/netlink.inet");
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
		assert_int_equal(stream, -1);
		assert_int_equal(packer_end(p), -EMFILE);
	}
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	p = packer_new(fd);
	packer_file(p, "a", "x", 1);
	assert_int_equal(packer_end(p), -ENOSPC);
	/* What was streamed is more than is kept back: the end is known before the last of it. */
	char *noise = malloc(1 << 20);
	for (uint32_t i = 0, x = 1; i < 1 << 20; i++, x = x * 1664525 + 1013904223)
		noise[i] = (char)(x >> 24);
	p = packer_new(fd);
	int whole = packer_stream(p, "netns.0/netlink.inet");
	assert_int_equal(write(whole, noise, 1 << 20), 1 << 20);
	close(whole);
	packer_file(p, "b", "x", 1);
	assert_int_equal(packer_end(p), -ENOSPC);
	free(noise);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(other_writers),
		cmocka_unit_test(records),
		cmocka_unit_test(extremes),
		cmocka_unit_test(refused),
		cmocka_unit_test(cannot_be_written),
		cmocka_unit_test(damaged),
		cmocka_unit_test(checksums),
		cmocka_unit_test(no_archive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

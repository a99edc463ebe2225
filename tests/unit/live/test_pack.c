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

	assert_non_null(p);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(damaged),
		cmocka_unit_test(checksums),
		cmocka_unit_test(no_archive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

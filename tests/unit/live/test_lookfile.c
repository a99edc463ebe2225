#include "live/lookfile.h"
#include "live/root.h"
#include "test.h"
#include "util/attr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct folder {
	char at[32];
	struct root root; /* reads it and records into it */
	struct look *look;
};

static int setup(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	snprintf(f->at, sizeof(f->at), "/tmp/lookfile-XXXXXX");
	if (!mkdtemp(f->at))
		return -1;
	int fd = open(f->at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->root = (struct root){ .base_fd = fd, .record_fd = fd };
	f->look = look_new();
	f->look->source = f->at;
	*state = f;
	return fd < 0;
}

static int teardown(void **state)
{
	struct folder *f = *state;

	unlinkat(f->root.base_fd, "look", 0);
	unlinkat(f->root.base_fd, "look", AT_REMOVEDIR);
	close(f->root.base_fd);
	rmdir(f->at);
	look_free(f->look);
	free(f);
	return 0;
}

/* What is written is what is read, whatever stands in names; gaps that show again are not. */
static void there_and_back(void **state)
{
	static const struct { bool looked, complete; int owners; } rows[] = {
		{ false, false, RECORDED_NONE }, { true, false, RECORDED_PARTIAL }, { true, true, RECORDED_COMPLETE },
	};
	struct folder *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look *to = look_new(), *from = f->look;
		struct netns both[2] = { { .inode = 4026531840 }, { .inode = 7, .name = "a\tb\n%41\x7f\xc3\xa4" } };
		struct lookfile file;
		struct fail fail;

		from->host.time_ns = 1700000000000000001;
		from->host.hz = 250;
		from->asked_states = 0x1234;
		from->owners_looked = rows[i].looked;
		from->owners_complete = rows[i].complete;
		from->netns = both;
		from->n_netns = 2;
		from->gaps.n = 0;
		gap_add(&from->gaps, "owners", "/proc/8\t12", "permission\ndenied", "some are unknown");
		gap_add(&from->gaps, "dump", "inet", "interrupted", "some are missing");
		gap_add(&from->gaps, "mptcp", "inet", "not there", "some are missing");
		gap_add(&from->gaps, GAP_FLIGHT, "/proc", "vanished", "some may be missing");
		lookfile_write(&f->root, from);
		to->source = f->at;
		assert_int_equal(lookfile_read(&f->root, to, &file, &fail), 0);
		assert_int_equal(file.owners, rows[i].owners);
		assert_int_equal(file.asked_states, 0x1234);
		assert_true(to->host.time_ns == from->host.time_ns);
		assert_int_equal(to->host.hz, 250);
		assert_int_equal(to->n_netns, 2);
		assert_null(to->netns[0].name);
		assert_string_equal(to->netns[1].name, both[1].name);
		assert_int_equal(to->gaps.n, 2);
		assert_string_equal(to->gaps.at[0].object, "/proc/8\t12");
		assert_string_equal(to->gaps.at[0].reason, "permission\ndenied");
		assert_true(to->flight_is_partial);
		look_free(to);
		from->netns = NULL;
		from->n_netns = 0;
	}
}

static bool parse(const char *text, struct look *look, struct lookfile *ret)
{
	char *copy = strdup(text);
	bool good = lookfile_parse(copy, look, ret);

	free(copy);
	return good;
}

#define HEAD "tcpwhy-look 1\n"

/* Written by a stranger: what is no fact is left out, what is no escape stands as it is. */
static void strange_lines(void **state)
{
	static const struct { const char *written, *name; } names[] = {
		{ "%41", "A" }, { "%4", "%4" }, { "%", "%" }, { "%zz", "%zz" }, { "%4z", "%4z" }, { "%00", "%00" },
		{ "%2541", "%41" }, { "% 1", "% 1" }, { "%+1", "%+1" }, { "%c3%A4", "\xc3\xa4" },
	};
	struct folder *f = *state;
	struct lookfile file = { .asked_states = 77 };
	char text[200];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(text, sizeof(text), HEAD "netns\t1\t%s\n", names[i].written);
		f->look->n_netns = 0;
		f->look->netns = NULL;
		assert_true(parse(text, f->look, &file));
		assert_string_equal(f->look->netns[0].name, names[i].name);
	}
	f->look->n_netns = 0;
	f->look->netns = NULL;
	assert_true(parse(HEAD "netns\nnetns\t1\nnetns\t2\nnetns\t3\nnetns\t4\nnetns\t5\nhz\ngap\ta\tb\tc\td\nhz2\t7\n"
			  "owners\tmaybe\ngap\tsysctl\tb\tc\td\t9\ngap\tsysctl\tb\tc\td\t7\n", f->look, &file));
	assert_int_equal(f->look->n_netns, 5);
	assert_int_equal(f->look->netns[4].inode, 5);
	assert_int_equal(f->look->host.hz, 0);
	assert_int_equal(file.owners, RECORDED_NONE);
	assert_int_equal(file.asked_states, STATES_ALL);
	assert_int_equal(f->look->gaps.n, 1);
	assert_int_equal(f->look->gaps.at[0].count, 10); /* it came once more */
	assert_false(f->look->flight_is_partial);
}

/* One that holds no namespace, or is of another kind, is none; the look is left alone. */
static void is_none(void **state)
{
	static const char *const texts[] = { "", "tcpwhy-look 2\nnetns\t1\n", HEAD, HEAD "hz\t100\n", HEAD "netns\n" };
	struct folder *f = *state;
	struct lookfile file = { .asked_states = 77 };
	struct fail fail;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_false(parse(texts[i], f->look, &file));
	assert_int_equal(file.asked_states, 77);
	assert_int_equal(lookfile_read(&f->root, f->look, &file, &fail), -EINVAL); /* there is no file */
	root_record_file(&f->root, "look", "", 0);
	assert_int_equal(lookfile_read(&f->root, f->look, &file, &fail), -EINVAL);
	root_record_file(&f->root, "look", "junk\n", 5);
	assert_int_equal(lookfile_read(&f->root, f->look, &file, &fail), -EINVAL);
	assert_string_equal(fail.what, "not a recorded look, or of another version");
	assert_int_equal(unlinkat(f->root.base_fd, "look", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", f->root.base_fd, "look"), 0);
	assert_true(lookfile_read(&f->root, f->look, &file, &fail) < 0);
	assert_string_not_equal(fail.what, "not a recorded look, or of another version");
}

/* Sockets count namespaces in sixteen bits. */
static void too_many_namespaces(void **state)
{
	enum { LINES = UINT16_MAX + 10 };
	struct folder *f = *state;
	char *text = malloc(sizeof(HEAD) + 8 * (size_t)LINES);
	struct lookfile file;
	size_t n = (size_t)sprintf(text, HEAD);

	for (unsigned i = 0; i < LINES; i++)
		n += (size_t)sprintf(text + n, "netns\t1\n");
	assert_true(lookfile_parse(text, f->look, &file));
	assert_int_equal(f->look->n_netns, UINT16_MAX);
	free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(there_and_back), TEST(strange_lines), TEST(is_none), TEST(too_many_namespaces),
	};

	return cmocka_run_group_tests_name("live-lookfile", tests, NULL, NULL);
}

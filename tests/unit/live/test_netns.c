#include "folder.h"
#include "live/netns.h"

#include <errno.h>

/* Which namespaces there are, out of folders made by hand; and the ways into them that do not exist. */

struct finding {
	struct root root;
	struct arena *arena;
	struct netns_list list;
};

static struct finding find_in(const struct folder *f)
{
	struct finding found = { .root = ROOT_CLOSED, .arena = arena_new() };
	struct fail fail;

	assert_int_equal(root_open(f->at, NULL, NULL, &found.root, &fail), 0);
	netns_list_all(&found.root, found.arena, &found.list);
	return found;
}

static void done(struct finding *found)
{
	netns_list_free(&found->list);
	arena_free(found->arena);
	root_close(&found->root);
}

static const struct netns_place *place_of(const struct finding *found, uint64_t inode)
{
	for (size_t i = 0; i < found->list.n; i++)
		if (found->list.at[i].inode == inode)
			return &found->list.at[i];
	return NULL;
}

static void expect(const struct finding *found, uint64_t inode, const char *path, const char *name)
{
	const struct netns_place *place = place_of(found, inode);

	assert_non_null(place);
	assert_string_equal(place->path, path);
	if (name)
		assert_string_equal(place->name, name);
	else
		assert_null(place->name);
}

/* A process shows 77 first, two mounts name it; the others are mounts alone, with names or without. */
static void processes_and_mounts(void **state)
{
	const struct folder *f = *state;

	put_link(f, "proc/thread-self/ns/net", "net:[70]");
	put_link(f, "proc/5/ns/net", "net:[77]");
	put_link(f, "proc/6/ns/net", "net:[77]");
	put_link(f, "proc/7/ns/net", "net:[70]");
	put_link(f, "proc/8/ns/net", "mnt:[99]");
	put_link(f, "proc/0/ns/net", "net:[99]");
	put_link(f, "proc/x/ns/net", "net:[99]");
	put_text(f, "proc/9/stat", "");
	put_link(f, "proc/10/task/10/ns/net", "net:[98]"); /* its main thread has ended */
	put_link(f, "proc/10/task/11/ns/net", "net:[83]");
	put_link(f, "proc/6/task/12/ns/net", "net:[99]"); /* costs too much to be looked at */
	put_text(f, "proc/self/mountinfo",
		 "21 1 0:4 / /proc rw - proc proc rw\n"
		 "22 1 0:4 net:[77] /run/netns/blue rw - nsfs nsfs rw\n"
		 "23 1 0:4 net:[77] /run/netns/second rw - nsfs nsfs rw\n"
		 "24 1 0:4 net:[78] /var/run/netns/a\\040b\\134 rw - nsfs nsfs rw\n"
		 "25 1 0:4 net:[79] /srv/chroot/run/netns/c rw - nsfs nsfs rw\n"
		 "26 1 0:4 net:[80] /run/docker/netns/d\\9\\04 rw - nsfs nsfs rw\n"
		 "27 1 0:4 net:[81] /x\\04 rw - nsfs nsfs rw\n"
		 "28 1 0:4 mnt:[99] /run/netns/e rw - nsfs nsfs rw\n"
		 "29 1 0:4 net:[82]\n - nsfs \n");
	struct finding found = find_in(f);
	assert_int_equal(found.list.n, 7);
	assert_false(found.list.is_full);
	assert_int_equal(found.list.at[0].inode, 70);
	assert_null(found.list.at[0].path);
	const char *path = place_of(&found, 77)->path;
	assert_true(strcmp(path, "/proc/5/ns/net") == 0 || strcmp(path, "/proc/6/ns/net") == 0);
	assert_string_equal(place_of(&found, 77)->name, "blue");
	expect(&found, 78, "/var/run/netns/a b\\", "a b\\");
	expect(&found, 79, "/srv/chroot/run/netns/c", NULL);
	expect(&found, 80, "/run/docker/netns/d\\9\\04", NULL);
	expect(&found, 81, "/x\\04", NULL);
	expect(&found, 83, "/proc/10/task/11/ns/net", NULL);
	done(&found);
}

/* What number `inode` meets when it is sought once more. */
struct visits {
	uint64_t inode;
	size_t n, n_others, last;
};

static bool count_visit(void *arg, struct netns_place *place)
{
	struct visits *v = arg;

	assert_true(place->is_gone);
	v->n_others += place->inode != v->inode;
	v->n += place->inode == v->inode;
	place->is_gone = place->inode == v->inode && v->n < v->last;
	return place->inode != 99;
}

/* 77 is gone, and each process in it is tried until one is there; 78 is known, 79 is new. */
static void once_more(void **state)
{
	const struct folder *f = *state;
	const struct live_request req = { .all_netns = true };
	struct visits v = { .inode = 77, .last = 2 };
	struct netns_seek how = { .req = &req, .visit = count_visit, .arg = &v };

	put_link(f, "proc/thread-self/ns/net", "net:[70]");
	put_link(f, "proc/5/ns/net", "net:[77]");
	put_link(f, "proc/6/ns/net", "net:[78]");
	put_text(f, "proc/self/mountinfo", "22 1 0:4 net:[77] /run/netns/blue rw - nsfs nsfs rw\n"
					   "23 1 0:4 net:[77] /run/netns/red rw - nsfs nsfs rw\n");
	struct finding found = find_in(f);
	for (size_t i = 0; i < found.list.n; i++)
		found.list.at[i].is_gone = found.list.at[i].inode == 77;
	put_link(f, "proc/7/ns/net", "net:[79]");
	put_link(f, "proc/5/task/8/ns/net", "net:[80]");
	assert_true(netns_seek(&found.root, found.arena, &how, &found.list));
	assert_int_equal(v.n, 2);
	assert_int_equal(v.n_others, 1);
	expect(&found, 77, "/run/netns/blue", "blue");
	assert_null(place_of(&found, 80));
	how.in_threads = true;
	assert_true(netns_seek(&found.root, found.arena, &how, &found.list));
	assert_int_equal(v.n_others, 2);
	expect(&found, 80, "/proc/5/task/8/ns/net", NULL);
	put_link(f, "proc/9/ns/net", "net:[99]");
	how.in_threads = false;
	assert_false(netns_seek(&found.root, found.arena, &how, &found.list));
	done(&found);
}

/* No more than have a number in a look. */
static void too_many(void **state)
{
	const struct folder *f = *state;
	struct buf text = { 0 };

	put_link(f, "proc/thread-self/ns/net", "net:[70]");
	for (unsigned i = 1; i <= UINT16_MAX; i++)
		buf_printf(&text, "22 1 0:4 net:[%u] /run/netns/n rw - nsfs nsfs rw\n", 100 + i);
	put_text(f, "proc/self/mountinfo", buf_text(&text));
	struct finding found = find_in(f);
	assert_int_equal(found.list.n, UINT16_MAX);
	assert_true(found.list.is_full);
	done(&found);
	buf_free(&text);
}

/* One's own without a number is still where one stands. */
static void nothing_is_there(void **state)
{
	const struct folder *f = *state;
	struct finding found = find_in(f);

	assert_int_equal(found.list.n, 1);
	assert_int_equal(found.list.at[0].inode, 0);
	done(&found);
	put_link(f, "proc/thread-self/ns/net", "net:elsewhere");
	put_text(f, "proc/self/mountinfo", "");
	found = find_in(f);
	assert_int_equal(found.list.n, 1);
	assert_int_equal(found.list.at[0].inode, 0);
	done(&found);
}

static void one_of_them(void **state)
{
	static const struct {
		const char *which;
		int error;
		bool has_hint;
	} rows[] = {
		{ "no-such-namespace-here", -ENOENT, true },
		{ "4194305", -ENOENT, true },
		{ "/no/such/file", -ENOENT, true },
		{ "/dev/null/x", -ENOTDIR, false },
		{ "/proc/self/ns/net", 0, false },
		{ "/dev/null", 0, false },
	};
	struct root root = ROOT_CLOSED;
	struct arena *arena = arena_new();
	struct fail fail;

	(void)state;
	assert_int_equal(root_open(NULL, NULL, NULL, &root, &fail), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct netns_list list = { 0 };

		fail = (struct fail){ 0 };
		assert_int_equal(netns_list_one(&root, arena, rows[i].which, &list, &fail), rows[i].error);
		assert_int_equal(list.n, rows[i].error == 0);
		assert_int_equal(fail.hint[0] != '\0', rows[i].has_hint);
		/* Where one stands already needs no way in. */
		if (list.n)
			assert_int_equal(list.at[0].path == NULL, i == 4);
		netns_list_free(&list);
	}
	root_close(&root);
	arena_free(arena);
}

static void no_way(void **state)
{
	int home = 5, none = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(netns_enter(&(struct netns_place){ .path = "/no/such/file" }, &home), -ENOENT);
	assert_true(netns_enter(&(struct netns_place){ .path = "/dev/null" }, &home) < 0);
	/* Another namespace is there now. */
	struct netns_place reused = { .inode = 1, .path = "/proc/self/ns/net" };
	assert_int_equal(netns_enter(&reused, &home), -ENOENT);
	assert_int_equal(home, 5);
	assert_int_equal(netns_enter(&(struct netns_place){ 0 }, &home), 0);
	assert_int_equal(netns_leave(home), 0);
	assert_true(netns_leave(none) < 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(processes_and_mounts), TEST(once_more), TEST(too_many), TEST(nothing_is_there),
		TEST(one_of_them), TEST(no_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

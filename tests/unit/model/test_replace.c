#include "test.h"
#include "util/replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each in a folder of its own, where it also is at home; and most of them once more where the file system
 * has no files without a name. */

static int make_folder(void **state)
{
	static char path[] = "/tmp/tcpwhy-replace-XXXXXX";

	strcpy(path + sizeof(path) - 7, "XXXXXX");
	*state = mkdtemp(path);
	return *state && chmod(*state, 0755) == 0 && chdir(*state) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	DIR *dir = opendir(*state);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (unlink(e->d_name) < 0)
			(void)rmdir(e->d_name);
	closedir(dir);
	return chdir("/") == 0 && rmdir(*state) == 0 ? 0 : -1;
}

static size_t n_files(void)
{
	DIR *dir = opendir(".");
	struct dirent *e;
	size_t n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void assert_holds(const char *path, const char *text)
{
	char found[64] = "";
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	found[fread(found, 1, sizeof(found) - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(found, text);
}

static int replace_text(const char *path, const char *text)
{
	AUTO_BUF b = { 0 };

	buf_puts(&b, text);
	return replace_with(path, 0644, &b);
}

/* From now on this process lives on a file system without nameless files. */
static void forbid_nameless(void)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_LEN(steps), steps };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(77);
}

/* What `act` answers in a process of its own; -1: a signal ended it. */
static int in_child(int (*act)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(act());
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int replace_twice(void)
{
	umask(077);
	if (replace_text("x", "first") || replace_text("./x", "second"))
		return 1;
	return replace_text("none/x", "") == -ENOENT ? 0 : 2;
}

static int replace_twice_visibly(void)
{
	forbid_nameless();
	return replace_twice();
}

static void what_is_whole_is_in_place(void **state)
{
	int (*const ways[])(void) = { replace_twice, replace_twice_visibly };
	struct stat st;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		int status = in_child(ways[i]);

		if (status == 77)
			continue;
		assert_int_equal(status, 0);
		assert_holds("x", "second");
		assert_int_equal(n_files(), 1);
		assert_int_equal(stat("x", &st), 0);
		assert_int_equal(st.st_mode & 0777, 0644); /* whatever the umask is */
		unlink("x");
	}
}

static int begin_and_drop(void)
{
	struct replacement r;

	if (replace_begin("x", 0600, &r) || write(r.fd, "new", 3) != 3)
		return 1;
	replace_drop(&r);
	return 0;
}

static int begin_and_drop_visibly(void)
{
	forbid_nameless();
	return begin_and_drop();
}

static int begin_and_die(void)
{
	struct replacement r;

	if (replace_begin("x", 0600, &r) || write(r.fd, "new", 3) != 3)
		return 1;
	return raise(SIGKILL);
}

/* A disk that is full in the middle of it. */
static int run_out_of_space(void)
{
	const struct rlimit limit = { 3, 3 };

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	return replace_text("x", "a long text") == -EFBIG ? 0 : 1;
}

static int run_out_of_space_visibly(void)
{
	forbid_nameless();
	return run_out_of_space();
}

static int be_nobody(void)
{
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
		return 77;
	if (geteuid() != 65534)
		chmod(".", 0555);
	return replace_text("x", "new") == -EACCES ? 0 : 1;
}

static void what_is_not_leaves_nothing(void **state)
{
	static const struct {
		int (*act)(void);
		int status;
	} rows[] = { { begin_and_drop, 0 },   { begin_and_drop_visibly, 0 },   { begin_and_die, -1 },
		     { run_out_of_space, 0 }, { run_out_of_space_visibly, 0 }, { be_nobody, 0 } };

	(void)state;
	put("x", "old");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int status = in_child(rows[i].act);

		if (status != 77 && status != rows[i].status)
			fail_msg("row %zu: %d", i, status);
		assert_int_equal(n_files(), 1);
		assert_holds("x", "old");
	}
	chmod(".", 0755);
}

static void links_are_replaced_where_they_lead_to_files(void **state)
{
	struct stat st;

	(void)state;
	put("target", "mine");
	assert_int_equal(symlink("target", "x"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(replace_text("x", "new"), 0);
	assert_int_equal(replace_text("dangling", "new"), 0);
	assert_holds("target", "mine");
	assert_int_equal(lstat("x", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(lstat("nowhere", &st), -1);
	assert_int_equal(n_files(), 3);
}

static void what_is_no_file_is_not_replaced(void **state)
{
	struct replacement r;

	(void)state;
	assert_int_equal(mkdir("folder", 0755), 0);
	assert_int_equal(symlink("folder", "to-folder"), 0);
	assert_int_equal(symlink("/dev/null", "to-device"), 0);
	assert_int_equal(replace_begin("/dev/null", 0600, &r), -EEXIST);
	assert_int_equal(replace_begin("to-device", 0600, &r), -EEXIST);
	assert_int_equal(replace_begin("folder", 0600, &r), -EISDIR);
	assert_int_equal(replace_begin("to-folder", 0600, &r), -EISDIR);
	assert_non_null(strstr(replace_reason(-EEXIST), "not replaced"));
	assert_int_equal(n_files(), 3);
}

static void expect_to_stay(const char *path, int error)
{
	struct replacement r;
	struct stat st;

	assert_int_equal(replace_begin(path, 0600, &r), error);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

/* /dev/stdout as distributions have it, whatever it is redirected to. */
static void names_of_descriptors_are_not_replaced(void **state)
{
	char name[64];

	(void)state;
	put("file", "old");
	int fd = open("file", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	assert_int_equal(symlink(name, "stdout"), 0);
	assert_int_equal(symlink("/proc/self/fd", "fd"), 0);
	snprintf(name, sizeof(name), "fd/%d", fd);
	assert_int_equal(symlink(name, "by-folder"), 0);
	assert_int_equal(symlink("by-folder", "by-two"), 0);
	assert_int_equal(symlink("/proc/self/fd/1000000", "closed"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	expect_to_stay("stdout", -EEXIST);
	expect_to_stay("./by-folder", -EEXIST);
	expect_to_stay(name, -EEXIST);
	expect_to_stay("by-two", -EEXIST);
	expect_to_stay("closed", -EEXIST);
	close(fd);
	assert_int_equal(replace_text("loop", "new"), 0); /* it leads nowhere */
	assert_holds("file", "old");
	assert_int_equal(n_files(), 7);
	/* A folder of that name is not it. */
	assert_int_equal(mkdir("proc", 0755), 0);
	put("proc/file", "mine");
	assert_int_equal(symlink("proc/file", "near"), 0);
	assert_int_equal(replace_text("near", "new"), 0);
	assert_holds("proc/file", "mine");
	assert_holds("near", "new");
	unlink("proc/file");
}

/* Of another one that was killed, or is at work. */
static void names_of_others_are_in_nobodys_way(void **state)
{
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), ".tcpwhy-%d", (int)getpid());
	put(name, "another's");
	assert_int_equal(replace_text("x", "new"), 0);
	assert_holds("x", "new");
	assert_holds(name, "another's");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_whole_is_in_place, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(what_is_not_leaves_nothing, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(links_are_replaced_where_they_lead_to_files, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_not_replaced, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(names_of_descriptors_are_not_replaced, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(names_of_others_are_in_nobodys_way, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

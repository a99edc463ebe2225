/* What a parser that has been taken over could still do: nothing. Built without sanitizers, which a
 * sandbox would hinder; each attempt in a process of its own, because there is no way back. What must not be
 * harmed is this test's own: a sandbox that holds nothing may be what is tested. */

#include "cli/sandbox.h"
#include "util/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* A folder that is open for reading, one for what is written, and what is beside them. */
static char place[] = "/tmp/tcpwhy-sandbox-XXXXXX", look[64], in_look[64], out[64], beside[64];

static void put_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0 && write(fd, "text\n", 5) == 5);
	close(fd);
}

static int make_place(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(place));
	assert_int_equal(chmod(place, 0755), 0);
	snprintf(look, sizeof(look), "%s/look", place);
	snprintf(in_look, sizeof(in_look), "%s/look/file", place);
	snprintf(out, sizeof(out), "%s/out", place);
	snprintf(beside, sizeof(beside), "%s/beside", place);
	assert_int_equal(mkdir(look, 0755), 0);
	assert_int_equal(mkdir(out, 0755), 0);
	put_file(in_look);
	put_file(beside);
	return 0;
}

/* Whatever an attempt has made, too: then a test has failed. */
static int remove_place(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", place);
	return system(command);
}

/* Exit status of a process that enters the sandbox and then tries something. */
static int inside_with(const struct sandbox_doors *doors, int (*attempt)(int open_fd))
{
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC), status;
	pid_t pid = fork();

	if (pid == 0) {
		sandbox_enter(doors);
		_exit(attempt(fd));
	}
	assert_true(fd >= 0 && pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int inside(int (*attempt)(int open_fd))
{
	return inside_with(NULL, attempt);
}

static int is_refused(long result)
{
	return result < 0 && (errno == EPERM || errno == EACCES) ? 0 : 1;
}

static int open_secret(int fd)
{
	(void)fd;
	return is_refused(open("/etc/shadow", O_RDONLY));
}

static int open_world_readable(int fd)
{
	(void)fd;
	return is_refused(open("/etc/passwd", O_RDONLY));
}

static int make_file(int fd)
{
	char name[128];

	(void)fd;
	snprintf(name, sizeof(name), "%s/new", place);
	return is_refused(open(name, O_WRONLY | O_CREAT, 0600));
}

static int connect_somewhere(int fd)
{
	(void)fd;
	return is_refused(socket(AF_INET, SOCK_STREAM, 0)) | is_refused(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int run_something(int fd)
{
	char name[] = "true", *argv[] = { name, NULL };

	(void)fd;
	return is_refused(execv("/bin/true", argv)) | is_refused(fork());
}

static int run_own_bytes(int fd)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)fd;
	return is_refused(p == MAP_FAILED ? -1 : 0);
}

static int become_root_again(int fd)
{
	(void)fd;
	return is_refused(setuid(0));
}

static int read_what_is_open(int fd)
{
	char text[16];
	char *more = malloc(1 << 22);

	return read(fd, text, sizeof(text)) > 0 && more && lseek(fd, 0, SEEK_SET) == 0 ? 0 : 1;
}

/* ENOTTY: it was asked. Newer C libraries ask in the second way. */
static int ask_for_a_terminal(int fd)
{
	char answer[64];
	bool is_asked = ioctl(fd, TCGETS, answer) < 0 && errno == ENOTTY;
#ifdef KERNEL_TCGETS2
	is_asked &= ioctl(fd, KERNEL_TCGETS2, answer) < 0 && errno == ENOTTY;
#endif
	return is_asked ? 0 : 1;
}

static void nothing_new_can_be_had(void **state)
{
	(void)state;
	assert_int_equal(inside(open_secret), 0);
	assert_int_equal(inside(open_world_readable), 0);
	assert_int_equal(inside(make_file), 0);
	assert_int_equal(inside(connect_somewhere), 0);
	assert_int_equal(inside(run_something), 0);
	assert_int_equal(inside(run_own_bytes), 0);
	assert_int_equal(inside(become_root_again), 0);
}

static void what_was_open_can_be_used(void **state)
{
	(void)state;
	assert_int_equal(inside(read_what_is_open), 0);
	assert_int_equal(inside(ask_for_a_terminal), 0);
}

static int read_the_folder(int fd)
{
	struct stat st;

	(void)fd;
	return open(in_look, O_RDONLY) >= 0 && stat(in_look, &st) == 0 ? 0 : 1;
}

static int write_the_folder(int fd)
{
	char name[128];

	(void)fd;
	snprintf(name, sizeof(name), "%s/new", look);
	return is_refused(open(name, O_WRONLY | O_CREAT, 0600)) | is_refused(open(in_look, O_WRONLY)) |
	       is_refused(open(in_look, O_RDONLY | O_TRUNC)) | is_refused(rename(in_look, name)) |
	       is_refused(unlink(in_look));
}

static int look_around(int fd)
{
	char name[128];

	snprintf(name, sizeof(name), "%s/../beside", look);
	return open_secret(fd) | open_world_readable(fd) | make_file(fd) | is_refused(open(beside, O_RDONLY)) |
	       is_refused(open(name, O_RDONLY));
}

/* Beside its name, and into place. */
static int write_what_is_asked_for(int fd)
{
	char hidden[128], name[128];

	(void)fd;
	snprintf(hidden, sizeof(hidden), "%s/.hidden", out);
	snprintf(name, sizeof(name), "%s/x.prom", out);
	return open(hidden, O_WRONLY | O_CREAT | O_EXCL, 0600) >= 0 && rename(hidden, name) == 0 &&
			       unlink(name) == 0 ?
		       0 :
		       1;
}

static void assert_confined(const struct sandbox_doors *doors)
{
	assert_int_equal(inside_with(doors, connect_somewhere), 0);
	assert_int_equal(inside_with(doors, run_something), 0);
	assert_int_equal(inside_with(doors, run_own_bytes), 0);
	assert_int_equal(inside_with(doors, become_root_again), 0);
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 1;
}

/* What a recorded look needs: its folder, and nothing beside it. */
static void one_folder_can_be_read(void **state)
{
	const struct sandbox_doors doors = { .read_folder = look };

	(void)state;
	assert_int_equal(inside_with(&doors, read_the_folder), 0);
	assert_int_equal(inside_with(&doors, write_the_folder), 0);
	assert_confined(&doors);
	if (!has_landlock())
		skip(); /* only Landlock tells one folder from another */
	assert_int_equal(inside_with(&doors, look_around), 0);
}

/* The folder of what is written is open, that of the look still for reading alone. */
static void one_file_can_be_written(void **state)
{
	char name[128];
	const struct sandbox_doors doors = { .read_folder = look, .written = { name } };

	(void)state;
	snprintf(name, sizeof(name), "%s/x.prom", out);
	assert_int_equal(inside_with(&doors, read_the_folder), 0);
	assert_int_equal(inside_with(&doors, write_what_is_asked_for), 0);
	assert_confined(&doors);
	if (!has_landlock())
		skip();
	assert_int_equal(inside_with(&doors, write_the_folder), 0);
	assert_int_equal(inside_with(&doors, look_around), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_folder_can_be_read),
		cmocka_unit_test(one_file_can_be_written),
		cmocka_unit_test(nothing_new_can_be_had),
		cmocka_unit_test(what_was_open_can_be_used),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}

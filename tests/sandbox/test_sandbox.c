/* What a parser that has been taken over could still do: nothing. Built without sanitizers, which a
 * sandbox would hinder; each attempt in a process of its own, because there is no way back. */

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
	(void)fd;
	return is_refused(open("/tmp/tcpwhy-sandbox", O_WRONLY | O_CREAT, 0600));
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
	return open("kept", O_RDONLY) >= 0 && stat("kept", &st) == 0 && st.st_size == 1 ? 0 : 1;
}

static int write_the_folder(int fd)
{
	(void)fd;
	return is_refused(open("new", O_WRONLY | O_CREAT, 0600)) |
	       is_refused(open("kept", O_RDONLY | O_TRUNC)) |
	       is_refused(rename("kept", "new"));
}

static int look_around(int fd)
{
	return open_secret(fd) | open_world_readable(fd) | make_file(fd) |
	       is_refused(open("../../etc/passwd", O_RDONLY));
}

/* What a recorded look needs: its folder, and nothing beside it. A folder of this test's own, where it stands: of a
 * sandbox that does not hold something would be lost there. */
static void one_folder_can_be_read(void **state)
{
	char folder[] = "/tmp/tcpwhy-sandbox-XXXXXX";
	const struct sandbox_doors doors = { .read_folder = folder };
	int home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_true(home >= 0 && chmod(folder, 0755) == 0 && chdir(folder) == 0);
	int fd = open("kept", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
	assert_int_equal(inside_with(&doors, read_the_folder), 0);
	assert_int_equal(inside_with(&doors, write_the_folder), 0);
	assert_int_equal(inside_with(&doors, connect_somewhere), 0);
	assert_int_equal(inside_with(&doors, run_something), 0);
	assert_int_equal(inside_with(&doors, run_own_bytes), 0);
	assert_int_equal(inside_with(&doors, become_root_again), 0);
	/* Only Landlock tells one folder from another. */
	bool has_landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 1;
	int seen = has_landlock ? inside_with(&doors, look_around) : 0;
	assert_true(unlink("kept") == 0 && fchdir(home) == 0 && rmdir(folder) == 0);
	close(home);
	assert_int_equal(seen, 0);
	if (!has_landlock)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_folder_can_be_read),
		cmocka_unit_test(nothing_new_can_be_had),
		cmocka_unit_test(what_was_open_can_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

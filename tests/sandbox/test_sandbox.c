/* What a parser that has been taken over could still do: nothing. Built without sanitizers, which a
 * sandbox would hinder; each attempt in a process of its own, because there is no way back. What must not be
 * harmed is this test's own: a sandbox that holds nothing may be what is tested. */

#include "attempt.h"
#include "util/kernel.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
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
#include <sys/prctl.h>
#include <sys/ptrace.h>
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
		_exit(sandbox_enter(doors) ? attempt(fd) : 1);
	}
	assert_true(fd >= 0 && pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
	return status_of(status);
}

static int inside(int (*attempt)(int open_fd))
{
	return inside_with(NULL, attempt);
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
	if (is_refused(p == MAP_FAILED ? -1 : 0) != 0)
		return 1;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED || is_refused(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

/* root might: whoever started the program. */
static int reach_another_process(int fd)
{
	(void)fd;
	return is_refused(kill(getppid(), 0)) | is_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int get_by_the_filter_alone(int fd)
{
	char name[] = "true", *argv[] = { name, NULL };
	struct stat st;
	int n;

	return is_filtered(open("/etc/passwd", O_RDONLY)) | is_filtered(stat("/etc/passwd", &st)) |
	       is_filtered(execv("/bin/true", argv)) | is_filtered(ioctl(fd, FIONREAD, &n));
}

static int make_by_the_filter_alone(int fd)
{
	char name[128];

	(void)fd;
	snprintf(name, sizeof(name), "%s/new", look);
	return is_filtered(open(name, O_RDONLY | O_CREAT, 0600));
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
	assert_int_equal(inside(reach_another_process), 0);
	assert_int_equal(inside(signal_another), 0);
	assert_int_equal(inside(get_by_the_filter_alone), 0);
}

static void what_was_open_can_be_used(void **state)
{
	(void)state;
	assert_int_equal(inside(read_what_is_open), 0);
	assert_int_equal(inside(ask_for_a_terminal), 0);
	assert_int_equal(inside(signal_itself), 0);
	assert_int_equal(inside(end_itself), 128 + SIGABRT);
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
	assert_int_equal(inside_with(doors, reach_another_process), 0);
	assert_int_equal(inside_with(doors, signal_another), 0);
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
	assert_int_equal(inside_with(&doors, make_by_the_filter_alone), 0);
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

/* Of root nothing is left, or the one right that reading or writing the files of others takes. */
static void root_is_nobody(void **state)
{
	const struct sandbox_doors reading = { .read_folder = look }, writing = { .read_folder = look, .written = { out } };
	char status[4096];

	(void)state;
	if (geteuid() != 0)
		skip();
	status_inside(NULL, NULL, status, sizeof(status));
	assert_line(status, "\nUid:\t", "65534\t65534\t65534\t65534");
	assert_line(status, "\nGid:\t", "65534\t65534\t65534\t65534");
	assert_line(status, "\nGroups:\t", "");
	assert_line(status, "\nCapPrm:\t", "0000000000000000");
	assert_line(status, "\nCapBnd:\t", "0000000000000000");
	if (!has_landlock())
		skip();
	status_inside(NULL, &reading, status, sizeof(status));
	assert_line(status, "\nCapPrm:\t", "0000000000000004"); /* CAP_DAC_READ_SEARCH */
	assert_line(status, "\nCapEff:\t", "0000000000000004");
	assert_line(status, "\nCapBnd:\t", "0000000000000000");
	status_inside(NULL, &writing, status, sizeof(status));
	assert_line(status, "\nCapPrm:\t", "0000000000000002"); /* CAP_DAC_OVERRIDE */
	assert_line(status, "\nCapBnd:\t", "0000000000000000");
}

static void deny(uint32_t call)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(1);
}

static void deny_another_name(void)
{
	deny(SYS_setresuid);
}

static void deny_capset(void)
{
	deny(SYS_capset);
}

/* As containers start their root. */
static void without_read_search(void)
{
	without(CAP_DAC_READ_SEARCH, CAP_DAC_READ_SEARCH);
}

static void without_both(void)
{
	without(CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE);
}

/* In a container root may have less, and may be unable to become somebody else. */
static void root_of_a_container_is_less(void **state)
{
	const struct sandbox_doors reading = { .read_folder = look }, writing = { .read_folder = look, .written = { out } };
	char status[4096];

	(void)state;
	if (geteuid() != 0)
		skip();
	status_inside(deny_another_name, NULL, status, sizeof(status));
	assert_line(status, "\nUid:\t", "0\t0\t0\t0");
	assert_line(status, "\nCapPrm:\t", "0000000000000000");
	assert_line(status, "\nCapEff:\t", "0000000000000000");
	assert_line(status, "\nCapBnd:\t", "0000000000000000");
	if (!has_landlock())
		skip();
	status_inside(without_read_search, &reading, status, sizeof(status));
	assert_line(status, "\nCapPrm:\t", "0000000000000002"); /* CAP_DAC_OVERRIDE */
	status_inside(without_both, &reading, status, sizeof(status));
	assert_line(status, "\nCapPrm:\t", "0000000000000000");
	status_inside(without_both, &writing, status, sizeof(status));
	assert_line(status, "\nCapPrm:\t", "0000000000000000");
}

static void lose_all(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		_exit(1);
}

static int is_safe_without_capset(const struct sandbox_doors *doors, void (*before)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (before)
			before();
		deny_capset();
		_exit(sandbox_enter(doors) ? 1 : 0);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Privileges that stay are said; who has none needs no leave to drop them. */
static void what_cannot_be_dropped_is_said(void **state)
{
	const struct sandbox_doors doors = { .read_folder = look };

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(is_safe_without_capset(NULL, NULL), 0);
	assert_int_equal(is_safe_without_capset(&doors, NULL), 0);
	assert_int_equal(is_safe_without_capset(NULL, lose_all), 1);
	assert_int_equal(is_safe_without_capset(&doors, lose_all), 1);
}

#if defined(__x86_64__)
static int call_in_another_way(int fd)
{
	(void)fd;
	return getpid_of_32_bits() == -EPERM ? 0 : 1;
}

static void no_other_way_to_call(void **state)
{
	(void)state;
	if (!has_calls_of_32_bits())
		skip(); /* this kernel has none */
	assert_int_equal(inside(call_in_another_way), 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_folder_can_be_read),
		cmocka_unit_test(one_file_can_be_written),
		cmocka_unit_test(nothing_new_can_be_had),
		cmocka_unit_test(root_is_nobody),
		cmocka_unit_test(root_of_a_container_is_less),
		cmocka_unit_test(what_cannot_be_dropped_is_said),
#if defined(__x86_64__)
		cmocka_unit_test(no_other_way_to_call),
#endif
		cmocka_unit_test(what_was_open_can_be_used),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}

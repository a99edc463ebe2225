/* What a parser that has been taken over could still do: nothing. Built without sanitizers, which a
 * sandbox would hinder; each attempt in a process of its own, because there is no way back. What must not be
 * harmed is this test's own: a sandbox that holds nothing may be what is tested. */

#include "cli/sandbox.h"
#include "util/kernel.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
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

/* As a shell says it. */
static int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

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

/* EPERM is the filter's answer, EACCES would be Landlock's, which not every kernel has. */
static int is_filtered(long result)
{
	return result < 0 && errno == EPERM ? 0 : 1;
}

/* Nobody has this number: what lets the call through says ESRCH, and nobody is harmed. */
enum { NO_PROCESS = INT32_MAX };

/* And root's descriptors could signal anybody. */
static int signal_another(int fd)
{
	const struct f_owner_ex owner = { F_OWNER_PID, getpid() };

	return is_filtered(syscall(SYS_tgkill, NO_PROCESS, NO_PROCESS, SIGTERM)) |
	       is_filtered(syscall(SYS_tgkill, getppid(), getppid(), 0)) |
	       is_filtered(syscall(SYS_tkill, NO_PROCESS, SIGTERM)) | is_filtered(kill(NO_PROCESS, SIGTERM)) |
	       is_filtered(syscall(SYS_rt_sigqueueinfo, NO_PROCESS, SIGTERM, NULL)) |
	       is_filtered(syscall(SYS_rt_tgsigqueueinfo, NO_PROCESS, NO_PROCESS, SIGTERM, NULL)) |
	       is_filtered(syscall(SYS_pidfd_send_signal, -1, SIGTERM, NULL, 0)) |
	       is_filtered(fcntl(fd, F_SETOWN, getpid())) | is_filtered(fcntl(fd, F_SETOWN_EX, &owner)) |
	       is_filtered(fcntl(fd, F_SETSIG, SIGURG));
}

static int signal_itself(int fd)
{
	return raise(SIGURG) == 0 && syscall(SYS_tkill, getpid(), SIGURG) == 0 && kill(getpid(), SIGURG) == 0 &&
			       fcntl(fd, F_GETFL) >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ?
		       0 :
		       1;
}

static int end_itself(int fd)
{
	const struct rlimit no_core = { 0, 0 };

	(void)fd;
	setrlimit(RLIMIT_CORE, &no_core);
	abort();
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

enum { NOT_ROOT = 2 }; /* though it is called so: in a user namespace */

/* Who the process is inside, as the kernel says it: a file that was opened before, read there. */
static void status_inside(void (*before)(void), const struct sandbox_doors *doors, char *to, size_t size)
{
	int ends[2], status = 0;

	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		const gid_t group = 1;
		int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

		if (setgroups(1, &group) != 0)
			_exit(NOT_ROOT);
		if (before)
			before();
		bool is_safe = sandbox_enter(doors);
		ssize_t n = read(fd, to, size - 1);
		_exit(is_safe && n > 0 && write(ends[1], to, (size_t)n) == n ? 0 : 1);
	}
	close(ends[1]);
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status) == NOT_ROOT)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
	ssize_t n = read(ends[0], to, size - 1);
	assert_true(n > 0);
	to[n] = '\0';
	close(ends[0]);
}

static void assert_line(const char *status, const char *name, const char *want)
{
	const char *line = strstr(status, name);
	size_t n = strlen(want);

	assert_non_null(line);
	line += strlen(name);
	if (strncmp(line, want, n) != 0 || (line[n] != '\n' && line[n] != ' '))
		fail_msg("%s %.60s, not %s", name, line, want);
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

static void without(unsigned a, unsigned b)
{
	capng_get_caps_process();
	if (capng_updatev(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED, a, b, -1) < 0 ||
	    capng_apply(CAPNG_SELECT_CAPS) < 0)
		_exit(1);
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

/* ---- a look at this machine ---- */

/* Exit status of a process that looks and then tries something. */
static int looking(unsigned takes, int (*attempt)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		sandbox_look(takes);
		_exit(attempt());
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status_of(status);
}

static int look_at_the_machine(void)
{
	int ends[2], status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return setns(-1, CLONE_NEWNET) < 0 && errno == EBADF &&
			       socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG) >= 0 &&
			       open("/proc/self/status", O_RDONLY) >= 0 && pipe(ends) == 0 && pid > 0 &&
			       waitpid(pid, &status, 0) == pid && status == 0 ?
		       0 :
		       1;
}

static int reach_beyond(void)
{
	char name[] = "true", *argv[] = { name, NULL };
	char byte;
	struct iovec to = { &byte, 1 };

	return is_filtered(execv("/bin/true", argv)) | is_filtered(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) |
	       is_filtered(process_vm_readv(getppid(), &to, 1, &to, 1, 0)) |
	       is_filtered(socket(AF_INET, SOCK_STREAM, 0)) | is_filtered(socket(AF_UNIX, SOCK_STREAM, 0)) |
	       is_filtered(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)) | is_filtered(unshare(CLONE_NEWNS)) |
	       is_filtered(mount("none", place, "tmpfs", 0, NULL)) | is_filtered(chroot("/")) |
	       is_filtered(setns(-1, CLONE_NEWNS)) | is_filtered(setns(-1, 0));
}

/* Not a descriptor at all: what lets the call through says EBADF, or that it has none. */
static int borrow(void)
{
	return is_filtered(syscall(SYS_pidfd_getfd, -1, -1, 0));
}

static int write_a_file(void)
{
	char name[128], other[128];

	snprintf(name, sizeof(name), "%s/written", place);
	snprintf(other, sizeof(other), "%s/renamed", place);
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	return fd >= 0 && rename(name, other) == 0 && unlink(other) == 0 ? 0 : 1;
}

/* By each of the calls, where there are several. */
static int change_times(void)
{
#ifdef SYS_utime
	if (is_filtered(syscall(SYS_utime, beside, NULL)) | is_filtered(syscall(SYS_utimes, beside, NULL)) |
	    is_filtered(syscall(SYS_futimesat, AT_FDCWD, beside, NULL)))
		return 0;
#endif
	return utimensat(AT_FDCWD, beside, NULL, 0);
}

/* A descriptor that is open for writing, or a file, by way of what only asks or talks. */
static int write_by_detours(void)
{
	int ends[2];
	struct rlimit core;

	return is_filtered(fanotify_init(UINT32_MAX, O_RDWR)) | is_filtered(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends)) |
	       is_filtered(syscall(SYS_mq_open, "", O_RDWR, 0, NULL)) | is_filtered(syscall(SYS_mq_unlink, "")) |
	       (getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 ? 0 : 1);
}

static int share_memory(void)
{
#ifdef SYS_shmat
	return is_filtered(syscall(SYS_shmget, 0, 0, 0)) | is_filtered(syscall(SYS_shmat, -1, NULL, 0)) |
	       is_filtered(syscall(SYS_shmctl, -1, 0, NULL)) | is_filtered(syscall(SYS_msgget, 1, 0)) |
	       is_filtered(syscall(SYS_msgsnd, -1, NULL, 0, 0)) |
	       is_filtered(syscall(SYS_msgrcv, -1, NULL, 0, 0, 0)) | is_filtered(syscall(SYS_msgctl, -1, 0, NULL)) |
	       is_filtered(syscall(SYS_semget, 1, 0, 0)) | is_filtered(syscall(SYS_semop, -1, NULL, 0)) |
	       is_filtered(syscall(SYS_semctl, -1, 0, 0, NULL));
#else
	return 0;
#endif
}

/* What is open may be written: standard output is. */
static int change_files(void)
{
	char name[128];
	int fd = open(beside, O_RDONLY | O_CLOEXEC);

	snprintf(name, sizeof(name), "%s/new", place);
	return fd < 0 ? 1 :
			is_filtered(open(beside, O_WRONLY)) | is_filtered(open(beside, O_RDONLY | O_TRUNC)) |
				is_filtered(open(name, O_RDONLY | O_CREAT, 0600)) | is_filtered(creat(name, 0600)) |
				is_filtered(mkdir(name, 0700)) | is_filtered(unlink(beside)) |
				is_filtered(rename(beside, name)) | is_filtered(link(beside, name)) |
				is_filtered(symlink(beside, name)) | is_filtered(chmod(beside, 0600)) |
				is_filtered(fchmod(fd, 0600)) | is_filtered(chown(beside, 0, 0)) |
				is_filtered(truncate(beside, 0)) | is_filtered(change_times());
}

/* This test's own pseudo-terminal, into which nobody else types. */
static int open_terminal(void)
{
	int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	return ours >= 0 && grantpt(ours) == 0 && unlockpt(ours) == 0 ? open(ptsname(ours), O_RDWR | O_NOCTTY) : -1;
}

static int terminal = -1;

static int type_into_a_terminal(void)
{
	const uint64_t above = UINT64_C(1) << 32; /* which the kernel does not see */
	int n = 0;

	return is_filtered(ioctl(terminal, TIOCSTI, "x")) | is_filtered(syscall(SYS_ioctl, terminal, above | TIOCSTI, "x")) |
	       is_filtered(ioctl(terminal, TIOCLINUX, &n)) | is_filtered(ioctl(terminal, TIOCSETD, &n)) |
	       is_filtered(ioctl(terminal, FIOSETOWN, &n)) | is_filtered(ioctl(terminal, TIOCOUTQ, &n));
}

/* As ncurses does; that it is not our controlling terminal is ENOTTY. */
static int draw_on_a_terminal(void)
{
	struct termios modes;
	struct winsize size;

	return isatty(terminal) && tcgetattr(terminal, &modes) == 0 && tcsetattr(terminal, TCSANOW, &modes) == 0 &&
			       tcsetattr(terminal, TCSADRAIN, &modes) == 0 && tcsetattr(terminal, TCSAFLUSH, &modes) == 0 &&
			       tcflush(terminal, TCIFLUSH) == 0 && ioctl(terminal, TIOCGWINSZ, &size) == 0 &&
			       tcgetpgrp(terminal) < 0 && errno == ENOTTY ?
		       0 :
		       1;
}

static void a_look_types_nothing(void **state)
{
	(void)state;
	terminal = open_terminal();
	if (terminal < 0)
		skip();
	for (unsigned takes = 0; takes <= (LOOK_WRITES | LOOK_BORROWS); takes++) {
		assert_int_equal(looking(takes, type_into_a_terminal), 0);
		assert_int_equal(looking(takes, draw_on_a_terminal), 0);
	}
	close(terminal);
}

static int change_another(void)
{
	const struct rlimit *no_new = NULL;
	struct rlimit old;

	return signal_another(STDIN_FILENO) | is_filtered(syscall(SYS_prlimit64, getppid(), RLIMIT_NOFILE, no_new, &old)) |
	       is_filtered(setpriority(PRIO_PROCESS, NO_PROCESS, 0)) |
	       is_filtered(sched_setaffinity(NO_PROCESS, 0, NULL)) |
	       is_filtered(syscall(SYS_sched_setattr, NO_PROCESS, NULL, 0)) |
	       is_filtered(syscall(SYS_sched_setscheduler, NO_PROCESS, 0, NULL)) |
	       is_filtered(syscall(SYS_sched_setparam, NO_PROCESS, NULL)) |
	       is_filtered(syscall(SYS_ioprio_set, 1, NO_PROCESS, 0)) |
	       is_filtered(syscall(SYS_process_madvise, -1, NULL, 0, 0, 0)) |
	       is_filtered(syscall(SYS_process_mrelease, -1, 0)) |
	       is_filtered(syscall(SYS_move_pages, NO_PROCESS, 0, NULL, NULL, NULL, 0)) |
	       is_filtered(syscall(SYS_migrate_pages, NO_PROCESS, 0, NULL, NULL)) |
	       is_filtered(syscall(SYS_clock_adjtime, CLOCK_REALTIME, NULL));
}

/* That a process is there is asked by a signal that is none; and it may end by one. */
static int ask_for_another(void)
{
	struct rlimit own;

	return kill(getppid(), 0) == 0 && kill(NO_PROCESS, 0) < 0 && errno == ESRCH &&
			       getrlimit(RLIMIT_NOFILE, &own) == 0 ?
		       signal_itself(STDIN_FILENO) :
		       1;
}

static int end_at_once(void)
{
	return end_itself(-1);
}

/* As the helper that asks for the options of a socket, when it hangs. */
static int end_a_helper(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(10);
		pause();
		_exit(0);
	}
	return pid > 0 && kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) ? 0 : 1;
}

static void a_look_signals_nobody(void **state)
{
	(void)state;
	for (unsigned takes = 0; takes <= (LOOK_WRITES | LOOK_BORROWS); takes++) {
		assert_int_equal(looking(takes, change_another), 0);
		assert_int_equal(looking(takes, ask_for_another), 0);
		assert_int_equal(looking(takes, end_at_once), 128 + SIGABRT);
	}
	assert_int_equal(looking(LOOK_BORROWS, end_a_helper), 0);
	assert_int_equal(looking(LOOK_WRITES, end_a_helper), 1);
}

/* By their numbers, which are those of every processor: the headers may be older than the kernel. Nothing in
 * them is right; one that is not known here is ENOSYS. */
static int call_what_is_new(void)
{
	static const long calls[] = { 424, 425, 428, 429, 430, 431, 432, 433, 440, 442, 443, 448, 467 };
	int is_possible = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		is_possible |= is_filtered(syscall(calls[i], -1, NULL, -1, NULL, -1, NULL));
	return is_possible;
}

static int write_in_new_ways(void)
{
	static const long calls[] = { 437, 452, 463, 466, 469 };
	int is_possible = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		is_possible |= is_filtered(syscall(calls[i], -1, NULL, -1, NULL, -1, NULL));
	return is_possible;
}

static void a_look_reaches_nobody(void **state)
{
	(void)state;
	for (unsigned takes = 0; takes <= (LOOK_WRITES | LOOK_BORROWS); takes++) {
		assert_int_equal(looking(takes, look_at_the_machine), 0);
		assert_int_equal(looking(takes, reach_beyond), 0);
		assert_int_equal(looking(takes, call_what_is_new), 0);
		assert_int_equal(looking(takes, write_by_detours), 0);
		assert_int_equal(looking(takes, share_memory), 0);
		assert_int_equal(looking(takes, borrow), takes & LOOK_BORROWS ? 1 : 0);
	}
}

static void a_look_writes_what_is_asked_for(void **state)
{
	(void)state;
	assert_int_equal(looking(LOOK_WRITES, write_a_file), 0);
	assert_int_equal(looking(LOOK_BORROWS, change_files), 0);
	assert_int_equal(looking(0, write_in_new_ways), 0);
}

/* Whoever could is in a namespace of its own then, and ends. */
static long clone_into(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return pid;
}

static int leave_by_a_new_process(void)
{
	static const unsigned long flags[] = { CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID, CLONE_NEWNET,
					       CLONE_NEWUTS,  CLONE_NEWIPC, CLONE_NEWCGROUP };
	int is_possible = is_filtered(clone_into(CLONE_NEWUSER | CLONE_NEWNS));

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		is_possible |= is_filtered(clone_into(flags[i]));
	/* Too short a struct is EINVAL. */
	return is_possible | (syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS ? 0 : 1);
}

static void *return_it(void *it)
{
	return it;
}

/* A thread, too, of which C libraries ask in the newer way first. */
static int start_a_process(void)
{
	void *got = NULL;
	int status = 1;
	pthread_t thread;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 && clone_into(0) > 0 &&
			       pthread_create(&thread, NULL, return_it, &status) == 0 &&
			       pthread_join(thread, &got) == 0 && got == &status ?
		       0 :
		       1;
}

static void a_look_stays_in_its_namespaces(void **state)
{
	(void)state;
	for (unsigned takes = 0; takes <= (LOOK_WRITES | LOOK_BORROWS); takes++) {
		assert_int_equal(looking(takes, leave_by_a_new_process), 0);
		assert_int_equal(looking(takes, start_a_process), 0);
	}
}

static uint64_t permitted(const char *status)
{
	const char *line = strstr(status, "\nCapPrm:\t");

	assert_non_null(line);
	return strtoull(line + strlen("\nCapPrm:\t"), NULL, 16);
}

static void leave_as_it_is(void)
{
}

static void look_only(void)
{
	sandbox_look(0);
}

static void look_and_write(void)
{
	sandbox_look(LOOK_WRITES);
}

static void lose_sight(void)
{
	without(CAP_SYS_PTRACE, CAP_SYS_PTRACE);
}

static void lose_sight_and_look(void)
{
	lose_sight();
	sandbox_look(0);
}

/* The capabilities of a process after `before`, which enters no sandbox by itself. */
static uint64_t permitted_after(void (*before)(void))
{
	char status[4096];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		before();
		int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
		ssize_t n = read(fd, status, sizeof(status));
		_exit(n > 0 && write(ends[1], status, (size_t)n) == n ? 0 : 1);
	}
	close(ends[1]);
	ssize_t n = read(ends[0], status, sizeof(status) - 1);
	assert_true(n > 0 && waitpid(pid, NULL, 0) == pid);
	close(ends[0]);
	status[n] = '\0';
	return permitted(status);
}

static void a_look_keeps_what_it_takes(void **state)
{
#define CAP(c) (UINT64_C(1) << (c))
	const uint64_t takes = CAP(CAP_SYS_PTRACE) | CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_SYS_ADMIN) |
			       CAP(CAP_NET_ADMIN) | CAP(CAP_SETUID) | CAP(CAP_SETGID) | CAP(CAP_SETPCAP);
	uint64_t all = permitted_after(leave_as_it_is);
	char status[4096];

	(void)state;
	if (!(all & CAP(CAP_SYS_PTRACE)))
		skip();
	assert_true(all & ~takes);
	assert_int_equal(permitted_after(look_only), all & takes);
	assert_int_equal(permitted_after(look_and_write), all & (takes | CAP(CAP_DAC_OVERRIDE)));
	/* The kernel then lets it look at its equals only. */
	assert_int_equal(permitted_after(lose_sight_and_look), permitted_after(lose_sight));
	status_inside(look_only, NULL, status, sizeof(status));
	assert_line(status, "\nUid:\t", "65534\t65534\t65534\t65534");
	assert_line(status, "\nCapPrm:\t", "0000000000000000");
	assert_line(status, "\nCapBnd:\t", "0000000000000000");
#undef CAP
}

#if defined(__x86_64__)
/* getpid() by the calls of 32 bits, which have other numbers. */
static long getpid_of_32_bits(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	return result;
}

static int look_in_another_way(void)
{
	/* mkdir() by its number of x32. */
	return getpid_of_32_bits() == -EPERM ? is_filtered(syscall(0x40000000 | SYS_mkdir, place, 0700)) : 1;
}

static int call_in_another_way(int fd)
{
	(void)fd;
	return getpid_of_32_bits() == -EPERM ? 0 : 1;
}

static void no_other_way_to_call(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(getpid_of_32_bits() == getpid() ? 0 : 1);
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		skip(); /* this kernel has none */
	assert_int_equal(inside(call_in_another_way), 0);
	assert_int_equal(looking(LOOK_WRITES | LOOK_BORROWS, look_in_another_way), 0);
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
		cmocka_unit_test(a_look_reaches_nobody),
		cmocka_unit_test(a_look_stays_in_its_namespaces),
		cmocka_unit_test(a_look_types_nothing),
		cmocka_unit_test(a_look_signals_nobody),
		cmocka_unit_test(a_look_writes_what_is_asked_for),
		cmocka_unit_test(a_look_keeps_what_it_takes),
#if defined(__x86_64__)
		cmocka_unit_test(no_other_way_to_call),
#endif
		cmocka_unit_test(what_was_open_can_be_used),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}

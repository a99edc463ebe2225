/* What a look at this machine that has been taken over could still do, as in test_sandbox.c. */

#include "attempt.h"
#include "util/kernel.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
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
#include <sys/mount.h>
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

/* As the helper that asks for the options of a socket, when it hangs; if it may not be, it ends with us. */
static int end_a_helper(void)
{
	int ends[2], status = 0;
	pid_t pid = pipe(ends) == 0 ? fork() : -1;

	if (pid == 0) {
		close(ends[1]);
		_exit(read(ends[0], &status, sizeof(status)) != 0);
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
static int look_in_another_way(void)
{
	/* mkdir() by its number of x32. */
	return getpid_of_32_bits() == -EPERM ? is_filtered(syscall(0x40000000 | SYS_mkdir, place, 0700)) : 1;
}

static void no_other_way_to_call(void **state)
{
	(void)state;
	if (!has_calls_of_32_bits())
		skip(); /* this kernel has none */
	assert_int_equal(looking(LOOK_WRITES | LOOK_BORROWS, look_in_another_way), 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_reaches_nobody),
		cmocka_unit_test(a_look_stays_in_its_namespaces),
		cmocka_unit_test(a_look_types_nothing),
		cmocka_unit_test(a_look_signals_nobody),
		cmocka_unit_test(a_look_writes_what_is_asked_for),
		cmocka_unit_test(a_look_keeps_what_it_takes),
#if defined(__x86_64__)
		cmocka_unit_test(no_other_way_to_call),
#endif
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}

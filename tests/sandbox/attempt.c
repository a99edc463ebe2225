#include "attempt.h"
#include "util/kernel.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

char place[] = "/tmp/tcpwhy-sandbox-XXXXXX", look[64], in_look[64], out[64], beside[64];

static void put_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0 && write(fd, "text\n", 5) == 5);
	close(fd);
}

int make_place(void **state)
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

int remove_place(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", place);
	return system(command);
}

int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int is_refused(long result)
{
	return result < 0 && (errno == EPERM || errno == EACCES) ? 0 : 1;
}

int is_filtered(long result)
{
	return result < 0 && errno == EPERM ? 0 : 1;
}

int signal_another(int fd)
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

int signal_itself(int fd)
{
	return raise(SIGURG) == 0 && syscall(SYS_tkill, getpid(), SIGURG) == 0 && kill(getpid(), SIGURG) == 0 &&
			       fcntl(fd, F_GETFL) >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ?
		       0 :
		       1;
}

int end_itself(int fd)
{
	const struct rlimit no_core = { 0, 0 };

	(void)fd;
	setrlimit(RLIMIT_CORE, &no_core);
	abort();
}

void without(unsigned a, unsigned b)
{
	capng_get_caps_process();
	if (capng_updatev(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED, a, b, -1) < 0 ||
	    capng_apply(CAPNG_SELECT_CAPS) < 0)
		_exit(1);
}

enum { NOT_ROOT = 2 }; /* though it is called so: in a user namespace */

void status_inside(void (*before)(void), const struct sandbox_doors *doors, char *to, size_t size)
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

void assert_line(const char *status, const char *name, const char *want)
{
	const char *line = strstr(status, name);
	size_t n = strlen(want);

	assert_non_null(line);
	line += strlen(name);
	if (strncmp(line, want, n) != 0 || (line[n] != '\n' && line[n] != ' '))
		fail_msg("%s %.60s, not %s", name, line, want);
}

#if defined(__x86_64__)
long getpid_of_32_bits(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	return result;
}

bool has_calls_of_32_bits(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(getpid_of_32_bits() == getpid() ? 0 : 1);
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
#endif

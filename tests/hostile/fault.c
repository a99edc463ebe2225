/* Runs a command and makes its n-th system call of some kind fail: fault NAME[:SIZE][,NAME...] N ERROR COMMAND...
 * With a SIZE only calls with this third argument count: "read:8" is the read of a clock.
 *
 * How it works: the command runs under a seccomp filter that asks this process about each call of the
 * named ones (SECCOMP_RET_USER_NOTIF), so nothing is preloaded, sanitizers and the program's own sandbox
 * stay as they are, and calls from inside any library count. N 0 fails none. On descriptor 3, if there is
 * one, the number of calls is written at the end, and how many there had been when standard output was
 * written to for the last time.
 * Exit status: the command's, or 128 and the signal's number; 77: not possible here. */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CALLS = 32, SKIP = 77, STACK = 64 * 1024 };

struct fault {
	int calls[MAX_CALLS + 2]; /* the last two are asked about, but do not count */
	unsigned long sizes[MAX_CALLS]; /* 0: any */
	size_t n_calls;
	unsigned long at, seen, last_output;
	int error;
	char **command;
	_Atomic int listener; /* 0: not yet; -1: failed */
};

static const struct {
	const char *name;
	int error;
} errors[] = {
	{ "EIO", EIO },       { "EINTR", EINTR },   { "ENOENT", ENOENT }, { "ESRCH", ESRCH },
	{ "EACCES", EACCES }, { "EPERM", EPERM },   { "EMFILE", EMFILE }, { "ENOMEM", ENOMEM },
	{ "ENOSPC", ENOSPC }, { "ENOBUFS", ENOBUFS }, { "EPIPE", EPIPE },   { "EAGAIN", EAGAIN },
};

/* Those that an architecture does not have are not called there. */
static const struct {
	const char *name;
	int nr;
} calls[] = {
#define CALL(name) { #name, SYS_##name }
	CALL(openat),	  CALL(read),	 CALL(readv),	   CALL(pread64),    CALL(getdents64),
	CALL(readlinkat), CALL(fstat),	 CALL(lseek),	   CALL(ioctl),	     CALL(fcntl),
	CALL(statx),	  CALL(recvfrom), CALL(recvmsg),   CALL(ppoll),	     CALL(socket),
	CALL(bind),	  CALL(sendto),	 CALL(sendmsg),	   CALL(setsockopt), CALL(getsockopt),
	CALL(setns),	  CALL(write),	 CALL(writev),	   CALL(mkdirat),    CALL(symlinkat),
	CALL(unlinkat),	  CALL(fsync),	 CALL(fchmod),	   CALL(pipe2),	     CALL(clone),
	CALL(unshare),	  CALL(prctl),	 CALL(capset),	   CALL(setgroups),  CALL(setresgid),
	CALL(setresuid),  CALL(seccomp),
#ifdef SYS_clone3
	CALL(clone3),
#endif
#ifdef SYS_landlock_restrict_self
	CALL(landlock_create_ruleset), CALL(landlock_add_rule), CALL(landlock_restrict_self),
#endif
#ifdef SYS_newfstatat
	CALL(newfstatat),
#endif
#ifdef SYS_open
	CALL(open),	  CALL(readlink), CALL(poll),	   CALL(mkdir),	     CALL(rename),
	CALL(renameat),	  CALL(unlink),	 CALL(pipe),	   CALL(fork),
#endif
#undef CALL
};

static int call_of(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].nr;
	return -1;
}

static int error_of(const char *name)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(errors[i].name, name) == 0)
			return errors[i].error;
	return 0;
}

static bool take_calls(struct fault *f, char *names)
{
	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		char *size = strchr(name, ':');
		unsigned long n = size ? strtoul(size + 1, NULL, 10) : 0;

		if (size)
			*size = '\0';
		int nr = call_of(name);
		if (f->n_calls == MAX_CALLS)
			return false;
		if (nr < 0)
			continue;
		f->sizes[f->n_calls] = n;
		f->calls[f->n_calls++] = nr;
	}
	f->calls[f->n_calls] = SYS_write;
	f->calls[f->n_calls + 1] = SYS_writev;
	return f->n_calls > 0;
}

static int filter_new(const struct fault *f)
{
	struct sock_filter code[2 * (MAX_CALLS + 2) + 2];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < f->n_calls + 2; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)f->calls[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = n;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* In the child, which shares our descriptors until it runs the command. */
static int child(void *arg)
{
	struct fault *f = arg;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	int listener = filter_new(f);
	f->listener = listener > 0 ? listener : -1;
	if (listener <= 0)
		_exit(SKIP);
	execv(f->command[0], f->command);
	_exit(127);
}

static bool counts(const struct fault *f, const struct seccomp_data *call)
{
	for (size_t i = 0; i < f->n_calls; i++)
		if (f->calls[i] == call->nr && (!f->sizes[i] || f->sizes[i] == call->args[2]))
			return true;
	return false;
}

static void answer_one(struct fault *f)
{
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	if (ioctl(f->listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return;
	bool is_ours = counts(f, &call.data);
	f->seen += is_ours;
	if ((call.data.nr == SYS_write || call.data.nr == SYS_writev) && call.data.args[0] == STDOUT_FILENO)
		f->last_output = f->seen;
	answer.id = call.id;
	if (is_ours && f->seen == f->at) {
		answer.flags = 0;
		answer.error = -f->error;
	}
	ioctl(f->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static int supervise(struct fault *f, pid_t pid)
{
	struct pollfd listener = { .events = POLLIN };
	int status;

	while (!f->listener)
		sched_yield();
	listener.fd = f->listener;
	while (f->listener > 0 && poll(&listener, 1, -1) >= 0 && !(listener.revents & POLLHUP))
		if (listener.revents & POLLIN)
			answer_one(f);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return SKIP;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct fault *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *stack = malloc(STACK);

	if (f == MAP_FAILED || !stack)
		return SKIP;
	if (argc < 5 || !take_calls(f, argv[1]) || !(f->error = error_of(argv[3]))) {
		fprintf(stderr, "usage: %s CALL[,CALL...] N ERROR COMMAND...\n", argv[0]);
		return 2;
	}
	f->at = strtoul(argv[2], NULL, 10);
	f->command = argv + 4;
	pid_t pid = clone(child, stack + STACK, CLONE_FILES | SIGCHLD, f);
	if (pid < 0)
		return SKIP;
	int status = supervise(f, pid);
	dprintf(3, "%lu %lu\n", f->seen, f->last_output);
	return status;
}

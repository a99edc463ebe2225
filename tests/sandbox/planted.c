/* A bug planted into two parsers, linked into a program of the tests only: what a stranger who has taken
 * one of them over could do. The linker puts these functions in front of the real ones (--wrap). A line
 * "planted WHAT: ERROR" on stderr tells of each attempt, "planted WHAT: done" if one succeeded.
 *
 * They act when PLANTED is set, so that the same program can be seen to work. */

#include "live/facts.h"
#include "wire/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum skip_reason __real_decode_tcp(struct decoder *d, struct packet p);
enum skip_reason __wrap_decode_tcp(struct decoder *d, struct packet p);
struct proc *__real_facts_read(struct root *root, struct arena *arena, unsigned pid);
struct proc *__wrap_facts_read(struct root *root, struct arena *arena, unsigned pid);

static void tell(const char *what, long result)
{
	fprintf(stderr, "planted %s: %s\n", what, result < 0 ? strerror(errno) : "done");
}

static void attack(void)
{
	static bool is_over;
	char name[] = "true", *argv[] = { name, NULL };

	if (is_over || !getenv("PLANTED"))
		return;
	is_over = true;
	tell("secret", open("/etc/shadow", O_RDONLY));
	tell("world-readable", open("/etc/passwd", O_RDONLY));
	tell("own memory", open("/proc/self/mem", O_RDWR));
	tell("new file", open("/tmp/tcpwhy-planted", O_WRONLY | O_CREAT, 0600));
	tell("file in the look", open("look/planted", O_WRONLY | O_CREAT, 0600));
	tell("socket", socket(AF_INET, SOCK_STREAM, 0));
	tell("UNIX socket", socket(AF_UNIX, SOCK_STREAM, 0));
	tell("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	tell("fork", child);
	child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0)
		_exit(0);
	tell("user namespace", child);
	tell("setuid", setuid(0));
	tell("descriptor of another",
	     syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, getppid(), 0), STDIN_FILENO, 0));
	tell("namespace", setns(open("/proc/self/ns/uts", O_RDONLY), CLONE_NEWUTS));
	tell("signal", syscall(SYS_tgkill, getppid(), getppid(), 0));
	tell("keys", ioctl(STDIN_FILENO, TIOCSTI, "x"));
	tell("run", execv("/bin/true", argv));
}

enum skip_reason __wrap_decode_tcp(struct decoder *d, struct packet p)
{
	attack();
	return __real_decode_tcp(d, p);
}

struct proc *__wrap_facts_read(struct root *root, struct arena *arena, unsigned pid)
{
	attack();
	return __real_facts_read(root, arena, pid);
}

#include "lab/stage.h"
#include "model/sock.h"
#include "util/cleanup.h"
#include "util/i18n.h"
#include "util/io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* How it works: the stage unshares, casts its actors with fork() and talks to each through two
 * pipes. Every child dies with its parent (PR_SET_PDEATHSIG), so that ending the stage ends all.
 *
 * An actor keeps five descriptors, always the same, so that what it holds besides is what the
 * scenario made it hold: 0, 1, 2, its cue and its prompt. */

enum { CUE_FD = 3, PROMPT_FD = 4 };
enum { PATIENCE_MS = 20000 }; /* what a loaded machine may need; nothing here takes a second */

int64_t stage_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *own_name(char name[static 17])
{
	if (prctl(PR_GET_NAME, name) < 0)
		name[0] = '\0';
	return name;
}

void stage_die(const char *what)
{
	int error = errno;
	char name[17] = "";

	fprintf(stderr, "tcpwhy: lab: %s: %s: %s\n", own_name(name), what, strerror(error));
	_exit(STAGE_FAILED);
}

void stage_end_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		stage_die("prctl");
	if (getppid() != parent)
		_exit(STAGE_FAILED); /* nobody is left to be told */
}

void stage_impossible(const char *what)
{
	int error = errno;

	fprintf(stderr, _("tcpwhy: lab: not possible here: %s"), what);
	fprintf(stderr, error ? ": %s\n" : "\n", strerror(error));
	_exit(STAGE_IMPOSSIBLE);
}

void stage_pause(int64_t since_ms, const char *waiting_for)
{
	static const struct timespec step = { .tv_nsec = 3000000 };

	if (stage_now_ms() - since_ms > PATIENCE_MS) {
		errno = ETIMEDOUT;
		stage_die(waiting_for);
	}
	nanosleep(&step, NULL);
}

static bool write_file(const char *path, const char *text)
{
	AUTO_FD fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

void stage_set(const char *sysctl, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/%s", sysctl);
	if (!write_file(path, value))
		stage_impossible(sysctl);
}

/* One's own id stays one's own id: nothing here needs to look like root. */
static void map_ids(uid_t uid, gid_t gid)
{
	char line[64];

	write_file("/proc/self/setgroups", "deny"); /* absent before Linux 3.19 */
	snprintf(line, sizeof(line), "%u %u 1", gid, gid);
	if (!write_file("/proc/self/gid_map", line))
		stage_impossible("/proc/self/gid_map");
	snprintf(line, sizeof(line), "%u %u 1", uid, uid);
	if (!write_file("/proc/self/uid_map", line))
		stage_impossible("/proc/self/uid_map");
}

static const char own_address[] = "lo:1";

void stage_lose_address(void)
{
	AUTO_FD fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq alias = { .ifr_flags = 0 };

	strcpy(alias.ifr_name, own_address);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &alias) < 0)
		stage_die(own_address);
}

static void raise_loopback(void)
{
	AUTO_FD fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK };
	struct ifreq alias = { .ifr_flags = 0 };
	struct sockaddr_in at = { .sin_family = AF_INET };

	/* Where AppArmor restricts user namespaces they can be made, but give no capabilities. */
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		stage_impossible(_("the loopback device of a private network namespace (where "
				   "AppArmor restricts user namespaces, run the lab as root)"));
	strcpy(alias.ifr_name, own_address);
	inet_pton(AF_INET, "192.0.2.1", &at.sin_addr);
	memcpy(&alias.ifr_addr, &at, sizeof(at));
	if (ioctl(fd, SIOCSIFADDR, &alias) < 0)
		stage_die("192.0.2.1");
}

void stage_enter(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWNET) < 0) {
		if (errno != EPERM || unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
			stage_impossible(_("a private network namespace (run the lab as root, or "
					   "allow user namespaces)"));
		map_ids(uid, gid);
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* new credentials may clear it */
	}
	raise_loopback();
}

static void keep_only(int said, int prompt)
{
	/* Above the two targets first, whatever the numbers were. */
	int cue = fcntl(said, F_DUPFD, PROMPT_FD + 1);
	int wait = fcntl(prompt, F_DUPFD, PROMPT_FD + 1);

	if (cue < 0 || wait < 0 || dup2(cue, CUE_FD) < 0 || dup2(wait, PROMPT_FD) < 0)
		stage_die("dup2");
	/* The stage opens a few descriptors for itself and each actor; never hundreds. */
	for (int fd = PROMPT_FD + 1; fd < 256; fd++)
		close(fd);
}

NORETURN static void act(const char *comm, part *play, pid_t stage)
{
	stage_end_with(stage);
	if (prctl(PR_SET_NAME, comm) < 0)
		stage_die("prctl");
	signal(SIGPIPE, SIG_IGN);
	play();
	for (;;)
		cue_wait();
}

static struct actor *new_actor(struct stage *st, const char *comm)
{
	if (st->n_actors == STAGE_MAX_ACTORS) {
		errno = E2BIG;
		stage_die(comm);
	}
	return &st->actors[st->n_actors++];
}

struct actor *stage_cast(struct stage *st, const char *comm, part *play)
{
	int said[2], prompt[2];
	pid_t self = getpid();

	struct actor *a = new_actor(st, comm);
	fflush(NULL);
	if (pipe2(said, O_CLOEXEC) < 0 || pipe2(prompt, O_CLOEXEC) < 0)
		stage_die("pipe");
	*a = (struct actor){ .pid = fork(), .comm = comm, .said = said[0], .prompt = prompt[1] };
	if (a->pid < 0)
		stage_die("fork");
	if (a->pid == 0) {
		keep_only(said[1], prompt[0]);
		act(comm, play, self);
	}
	close(said[1]);
	close(prompt[0]);
	return a;
}

static void await_said(const struct actor *a)
{
	struct pollfd p = { .fd = a->said, .events = POLLIN };
	int64_t since = stage_now_ms();

	while (poll(&p, 1, 100) <= 0)
		stage_pause(since, a->comm);
}

bool stage_hear(int fd, void *ret, size_t n, const char *whom)
{
	ssize_t got;

	do
		got = read(fd, ret, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		stage_die(whom);
	return got == (ssize_t)n;
}

/* It has said why. What is not possible for an actor is not possible on this stage. */
NORETURN static void end_with(const struct actor *a)
{
	int status;
	bool impossible = waitpid(a->pid, &status, 0) == a->pid && WIFEXITED(status) &&
			  WEXITSTATUS(status) == STAGE_IMPOSSIBLE;

	_exit(impossible ? STAGE_IMPOSSIBLE : STAGE_FAILED);
}

void stage_await(struct actor *a)
{
	char byte;

	await_said(a);
	if (!stage_hear(a->said, &byte, 1, a->comm))
		end_with(a);
}

struct actor *stage_cast_ready(struct stage *st, const char *comm, part *play)
{
	struct actor *a = stage_cast(st, comm, play);

	stage_await(a);
	return a;
}

struct actor *stage_await_pid(struct stage *st, const struct actor *by, const char *comm)
{
	struct actor *a = new_actor(st, comm);
	pid_t pid;

	await_said(by);
	if (!stage_hear(by->said, &pid, sizeof(pid), comm))
		end_with(by);
	*a = (struct actor){ .pid = pid, .comm = comm, .said = -1, .prompt = -1 };
	return a;
}

void stage_end(struct actor *a)
{
	kill(a->pid, SIGKILL);
	waitpid(a->pid, NULL, 0);
	a->pid = 0;
}

void stage_prompt(struct actor *a)
{
	if (write(a->prompt, "", 1) != 1)
		stage_die(a->comm);
}

void stage_stop(const struct actor *a)
{
	int status;

	if (kill(a->pid, SIGSTOP) < 0 || waitpid(a->pid, &status, WUNTRACED) != a->pid ||
	    !WIFSTOPPED(status))
		stage_die(a->comm);
}

/* A stage that is gone needs no word any more. */
static void cue(const void *bytes, size_t n)
{
	int error = write_all(CUE_FD, bytes, n);

	if (error == -EPIPE)
		_exit(STAGE_FAILED);
	errno = -error;
	if (error)
		stage_die("pipe");
}

void cue_ready(void)
{
	cue("", 1);
}

void cue_wait(void)
{
	char byte;

	if (!stage_hear(PROMPT_FD, &byte, 1, "pipe"))
		_exit(STAGE_AS_EXPECTED);
}

void cue_pid(pid_t pid)
{
	cue(&pid, sizeof(pid));
}

void cue_spawn(const char *comm, part *play)
{
	pid_t stage = getppid();
	/* Its parent is ours: it dies with the stage, not with this process. */
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		stage_die("clone");
	if (pid == 0) {
		cue_pid(getpid());
		act(comm, play, stage);
	}
}

/* Probes that are answered are not counted; but the time between two of them doubles, from 200 ms. */
static bool is_backed_off(unsigned ticks, unsigned tries)
{
	enum { RTO_TICKS = 20, SLACK = 2 };

	return tries == 0 || ticks > (unsigned)(RTO_TICKS + SLACK) << (tries - 1);
}

/* The namespace's own table; the lab must not look with the code it tests. */
static unsigned count_socks(enum state state, uint16_t local_port, uint16_t peer_port,
			    unsigned tries)
{
	AUTO_FILE table = fopen("/proc/self/net/tcp", "re");
	unsigned n = 0;
	char line[256];

	if (!table)
		stage_die("/proc/self/net/tcp");
	while (fgets(line, sizeof(line), table)) {
		unsigned local, peer, st, timer, ticks, retransmissions;

		if (sscanf(line, " %*u: %*x:%x %*x:%x %x %*x:%*x %x:%x %x", &local, &peer, &st,
			   &timer, &ticks, &retransmissions) != 6)
			continue;
		if (timer == TIMER_PERSIST ? !is_backed_off(ticks, tries) : retransmissions < tries)
			continue;
		n += st == (unsigned)state && (!local_port || local == local_port) &&
		     (!peer_port || peer == peer_port);
	}
	return n;
}

void stage_await_socks(enum state state, uint16_t local_port, uint16_t peer_port, unsigned n)
{
	stage_await_tries(state, local_port, peer_port, n, 0);
}

void stage_await_tries(enum state state, uint16_t local_port, uint16_t peer_port, unsigned n,
		       unsigned tries)
{
	int64_t since = stage_now_ms();

	while (count_socks(state, local_port, peer_port, tries) < n)
		stage_pause(since, state_name(state));
}

void stage_clear(struct stage *st)
{
	for (int i = 0; i < st->n_actors; i++)
		if (st->actors[i].pid)
			stage_end(&st->actors[i]);
	st->n_actors = 0;
}

void stage_made(struct stage *st, const char *fmt, ...)
{
	va_list args;

	if (st->quiet)
		return;
	fputs(_("made: "), st->out);
	va_start(args, fmt);
	vfprintf(st->out, fmt, args);
	va_end(args);
	fputc('\n', st->out);
}

void stage_expect(struct stage *st, const char *rule, const struct actor *guilty, uint64_t count)
{
	if (st->n_expected == STAGE_MAX_EXPECTED) {
		errno = E2BIG;
		stage_die(rule);
	}
	st->expected[st->n_expected++] =
		(struct expected){ .rule = rule, .pid = guilty ? guilty->pid : 0, .count = count };
}

void stage_expect_fact(struct stage *st, const char *fact, int64_t value)
{
	st->expected[st->n_expected - 1].fact = fact;
	st->expected[st->n_expected - 1].value = value;
}

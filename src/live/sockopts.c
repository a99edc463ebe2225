#include "live/sockopts.h"
#include "util/arena.h"
#include "util/cleanup.h"
#include "util/i18n.h"
#include "util/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* How it works: the sample is drawn first. A helper reads one socket after the other and writes an
 * answer of fixed size for each into a pipe. After a socket that lingers it exits, and the next helper
 * goes on behind it. A helper that says nothing for DEADLINE_MS is killed: its duplicate goes with it. */

enum { DEADLINE_MS = 2000, MAX_FILE = 64 * 1024 };

struct target {
	struct sock_full *full;
	const struct proc *proc;
	int fd;
};

struct sample {
	struct target at[SOCKOPTS_MAX];
	size_t n;
};

struct answer {
	size_t which;
	int error; /* 0 or an errno */
	struct sock_opts opts;
};

/* ---- the sample ---- */

static bool may_be_touched(const struct sock *s)
{
	const struct sock_full *full = s->full;

	if (!full || full->n_holders == 0 || full->inode == 0 ||
	    !(STATE_BIT(s->state) & STATES_TEARDOWN))
		return false;
	const struct proc *p = full->holders[0].proc;
	/* The command line of a kernel thread is empty; an unreadable one is not known to be another. */
	return p->pid != 1 && p->pid != getpid() && p->cmdline && p->cmdline[0];
}

static size_t n_of(const struct sample *sample, const struct proc *p)
{
	size_t n = 0;

	for (size_t i = 0; i < sample->n; i++)
		n += sample->at[i].proc == p;
	return n;
}

/* A subflow has the inode of its MPTCP socket: once is enough. */
static bool has_inode(const struct sample *sample, uint32_t inode)
{
	for (size_t i = 0; i < sample->n; i++)
		if (sample->at[i].full->inode == inode)
			return true;
	return false;
}

static void draw(struct sample *sample, const struct look *look)
{
	const struct proc *full_up = NULL;

	for (size_t i = 0; i < look->n_socks && sample->n < SOCKOPTS_MAX; i++) {
		struct sock_full *full = look->socks[i].full;

		if (!may_be_touched(&look->socks[i]) || full->holders[0].proc == full_up)
			continue;
		if (n_of(sample, full->holders[0].proc) == SOCKOPTS_MAX_PER_PROCESS) {
			full_up = full->holders[0].proc;
			continue;
		}
		if (!has_inode(sample, full->inode))
			sample->at[sample->n++] = (struct target){ full, full->holders[0].proc,
								   full->holders[0].fd };
	}
}

/* ---- the helper ---- */

static bool option(int fd, int level, int name, int *ret)
{
	socklen_t size = sizeof(*ret);

	return getsockopt(fd, level, name, ret, &size) == 0 && size == sizeof(*ret);
}

static void read_options(int fd, struct sock_opts *ret)
{
	struct linger linger;
	socklen_t size = sizeof(linger);
	int on, timeout;

	if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) == 0) {
		ret->known |= OPTS_LINGER;
		ret->linger = linger.l_onoff;
		ret->linger_s = linger.l_linger;
	}
	if (option(fd, SOL_SOCKET, SO_KEEPALIVE, &on) &&
	    option(fd, IPPROTO_TCP, TCP_KEEPIDLE, &ret->idle_s) &&
	    option(fd, IPPROTO_TCP, TCP_KEEPINTVL, &ret->interval_s) &&
	    option(fd, IPPROTO_TCP, TCP_KEEPCNT, &ret->probes)) {
		ret->known |= OPTS_KEEPALIVE;
		ret->keepalive = on;
	}
	if (option(fd, IPPROTO_TCP, TCP_LINGER2, &ret->linger2_s))
		ret->known |= OPTS_LINGER2;
	if (option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout) && timeout >= 0) {
		ret->known |= OPTS_USER_TIMEOUT;
		ret->user_timeout_ms = (uint32_t)timeout;
	}
	if (option(fd, SOL_SOCKET, SO_REUSEADDR, &on)) {
		ret->known |= OPTS_REUSEADDR;
		ret->reuseaddr = on;
	}
}

/* Before anything is duplicated: is this descriptor still that socket? */
static bool is_still_there(const struct target *t)
{
	char path[64], link[64], expected[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)t->proc->pid, t->fd);
	snprintf(expected, sizeof(expected), "socket:[%" PRIu32 "]", t->full->inode);
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	return n > 0 && (size_t)n == strlen(expected) && memcmp(link, expected, (size_t)n) == 0;
}

/* 0 or an errno. *ret_lingers: the duplicate is still open, and close() might wait. */
static int read_one(const struct target *t, struct sock_opts *ret, bool *ret_lingers)
{
	AUTO_FD pidfd = (int)syscall(SYS_pidfd_open, t->proc->pid, 0);
	struct stat st;

	if (pidfd < 0)
		return errno;
	if (!is_still_there(t))
		return ESRCH;
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, t->fd, 0);
	if (fd < 0)
		return errno;
	bool is_it = fstat(fd, &st) == 0 && st.st_ino == t->full->inode;
	if (is_it)
		read_options(fd, ret);
	*ret_lingers = !(ret->known & OPTS_LINGER) || (ret->linger && ret->linger_s > 0);
	if (!*ret_lingers)
		close(fd);
	return is_it ? 0 : ESRCH;
}

NORETURN static void help(const struct sample *sample, size_t first, int to)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = first; i < sample->n; i++) {
		struct answer a;
		bool lingers = false;

		memset(&a, 0, sizeof(a));
		a.which = i;
		a.error = read_one(&sample->at[i], &a.opts, &lingers);
		if (write(to, &a, sizeof(a)) != (ssize_t)sizeof(a) || lingers)
			break;
	}
	_exit(0);
}

/* ---- this process ---- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* false: nothing more comes, in time or at all. */
static bool receive(int from, struct answer *ret)
{
	int64_t end = now_ms() + DEADLINE_MS;

	for (;;) {
		struct pollfd poll_fd = { .fd = from, .events = POLLIN };
		int64_t left = end - now_ms();
		int n = left > 0 ? poll(&poll_fd, 1, (int)left) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		/* Less than PIPE_BUF is written whole. */
		return n > 0 && read(from, ret, sizeof(*ret)) == (ssize_t)sizeof(*ret);
	}
}

static void add_gap(struct look *look, const struct target *t, int error)
{
	/* Gone meanwhile, or given to another file. */
	if (error == ESRCH || error == EBADF)
		return;
	gap_add(&look->gaps, "sockopts", arena_printf(look->arena, "/proc/%d/fd/%d", (int)t->proc->pid, t->fd),
		error == ENOSYS ? _("this kernel cannot duplicate descriptors (before 5.6)") :
				  arena_strdup(look->arena, strerror(error)),
		_("the socket options of its connections are unknown"));
}

static void take(struct look *look, const struct target *t, const struct answer *a)
{
	struct sock_opts *opts;

	if (a->error) {
		add_gap(look, t, a->error);
		return;
	}
	opts = arena_alloc(look->arena, sizeof(*opts));
	*opts = a->opts;
	t->full->opts = opts;
}

static size_t give_up(struct look *look, const struct sample *sample, int error)
{
	gap_add(&look->gaps, "sockopts", "fork", arena_strdup(look->arena, strerror(error)),
		_("the socket options of some connections are unknown"));
	return sample->n;
}

/* One helper; returns the place to go on from. */
static size_t run_helper(struct look *look, const struct sample *sample, size_t first)
{
	size_t next = first;
	struct answer a;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return give_up(look, sample, errno);
	pid_t pid = fork();
	int error = errno;
	if (pid == 0)
		help(sample, first, ends[1]);
	close(ends[1]);
	while (pid > 0 && next < sample->n && receive(ends[0], &a) && a.which == next)
		take(look, &sample->at[next++], &a);
	close(ends[0]);
	if (pid < 0)
		return give_up(look, sample, error);
	/* It has ended, or is about to, or hangs: then what it holds is let go by this. */
	if (next < sample->n)
		kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (next == first)
		add_gap(look, &sample->at[next++], ETIMEDOUT);
	return next;
}

/* ---- a recording ---- */

static void record(struct root *root, const struct sample *sample)
{
	AUTO_BUF text = { 0 };

	for (size_t i = 0; i < sample->n; i++) {
		const struct sock_opts *o = sample->at[i].full->opts;

		if (o)
			buf_printf(&text, "%" PRIu32 " %u %d %d %d %d %d %d %d %" PRIu32 " %d\n",
				   sample->at[i].full->inode, o->known, o->linger, o->linger_s,
				   o->keepalive, o->idle_s, o->interval_s, o->probes, o->linger2_s,
				   o->user_timeout_ms, o->reuseaddr);
	}
	if (text.n)
		root_record_file(root, "sockopts", buf_text(&text), text.n);
}

void sockopts_find(struct root *root, struct look *look)
{
	struct sample *sample = xrealloc_array(NULL, 1, sizeof(*sample));

	sample->n = 0;
	draw(sample, look);
	for (size_t next = 0; next < sample->n;)
		next = run_helper(look, sample, next);
	record(root, sample);
	free(sample);
}

bool sockopts_parse(const char *line, uint32_t *ret_inode, struct sock_opts *ret)
{
	enum { MAX_TIME_S = 32767, MAX_PROBES = 127 }; /* include/net/tcp.h, MAX_TCP_KEEPIDLE ... */
	int linger, keepalive, reuseaddr;
	struct sock_opts o = { 0 };
	unsigned known;

	if (sscanf(line, "%" SCNu32 " %u %d %d %d %d %d %d %d %" SCNu32 " %d", ret_inode, &known,
		   &linger, &o.linger_s, &keepalive, &o.idle_s, &o.interval_s, &o.probes,
		   &o.linger2_s, &o.user_timeout_ms, &reuseaddr) != 11)
		return false;
	if (known > OPTS_ALL || o.linger_s < 0 || o.idle_s < 0 || o.idle_s > MAX_TIME_S ||
	    o.interval_s < 0 || o.interval_s > MAX_TIME_S || o.probes < 0 || o.probes > MAX_PROBES)
		return false;
	o.known = (uint8_t)known;
	o.linger = linger != 0;
	o.keepalive = keepalive != 0;
	o.reuseaddr = reuseaddr != 0;
	*ret = o;
	return true;
}

struct recorded {
	uint32_t inode;
	struct sock_opts opts;
};

static int by_inode(const void *a, const void *b)
{
	const struct recorded *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

void sockopts_replay(struct root *root, struct look *look)
{
	struct recorded *all;
	AUTO_BUF text = { 0 };
	size_t n = 0;
	char *save = NULL;

	if (root_read(root, "sockopts", MAX_FILE, &text) != 0 || text.n == 0)
		return;
	all = arena_array(look->arena, SOCKOPTS_MAX, sizeof(*all));
	buf_putc(&text, '\0');
	for (char *line = strtok_r(text.at, "\n", &save); line && n < SOCKOPTS_MAX;
	     line = strtok_r(NULL, "\n", &save))
		n += sockopts_parse(line, &all[n].inode, &all[n].opts);
	if (n)
		qsort(all, n, sizeof(*all), by_inode);
	for (size_t i = 0; n && i < look->n_socks; i++) {
		struct sock_full *full = look->socks[i].full;
		const struct recorded key = { .inode = full ? full->inode : 0 };
		const struct recorded *found =
			key.inode ? bsearch(&key, all, n, sizeof(*all), by_inode) : NULL;

		if (found && (STATE_BIT(look->socks[i].state) & STATES_TEARDOWN))
			full->opts = &found->opts;
	}
}

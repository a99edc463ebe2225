#include "live/dead.h"
#include "live/gone.h"
#include "live/live.h"
#include "live/netns.h"
#include "live/sockopts.h"
#include "rows.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* What asks this machine's kernel, about nothing but a process and sockets of its own. */

enum { MANY = 70 };

#define TEN "tttttttttt"
#define ALL_TCP TEN TEN TEN TEN TEN TEN TEN

/* ---- a process that holds sockets ---- */

struct holding {
	pid_t pid;
	int fd[MANY];
	uint32_t inode[MANY]; /* 0: closed */
};

/* An entry each: 't' TCP, 'l' TCP that lingers, 'r' TCP that resets at close, 'u' UDP. */
static struct holding hold(const char *kinds)
{
	struct holding h;
	struct stat st;

	for (size_t i = 0; kinds[i]; i++) {
		struct linger linger = { 1, kinds[i] == 'l' ? 7 : 0 };

		h.fd[i] = socket(AF_INET, (kinds[i] == 'u' ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
		assert_true(h.fd[i] >= 0 && fstat(h.fd[i], &st) == 0);
		h.inode[i] = (uint32_t)st.st_ino;
		if (strchr("lr", kinds[i]))
			assert_int_equal(setsockopt(h.fd[i], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	}
	h.pid = fork();
	assert_true(h.pid >= 0);
	if (h.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	for (size_t i = 0; kinds[i]; i++)
		close(h.fd[i]);
	return h;
}

static void let_go(const struct holding *h)
{
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
}

static struct root this_machine(void)
{
	struct root root = ROOT_CLOSED;
	struct fail fail;

	assert_int_equal(root_open(NULL, NULL, NULL, &root, &fail), 0);
	return root;
}

/* ---- options ---- */

/* A CLOSE-WAIT of that process, whatever the kernel says it is. */
static struct sock *add_held(struct look *look, struct proc *p, int fd, uint32_t inode)
{
	struct sock *s = look_add_sock(look);
	struct holder *h = arena_alloc(look->arena, sizeof(*h));

	*h = (struct holder){ .proc = p, .fd = fd };
	s->state = STATE_CLOSE_WAIT;
	s->full = arena_alloc(look->arena, sizeof(*s->full));
	s->full->inode = inode;
	s->full->holders = h;
	s->full->n_holders = 1;
	return s;
}

/* The options of the i-th socket; nobody may have asked those of whom nothing must be known. */
static const struct sock_opts *opts_of(const struct look *look, size_t i)
{
	return look->socks[i].full ? look->socks[i].full->opts : NULL;
}

/* A security module may forbid to look at a child; then nothing can be tested. */
static void skip_if_refused(const struct look *look)
{
	if (look->gaps.n && opts_of(look, 0) == NULL)
		skip();
}

static void options_are_read(void **state)
{
	struct root root = this_machine();
	struct holding h = hold("tlru");
	struct look *look = look_new();
	struct proc p = { .pid = h.pid, .cmdline = "holds" };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		add_held(look, &p, h.fd[i], h.inode[i]);
	add_held(look, &p, h.fd[0], h.inode[0]); /* a subflow and its MPTCP socket have one inode */
	sockopts_find(&root, look);
	skip_if_refused(look);
	assert_int_equal(opts_of(look, 0)->known, OPTS_ALL);
	assert_false(opts_of(look, 0)->linger || opts_of(look, 0)->keepalive || opts_of(look, 0)->reuseaddr);
	assert_true(opts_of(look, 1)->linger && opts_of(look, 1)->linger_s == 7);
	assert_true(opts_of(look, 2)->linger && opts_of(look, 2)->linger_s == 0);
	/* What TCP has and UDP has not. */
	assert_int_equal(opts_of(look, 3)->known, OPTS_LINGER | OPTS_REUSEADDR);
	assert_null(opts_of(look, 4));
	assert_int_equal(look->gaps.n, 0);
	let_go(&h);
	look_free(look);
	root_close(&root);
}

/* Gone, closed, another socket by that number, and those that are never touched. */
static void nobody_is_touched(void **state)
{
	struct root root = this_machine();
	struct holding h = hold("ttt"), gone = hold("t");
	struct look *look = look_new();
	struct proc p = { .pid = h.pid, .cmdline = "holds" }, ended = { .pid = gone.pid, .cmdline = "ended" };
	struct proc first = { .pid = 1, .cmdline = "init" }, self = { .pid = getpid(), .cmdline = "self" };
	struct proc kernel = { .pid = h.pid, .cmdline = "" }, hidden = { .pid = h.pid };
	int own = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	(void)state;
	assert_true(own >= 0 && fstat(own, &st) == 0);
	let_go(&gone);
	add_held(look, &ended, gone.fd[0], gone.inode[0]);
	add_held(look, &p, 1000, h.inode[0]);
	add_held(look, &p, h.fd[0], h.inode[1]);
	add_held(look, &first, h.fd[0], h.inode[0]);
	add_held(look, &self, own, (uint32_t)st.st_ino);
	add_held(look, &kernel, h.fd[0], h.inode[0]);
	add_held(look, &hidden, h.fd[0], h.inode[0]);
	add_held(look, &p, h.fd[0], 0);
	add_held(look, &p, h.fd[0], h.inode[0])->full->n_holders = 0;
	add_held(look, &p, h.fd[0], h.inode[0])->state = STATE_ESTABLISHED;
	look_add_sock(look)->state = STATE_TIME_WAIT;
	sockopts_find(&root, look);
	for (size_t i = 0; i < look->n_socks; i++)
		assert_null(opts_of(look, i));
	assert_int_equal(look->gaps.n, 0); /* who is gone is none */
	close(own);
	let_go(&h);
	look_free(look);
	root_close(&root);
}

static void a_sample_a_process(void **state)
{
	struct root root = this_machine();
	struct holding h = hold(ALL_TCP), other = hold("t");
	struct look *look = look_new();
	struct proc p = { .pid = h.pid, .cmdline = "holds" }, q = { .pid = other.pid, .cmdline = "other" };
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		add_held(look, &p, h.fd[i], h.inode[i]);
	add_held(look, &q, other.fd[0], other.inode[0]);
	sockopts_find(&root, look);
	skip_if_refused(look);
	for (size_t i = 0; i < MANY; i++)
		n += opts_of(look, i) != NULL;
	assert_int_equal(n, SOCKOPTS_MAX_PER_PROCESS);
	assert_non_null(opts_of(look, MANY));
	let_go(&h);
	let_go(&other);
	look_free(look);
	root_close(&root);
}

/* No helper can be started: that is said, and nobody's options are made up. */
static void no_helper(void **state)
{
	struct root root = this_machine();
	struct holding h = hold("t");
	struct look *look = look_new();
	struct proc p = { .pid = h.pid, .cmdline = "holds" };
	struct rlimit old, none;

	(void)state;
	add_held(look, &p, h.fd[0], h.inode[0]);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ 0, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	sockopts_find(&root, look);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_null(opts_of(look, 0));
	assert_int_equal(look->gaps.n, 1);
	assert_string_equal(look->gaps.at[0].what, "sockopts");
	let_go(&h);
	look_free(look);
	root_close(&root);
}

/* ---- descriptors of ended connections ---- */

static struct look *look_here(struct proc *procs[], size_t n)
{
	struct look *look = look_new();

	look->procs = procs;
	look->n_procs = n;
	return look;
}

static void note(struct dead *d, const struct holding *h, size_t n, struct proc *p)
{
	for (size_t i = 0; i < n; i++)
		dead_note(d, h->inode[i], h->fd[i]);
	dead_own(d, n, p);
}

/* Sockets without an address are in no listing, as those whose connections have ended. */
static void what_is_not_listed_is_dead(void **state)
{
	struct root root = this_machine();
	struct holding h = hold(ALL_TCP), few = hold("ttttttttttu"), others = hold("uuuuuuuuuuuu");
	const struct live_request req = { .all_netns = true };
	struct netns_list here = { 0 };
	struct dead d = { 0 };

	(void)state;
	netns_list_own(&root, &here);
	uint64_t netns = here.at[0].inode;
	struct proc p = { .pid = h.pid, .netns = netns }, q = { .pid = few.pid, .netns = netns };
	struct proc r = { .pid = others.pid, .netns = netns }, far = { .pid = h.pid, .netns = netns + 1 };
	struct proc *procs[] = { &p, &q, &r, &far };
	struct look *look = look_here(procs, ARRAY_LEN(procs));

	few.inode[3] += 1; /* another socket by that number */
	note(&d, &few, 11, &q);
	note(&d, &h, MANY, &p);
	note(&d, &others, 12, &r);
	note(&d, &h, MANY, &far); /* of a namespace that was not listed */
	dead_confirm(&d, &root, &req, &here, look);
	if (look->gaps.n || p.n_dead == 0)
		skip(); /* a container without sock_diag */
	assert_int_equal(p.n_dead, MANY);
	for (size_t i = 0; i < PROC_MAX_DEAD; i++)
		assert_int_equal(p.dead_fds[i], h.fd[i]);
	assert_int_equal(q.n_dead, 0); /* nine are too few for a word */
	assert_int_equal(r.n_dead, 0);
	assert_int_equal(far.n_dead, 0);
	dead_free(&d);
	netns_list_free(&here);
	let_go(&h);
	let_go(&few);
	let_go(&others);
	look->procs = NULL;
	look_free(look);
	root_close(&root);
}

/* Where a namespace cannot be listed nothing is known to be dead; beyond the cap it is said that nobody knows. */
static void unlisted_is_unknown(void **state)
{
	struct root root = this_machine();
	struct holding h = hold(ALL_TCP);
	struct netns_place nowhere = { .inode = 4711, .path = "/no/such/namespace" };
	const struct netns_list places = { .at = &nowhere, .n = 1 };
	const struct live_request req = { 0 };
	struct proc p = { .pid = h.pid, .netns = 4711 }, *procs[] = { &p };
	struct look *look = look_here(procs, 1);
	struct dead d = { 0 };

	(void)state;
	note(&d, &h, MANY, &p);
	dead_confirm(&d, &root, &req, &places, look);
	assert_int_equal(p.n_dead, 0);
	assert_int_equal(look->gaps.n, 0);
	for (size_t i = d.n; i < DEAD_MAX + 3; i++)
		dead_note(&d, 1, 1);
	assert_int_equal(d.n_beyond, 3);
	dead_forget(&d, DEAD_MAX);
	dead_confirm(&d, &root, &req, &places, look);
	assert_int_equal(look->gaps.n, 1);
	assert_string_equal(look->gaps.at[0].what, "dead-sockets");
	dead_free(&d);
	let_go(&h);
	look->procs = NULL;
	look_free(look);
	root_close(&root);
}

/* ---- sockets that the kernel frees ---- */

static void count_port(void *ctx, const struct sock *s)
{
	*(unsigned *)ctx += s->pair.local.port;
}

static void send_row(int from, const struct sockaddr_un *to, uint16_t port, size_t cut)
{
	struct inet_diag_msg m = { .idiag_family = AF_INET, .idiag_state = STATE_CLOSED,
				   .id = { .idiag_sport = htons(port), .idiag_cookie = { port } } };
	struct answer a = { 0 };

	put_row(&a, &m);
	assert_int_equal(sendto(from, a.at, a.n - cut, 0, (const void *)to, sizeof(*to)), a.n - cut);
}

/* By a socket of another kind: an address of nothing is the kernel's number, any other a stranger's. */
static void only_the_kernel_is_heard(void **state)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX }, stranger = here;
	int to = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int kernel = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned ports = 0;

	(void)state;
	snprintf(here.sun_path + 1, sizeof(here.sun_path) - 1, "tcpwhy-gone-%d", (int)getpid());
	snprintf(stranger.sun_path + 1, sizeof(stranger.sun_path) - 1, "tcpwhy-none-%d", (int)getpid());
	assert_int_equal(bind(to, (const void *)&here, sizeof(here)), 0);
	assert_int_equal(bind(other, (const void *)&stranger, sizeof(stranger)), 0);
	send_row(kernel, &here, 1, 0);
	send_row(other, &here, 10, 0);
	send_row(kernel, &here, 100, 2);
	send_row(kernel, &here, 1000, 0);
	gone_read(to, count_port, &ports);
	assert_int_equal(ports, 1001);
	gone_read(to, count_port, &ports);
	assert_int_equal(ports, 1001);
	close(to);
	close(kernel);
	close(other);
}

static void it_can_be_listened_to(void **state)
{
	unsigned ports = 0;
	int fd = gone_open();

	(void)state;
	if (fd < 0) {
		assert_true(fd == -EPERM || fd == -EACCES || fd == -EPROTONOSUPPORT);
		skip();
	}
	gone_read(fd, count_port, &ports);
	close(fd);
}

/* ---- questions ---- */

/* A kernel that does not know an instruction is asked without: the filter only saves work. */
static void a_filter_of_nonsense(void **state)
{
	static const uint8_t nonsense[] = { 255, 3, 7, 9 };
	struct live_request req = { .states = STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_LISTEN),
				    .bytecode = nonsense, .bytecode_len = sizeof(nonsense) };
	struct look *look = NULL;
	struct fail fail;

	(void)state;
	for (int i = 0; i < 3; i++) {
		req.only_inet4 = i == 1;
		req.only_inet6 = i == 2;
		if (live_look(&req, &look, &fail) != 0)
			skip(); /* a container without sock_diag */
		for (size_t k = 0; k < look->gaps.n; k++)
			assert_string_not_equal(look->gaps.at[k].what, "dump");
		look_free(look);
	}
}

static bool count_rows(void *arg, const struct look *look, const struct sock *s)
{
	(void)look;
	*(unsigned *)arg += s->state == STATE_LISTEN;
	return true;
}

/* Once more: what the look has already is not asked again, and a namespace that is new is not of this look. */
static void once_more(void **state)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct live_request req = { .states = STATE_BIT(STATE_CLOSE_WAIT), .with_few_timewaits = true };
	struct look *look = NULL;
	struct fail fail;
	unsigned n = 0, n_again = 0;

	(void)state;
	assert_true(listener >= 0 && listen(listener, 1) == 0);
	if (live_look(&req, &look, &fail) != 0)
		skip(); /* a container without sock_diag */
	req = (struct live_request){ .states = STATE_BIT(STATE_LISTEN) | STATE_BIT(STATE_TIME_WAIT),
				     .on_sock = count_rows, .on_sock_arg = &n };
	look->netns[0].has_few_timewaits = true;
	assert_int_equal(live_stream(&req, look, &fail), 0);
	assert_true(n > 0);
	req.states = STATE_BIT(STATE_TIME_WAIT);
	req.on_sock_arg = &n_again;
	assert_int_equal(live_stream(&req, look, &fail), 0);
	req.states = STATE_BIT(STATE_LISTEN);
	look->netns[0].inode++;
	assert_int_equal(live_stream(&req, look, &fail), 0);
	assert_int_equal(n_again, 0);
	req.netns = "no-such-namespace-here";
	assert_int_equal(live_stream(&req, look, &fail), -ENOENT);
	look_free(look);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(nobody_is_touched),
		cmocka_unit_test(a_sample_a_process),
		cmocka_unit_test(no_helper),
		cmocka_unit_test(what_is_not_listed_is_dead),
		cmocka_unit_test(unlisted_is_unknown),
		cmocka_unit_test(only_the_kernel_is_heard),
		cmocka_unit_test(it_can_be_listened_to),
		cmocka_unit_test(a_filter_of_nonsense),
		cmocka_unit_test(once_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

/* How it works: the connections are ordinary; who holds them is not. */

enum { SERVICE = 8080, N = 12, N_CHILDREN = 2 };

static void accept_all(void)
{
	int listener = tcp_listen(SERVICE, N), fds[N];

	cue_ready();
	tcp_accept_all(listener, fds, N);
	cue_ready();
}

static void leave_when_told(void)
{
	tcp_leave_when_told(SERVICE, N);
}

void make_close_wait_stopped_process(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-stopped", accept_all);
	struct actor *client = stage_cast_ready(st, "lab-client", leave_when_told);

	stage_await(server);
	stage_stop(server);
	stage_prompt(client);
	stage_await(client);
	stage_await_socks(STATE_FIN_WAIT_2, 0, SERVICE, N);
	stage_made(st, _("lab-stopped[%d] was stopped by a signal; then its %d clients closed"),
		   server->pid, N);
	stage_expect(st, "close-wait-stopped-process", server, N);
}

/* A child that lives as long as this process and forgets what it inherited. It is presented. */
static void fork_child(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		stage_die("fork");
	if (pid > 0) {
		cue_pid(pid);
		return;
	}
	stage_end_with(parent);
	if (prctl(PR_SET_NAME, "lab-child") < 0)
		stage_die("prctl");
	for (;;)
		pause();
}

static void inherit_and_close(void)
{
	int listener = tcp_listen(SERVICE, N), fds[N];

	cue_ready();
	tcp_accept_all(listener, fds, N);
	for (int i = 0; i < N_CHILDREN; i++)
		fork_child();
	tcp_drain_all(fds, N);
	tcp_close_all(fds, N);
	cue_ready();
}

void make_close_wait_shared_fd(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-parent", inherit_and_close);
	struct actor *client = stage_cast_ready(st, "lab-client", leave_when_told);
	struct actor *child = stage_await_pid(st, server, "lab-child");

	for (int i = 1; i < N_CHILDREN; i++)
		stage_await_pid(st, server, "lab-child");
	stage_prompt(client);
	stage_await(client);
	stage_await(server);
	stage_await_socks(STATE_FIN_WAIT_2, 0, SERVICE, N);
	stage_made(st, _("lab-parent[%d] forked %d children, then read its %d connections to the end and "
			 "closed them; the children still hold them"), server->pid, N_CHILDREN, N);
	stage_expect(st, "close-wait-shared-fd", child, N);
}

static void park(void)
{
	int fds[N];

	tcp_connect_all(SERVICE, fds, N);
	cue_ready();
}

static void end_idle_ones(void)
{
	int listener = tcp_listen(SERVICE, N), fds[N];

	cue_ready();
	tcp_accept_all(listener, fds, N);
	tcp_close_all(fds, N);
	cue_ready();
}

void make_close_wait_idle_pool(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", end_idle_ones);
	struct actor *client = stage_cast_ready(st, "lab-pool", park);

	stage_await(server);
	stage_await_socks(STATE_FIN_WAIT_2, SERVICE, 0, N);
	stage_made(st, _("lab-pool[%d] keeps %d connections for later; lab-server[%d] has closed them"),
		   client->pid, N, server->pid);
	stage_expect(st, "close-wait-idle-pool", client, N);
}

/* Only who can read every process may say that none of them has it. */
static void need_all_processes(void)
{
	char link[64] = "";

	if (readlink("/proc/self/ns/pid", link, sizeof(link) - 1) < 0 ||
	    strcmp(link, "pid:[4026531836]") != 0 || access("/proc/1/fd", R_OK) < 0 ||
	    readlink("/proc/1/exe", link, sizeof(link) - 1) < 0)
		stage_impossible(_("reading every process of the machine"));
}

static void send_away(void)
{
	int listener = tcp_listen(SERVICE, 1), ends[2];

	cue_ready();
	int fd = tcp_accept(listener);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		stage_die("socketpair");
	tcp_pass(ends[0], fd);
	close(fd);
	cue_ready();
}

static void leave_at_once(void)
{
	close(tcp_connect(SERVICE));
	cue_ready();
}

void make_close_wait_kernel_held(struct stage *st)
{
	need_all_processes();
	struct actor *server = stage_cast_ready(st, "lab-sender", send_away);

	stage_cast_ready(st, "lab-client", leave_at_once);
	stage_await(server);
	stage_await_socks(STATE_FIN_WAIT_2, 0, SERVICE, 1);
	stage_made(st, _("lab-sender[%d] sent the only descriptor of a connection through a UNIX socket, "
			 "and nobody receives it"), server->pid);
	stage_expect(st, "close-wait-kernel-held", NULL, 1);
}

/* A loop that takes input out of the mask while it works on a connection, or never does. */
static void watch_for(uint32_t events)
{
	int listener = tcp_listen(SERVICE, N), fds[N], set = epoll_create1(EPOLL_CLOEXEC);

	if (set < 0)
		stage_die("epoll_create1");
	cue_ready();
	tcp_accept_all(listener, fds, N);
	for (int i = 0; i < N; i++) {
		struct epoll_event event = { .events = events };

		if (epoll_ctl(set, EPOLL_CTL_ADD, fds[i], &event) < 0)
			stage_die("epoll_ctl");
	}
	cue_ready();
}

static void watch_for_nothing(void)
{
	watch_for(0);
}

void make_close_wait_epoll_deaf(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-loop", watch_for_nothing);
	struct actor *client = stage_cast_ready(st, "lab-client", leave_when_told);

	stage_await(server);
	stage_prompt(client);
	stage_await(client);
	stage_await_socks(STATE_FIN_WAIT_2, 0, SERVICE, N);
	stage_made(st, _("lab-loop[%d] paused reading on %d connections by an empty epoll mask; their "
			 "clients have closed"), server->pid, N);
	stage_expect(st, "close-wait-epoll-deaf", server, N);
}

static void watch_for_input(void)
{
	watch_for(EPOLLIN | EPOLLRDHUP);
}

void make_close_wait_loop_stuck(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-loop", watch_for_input);
	struct actor *client = stage_cast_ready(st, "lab-client", leave_when_told);

	stage_await(server);
	stage_prompt(client);
	stage_await(client);
	stage_await_socks(STATE_FIN_WAIT_2, 0, SERVICE, N);
	stage_made(st, _("lab-loop[%d] watches %d connections and is busy elsewhere; their clients have "
			 "closed"), server->pid, N);
	stage_expect(st, "close-wait-eof-unread", server, N);
}

enum { N_DEAD = 20, N_FRESH = 9, N_OTHERS = 20, N_CHURN = 350 };

/* Each of them is reset; it reads the error, and that is all. One living connection is left. */
static void meet_errors(void)
{
	int listener = tcp_listen(SERVICE, N_DEAD), fds[N_DEAD];

	cue_ready();
	tcp_accept_all(listener, fds, N_DEAD);
	cue_ready();
	cue_wait();
	for (int i = 0; i < N_DEAD; i++)
		tcp_await_state(fds[i], STATE_CLOSED);
	cue_ready();
}

static void abort_all(void)
{
	int fds[N_DEAD];

	tcp_connect_all(SERVICE, fds, N_DEAD);
	cue_ready();
	cue_wait();
	for (int i = 0; i < N_DEAD; i++)
		tcp_abort(fds[i]);
	cue_ready();
}

void make_dead_socket_leaked_fd(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", meet_errors);
	struct actor *client = stage_cast_ready(st, "lab-client", abort_all);

	stage_await(server);
	stage_prompt(client);
	stage_await(client);
	stage_prompt(server);
	stage_await(server);
	stage_made(st, _("%d clients of lab-server[%d] reset their connections; it closed none of its "
			 "descriptors"), N_DEAD, server->pid);
	stage_expect(st, "dead-socket-leaked-fd", server, N_DEAD);
}

/* Sockets that have an address and no connection are in CLOSE; the kernel lists them since 6.8. */
static void need_listing_of_bound(void)
{
	unsigned major = 0, minor = 0;
	struct utsname name;

	errno = 0;
	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2 ||
	    major * 1000 + minor < 6008)
		stage_impossible(_("a kernel that lists bound sockets (6.8)"));
}

static void abort_what_comes(void)
{
	int listener = tcp_listen(SERVICE, N_DEAD), fds[N_DEAD];

	cue_ready();
	tcp_accept_all(listener, fds, N_DEAD);
	cue_ready();
	cue_wait();
	for (int i = 0; i < N_DEAD; i++)
		tcp_abort(fds[i]);
	cue_ready();
}

/* As a proxy does that has a source address of its own. */
static void bind_connect_and_forget(void)
{
	int fds[N_DEAD];

	for (int i = 0; i < N_DEAD; i++) {
		fds[i] = tcp_bind((uint16_t)(SERVICE + 1 + i));
		tcp_connect_bound(fds[i], SERVICE);
	}
	cue_ready();
	cue_wait();
	for (int i = 0; i < N_DEAD; i++)
		tcp_await_state(fds[i], STATE_CLOSED);
	cue_ready();
}

void make_dead_socket_bound(struct stage *st)
{
	need_listing_of_bound();
	struct actor *server = stage_cast_ready(st, "lab-server", abort_what_comes);
	struct actor *client = stage_cast_ready(st, "lab-proxy", bind_connect_and_forget);

	stage_await(server);
	stage_prompt(server);
	stage_await(server);
	stage_prompt(client);
	stage_await(client);
	stage_made(st, _("lab-server[%d] reset %d connections of lab-proxy[%d], which had bound them to ports "
			 "of its own and closes none"), server->pid, N_DEAD, client->pid);
	stage_expect(st, "dead-socket-leaked-fd", client, N_DEAD);
}

/* ---- healthy ---- */

static void make_sockets(int family, int type, int n)
{
	for (int i = 0; i < n; i++)
		if (socket(family, type | SOCK_CLOEXEC, 0) < 0)
			stage_die("socket");
}

/* As many as may be about to connect, and crowds of those that are listed elsewhere. */
static void prepare_sockets(void)
{
	tcp_listen(SERVICE, 1);
	make_sockets(AF_INET, SOCK_STREAM, N_FRESH);
	make_sockets(AF_INET, SOCK_DGRAM, N_OTHERS);
	make_sockets(AF_UNIX, SOCK_STREAM, N_OTHERS);
	cue_ready();
}

static void bind_only(void)
{
	tcp_listen(SERVICE, 1);
	for (int i = 0; i < N_OTHERS; i++)
		tcp_bind((uint16_t)(SERVICE + 1 + i));
	cue_ready();
}

void make_near_bound_sockets(struct stage *st)
{
	need_listing_of_bound();
	struct actor *server = stage_cast_ready(st, "lab-server", bind_only);

	stage_made(st, _("lab-server[%d] has bound %d sockets and connected none"), server->pid,
		   N_OTHERS);
}

/* Connections that come and go while they are looked at, without a packet in the end: neither resets
 * nor TIME-WAITs are the subject here. So many that some come between the listing and the search. */
static void churn(void)
{
	int listener = tcp_listen(SERVICE, 1), ours[N_CHURN], theirs[N_CHURN];

	/* Ready once it has been done: what is refused is refused in the first round. */
	for (bool is_first = true;; is_first = false) {
		for (int i = 0; i < N_CHURN; i++) {
			ours[i] = tcp_connect(SERVICE);
			theirs[i] = tcp_accept(listener);
		}
		for (int i = 0; i < N_CHURN; i++) {
			tcp_vanish(ours[i]);
			tcp_vanish(theirs[i]);
		}
		if (is_first)
			cue_ready();
	}
}

void make_near_busy_sockets(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-busy", churn);

	stage_made(st, _("lab-busy[%d] opens and closes %d connections, over and over"), server->pid,
		   N_CHURN);
}

void make_near_fresh_sockets(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", prepare_sockets);

	stage_made(st, _("lab-server[%d] has made %d sockets that are about to connect, and %d of other "
			 "kinds"), server->pid, N_FRESH, 2 * N_OTHERS);
}

void make_near_stopped_idle(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-stopped", accept_all);

	stage_cast_ready(st, "lab-client", leave_when_told);
	stage_await(server);
	stage_stop(server);
	stage_made(st, _("lab-stopped[%d] is stopped; nobody has closed any of its %d connections"),
		   server->pid, N);
}

/* What a server of forked workers looks like: one listener for all, each connection for one. */
static void serve_in_children(void)
{
	int listener = tcp_listen(SERVICE, N), fds[N];

	for (int i = 0; i < N_CHILDREN; i++)
		fork_child();
	cue_ready();
	tcp_accept_all(listener, fds, N);
	tcp_drain_all(fds, N);
	cue_ready();
}

void make_near_preforked(struct stage *st)
{
	struct actor *server = stage_cast(st, "lab-parent", serve_in_children);

	for (int i = 0; i < N_CHILDREN; i++)
		stage_await_pid(st, server, "lab-child");
	stage_await(server);
	struct actor *client = stage_cast_ready(st, "lab-client", leave_when_told);

	stage_prompt(client);
	stage_await(client);
	stage_await(server);
	stage_made(st, _("lab-parent[%d] shares its listener with %d children, and no connection"),
		   server->pid, N_CHILDREN);
}

void make_near_idle_pool(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", accept_all);
	struct actor *client = stage_cast_ready(st, "lab-pool", park);

	stage_await(server);
	stage_made(st, _("lab-pool[%d] keeps %d connections for later, and lab-server[%d] does, too"),
		   client->pid, N, server->pid);
}

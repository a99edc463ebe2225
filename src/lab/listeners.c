#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* How it works: listeners that fork() and exec() have passed on, by mistake and on purpose. */

enum { SERVICE = 8080, BACKLOG = 8, N_CLIENTS = 3 };

static void connect_some(void)
{
	int fds[N_CLIENTS];

	tcp_connect_all(SERVICE, fds, N_CLIENTS);
	cue_ready();
}

static void do_nothing(void)
{
	cue_ready();
}

static void listen_and_spawn(part *play)
{
	if (setpgid(0, 0) < 0)
		stage_die("setpgid");
	tcp_listen(SERVICE, BACKLOG);
	cue_spawn("lab-child", play);
}

static void spawn_idler(void)
{
	listen_and_spawn(do_nothing);
}

void make_listener_held_by_child(struct stage *st)
{
	struct actor *server = stage_cast(st, "lab-server", spawn_idler);
	struct actor *child = stage_await_pid(st, server, "lab-child");

	stage_await(server); /* the child's cue: it has the same pipe */
	stage_end(server);
	stage_cast_ready(st, "lab-client", connect_some);
	stage_made(st, _("lab-server started lab-child[%d] and was killed; %d clients are connected to its "
			 "listener, which the child has inherited"), child->pid, N_CLIENTS);
	stage_expect(st, "listener-held-by-child", child, 1);
	stage_expect_fact(st, "queue", N_CLIENTS);
}

/* Another program, that lives as long as this process. */
static void start_sleep(void)
{
	pid_t parent = getpid();
	int started[2];
	char byte;

	if (pipe2(started, O_CLOEXEC) < 0)
		stage_die("pipe");
	pid_t pid = fork();
	if (pid < 0)
		stage_die("fork");
	if (pid == 0) {
		stage_end_with(parent);
		execlp("sleep", "sleep", "120", NULL);
		stage_die("sleep");
	}
	close(started[1]);
	/* exec() closes the other end, and so does a failure. */
	if (read(started[0], &byte, 1) != 0)
		stage_die("exec");
	close(started[0]);
	cue_pid(pid);
}

static void listen_and_start(void)
{
	int listener = tcp_listen(SERVICE, BACKLOG);

	/* What socket() does without SOCK_CLOEXEC. */
	if (fcntl(listener, F_SETFD, 0) < 0)
		stage_die("F_SETFD");
	start_sleep();
	tcp_accept(listener);
}

void make_listener_inherited(struct stage *st)
{
	struct actor *server = stage_cast(st, "lab-server", listen_and_start);
	struct actor *child = stage_await_pid(st, server, "sleep");

	stage_made(st, _("lab-server[%d] listens on port %d and has started sleep[%d] without closing "
			 "the listener in it"), server->pid, SERVICE, child->pid);
	stage_expect(st, "listener-held-by-child", child, 1);
	stage_expect_fact(st, "listener_pid", server->pid);
}

/* ---- healthy ---- */

void make_near_daemon(struct stage *st)
{
	struct actor *starter = stage_cast(st, "lab-starter", spawn_idler);
	struct actor *daemon = stage_await_pid(st, starter, "lab-child");

	stage_await(starter);
	stage_end(starter);
	stage_made(st, _("lab-child[%d] listens on port %d, like a daemon whose starter has ended; nobody "
			 "waits for it"), daemon->pid, SERVICE);
}

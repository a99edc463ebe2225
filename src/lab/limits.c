#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

#include <sys/resource.h>

/* How it works: a queue and a table of descriptors, each filled to the brim; and half full. */

enum { SERVICE = 8080, BACKLOG = 8, LIMIT = 128, NEARLY = 120, HALF = 60 };

static void listen_only(void)
{
	tcp_listen(SERVICE, BACKLOG);
	cue_ready();
}

static void fill_queue(void)
{
	int fds[BACKLOG + 1];

	/* A queue holds one more than its backlog. */
	tcp_connect_all(SERVICE, fds, BACKLOG + 1);
	cue_ready();
}

void make_accept_queue_full(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-deaf", listen_only);

	stage_cast_ready(st, "lab-client", fill_queue);
	stage_made(st, _("lab-deaf[%d] listens on port %d with a backlog of %d and accepts nobody; %d "
			 "clients are connected"), server->pid, SERVICE, BACKLOG, BACKLOG + 1);
	stage_expect(st, "accept-queue-full", server, 1);
}

static void hold(size_t n)
{
	const struct rlimit limit = { LIMIT, LIMIT };
	int listener, fds[NEARLY];

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		stage_die("RLIMIT_NOFILE");
	listener = tcp_listen(SERVICE, NEARLY);
	cue_ready();
	tcp_accept_all(listener, fds, n);
	cue_ready();
}

static void hold_nearly_all(void)
{
	hold(NEARLY);
}

static void hold_half(void)
{
	hold(HALF);
}

static void connect_many(size_t n)
{
	int fds[NEARLY];

	tcp_connect_all(SERVICE, fds, n);
	cue_ready();
}

static void connect_nearly_all(void)
{
	connect_many(NEARLY);
}

static void connect_half(void)
{
	connect_many(HALF);
}

void make_nofile_near_limit(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", hold_nearly_all);

	stage_cast_ready(st, "lab-client", connect_nearly_all);
	stage_await(server);
	stage_made(st, _("lab-server[%d] may open %d descriptors and holds %d connections"), server->pid,
		   LIMIT, NEARLY);
	stage_expect(st, "nofile-near-limit", server, 1);
}

/* ---- healthy ---- */

static void half_a_queue(void)
{
	int fds[BACKLOG / 2];

	tcp_connect_all(SERVICE, fds, BACKLOG / 2);
	cue_ready();
}

void make_near_half_queue(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", listen_only);

	stage_cast_ready(st, "lab-client", half_a_queue);
	stage_made(st, _("%d of %d places in the queue of lab-server[%d] are taken"), BACKLOG / 2,
		   BACKLOG + 1, server->pid);
}

void make_near_half_nofile(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", hold_half);

	stage_cast_ready(st, "lab-client", connect_half);
	stage_await(server);
	stage_made(st, _("lab-server[%d] may open %d descriptors and holds %d connections"), server->pid,
		   LIMIT, HALF);
}

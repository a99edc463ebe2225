#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

/* How it works: the server reads to the end of the stream and does not close, so the client's FIN
 * stays unanswered. What the client did decides: shutdown() leaves a descriptor and no timer,
 * close() an orphan. */

enum { SERVICE = 8080, N_HELD = 12, N_ORPHANS = 60 };

static void read_and_keep(size_t n)
{
	int listener = tcp_listen(SERVICE, (int)n), fds[N_ORPHANS];

	cue_ready();
	tcp_accept_all(listener, fds, n);
	tcp_drain_all(fds, n);
	cue_ready();
}

static void silent_server(void)
{
	read_and_keep(N_HELD);
}

static void half_close(void)
{
	int fds[N_HELD];

	tcp_connect_all(SERVICE, fds, N_HELD);
	for (size_t i = 0; i < N_HELD; i++)
		tcp_half_close(fds[i]);
	for (size_t i = 0; i < N_HELD; i++)
		tcp_await_state(fds[i], STATE_FIN_WAIT_2);
	cue_ready();
}

void make_fin_wait_2_held(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-silent", silent_server);
	struct actor *client = stage_cast_ready(st, "lab-halfclose", half_close);

	stage_await(server);
	stage_made(st, _("lab-halfclose[%d] opened %d connections, called shutdown(SHUT_WR) and waits; the "
			 "other end of each, lab-silent[%d], does not close"),
		   client->pid, N_HELD, server->pid);
	stage_expect(st, "fin-wait-2-held", client, N_HELD);
}

static void slow_server(void)
{
	read_and_keep(N_ORPHANS);
}

static void close_at_once(void)
{
	int fds[N_ORPHANS];

	tcp_connect_all(SERVICE, fds, N_ORPHANS);
	tcp_close_all(fds, N_ORPHANS);
	cue_ready();
}

void make_fin_wait_2_orphan(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-slow", slow_server);

	stage_cast_ready(st, "lab-client", close_at_once);
	stage_await(server);
	stage_await_socks(STATE_FIN_WAIT_2, 0, SERVICE, N_ORPHANS);
	stage_made(st, _("a client closed %d connections to port %d; lab-slow[%d] has not closed its ends"),
		   N_ORPHANS, SERVICE, server->pid);
	stage_expect(st, "fin-wait-2-orphan", NULL, N_ORPHANS);
}

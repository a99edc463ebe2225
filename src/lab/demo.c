#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

#include <unistd.h>

/* How it works: four small companies in one namespace, each on its port, so that one report shows
 * them worst first. */

enum { LEAKY = 8080, SILENT, DEAF, ORDERLY };
enum { N_LEAKED = 40, N_HELD = 12, N_QUEUED = 12, N_CROWD = 1200 };

static void leak(void)
{
	int listener = tcp_listen(LEAKY, N_LEAKED), fds[N_LEAKED];

	cue_ready();
	tcp_accept_all(listener, fds, N_LEAKED);
	tcp_drain_all(fds, N_LEAKED);
	cue_ready();
}

static void visit_and_leave(uint16_t port, size_t n)
{
	int fds[N_LEAKED];

	tcp_connect_all(port, fds, n);
	tcp_close_all(fds, n);
}

static void accept_and_look_away(void)
{
	int listener = tcp_listen(SILENT, N_HELD), fds[N_HELD];

	cue_ready();
	tcp_accept_all(listener, fds, N_HELD);
}

static void half_close(void)
{
	int fds[N_HELD];

	tcp_connect_all(SILENT, fds, N_HELD);
	for (int i = 0; i < N_HELD; i++)
		tcp_half_close(fds[i]);
	for (int i = 0; i < N_HELD; i++)
		tcp_await_state(fds[i], STATE_FIN_WAIT_2);
	cue_ready();
}

static void never_accept(void)
{
	tcp_listen(DEAF, 64);
	cue_ready();
}

static void follow(void)
{
	int listener = tcp_listen(ORDERLY, 128);

	cue_ready();
	for (int i = 0; i < N_CROWD; i++) {
		int fd = tcp_accept(listener);

		tcp_drain(fd);
		close(fd);
	}
}

static void clients(void)
{
	visit_and_leave(LEAKY, N_LEAKED);
	visit_and_leave(DEAF, N_QUEUED);
	for (int i = 0; i < N_CROWD; i++)
		close(tcp_connect(ORDERLY));
	cue_ready();
}

void make_demo(struct stage *st)
{
	stage_set("net/ipv4/tcp_rfc1337", "1"); /* exact counts, see time_wait.c */
	struct actor *leaky = stage_cast_ready(st, "lab-leaky", leak);
	struct actor *silent = stage_cast_ready(st, "lab-silent", accept_and_look_away);
	struct actor *deaf = stage_cast_ready(st, "lab-deaf", never_accept);

	stage_cast_ready(st, "lab-server", follow);
	struct actor *half = stage_cast_ready(st, "lab-halfclose", half_close);
	stage_cast_ready(st, "lab-client", clients);
	stage_await(leaky);
	stage_await_socks(STATE_CLOSE_WAIT, DEAF, 0, N_QUEUED);
	stage_await_socks(STATE_TIME_WAIT, 0, ORDERLY, N_CROWD);
	stage_made(st, _("lab-leaky[%d] read %d connections to their end and closed none"), leaky->pid,
		   N_LEAKED);
	stage_made(st, _("lab-halfclose[%d] waits on %d half-closed connections for lab-silent[%d], which does "
			 "not look at them"),
		   half->pid, N_HELD, silent->pid);
	stage_made(st, _("lab-deaf[%d] never calls accept(); %d clients have given up"), deaf->pid,
		   N_QUEUED);
	stage_made(st, _("a client opened and closed %d connections to port %d"), N_CROWD, ORDERLY);
	stage_expect(st, "close-wait-leaked-fd", leaky, N_LEAKED);
	stage_expect(st, "close-wait-never-accepted", deaf, N_QUEUED);
	stage_expect(st, "fin-wait-2-held", half, N_HELD);
	stage_expect(st, "time-wait-active-closer", NULL, N_CROWD);
}

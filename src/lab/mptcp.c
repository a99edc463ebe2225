#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

/* How it works: the clients half-close, which shows in the MPTCP sockets alone: their TCP subflows
 * stay ESTABLISHED. A client that closes for good ends after a minute and takes the server's socket
 * out of every listing with it. */

enum { SERVICE = 8080, N = 20 };

static void forget_to_close(void)
{
	int listener = mptcp_listen(SERVICE, N), fds[N];

	cue_ready();
	tcp_accept_all(listener, fds, N);
	tcp_drain_all(fds, N);
	cue_ready();
}

static void say_something_and_half_close(void)
{
	int fds[N];

	for (int i = 0; i < N; i++) {
		fds[i] = mptcp_connect(SERVICE);
		tcp_send(fds[i], 1);
		tcp_half_close(fds[i]);
	}
	cue_ready();
}

void make_mptcp_close_wait(struct stage *st)
{
	struct actor *leaky = stage_cast_ready(st, "lab-leaky", forget_to_close);
	struct actor *client = stage_cast_ready(st, "lab-client", say_something_and_half_close);

	stage_await(leaky);
	stage_made(st, _("lab-leaky[%d] accepted %d MPTCP connections on port %d; lab-client[%d] half-closed "
			 "them, it read each to its end and closed none"),
		   leaky->pid, N, SERVICE, client->pid);
	stage_expect(st, "close-wait-leaked-fd", leaky, N);
	stage_expect(st, "fin-wait-2-held", client, N);
}

/* ---- healthy ---- */

void make_near_mptcp(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", forget_to_close);

	stage_cast_ready(st, "lab-client", say_something_and_half_close);
	stage_await(server);
	stage_made(st, _("the clients of lab-server[%d] half-closed %d MPTCP connections a moment ago"),
		   server->pid, N);
}

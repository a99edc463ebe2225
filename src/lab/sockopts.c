#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How it works: socket options that no listing shows, on a server that forgets to close. */

enum { SERVICE = 8080, N = 12 };
enum { IDLE_S = 61, INTERVAL_S = 7, PROBES = 5, LINGER_S = 3 };

static void keep_with_options(void)
{
	int listener = tcp_listen(SERVICE, N), fds[N];

	cue_ready();
	tcp_accept_all(listener, fds, N);
	for (int i = 0; i < N; i++) {
		tcp_keepalive(fds[i], IDLE_S, INTERVAL_S, PROBES);
		tcp_linger(fds[i], LINGER_S);
	}
	cue_ready();
	tcp_drain_all(fds, N);
	cue_ready();
}

static void connect_and_leave(void)
{
	tcp_leave_when_told(SERVICE, N);
}

static void need_duplicates(void)
{
	if (syscall(SYS_pidfd_getfd, -1, -1, 0) < 0 && errno == ENOSYS)
		stage_impossible(_("a kernel that duplicates descriptors (5.6)"));
}

void make_sockopts(struct stage *st)
{
	need_duplicates();
	struct actor *server = stage_cast_ready(st, "lab-server", keep_with_options);
	struct actor *client = stage_cast_ready(st, "lab-client", connect_and_leave);

	stage_await(server);
	stage_prompt(client);
	stage_await(client);
	stage_await(server);
	stage_made(st, _("lab-server[%d] forgot %d connections with keepalive after %d s, then %d probes %d s "
			 "apart, and a linger time of %d s"),
		   server->pid, N, IDLE_S, PROBES, INTERVAL_S, LINGER_S);
	stage_expect(st, "close-wait-leaked-fd", server, N);
	stage_expect_fact(st, "keepalive_total_ms", (IDLE_S + INTERVAL_S * PROBES) * 1000);
	stage_expect(st, "close-wait-leaked-fd", server, N);
	stage_expect_fact(st, "linger_ms", LINGER_S * 1000);
}

/* ---- healthy ---- */

void make_near_sockopts(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", keep_with_options);

	stage_cast_ready(st, "lab-client", connect_and_leave);
	stage_await(server);
	stage_made(st, _("lab-server[%d] serves %d connections with such options, and nobody has closed any"),
		   server->pid, N);
}

#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

/* How it works: of a connection that the kernel decrypts the FIN stays in the queue when the program has been told
 * the end (from Linux 6.0 on), or leaves it before the program has looked (until then). */

enum { SERVICE = 8080, N = 20 };

static void read_to_the_end_and_forget(void)
{
	int listener = tcp_listen(SERVICE, N), fds[N];

	cue_ready();
	tcp_accept_all(listener, fds, N);
	for (int i = 0; i < N; i++)
		tcp_decrypt(fds[i]);
	cue_ready();
	tcp_drain_all(fds, N);
	cue_ready();
}

static void leave_when_told(void)
{
	tcp_leave_when_told(SERVICE, N);
}

void make_close_wait_kernel_tls(struct stage *st)
{
	struct actor *leaky = stage_cast_ready(st, "lab-leaky", read_to_the_end_and_forget);
	struct actor *client = stage_cast_ready(st, "lab-client", leave_when_told);

	stage_await(leaky);
	stage_prompt(client);
	stage_await(leaky);
	stage_made(st, _("the kernel decrypts %d connections for lab-leaky[%d]; it read each to its end and closed "
			 "none"), N, leaky->pid);
	stage_expect(st, "close-wait-leaked-fd", leaky, N);
	stage_expect_fact(st, "kernel_tls", N);
}

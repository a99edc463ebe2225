#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* How it works: here the packets are the evidence, so nothing of the connections may be left when
 * the capture is read; a socket that is still there would be judged instead. */

enum { SERVICE = 8080, NOBODY = 8081, N = 5, HALF_CLOSE_MS = 1200 };

static void need_packets(const struct stage *st)
{
	errno = 0;
	if (!st->has_capture)
		stage_impossible(_("this build cannot capture"));
}

static void knock(void)
{
	const struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(NOBODY),
		.sin_addr.s_addr = htonl(0xc0000201), /* 192.0.2.1 */
	};

	for (int i = 0; i < N; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 ||
		    errno != ECONNREFUSED)
			stage_die("connect");
		close(fd);
	}
	cue_ready();
}

void make_rst_refused(struct stage *st)
{
	need_packets(st);
	stage_cast_ready(st, "lab-knock", knock);
	stage_made(st, _("a client tried %d times to connect to port %d, where nobody listens"), N, NOBODY);
	stage_expect(st, "rst-refused", NULL, N);
}

static void close_without_reading(void)
{
	int listener = tcp_listen(SERVICE, N);

	cue_ready();
	for (int i = 0; i < N; i++)
		close(tcp_accept(listener));
	cue_ready();
}

/* Reads the end of the stream and writes all the same; the reset empties the socket. */
static void send_after_the_end(void)
{
	int fds[N];

	tcp_connect_all(SERVICE, fds, N);
	tcp_drain_all(fds, N);
	for (int i = 0; i < N; i++) {
		tcp_send(fds[i], 100);
		tcp_await_state(fds[i], STATE_CLOSED);
		close(fds[i]);
	}
	cue_ready();
}

void make_rst_after_close(struct stage *st)
{
	need_packets(st);
	struct actor *server = stage_cast_ready(st, "lab-hasty", close_without_reading);

	stage_cast_ready(st, "lab-sender", send_after_the_end);
	stage_await(server);
	stage_made(st, _("a server closed %d connections at once; the client went on sending"), N);
	stage_expect(st, "rst-after-close", NULL, N);
}

static void read_and_vanish(void)
{
	int listener = tcp_listen(SERVICE, N), fds[N];

	cue_ready();
	tcp_accept_all(listener, fds, N);
	tcp_drain_all(fds, N);
	cue_ready();
	cue_wait();
	for (int i = 0; i < N; i++)
		tcp_vanish(fds[i]);
	cue_ready();
}

static void half_close_and_vanish(void)
{
	int fds[N];

	tcp_connect_all(SERVICE, fds, N);
	for (int i = 0; i < N; i++)
		tcp_half_close(fds[i]);
	for (int i = 0; i < N; i++) {
		tcp_await_state(fds[i], STATE_FIN_WAIT_2);
		tcp_vanish(fds[i]);
	}
	cue_ready();
}

void make_fin_unanswered(struct stage *st)
{
	need_packets(st);
	struct actor *server = stage_cast_ready(st, "lab-silent", read_and_vanish);

	stage_cast_ready(st, "lab-client", half_close_and_vanish);
	stage_await(server);
	stage_prompt(server);
	stage_await(server);
	stage_made(st, _("a client closed its side of %d connections to port %d, the server never closed its "
			 "own; then both lost their power"),
		   N, SERVICE);
	stage_expect(st, "fin-unanswered", NULL, N);
}

static void follow_late(void)
{
	static const struct timespec late = { .tv_sec = HALF_CLOSE_MS / 1000,
					      .tv_nsec = HALF_CLOSE_MS % 1000 * 1000000 };
	int listener = tcp_listen(SERVICE, 1);

	cue_ready();
	int fd = tcp_accept(listener);
	tcp_drain(fd);
	/* The wait is the disease itself, not a guess at when something will be ready. */
	nanosleep(&late, NULL);
	close(fd);
}

static void close_early(void)
{
	int fd = tcp_connect(SERVICE);

	tcp_half_close(fd);
	tcp_drain(fd);
	close(fd);
	cue_ready();
}

void make_half_close_long(struct stage *st)
{
	need_packets(st);
	/* Without TIME-WAIT nothing but packets is left of it. */
	stage_set("net/ipv4/tcp_max_tw_buckets", "0");
	stage_cast_ready(st, "lab-late", follow_late);
	stage_cast_ready(st, "lab-client", close_early);
	stage_made(st, _("a client closed its side of a connection to port %d, the server closed %d ms later"),
		   SERVICE, HALF_CLOSE_MS);
	stage_expect(st, "half-close-long", NULL, 1);
}

#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* How it works: the end that closes first keeps the TIME-WAIT. On more than one CPU the other end's
 * last ACK may leave after its FIN; TIME-WAIT answers that old segment, meets no socket any more, and
 * the reset that comes back removes it. tcp_rfc1337 = 1 makes it stay, so that counts are exact.
 *
 * Nothing here is reused meanwhile: with its default tcp_tw_reuse takes over TIME-WAITs of 127/8
 * only, and this is 192.0.2.1. */

enum { SERVICE = 8080, N_CROWD = 1200, N_USED = 97, N_BEFORE = 5 };

/* Answers every connection's end with its own, for as long as it lives. */
NORETURN static void follow(void)
{
	int listener = tcp_listen(SERVICE, 128);

	cue_ready();
	for (;;) {
		int fd = tcp_accept(listener);

		tcp_drain(fd);
		close(fd);
	}
}

static void follower(void)
{
	follow();
}

/* Sequential: each is over at our end before the next begins. */
static void open_and_close(size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(tcp_connect(SERVICE));
	cue_ready();
}

static void crowd(void)
{
	open_and_close(N_CROWD);
}

static void make_time_waits(struct stage *st, part *client, unsigned n)
{
	stage_set("net/ipv4/tcp_rfc1337", "1");
	stage_cast_ready(st, "lab-server", follower);
	stage_cast_ready(st, "lab-oneshot", client);
	stage_await_socks(STATE_TIME_WAIT, 0, SERVICE, n);
}

void make_time_wait(struct stage *st)
{
	make_time_waits(st, crowd, N_CROWD);
	stage_made(st, _("a client opened and closed %d connections to port %d, one after the other"),
		   N_CROWD, SERVICE);
	stage_expect(st, "time-wait-active-closer", NULL, N_CROWD);
}

static void use_up_ports(void)
{
	open_and_close(N_USED);
}

void make_time_wait_port_exhaustion(struct stage *st)
{
	stage_set("net/ipv4/ip_local_port_range", "40000 40099");
	make_time_waits(st, use_up_ports, N_USED);
	stage_made(st, _("100 local ports in all (ip_local_port_range 40000 40099); a client opened and closed "
			 "%d connections to port %d"),
		   N_USED, SERVICE);
	stage_expect(st, "time-wait-port-exhaustion", NULL, N_USED);
}

static void serve_and_close_first(void)
{
	int listener = tcp_listen_again(SERVICE, N_BEFORE);

	cue_ready();
	for (int i = 0; i < N_BEFORE; i++)
		close(tcp_accept(listener));
	cue_ready();
}

static void visit(void)
{
	for (int i = 0; i < N_BEFORE; i++) {
		int fd = tcp_connect(SERVICE);

		tcp_drain(fd);
		close(fd);
	}
	cue_ready();
}

static void make_ended_server(struct stage *st)
{
	stage_set("net/ipv4/tcp_rfc1337", "1");
	struct actor *server = stage_cast_ready(st, "lab-server", serve_and_close_first);

	stage_cast_ready(st, "lab-client", visit);
	stage_await_socks(STATE_TIME_WAIT, SERVICE, 0, N_BEFORE);
	stage_end(server);
}

/* The kernel must agree before anybody says so. */
static void fail_to_bind(void)
{
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(SERVICE) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 || errno != EADDRINUSE)
		stage_die("bind");
	close(fd);
	cue_ready();
}

void make_time_wait_blocks_bind(struct stage *st)
{
	make_ended_server(st);
	stage_cast_ready(st, "lab-again", fail_to_bind);
	stage_made(st, _("lab-server closed %d connections on port %d first and ended; lab-again could not bind "
			 "the port"), N_BEFORE, SERVICE);
	stage_expect(st, "time-wait-blocks-bind", NULL, N_BEFORE);
}

static void listen_again(void)
{
	tcp_listen_again(SERVICE, N_BEFORE);
	cue_ready();
}

void make_near_restarted(struct stage *st)
{
	make_ended_server(st);
	stage_cast_ready(st, "lab-again", listen_again);
	stage_made(st, _("lab-server closed %d connections on port %d first and ended; lab-again listens there "
			 "now"), N_BEFORE, SERVICE);
}

static void three(void)
{
	open_and_close(3);
}

void make_time_wait_bucket_overflow(struct stage *st)
{
	stage_set("net/ipv4/tcp_max_tw_buckets", "1");
	make_time_waits(st, three, 1);
	stage_made(st, _("one TIME-WAIT is allowed; a client opened and closed %d connections"), 3);
	stage_expect(st, "time-wait-bucket-overflow", NULL, 1);
}

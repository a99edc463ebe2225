#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* How it works: each of these looks like a disease to whoever only counts states. */

enum { SERVICE = 8080, N_SERVICES = 4, N_YOUNG = 50, N_IDLE = 20, N_PORTS = 97 };

static void read_the_end(void)
{
	int listener = tcp_listen(SERVICE, N_YOUNG), fds[N_YOUNG];

	cue_ready();
	tcp_accept_all(listener, fds, N_YOUNG);
	tcp_drain_all(fds, N_YOUNG);
	cue_ready();
}

static void leave(void)
{
	int fds[N_YOUNG];

	tcp_connect_all(SERVICE, fds, N_YOUNG);
	tcp_close_all(fds, N_YOUNG);
	cue_ready();
}

void make_near_young_close_wait(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", read_the_end);

	stage_cast_ready(st, "lab-client", leave);
	stage_await(server);
	stage_made(st, _("lab-server[%d] read the end of %d connections a moment ago"), server->pid,
		   N_YOUNG);
}

static void keep_alive(int fd)
{
	int on = 1, idle_s = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s)) < 0)
		stage_die("SO_KEEPALIVE");
}

static void accept_idle(void)
{
	int listener = tcp_listen(SERVICE, N_IDLE), fds[N_IDLE];

	cue_ready();
	tcp_accept_all(listener, fds, N_IDLE);
	for (int i = 0; i < N_IDLE; i++)
		keep_alive(fds[i]);
	cue_ready();
}

static void stay_idle(void)
{
	int fds[N_IDLE];

	tcp_connect_all(SERVICE, fds, N_IDLE);
	cue_ready();
}

void make_near_idle_keepalive(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", accept_idle);

	stage_cast_ready(st, "lab-client", stay_idle);
	stage_await(server);
	stage_made(st, _("lab-server[%d] keeps %d idle connections open, with keepalive"), server->pid,
		   N_IDLE);
}

static void answer_for_long(void)
{
	int listener = tcp_listen(SERVICE, 1);

	cue_ready();
	int fd = tcp_accept(listener);
	tcp_drain(fd);
	tcp_send(fd, 10000);
	cue_ready();
}

static void ask_and_half_close(void)
{
	int fd = tcp_connect(SERVICE);
	char answer[10000];

	tcp_send(fd, 100);
	tcp_half_close(fd);
	if (recv(fd, answer, sizeof(answer), MSG_WAITALL) != sizeof(answer))
		stage_die("recv");
	cue_ready();
}

void make_near_half_close_in_use(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", answer_for_long);
	struct actor *client = stage_cast_ready(st, "lab-client", ask_and_half_close);

	stage_await(server);
	stage_made(st, _("lab-client[%d] half-closed after its request; lab-server[%d] is still answering"),
		   client->pid, server->pid);
}

static void close_first(void)
{
	int listener = tcp_listen(SERVICE, N_PORTS);

	cue_ready();
	for (int i = 0; i < N_PORTS; i++)
		close(tcp_accept(listener));
	cue_ready();
}

static void wait_for_the_end(void)
{
	for (int i = 0; i < N_PORTS; i++) {
		int fd = tcp_connect(SERVICE);

		tcp_drain(fd);
		close(fd);
	}
	cue_ready();
}

void make_near_server_time_wait(struct stage *st)
{
	stage_set("net/ipv4/tcp_rfc1337", "1");
	stage_cast_ready(st, "lab-server", close_first);
	stage_cast_ready(st, "lab-client", wait_for_the_end);
	stage_await_socks(STATE_TIME_WAIT, SERVICE, 0, N_PORTS);
	/* Only now: in so few ports the client would meet its old ones and take the TIME-WAITs over. */
	stage_set("net/ipv4/ip_local_port_range", "8000 8099");
	stage_made(st, _("100 local ports in all, %d among them; a server on it closed %d connections first"),
		   SERVICE, N_PORTS);
}

static void serve_four(void)
{
	int listeners[N_SERVICES];

	for (int i = 0; i < N_SERVICES; i++)
		listeners[i] = tcp_listen((uint16_t)(SERVICE + i), 8);
	cue_ready();
	for (int i = 0; i < N_PORTS; i++) {
		int fd = tcp_accept(listeners[i % N_SERVICES]);

		tcp_drain(fd);
		close(fd);
	}
}

static void visit_four(void)
{
	for (int i = 0; i < N_PORTS; i++)
		close(tcp_connect((uint16_t)(SERVICE + i % N_SERVICES)));
	cue_ready();
}

void make_near_many_destinations(struct stage *st)
{
	stage_set("net/ipv4/ip_local_port_range", "40000 40099");
	stage_set("net/ipv4/tcp_rfc1337", "1");
	stage_cast_ready(st, "lab-server", serve_four);
	stage_cast_ready(st, "lab-client", visit_four);
	stage_await_socks(STATE_TIME_WAIT, 0, 0, N_PORTS);
	stage_made(st, _("100 local ports in all; a client closed %d connections to %d services first"),
		   N_PORTS, N_SERVICES);
}

static void knock_once(void)
{
	const struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(SERVICE),
		.sin_addr.s_addr = htonl(0xc0000201), /* 192.0.2.1 */
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 || errno != ECONNREFUSED)
		stage_die("connect");
	close(fd);
	cue_ready();
}

void make_near_refused_once(struct stage *st)
{
	stage_cast_ready(st, "lab-client", knock_once);
	stage_made(st, _("a client tried once to connect to port %d, where nobody listens"), SERVICE);
}

static void part_in_order(void)
{
	int listener = tcp_listen(SERVICE, 8);

	cue_ready();
	for (int i = 0; i < N_IDLE; i++) {
		int fd = tcp_accept(listener);

		if (i % 2)
			tcp_half_close(fd);
		tcp_drain(fd);
		close(fd);
	}
	cue_ready();
}

static void meet_and_part(void)
{
	for (int i = 0; i < N_IDLE; i++) {
		int fd = tcp_connect(SERVICE);

		if (i % 2 == 0)
			tcp_half_close(fd);
		tcp_drain(fd);
		close(fd);
	}
	cue_ready();
}

void make_near_orderly_close(struct stage *st)
{
	/* Both ends may close at one moment; then an old ACK would remove a TIME-WAIT. */
	stage_set("net/ipv4/tcp_rfc1337", "1");
	struct actor *server = stage_cast_ready(st, "lab-server", part_in_order);

	stage_cast_ready(st, "lab-client", meet_and_part);
	stage_await(server);
	stage_await_socks(STATE_TIME_WAIT, 0, 0, N_IDLE);
	stage_made(st, _("%d connections ended in order, half of them by the server first"), N_IDLE);
}

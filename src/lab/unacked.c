#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

#include <time.h>
#include <unistd.h>

/* How it works: a socket with a filter that takes nothing is a peer behind a dead path: what is sent
 * to it is neither acknowledged nor refused. A peer that does not read closes its window instead. */

enum { SERVICE = 8080, N = 12, N_FULL = 3, TRIES = 3 };

static void lose_everything_after(void (*before)(int fd), size_t n)
{
	int listener = tcp_listen(SERVICE, N), fds[N];

	cue_ready();
	tcp_accept_all(listener, fds, n);
	for (size_t i = 0; i < n; i++) {
		if (before)
			before(fds[i]);
		tcp_go_deaf(fds[i]);
	}
	cue_ready();
}

static void go_deaf(void)
{
	lose_everything_after(NULL, N);
}

static void close_all(void)
{
	tcp_leave_when_told(SERVICE, N);
}

void make_fin_wait_1_peer_gone(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", go_deaf);
	struct actor *client = stage_cast_ready(st, "lab-client", close_all);

	stage_await(server);
	stage_prompt(client);
	stage_await(client);
	stage_await_tries(STATE_FIN_WAIT_1, 0, SERVICE, N, TRIES);
	stage_made(st, _("lab-client[%d] closed %d connections; nothing it sends arrives any more"),
		   client->pid, N);
	stage_expect(st, "fin-wait-1-peer-gone", NULL, N);
}

static void half_close_then_lose(void)
{
	lose_everything_after(tcp_half_close, N);
}

static void follow(void)
{
	int fds[N];

	tcp_connect_all(SERVICE, fds, N);
	cue_ready();
	cue_wait();
	tcp_drain_all(fds, N);
	tcp_close_all(fds, N);
	cue_ready();
}

void make_last_ack_peer_gone(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", half_close_then_lose);
	struct actor *client = stage_cast_ready(st, "lab-client", follow);

	stage_await(server);
	stage_prompt(client);
	stage_await(client);
	stage_await_tries(STATE_LAST_ACK, 0, SERVICE, N, TRIES);
	stage_made(st, _("the server half-closed %d connections and went away; lab-client[%d] closed "
			 "them then"), N, client->pid);
	stage_expect(st, "last-ack-peer-gone", NULL, N);
}

static void half_close_for_good(int fd)
{
	tcp_half_close(fd);
	/* Its FIN was acknowledged: it is not repeated. */
	tcp_await_state(fd, STATE_FIN_WAIT_2);
}

static void wait_for_the_end(void)
{
	lose_everything_after(half_close_for_good, N);
}

/* The way between them forgets as a firewall does, and its time is set so that nobody has to wait. */
void make_half_close_conntrack(struct stage *st)
{
	static const struct timespec half_closed = { .tv_sec = 1, .tv_nsec = 200000000 };

	stage_set("net/netfilter/nf_conntrack_tcp_timeout_close_wait", "1");
	struct actor *server = stage_cast_ready(st, "lab-server", wait_for_the_end);
	struct actor *client = stage_cast_ready(st, "lab-client", follow);

	stage_await(server);
	nanosleep(&half_closed, NULL);
	stage_prompt(client);
	stage_await(client);
	stage_await_tries(STATE_LAST_ACK, 0, SERVICE, N, TRIES);
	stage_made(st, _("lab-server[%d] half-closed %d connections; what lab-client[%d] sends later than "
			 "1 s is lost, its FINs too"), server->pid, N, client->pid);
	stage_expect(st, "half-close-conntrack", NULL, N);
}

static void read_nothing(void)
{
	int fds[N_FULL];

	tcp_connect_all(SERVICE, fds, N_FULL);
	cue_ready();
}

static void send_and_close(void)
{
	int listener = tcp_listen(SERVICE, N_FULL), fds[N_FULL];

	cue_ready();
	tcp_accept_all(listener, fds, N_FULL);
	for (int i = 0; i < N_FULL; i++)
		tcp_fill(fds[i]);
	tcp_close_all(fds, N_FULL);
	cue_ready();
}

void make_fin_wait_1_zero_window(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", send_and_close);
	struct actor *client = stage_cast_ready(st, "lab-deaf", read_nothing);

	stage_await(server);
	stage_await_tries(STATE_FIN_WAIT_1, SERVICE, 0, N_FULL, TRIES);
	stage_made(st, _("lab-server[%d] filled %d connections and closed them; lab-deaf[%d] reads "
			 "none of it"), server->pid, N_FULL, client->pid);
	stage_expect(st, "fin-wait-1-zero-window", NULL, N_FULL);
}

static void accept_and_wait(void)
{
	int listener = tcp_listen(SERVICE, N), fds[N];

	cue_ready();
	tcp_accept_all(listener, fds, N);
	cue_ready();
}

static void close_without_address(void)
{
	int fds[N];

	tcp_connect_all(SERVICE, fds, N);
	cue_ready();
	cue_wait();
	for (int i = 0; i < N; i++)
		tcp_send(fds[i], 500);
	tcp_close_all(fds, N);
	cue_ready();
}

void make_send_refused_here(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", accept_and_wait);
	struct actor *client = stage_cast_ready(st, "lab-client", close_without_address);

	stage_await(server);
	stage_lose_address();
	stage_prompt(client);
	stage_await(client);
	stage_await_tries(STATE_FIN_WAIT_1, 0, SERVICE, N, TRIES);
	stage_made(st, _("lab-client[%d] closed %d connections after the address of this host had gone"),
		   client->pid, N);
	stage_expect(st, "send-refused-here", NULL, N);
}

static void ask_and_read_nothing(void)
{
	int fds[N_FULL];

	tcp_connect_all(SERVICE, fds, N_FULL);
	for (int i = 0; i < N_FULL; i++)
		tcp_half_close(fds[i]);
	cue_ready();
}

static void answer_into_the_void(void)
{
	int listener = tcp_listen(SERVICE, N_FULL), fds[N_FULL];

	cue_ready();
	tcp_accept_all(listener, fds, N_FULL);
	tcp_drain_all(fds, N_FULL);
	for (int i = 0; i < N_FULL; i++)
		tcp_fill(fds[i]);
	cue_ready();
}

void make_close_wait_send_stuck(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", answer_into_the_void);
	struct actor *client = stage_cast_ready(st, "lab-deaf", ask_and_read_nothing);

	stage_await(server);
	stage_await_tries(STATE_CLOSE_WAIT, SERVICE, 0, N_FULL, TRIES);
	stage_made(st, _("lab-deaf[%d] half-closed %d connections and reads no answer; lab-server[%d] "
			 "cannot send"), client->pid, N_FULL, server->pid);
	stage_expect(st, "close-wait-send-stuck", server, N_FULL);
}

/* Both FINs are lost on their first way; the one that arrives later meets an end that has sent its
 * own already, and its answer is lost again. */
static void cross_first(void)
{
	int listener = tcp_listen(SERVICE, 1), fd;

	cue_ready();
	fd = tcp_accept(listener);
	tcp_go_deaf(fd);
	cue_ready();
	cue_wait();
	tcp_half_close(fd);
	cue_ready();
	cue_wait();
	tcp_hear_again(fd);
	tcp_await_state(fd, STATE_CLOSING);
	cue_ready();
}

static void cross_second(void)
{
	int fd = tcp_connect(SERVICE);

	tcp_go_deaf(fd);
	cue_ready();
	cue_wait();
	tcp_half_close(fd);
	cue_ready();
}

void make_closing_simultaneous(struct stage *st)
{
	struct actor *one = stage_cast_ready(st, "lab-one", cross_first);
	struct actor *other = stage_cast_ready(st, "lab-other", cross_second);

	stage_await(one);
	stage_prompt(one);
	stage_prompt(other);
	stage_await(one);
	stage_await(other);
	stage_prompt(one);
	stage_await(one);
	stage_await_tries(STATE_CLOSING, SERVICE, 0, 1, TRIES);
	stage_made(st, _("lab-one[%d] and lab-other[%d] closed one connection at the same time, and "
			 "the last ACK is lost"), one->pid, other->pid);
	stage_expect(st, "closing-simultaneous", one, 1);
}

/* ---- healthy ---- */

void make_near_lost_once(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", go_deaf);
	struct actor *client = stage_cast_ready(st, "lab-client", close_all);

	stage_await(server);
	stage_prompt(client);
	stage_await(client);
	/* No time to lose: the third try is 1.4 s away. */
	stage_await_socks(STATE_FIN_WAIT_1, 0, SERVICE, N);
	stage_made(st, _("lab-client[%d] closed %d connections; the first FIN of each was lost"),
		   client->pid, N);
}

static void answer_slowly_read(void)
{
	int listener = tcp_listen(SERVICE, 1), fd;

	cue_ready();
	fd = tcp_accept(listener);
	tcp_drain(fd);
	tcp_fill(fd);
	cue_ready();
}

static void read_later(void)
{
	int fd = tcp_connect(SERVICE);

	tcp_half_close(fd);
	cue_ready();
}

void make_near_slow_reader(struct stage *st)
{
	struct actor *server = stage_cast_ready(st, "lab-server", answer_slowly_read);
	struct actor *client = stage_cast_ready(st, "lab-client", read_later);

	stage_await(server);
	stage_made(st, _("lab-server[%d] sends more than lab-client[%d] has read yet"), server->pid,
		   client->pid);
}

#include "lab/scenarios.h"
#include "lab/stage.h"
#include "lab/tcp.h"
#include "util/i18n.h"

/* How it works: the peer always closes completely, so its ends are FIN-WAIT-2 orphans that the
 * kernel ends by itself; the ends that stay are the server's. */

enum { SERVICE = 8080 };
/* Ten make a warning of a finding; a leak is worth showing in earnest. */
enum { N_LEAKED = 200, N_STUCK = 20, N_QUEUED = 12, N_BYTES = 1000 };

static void clients_leave(size_t n, size_t n_bytes)
{
	int fds[N_LEAKED];

	tcp_connect_all(SERVICE, fds, n);
	for (size_t i = 0; i < n; i++)
		tcp_send(fds[i], n_bytes);
	tcp_close_all(fds, n);
	cue_ready();
}

static void forget_to_close(void)
{
	int listener = tcp_listen(SERVICE, N_LEAKED), fds[N_LEAKED];

	cue_ready();
	tcp_accept_all(listener, fds, N_LEAKED);
	tcp_drain_all(fds, N_LEAKED);
	cue_ready();
}

static void many_clients(void)
{
	clients_leave(N_LEAKED, 0);
}

void make_close_wait_leaked_fd(struct stage *st)
{
	struct actor *leaky = stage_cast_ready(st, "lab-leaky", forget_to_close);

	stage_cast_ready(st, "lab-client", many_clients);
	stage_await(leaky);
	stage_await_socks(STATE_FIN_WAIT_2, 0, SERVICE, N_LEAKED);
	stage_made(st, _("lab-leaky[%d] accepted %d connections on port %d; the clients closed them, it read "
			 "each to its end and closed none"),
		   leaky->pid, N_LEAKED, SERVICE);
	stage_expect(st, "close-wait-leaked-fd", leaky, N_LEAKED);
}

static void accept_and_look_away(void)
{
	int listener = tcp_listen(SERVICE, N_STUCK), fds[N_STUCK];

	cue_ready();
	tcp_accept_all(listener, fds, N_STUCK);
	cue_ready();
}

static void clients_without_request(void)
{
	clients_leave(N_STUCK, 0);
}

static struct actor *leave_ends_unread(struct stage *st)
{
	struct actor *busy = stage_cast_ready(st, "lab-busy", accept_and_look_away);

	stage_cast_ready(st, "lab-client", clients_without_request);
	stage_await(busy);
	stage_await_socks(STATE_FIN_WAIT_2, 0, SERVICE, N_STUCK);
	stage_made(st, _("lab-busy[%d] accepted %d connections on port %d and waits for something else; the "
			 "clients have closed them"),
		   busy->pid, N_STUCK, SERVICE);
	return busy;
}

void make_close_wait_eof_unread(struct stage *st)
{
	stage_expect(st, "close-wait-eof-unread", leave_ends_unread(st), N_STUCK);
}

static void clients_with_request(void)
{
	clients_leave(N_STUCK, N_BYTES);
}

static struct actor *leave_data_unread(struct stage *st)
{
	struct actor *stuck = stage_cast_ready(st, "lab-stuck", accept_and_look_away);

	stage_cast_ready(st, "lab-client", clients_with_request);
	stage_await(stuck);
	stage_await_socks(STATE_FIN_WAIT_2, 0, SERVICE, N_STUCK);
	stage_made(st, _("lab-stuck[%d] accepted %d connections on port %d and reads none; the clients sent "
			 "%d bytes on each and closed"),
		   stuck->pid, N_STUCK, SERVICE, N_BYTES);
	return stuck;
}

void make_close_wait_data_unread(struct stage *st)
{
	stage_expect(st, "close-wait-data-unread", leave_data_unread(st), N_STUCK);
}

static void listen_only(void)
{
	tcp_listen(SERVICE, 64);
	cue_ready();
}

static void queued_clients(void)
{
	clients_leave(N_QUEUED, N_BYTES);
}

static struct actor *leave_unaccepted(struct stage *st)
{
	struct actor *deaf = stage_cast_ready(st, "lab-deaf", listen_only);

	stage_cast_ready(st, "lab-client", queued_clients);
	stage_await_socks(STATE_CLOSE_WAIT, SERVICE, 0, N_QUEUED);
	stage_await_socks(STATE_FIN_WAIT_2, 0, SERVICE, N_QUEUED);
	stage_made(st, _("lab-deaf[%d] listens on port %d and never calls accept(); %d clients connected, "
			 "sent a request and gave up"),
		   deaf->pid, SERVICE, N_QUEUED);
	return deaf;
}

void make_close_wait_never_accepted(struct stage *st)
{
	stage_expect(st, "close-wait-never-accepted", leave_unaccepted(st), N_QUEUED);
}

/* ---- healthy: the same a moment after it began ---- */

void make_near_ends_unread(struct stage *st)
{
	leave_ends_unread(st);
}

void make_near_data_unread(struct stage *st)
{
	leave_data_unread(st);
}

void make_near_unaccepted(struct stage *st)
{
	leave_unaccepted(st);
}

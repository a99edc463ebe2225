/* make_sockets TIME_WAITS CLOSE_WAITS PROCESSES: fills the network namespace it is started in, says READY and
 * holds the sockets until its standard input ends. The peers of the CLOSE-WAITs are FIN-WAIT-2, held too. */

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

enum { PORT = 7000, A_PLACE = 20000 }; /* so many local ports are free towards one address */

/* A new address whenever the local ports towards the last one are used up. */
static struct sockaddr_in place(long i)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(i / A_PLACE) * 256);
	return at;
}

static void connect_one(int listener, long i, int *ret_client, int *ret_accepted)
{
	struct sockaddr_in at = place(i);

	*ret_client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*ret_client < 0 || connect(*ret_client, (struct sockaddr *)&at, sizeof(at)) < 0)
		err(1, "connection %ld", i);
	*ret_accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (*ret_accepted < 0)
		err(1, "accept");
}

static void make_time_waits(int listener, long n)
{
	for (long i = 0; i < n; i++) {
		int client, accepted;

		connect_one(listener, i, &client, &accepted);
		close(client);
		close(accepted);
	}
}

static void wait_for_fin(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	if (poll(&p, 1, 20000) != 1)
		errx(1, "no FIN came");
}

/* One process after the other accepts from the same listener. */
static void hold_close_waits(int listener, long first, long n, int ready)
{
	if (fork() != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (long i = first; i < first + n; i++) {
		int client, accepted;

		connect_one(listener, i, &client, &accepted);
		shutdown(client, SHUT_WR);
		wait_for_fin(accepted);
	}
	close(listener);
	if (write(ready, "x", 1) != 1)
		err(1, "pipe");
	pause();
	_exit(0);
}

int main(int argc, char **argv)
{
	struct rlimit files = { 100000, 100000 };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	long n_time_wait = argc == 4 ? atol(argv[1]) : -1, n_close_wait = argc == 4 ? atol(argv[2]) : 0;
	long n_processes = argc == 4 ? atol(argv[3]) : 1, share = n_close_wait / n_processes;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, ready[2];
	char c;

	if (n_time_wait < 0)
		errx(2, "usage: make_sockets TIME_WAITS CLOSE_WAITS PROCESSES");
	setrlimit(RLIMIT_NOFILE, &files);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(listener, 128) < 0 || pipe(ready) < 0)
		err(1, "port %d", PORT);
	for (long k = 0; k < n_processes && share > 0; k++) {
		hold_close_waits(listener, k * share, share, ready[1]);
		if (read(ready[0], &c, 1) != 1)
			err(1, "pipe");
	}
	make_time_waits(listener, n_time_wait);
	puts("READY");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}

/* make_sockets TIME_WAITS CLOSE_WAITS PROCESSES [FILLERS FILES HIDDEN]: fills the network namespace it is
 * started in, says READY and holds the sockets until its standard input ends. The peers of the CLOSE-WAITs are
 * orphans in FIN-WAIT-2, gone after a second.
 *
 * FILLERS more processes hold FILES descriptors each that are no sockets. Of HIDDEN more CLOSE-WAITs the
 * only descriptor waits in a UNIX socket to be received. */

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PORT = 7000,
	A_PLACE = 20000, /* so many local ports are free towards one address */
	MAKERS = 2,      /* of TIME-WAITs, which live a minute: the last must come before the first is gone */
};

/* A new address whenever the local ports towards the last one are used up. */
static struct sockaddr_in place(int port, long i)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(i / A_PLACE) * 256);
	return at;
}

static int listen_at(int port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(listener, 128) < 0)
		err(1, "port %d", port);
	return listener;
}

static void connect_one(int listener, int port, long i, int *ret_client, int *ret_accepted)
{
	struct sockaddr_in at = place(port, i);

	*ret_client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*ret_client < 0 || connect(*ret_client, (struct sockaddr *)&at, sizeof(at)) < 0)
		err(1, "connection %ld", i);
	*ret_accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (*ret_accepted < 0)
		err(1, "accept");
}

/* Returns the descriptor of a CLOSE-WAIT. */
static int close_wait(int listener, long i)
{
	int client, accepted, second = 1;

	connect_one(listener, PORT, i, &client, &accepted);
	setsockopt(client, IPPROTO_TCP, TCP_LINGER2, &second, sizeof(second));
	close(client);
	struct pollfd p = { .fd = accepted, .events = POLLRDHUP };
	if (poll(&p, 1, 20000) != 1)
		errx(1, "no FIN came");
	return accepted;
}

/* ---- one process each, which lives as long as the first ---- */

struct part {
	int listener;
	long first, n;
};

static void hold_close_waits(const struct part *p)
{
	for (long i = p->first; i < p->first + p->n; i++)
		close_wait(p->listener, i);
	close(p->listener);
}

static void hold_files(const struct part *p)
{
	close(p->listener);
	for (long i = 0; i < p->n; i++)
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			err(1, "file %ld", i);
}

static void send_away(const struct part *p)
{
	int ends[2];

	for (long i = 0; i < p->n; i++) {
		int fd = close_wait(p->listener, p->first + i);
		char byte = 0, control[CMSG_SPACE(sizeof(fd))] = { 0 };
		struct iovec text = { &byte, 1 };
		struct msghdr m = { .msg_iov = &text, .msg_iovlen = 1, .msg_control = control,
				    .msg_controllen = sizeof(control) };
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		*c = (struct cmsghdr){ CMSG_LEN(sizeof(fd)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) < 0 || sendmsg(ends[0], &m, 0) < 0)
			err(1, "descriptor %ld", i);
		close(fd);
	}
	close(p->listener);
}

static void start(void (*hold)(const struct part *p), struct part part)
{
	int ready[2];
	char c;

	if (pipe(ready) < 0)
		err(1, "pipe");
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold(&part);
		if (write(ready[1], "x", 1) != 1)
			err(1, "pipe");
		close(ready[0]);
		close(ready[1]);
		pause();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		errx(1, "a process did not get ready");
	close(ready[0]);
}

/* ---- no process ---- */

static void make_time_waits(long n)
{
	int status;

	for (int k = 0; k < MAKERS; k++) {
		if (fork() != 0)
			continue;
		int port = PORT + 1 + k, listener = listen_at(port);

		for (long i = 0; i < n / MAKERS; i++) {
			int client, accepted;

			connect_one(listener, port, i, &client, &accepted);
			close(client);
			close(accepted);
		}
		_exit(0);
	}
	for (int k = 0; k < MAKERS; k++)
		if (wait(&status) < 0 || status != 0)
			errx(1, "no TIME-WAITs");
}

int main(int argc, char **argv)
{
	struct rlimit files;
	long n[6] = { 0 };
	char c;

	if (argc != 4 && argc != 7)
		errx(2, "usage: make_sockets TIME_WAITS CLOSE_WAITS PROCESSES [FILLERS FILES HIDDEN]");
	for (int i = 1; i < argc; i++)
		n[i - 1] = atol(argv[i]);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	int listener = listen_at(PORT);
	long share = n[2] ? n[1] / n[2] : 0;

	for (long k = 0; k < n[2]; k++)
		start(hold_close_waits, (struct part){ listener, k * share, share });
	for (long k = 0; k < n[3]; k++)
		start(hold_files, (struct part){ listener, 0, n[4] });
	if (n[5])
		start(send_away, (struct part){ listener, n[1], n[5] });
	if (n[0])
		make_time_waits(n[0]);
	puts("READY");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}

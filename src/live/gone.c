#include "live/gone.h"
#include "live/cookies.h"
#include "live/diag.h"
#include "util/cleanup.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

int gone_open(void)
{
	AUTO_FD fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = 1u << (SKNLGRP_INET_TCP_DESTROY - 1) | 1u << (SKNLGRP_INET6_TCP_DESTROY - 1),
	};

	if (fd < 0 || bind(fd, (const void *)&groups, sizeof(groups)) < 0)
		return -errno;
	return take_fd(&fd);
}

struct seeing {
	void (*see)(void *ctx, const struct sock *s);
	void *ctx;
};

static bool see_row(void *arg, const struct look *look, const struct sock *s)
{
	const struct seeing *seeing = arg;

	(void)look;
	seeing->see(seeing->ctx, s);
	return true; /* not kept */
}

void gone_read(int fd, void (*see)(void *ctx, const struct sock *s), void *ctx)
{
	struct seeing seeing = { see, ctx };
	struct cookies seen = { 0 };
	const struct live_request req = {
		.states = STATES_ALL, .on_sock = see_row, .on_sock_arg = &seeing,
	};
	struct diag_rows rows = { .look = look_new(), .req = &req, .seen = &seen };
	AUTO_FREE char *buf = xrealloc_array(NULL, DIAG_MAX_MESSAGE, 1);

	for (;;) {
		struct sockaddr_nl from = { 0 };
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, DIAG_MAX_MESSAGE, 0, (void *)&from, &len);

		if (n < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (n <= 0)
			break;
		/* Anybody may send to us; the kernel has no number. */
		if (from.nl_pid == 0 && diag_decode(&rows, buf, (size_t)n) != (size_t)n)
			rows.n_malformed++;
		rows.is_done = false;
	}
	cookies_free(&seen);
	look_free(rows.look);
}

#include "lab/tcp.h"
#include "lab/stage.h"
#include "util/i18n.h"
#include "util/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in at_port(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, "192.0.2.1", &at.sin_addr);
	return at;
}

int tcp_bind(uint16_t port)
{
	struct sockaddr_in at = at_port(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		stage_die("bind");
	return fd;
}

int tcp_listen(uint16_t port, int backlog)
{
	int fd = tcp_bind(port);

	if (listen(fd, backlog) < 0)
		stage_die("listen");
	return fd;
}

int tcp_listen_again(uint16_t port, int backlog)
{
	struct sockaddr_in at = at_port(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, backlog) < 0)
		stage_die("listen");
	return fd;
}

static int mptcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	/* No such protocol, or net.mptcp.enabled is 0. */
	if (fd < 0)
		stage_impossible("MPTCP");
	return fd;
}

int mptcp_listen(uint16_t port, int backlog)
{
	struct sockaddr_in at = at_port(port);
	int fd = mptcp_socket();

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, backlog) < 0)
		stage_die("listen");
	return fd;
}

int mptcp_connect(uint16_t port)
{
	struct sockaddr_in at = at_port(port);
	int fd = mptcp_socket();

	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		stage_die("connect");
	return fd;
}

void tcp_decrypt(int fd)
{
	const struct tls12_crypto_info_aes_gcm_128 key = {
		.info = { .version = TLS_1_2_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 },
	};

	/* No such protocol, or no such cipher. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) < 0 ||
	    setsockopt(fd, SOL_TLS, TLS_RX, &key, sizeof(key)) < 0)
		stage_impossible(_("TLS in the kernel (its module is tls)"));
}

int tcp_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		stage_die("accept");
	return fd;
}

int tcp_connect(uint16_t port)
{
	struct sockaddr_in at = at_port(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		stage_die("connect");
	return fd;
}

void tcp_connect_bound(int fd, uint16_t port)
{
	struct sockaddr_in at = at_port(port);

	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		stage_die("connect");
}

void tcp_send(int fd, size_t n_bytes)
{
	char block[4096];

	memset(block, 'x', sizeof(block));
	while (n_bytes > 0) {
		size_t want = n_bytes < sizeof(block) ? n_bytes : sizeof(block);
		ssize_t n = send(fd, block, want, 0);

		if (n < 0)
			stage_die("send");
		n_bytes -= (size_t)n;
	}
}

void tcp_drain(int fd)
{
	char block[4096];
	ssize_t n;

	do
		n = recv(fd, block, sizeof(block), 0);
	while (n > 0);
	if (n < 0)
		stage_die("recv");
}

void tcp_half_close(int fd)
{
	if (shutdown(fd, SHUT_WR) < 0)
		stage_die("shutdown");
}

void tcp_await_state(int fd, enum state state)
{
	int64_t since = stage_now_ms();

	for (;;) {
		struct tcp_info info = { 0 };
		socklen_t size = sizeof(info);

		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
			stage_die("TCP_INFO");
		if (info.tcpi_state == (unsigned)state)
			return;
		stage_pause(since, state_name(state));
	}
}

void tcp_fill(int fd)
{
	char block[4096] = { 0 };
	int64_t since = stage_now_ms();

	/* The buffers grow while they are filled: enough is when nothing moved for a moment. */
	for (int idle = 0; idle < 20; idle++) {
		while (send(fd, block, sizeof(block), MSG_DONTWAIT) > 0)
			idle = 0;
		if (errno != EAGAIN)
			stage_die("send");
		stage_pause(since, "send");
	}
}

void tcp_go_deaf(int fd)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &drop };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		stage_die("SO_ATTACH_FILTER");
}

void tcp_hear_again(int fd)
{
	int unused = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) < 0)
		stage_die("SO_DETACH_FILTER");
}

static void set_option(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		stage_die("setsockopt");
}

void tcp_keepalive(int fd, int idle_s, int interval_s, int probes)
{
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_s);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, probes);
}

void tcp_linger(int fd, int seconds)
{
	struct linger linger = { .l_onoff = 1, .l_linger = seconds };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0)
		stage_die("SO_LINGER");
}

void tcp_abort(int fd)
{
	tcp_linger(fd, 0);
	close(fd);
}

void tcp_pass(int through, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control = { 0 };
	char byte = 'x';
	struct iovec data = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
			       .cmsg_len = CMSG_LEN(sizeof(fd)) };
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(through, &msg, 0) < 0)
		stage_die("SCM_RIGHTS");
}

void tcp_vanish(int fd)
{
	int on = 1;

	/* A socket under repair says nothing when it is closed. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) < 0)
		stage_impossible("TCP_REPAIR");
	close(fd);
}

void tcp_accept_all(int listener, int fds[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		fds[i] = tcp_accept(listener);
}

void tcp_connect_all(uint16_t port, int fds[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		fds[i] = tcp_connect(port);
}

void tcp_drain_all(const int fds[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		tcp_drain(fds[i]);
}

void tcp_close_all(const int fds[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

void tcp_leave_when_told(uint16_t port, size_t n)
{
	int fds[64];

	if (n > ARRAY_LEN(fds))
		stage_die("tcp_leave_when_told");
	tcp_connect_all(port, fds, n);
	cue_ready();
	cue_wait();
	tcp_close_all(fds, n);
	cue_ready();
}

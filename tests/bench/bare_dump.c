/* bare_dump: all TCP sockets of this namespace as the kernel sends them, received and thrown away, one
 * family after the other as ss asks; with an argument, both in one walk. The limit of every listing. */

#include <err.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Up to LISTEN and CLOSING, as ss asks: one bit more, and newer kernels walk a second table. */
enum { ALL_STATES = 0xfff };

static void ask(int fd, int family)
{
	struct {
		struct nlmsghdr head;
		union {
			struct inet_diag_req old;
			struct inet_diag_req_v2 v2;
		} req;
	} message = { .head = { .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };

	if (family == AF_UNSPEC) {
		message.head.nlmsg_type = TCPDIAG_GETSOCK;
		message.head.nlmsg_len = NLMSG_LENGTH(sizeof(message.req.old));
		message.req.old.idiag_family = AF_INET;
		message.req.old.idiag_states = ALL_STATES;
	} else {
		message.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
		message.head.nlmsg_len = NLMSG_LENGTH(sizeof(message.req.v2));
		message.req.v2.sdiag_family = (unsigned char)family;
		message.req.v2.sdiag_protocol = IPPROTO_TCP;
		message.req.v2.idiag_states = ALL_STATES;
	}
	if (send(fd, &message, message.head.nlmsg_len, 0) < 0)
		err(1, "send");
}

static void receive(int fd)
{
	static union {
		struct nlmsghdr head;
		char bytes[32 * 1024];
	} buf;

	for (;;) {
		ssize_t n = recv(fd, buf.bytes, sizeof(buf.bytes), 0);

		if (n <= 0)
			err(1, "recv");
		/* The last buffer holds nothing else. */
		if (buf.head.nlmsg_type == NLMSG_ERROR)
			errx(1, "the kernel refused");
		if (buf.head.nlmsg_type == NLMSG_DONE)
			return;
	}
}

int main(int argc, char **argv)
{
	static const int two[] = { AF_INET, AF_INET6 }, one[] = { AF_UNSPEC };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);

	(void)argv;
	for (int i = 0; i < (argc > 1 ? 1 : 2); i++) {
		ask(fd, argc > 1 ? one[i] : two[i]);
		receive(fd);
	}
	return 0;
}

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The part of libmnl that diag.c uses, for -Dstatic=true where the distribution has the shared library
 * only, as Debian and Fedora have. Whoever ships libmnl.a gets libmnl. The prototypes are libmnl's own,
 * so a difference is a compile error; what each function does is written in its documentation. */

struct mnl_socket {
	int fd;
};

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	struct mnl_socket *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->fd = socket(AF_NETLINK, SOCK_RAW | flags, bus);
	if (s->fd >= 0)
		return s;
	int error = errno;

	free(s);
	errno = error;
	return NULL;
}

int mnl_socket_bind(struct mnl_socket *s, unsigned groups, pid_t pid)
{
	struct sockaddr_nl own = { .nl_family = AF_NETLINK, .nl_groups = groups, .nl_pid = (uint32_t)pid };

	return bind(s->fd, (struct sockaddr *)&own, sizeof(own));
}

int mnl_socket_get_fd(const struct mnl_socket *s)
{
	return s->fd;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *s, const void *request, size_t size)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return sendto(s->fd, request, size, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *s, void *to, size_t size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec part = { .iov_base = to, .iov_len = size };
	struct msghdr message = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1,
	};
	ssize_t n = recvmsg(s->fd, &message, 0);

	if (n < 0)
		return n;
	if (message.msg_flags & MSG_TRUNC)
		errno = ENOSPC;
	else if (message.msg_namelen != sizeof(from))
		errno = EINVAL;
	else
		return n;
	return -1;
}

int mnl_socket_close(struct mnl_socket *s)
{
	int failed = close(s->fd);

	free(s);
	return failed;
}

struct nlmsghdr *mnl_nlmsg_put_header(void *at)
{
	struct nlmsghdr *header = at;

	memset(header, 0, MNL_NLMSG_HDRLEN);
	header->nlmsg_len = MNL_NLMSG_HDRLEN;
	return header;
}

void *mnl_nlmsg_put_extra_header(struct nlmsghdr *header, size_t size)
{
	char *at = (char *)header + header->nlmsg_len;

	size = MNL_ALIGN(size);
	header->nlmsg_len += (uint32_t)size;
	return memset(at, 0, size);
}

bool mnl_nlmsg_ok(const struct nlmsghdr *header, int left)
{
	return left >= (int)sizeof(*header) && header->nlmsg_len >= sizeof(*header) &&
	       (int)header->nlmsg_len <= left;
}

void *mnl_nlmsg_get_payload(const struct nlmsghdr *header)
{
	return (char *)header + MNL_NLMSG_HDRLEN;
}

size_t mnl_nlmsg_get_payload_len(const struct nlmsghdr *header)
{
	return header->nlmsg_len - MNL_NLMSG_HDRLEN;
}

void mnl_attr_put(struct nlmsghdr *header, uint16_t type, size_t length, const void *value)
{
	char *at = (char *)header + MNL_ALIGN(header->nlmsg_len);
	struct nlattr attribute = { .nla_len = (uint16_t)(MNL_ATTR_HDRLEN + length), .nla_type = type };

	memset(at, 0, MNL_ALIGN(attribute.nla_len));
	memcpy(at, &attribute, sizeof(attribute));
	memcpy(at + MNL_ATTR_HDRLEN, value, length);
	header->nlmsg_len = (uint32_t)(MNL_ALIGN(header->nlmsg_len) + MNL_ALIGN(attribute.nla_len));
}

void mnl_attr_put_u32(struct nlmsghdr *header, uint16_t type, uint32_t value)
{
	mnl_attr_put(header, type, sizeof(value), &value);
}

bool mnl_attr_ok(const struct nlattr *attribute, int left)
{
	return left >= (int)sizeof(*attribute) && attribute->nla_len >= sizeof(*attribute) &&
	       attribute->nla_len <= left;
}

uint16_t mnl_attr_get_type(const struct nlattr *attribute)
{
	return attribute->nla_type & NLA_TYPE_MASK;
}

uint16_t mnl_attr_get_payload_len(const struct nlattr *attribute)
{
	return (uint16_t)(attribute->nla_len - MNL_ATTR_HDRLEN);
}

void *mnl_attr_get_payload(const struct nlattr *attribute)
{
	return (char *)attribute + MNL_ATTR_HDRLEN;
}

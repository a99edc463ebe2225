#pragma once

/* Netlink messages made by hand, as sock_diag would send them. A struct answer starts as { 0 }. */

#include <assert.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdint.h>
#include <string.h>

struct answer {
	_Alignas(4) uint8_t at[64 * 1024];
	size_t n;
	size_t message; /* where the message being made begins */
};

static inline void put(struct answer *a, const void *bytes, size_t n)
{
	assert(a->n + NLMSG_ALIGN(n) <= sizeof(a->at));
	memcpy(a->at + a->n, bytes, n);
	memset(a->at + a->n + n, 0, NLMSG_ALIGN(n) - n);
	a->n += NLMSG_ALIGN(n);
}

static inline struct nlmsghdr *header(struct answer *a)
{
	struct nlmsghdr *nlh = (void *)(a->at + a->message);

	nlh->nlmsg_len = (uint32_t)(a->n - a->message);
	return nlh;
}

static inline void put_message(struct answer *a, uint16_t type, const void *payload, size_t n)
{
	struct nlmsghdr nlh = { .nlmsg_type = type, .nlmsg_flags = NLM_F_MULTI, .nlmsg_seq = 1 };

	a->message = a->n;
	put(a, &nlh, sizeof(nlh));
	put(a, payload, n);
	header(a);
}

static inline void put_row(struct answer *a, const struct inet_diag_msg *m)
{
	put_message(a, SOCK_DIAG_BY_FAMILY, m, sizeof(*m));
}

static inline void put_attr(struct answer *a, uint16_t type, const void *value, size_t n)
{
	struct nlattr attr = { .nla_len = (uint16_t)(NLA_HDRLEN + n), .nla_type = type };

	put(a, &attr, sizeof(attr));
	put(a, value, n);
	header(a);
}

static inline void put_done(struct answer *a)
{
	int32_t zero = 0;

	put_message(a, NLMSG_DONE, &zero, sizeof(zero));
}

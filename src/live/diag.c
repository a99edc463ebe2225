#include "live/diag.h"
#include "live/cookies.h"
#include "util/cleanup.h"
#include "util/kernel.h"

#include <assert.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/tls.h>
#include <linux/mptcp.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

/* How it works: an answer is a row of messages, in buffers of up to 32 KiB.
 *
 *	nlmsghdr | inet_diag_msg (72 bytes) | attribute | attribute ...
 *
 * A full socket always carries SHUTDOWN (since 4.3); a minisock or a request never does. The state
 * of a row is the substate of a minisock, which is told from a full FIN-WAIT-2 by its timer.
 *
 * Limits: the kernel cuts what does not fit into our buffer, and says so; a smaller buffer than
 * its own would lose rows. */

/* ---- decoding ---- */

/* tcp_info grows from kernel to kernel; a field that did not arrive stays 0, see info.len. */
static void decode_info(const struct nlattr *attr, struct sock_info *ret)
{
	struct tcp_info info = { 0 };
	size_t len = mnl_attr_get_payload_len(attr);

	memcpy(&info, mnl_attr_get_payload(attr), len < sizeof(info) ? len : sizeof(info));
	*ret = (struct sock_info){
		.len = (uint16_t)len,
		.probes = info.tcpi_probes,
		.backoff = info.tcpi_backoff,
		.rto_us = info.tcpi_rto,
		.last_data_sent_ms = info.tcpi_last_data_sent,
		.last_data_recv_ms = info.tcpi_last_data_recv,
		.last_ack_recv_ms = info.tcpi_last_ack_recv,
		.rtt_us = info.tcpi_rtt,
		.snd_wnd = info.tcpi_snd_wnd,
	};
}

/* INET_DIAG_INFO of an MPTCP socket; the three times since 6.10. Source: Linux
 * include/uapi/linux/mptcp.h, struct mptcp_info. */
static void decode_mptcp_info(const struct nlattr *attr, struct sock_full *full)
{
	enum { AT_TOKEN = 12, AT_TIMES = 84 };
	const char *at = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);
	uint32_t since[3] = { 0 }; /* data sent, data received, ACK received */

	if (len >= AT_TOKEN + sizeof(full->token))
		memcpy(&full->token, at + AT_TOKEN, sizeof(full->token));
	if (len < AT_TIMES + sizeof(since))
		return;
	memcpy(since, at + AT_TIMES, sizeof(since));
	full->info = (struct sock_info){
		.len = SOCK_INFO_LEN_BASIC,
		.last_data_sent_ms = since[0],
		.last_data_recv_ms = since[1],
		.last_ack_recv_ms = since[2],
	};
}

static void decode_skmem(const struct nlattr *attr, struct sock_full *full)
{
	enum { AT_DROPS = 8 };
	uint32_t mem[4]; /* SK_MEMINFO_RMEM_ALLOC, _RCVBUF, _WMEM_ALLOC, _SNDBUF */

	if (mnl_attr_get_payload_len(attr) < sizeof(mem))
		return;
	memcpy(mem, mnl_attr_get_payload(attr), sizeof(mem));
	full->has_skmem = true;
	full->rmem_alloc = mem[0];
	full->rcvbuf = mem[1];
	full->wmem_alloc = mem[2];
	full->sndbuf = mem[3];
	/* Behind _FWD_ALLOC, _WMEM_QUEUED, _OPTMEM and _BACKLOG; since Linux 4.9. */
	full->has_drops = mnl_attr_get_payload_len(attr) >= (AT_DROPS + 1) * sizeof(full->drops);
	if (full->has_drops)
		memcpy(&full->drops, (const char *)mnl_attr_get_payload(attr) + AT_DROPS * sizeof(full->drops),
		       sizeof(full->drops));
}

/* The attribute at `at`; NULL when it does not end before `end`. */
static const struct nlattr *attr_at(const char *at, const char *end)
{
	return mnl_attr_ok((const void *)at, (int)(end - at)) ? (const void *)at : NULL;
}

static const struct nlattr *attr_next(const struct nlattr *attr, const char *end)
{
	return attr_at((const char *)attr + MNL_ALIGN(attr->nla_len), end);
}

/* The attribute of that type among those inside of another; NULL: none. */
static const struct nlattr *attr_inside(const struct nlattr *outer, uint16_t type)
{
	const char *at = mnl_attr_get_payload(outer);
	const char *end = at + mnl_attr_get_payload_len(outer);

	for (const struct nlattr *a = attr_at(at, end); a; a = attr_next(a, end))
		if (mnl_attr_get_type(a) == type)
			return a;
	return NULL;
}

static bool is_text(const struct nlattr *attr, const char *text, size_t n)
{
	return attr && mnl_attr_get_payload_len(attr) >= n && memcmp(mnl_attr_get_payload(attr), text, n) == 0;
}

/* That it only encrypts is said; to users without CAP_NET_ADMIN nothing but the name is. Source: Linux
 * net/tls/tls_main.c, tls_get_info(). */
static bool decrypts(const struct nlattr *ulp)
{
	const struct nlattr *info = attr_inside(ulp, INET_ULP_INFO_TLS);
	const struct nlattr *conf = info ? attr_inside(info, TLS_INFO_RXCONF) : NULL;

	uint16_t how = 0;

	if (conf && mnl_attr_get_payload_len(conf) >= sizeof(how))
		memcpy(&how, mnl_attr_get_payload(conf), sizeof(how));
	return how != TLS_CONF_BASE;
}

/* Source: Linux net/mptcp/diag.c, subflow_get_info(). */
static void decode_ulp(const struct nlattr *ulp, struct sock_full *full)
{
	const struct nlattr *name = attr_inside(ulp, INET_ULP_INFO_NAME);
	const struct nlattr *info = attr_inside(ulp, INET_ULP_INFO_MPTCP);
	const struct nlattr *token = info ? attr_inside(info, MPTCP_SUBFLOW_ATTR_TOKEN_LOC) : NULL;

	full->has_tls_rx = is_text(name, "tls", sizeof("tls")) && decrypts(ulp);
	full->is_subflow = is_text(name, "mptcp", strlen("mptcp"));
	if (full->is_subflow && token && mnl_attr_get_payload_len(token) >= sizeof(full->token))
		memcpy(&full->token, mnl_attr_get_payload(token), sizeof(full->token));
}

static void decode_attr(const struct nlattr *attr, struct sock_full *full)
{
	const void *at = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case INET_DIAG_INFO:
		if (full->is_mptcp)
			decode_mptcp_info(attr, full);
		else
			decode_info(attr, &full->info);
		break;
	case INET_DIAG_SKMEMINFO:
		decode_skmem(attr, full);
		break;
	case INET_DIAG_SHUTDOWN:
		full->has_shutdown = len >= 1;
		if (full->has_shutdown)
			memcpy(&full->shutdown, at, 1);
		break;
	case INET_DIAG_MARK:
		full->has_mark = len >= 4;
		if (full->has_mark)
			memcpy(&full->mark, at, 4);
		break;
	case INET_DIAG_CGROUP_ID:
		full->has_cgroup = len >= 8;
		if (full->has_cgroup)
			memcpy(&full->cgroup_id, at, 8);
		break;
	case INET_DIAG_SKV6ONLY:
		/* Unasked, of listeners of AF_INET6. Source: Linux net/ipv4/inet_diag.c, inet_diag_msg_attrs_fill(). */
		full->is_v6only = len >= 1 && *(const uint8_t *)at != 0;
		break;
	case INET_DIAG_ULP_INFO:
		decode_ulp(attr, full);
		break;
	}
}

static bool decode_pair(const struct inet_diag_msg *m, struct pair *ret)
{
	const uint8_t *src = (const uint8_t *)m->id.idiag_src;
	const uint8_t *dst = (const uint8_t *)m->id.idiag_dst;

	switch (m->idiag_family) {
	case AF_INET:
		ret->local.addr = addr_from_v4(src);
		ret->peer.addr = addr_from_v4(dst);
		break;
	case AF_INET6:
		ret->local.addr = addr_from_v6(src);
		ret->peer.addr = addr_from_v6(dst);
		break;
	default:
		return false;
	}
	ret->local.port = ntohs(m->id.idiag_sport);
	ret->peer.port = ntohs(m->id.idiag_dport);
	return true;
}

static bool is_minisock(const struct sock *s)
{
	return s->state == STATE_TIME_WAIT || s->timer == TIMER_TIMEWAIT;
}

static bool is_full(const struct sock *s, bool has_shutdown)
{
	/* A TCP Fast Open child is a full socket before its handshake is done. */
	if (s->state == STATE_SYN_RECV || s->state == STATE_NEW_SYN_RECV)
		return has_shutdown;
	return true;
}

/* false: too short, or of a family that TCP does not have. ret->full becomes `full` if the row has
 * one, else NULL. */
static bool decode_row(const struct nlmsghdr *nlh, bool is_mptcp, struct sock *ret,
		       struct sock_full *full)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	const char *end = (const char *)nlh + nlh->nlmsg_len;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m))
		return false;
	if (!decode_pair(m, &ret->pair))
		return false;
	ret->state = m->idiag_state < STATE_MAX ? m->idiag_state : STATE_UNKNOWN;
	ret->timer = m->idiag_timer;
	ret->retrans = m->idiag_retrans;
	ret->expires_ms = m->idiag_expires;
	ret->is_inet6 = m->idiag_family == AF_INET6;
	ret->ifindex = m->id.idiag_if < UINT16_MAX ? (uint16_t)m->id.idiag_if : UINT16_MAX;
	ret->cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	ret->full = NULL;
	/* There may be a million of them, and no attribute of theirs is kept. */
	if (is_minisock(ret))
		return true;
	*full = (struct sock_full){
		.is_mptcp = is_mptcp,
		.rqueue = m->idiag_rqueue,
		.wqueue = m->idiag_wqueue,
		.uid = m->idiag_uid,
		.inode = m->idiag_inode,
		.ifindex = m->id.idiag_if,
	};
	for (const struct nlattr *a = attr_at((const char *)(m + 1), end); a; a = attr_next(a, end))
		decode_attr(a, full);
	if (is_full(ret, full->has_shutdown))
		ret->full = full;
	return true;
}

/* Would the kernel have sent this row? A recording may hold more than this look asks for. */
static bool is_wanted(const struct sock *s, const struct live_request *req)
{
	const uint32_t syn_recv = STATE_BIT(STATE_SYN_RECV) | STATE_BIT(STATE_NEW_SYN_RECV);
	uint32_t bits = STATE_BIT(s->state);

	if ((req->only_inet4 && s->is_inet6) || (req->only_inet6 && !s->is_inet6))
		return false;
	return req->states & (bits & syn_recv ? syn_recv : bits);
}

/* The place of a row that is to be kept; NULL: there is none. */
static struct sock *row_slot(struct diag_rows *rows, const struct sock *row)
{
	const struct live_request *req = rows->req;
	struct look *look = rows->look;

	if (!cookies_mark(rows->seen, row->cookie)) {
		struct sock *earlier = cookies_find(rows->seen, look, rows->first, row->cookie);

		/* A socket that changed while the table was walked: it counts as what it is now. */
		if (earlier)
			rows->states[earlier->state]--;
		return earlier;
	}
	rows->n++;
	rows->n_subflows += row->full && row->full->is_subflow && row->state != STATE_LISTEN;
	if (req->on_sock && req->on_sock(req->on_sock_arg, look, row)) {
		rows->states[row->state]++;
		return NULL;
	}
	struct sock *slot = look_add_sock(look);
	rows->n_dropped += !slot;
	return slot;
}

static void add_row(struct diag_rows *rows, const struct nlmsghdr *nlh)
{
	struct sock row = { .netns = (uint16_t)rows->netns };
	struct sock_full full;

	if (!decode_row(nlh, rows->is_mptcp, &row, &full)) {
		rows->n_malformed++;
		return;
	}
	/* A listener of MPTCP is a listener of TCP, too, and its queue is there. */
	if (rows->is_mptcp && row.state == STATE_LISTEN)
		return;
	if (!is_wanted(&row, rows->req)) {
		rows->states[row.state]++;
		return;
	}
	struct sock *slot = row_slot(rows, &row);
	if (!slot)
		return;
	if (row.full) {
		row.full = arena_alloc(rows->look->arena, sizeof(full));
		*row.full = full;
	}
	*slot = row;
	rows->states[row.state]++;
}

/* NLMSG_ERROR and, since 4.15, NLMSG_DONE carry an error number. */
static int decode_error(const struct nlmsghdr *nlh)
{
	int32_t error = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	else if (nlh->nlmsg_type == NLMSG_ERROR)
		return -EPROTO;
	return error < 0 ? error : 0;
}

size_t diag_decode(struct diag_rows *rows, const void *bytes, size_t n)
{
	const char *at = bytes;
	int left = (int)n;

	assert(n <= INT32_MAX); /* our own buffers */
	/* mnl_nlmsg_ok() compares as int: a length beyond INT_MAX would pass it. */
	while (!rows->is_done && mnl_nlmsg_ok((const void *)at, left) &&
	       ((const struct nlmsghdr *)(const void *)at)->nlmsg_len <= INT32_MAX) {
		const struct nlmsghdr *nlh = (const void *)at;
		int step = (int)MNL_ALIGN(nlh->nlmsg_len);

		/* The last message of a buffer need not be padded. */
		step = step < left ? step : left;
		at += step;
		left -= step;
		if (rows->seq && nlh->nlmsg_seq != rows->seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			rows->is_interrupted = true;
		switch (nlh->nlmsg_type) {
		case NLMSG_DONE:
		case NLMSG_ERROR:
			rows->error = decode_error(nlh);
			rows->is_done = true;
			break;
		case SOCK_DIAG_BY_FAMILY:
		case TCPDIAG_GETSOCK:
			add_row(rows, nlh);
			break;
		}
	}
	return (size_t)(at - (const char *)bytes);
}

/* ---- this machine ---- */

static int ask(const struct mnl_socket *nl, const struct live_request *req, uint8_t family,
	       bool is_mptcp, uint32_t seq)
{
	/* The older request is the longer one. */
	size_t size = MNL_NLMSG_HDRLEN + sizeof(struct inet_diag_req) + MNL_ATTR_HDRLEN +
		      MNL_ALIGN(req->bytecode_len) + MNL_ATTR_HDRLEN + sizeof(uint32_t);
	uint8_t ext = (uint8_t)((req->want_info ? 1 << (INET_DIAG_INFO - 1) : 0) |
				(req->want_memory ? 1 << (INET_DIAG_SKMEMINFO - 1) : 0));

	if (req->bytecode_len > UINT16_MAX - MNL_ATTR_HDRLEN)
		return -E2BIG;
	AUTO_FREE char *buf = xrealloc_array(NULL, size, 1);
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = seq;
	if (family == AF_UNSPEC) {
		struct inet_diag_req *r = mnl_nlmsg_put_extra_header(nlh, sizeof(*r));

		nlh->nlmsg_type = TCPDIAG_GETSOCK;
		r->idiag_family = AF_INET;
		r->idiag_ext = ext;
		r->idiag_states = req->states;
	} else {
		struct inet_diag_req_v2 *r = mnl_nlmsg_put_extra_header(nlh, sizeof(*r));

		nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
		r->sdiag_family = family;
		/* 8 bits hold no number above 255: that says to look at the attribute. */
		r->sdiag_protocol = is_mptcp ? IPPROTO_RAW : IPPROTO_TCP;
		r->idiag_ext = ext;
		r->idiag_states = req->states;
	}
	if (req->bytecode)
		mnl_attr_put(nlh, INET_DIAG_REQ_BYTECODE, req->bytecode_len, req->bytecode);
	if (is_mptcp)
		mnl_attr_put_u32(nlh, INET_DIAG_REQ_PROTOCOL, IPPROTO_MPTCP);
	return mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

static int receive(const struct mnl_socket *nl, struct root *root, int copy, char *buf,
		   struct diag_rows *rows)
{
	while (!rows->is_done && !rows->is_late) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, DIAG_MAX_MESSAGE);

		if (n < 0 && errno == EINTR)
			continue;
		/* Our buffer is as large as the kernel's largest message; still, a row that was
		 * cut off (ENOSPC) or lost (ENOBUFS) makes this an interrupted dump. */
		if (n < 0 && (errno == ENOSPC || errno == ENOBUFS)) {
			rows->is_interrupted = true;
			return 0;
		}
		if (n <= 0)
			return n < 0 ? -errno : -EPROTO;
		rows->is_late = live_is_late(rows->req);
		root_record_write(root, copy, buf, (size_t)n);
		if (diag_decode(rows, buf, (size_t)n) != (size_t)n && !rows->is_done)
			rows->n_malformed++;
	}
	return rows->error;
}

int diag_ask(struct root *root, uint8_t family, int copy, struct diag_rows *rows)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);

	if (!nl)
		return -errno;
	AUTO_FREE char *buf = xrealloc_array(NULL, DIAG_MAX_MESSAGE, 1);
	rows->seq = 1;
	int error = mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
	if (!error)
		error = ask(nl, rows->req, family, rows->is_mptcp, rows->seq);
	if (!error)
		error = receive(nl, root, copy, buf, rows);
	mnl_socket_close(nl);
	return error;
}

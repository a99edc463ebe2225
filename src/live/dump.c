#include "live/dump.h"
#include "live/cookies.h"
#include "live/diag.h"
#include "live/hostinfo.h"
#include "live/proctcp.h"
#include "util/cleanup.h"
#include "util/i18n.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* How it works: the walk through the kernel's hash table costs the same whatever is asked, so one
 * dump serves every wanted state, and the old request TCPDIAG_GETSOCK serves both families in one
 * walk. Where that is refused, SOCK_DIAG_BY_FAMILY asks twice. A recording answers the same
 * questions out of the files that the kernel's answers were copied to. */

enum { MAX_TRIES = 3 };

/* One question of a dump: which families, and the file its answer is recorded in. */
struct question {
	uint8_t family; /* AF_UNSPEC: both in one walk, by TCPDIAG_GETSOCK */
	const char *file;
	bool is_mptcp;
};

static const struct question both = { AF_UNSPEC, "netlink.inet", false };
static const struct question inet4 = { AF_INET, "netlink.inet4", false };
static const struct question inet6 = { AF_INET6, "netlink.inet6", false };
static const struct question mptcp4 = { AF_INET, "netlink.mptcp4", true };
static const struct question mptcp6 = { AF_INET6, "netlink.mptcp6", true };

/* ---- a recording ---- */

/* A file of messages as they came from the socket, one behind the other. */
static int read_recording(struct root_file *f, struct root *root, int copy, struct diag_rows *rows)
{
	AUTO_FREE char *buf = xrealloc_array(NULL, 2 * DIAG_MAX_MESSAGE, 1);
	size_t n = 0;

	while (!rows->is_done) {
		ssize_t more = root_file_read(f, buf + n, 2 * DIAG_MAX_MESSAGE - n);

		if (more < 0)
			return (int)more;
		root_record_write(root, copy, buf + n, (size_t)more);
		n += (size_t)more;
		size_t used = diag_decode(rows, buf, n);
		/* Nothing more comes, or a message claims more than any has: the file ends here. */
		if (more == 0 || (used == 0 && n == 2 * DIAG_MAX_MESSAGE))
			break;
		memmove(buf, buf + used, n - used);
		n -= used;
	}
	if (!rows->is_done)
		rows->n_malformed++;
	return rows->error;
}

/* ---- one answer ---- */

static void rows_reset(struct diag_rows *rows)
{
	struct look *look = rows->look;

	look->n_socks = rows->first;
	cookies_clear(rows->seen);
	*rows = (struct diag_rows){
		.look = look,
		.req = rows->req,
		.netns = rows->netns,
		.first = rows->first,
		.seen = rows->seen,
		.is_mptcp = rows->is_mptcp,
	};
}

static int one_answer(struct root *root, const struct question *q, struct diag_rows *rows)
{
	AUTO_ROOT_FILE recording = ROOT_FILE_CLOSED;
	char path[64];

	snprintf(path, sizeof(path), "netns.%u/%s", rows->netns, q->file);
	int error = root->is_live ? 0 : root_file_open(root, path, &recording);
	if (error)
		return error;
	AUTO_FD copy = root_record_open(root, path);
	if (!root->is_live)
		return read_recording(&recording, root, copy, rows);
	error = diag_ask(root, q->family, copy, rows);
	if (error)
		root_record_drop(root, path);
	return error;
}

static void add_gaps(const struct diag_rows *rows, const char *object)
{
	struct gaps *gaps = &rows->look->gaps;

	if (rows->is_interrupted)
		gap_add(gaps, "dump", object, _("the dump was interrupted"),
			_("sockets that changed meanwhile may be missing"));
	if (rows->is_late && !rows->is_done)
		gap_add(gaps, "budget", object, _("the time limit was reached"), _("sockets are missing"));
	if (rows->n_malformed)
		gap_add(gaps, "dump", object, _("some answers were cut short or not understood"),
			_("some sockets are missing"));
	if (rows->n_dropped)
		gap_add(gaps, "dump", object, _("more sockets than one look can hold"),
			_("the sockets beyond 16 million are missing"));
}

/* Asks, again if the dump was interrupted, and adds what came to the look. */
static int answer(struct root *root, const struct live_request *req, const struct question *q,
		  unsigned netns, struct look *look)
{
	struct cookies seen = { 0 };
	struct diag_rows rows = {
		.look = look, .req = req, .netns = netns, .first = look->n_socks, .seen = &seen,
		.is_mptcp = q->is_mptcp,
	};
	int error = 0;

	for (int try = 0; try < MAX_TRIES; try++) {
		rows_reset(&rows);
		error = one_answer(root, q, &rows);
		if (error || !rows.is_interrupted || !root->is_live || req->on_sock)
			break;
	}
	cookies_free(&seen);
	if (error) {
		look->n_socks = rows.first;
		return error;
	}
	for (size_t i = 0; i < STATE_MAX; i++)
		look->states[i] += rows.states[i];
	/* An MPTCP socket has its subflows counted already. */
	if (!q->is_mptcp)
		look->netns[netns].n_sockets += (uint32_t)rows.n;
	look->netns[netns].n_subflows += (uint32_t)rows.n_subflows;
	add_gaps(&rows, arena_printf(look->arena, "netns.%u", netns));
	return 0;
}

/* One walk for both families where kernel or recording have it, else one each. */
static int all_answers(struct root *root, const struct live_request *req, unsigned netns,
		       struct look *look)
{
	bool one_family = root->is_live && (req->only_inet4 || req->only_inet6);

	if (!one_family) {
		int error = answer(root, req, &both, netns, look);
		if (error == 0 || root_is_refusal(error))
			return error;
	}
	int error4 = req->only_inet6 ? -ENOENT : answer(root, req, &inet4, netns, look);
	int error6 = req->only_inet4 ? -ENOENT : answer(root, req, &inet6, netns, look);
	if (error4 && error6)
		return req->only_inet6 ? error6 : error4;
	/* ENOENT: a kernel without IPv6, or a recording of one; that is half of the answer. */
	int error = error4 ? error4 : error6;
	if (error && error != -ENOENT)
		gap_add(&look->gaps, "dump", error4 ? "IPv4" : "IPv6",
			arena_strdup(look->arena, strerror(-error)),
			_("the sockets of this family are missing"));
	return 0;
}

/* Bytecode only saves work: an older kernel may not know an instruction. */
static int filtered_answers(struct root *root, const struct live_request *req, unsigned netns,
			    struct look *look)
{
	struct live_request plain = *req;
	int error = all_answers(root, req, netns, look);

	if (!error)
		return 0;
	plain.bytecode = NULL;
	return all_answers(root, &plain, netns, look);
}

/* Listeners name the owner of other sockets, so they are never filtered; asked for alone, they need no
 * walk through the table of connections. */
static int asked_answers(struct root *root, const struct live_request *req, unsigned netns,
			 struct look *look)
{
	struct live_request listeners = *req, others = *req;
	int error = 0;

	if (!req->bytecode || !root->is_live)
		return all_answers(root, req, netns, look);
	listeners.states &= STATE_BIT(STATE_LISTEN);
	listeners.bytecode = NULL;
	others.states &= ~STATE_BIT(STATE_LISTEN);
	if (listeners.states)
		error = all_answers(root, &listeners, netns, look);
	if (!error && others.states)
		error = filtered_answers(root, &others, netns, look);
	return error;
}

static void explain(int error, const struct root *root, unsigned netns, struct fail *fail)
{
	char object[64];

	if (!root->is_live) {
		snprintf(object, sizeof(object), "netns.%u/netlink.inet", netns);
		fail_set(fail, object, "%s", strerror(-error));
		return;
	}
	switch (error) {
	case -ENOENT:
	case -EOPNOTSUPP:
	case -EPROTONOSUPPORT:
		fail_set(fail, "sock_diag", _("this kernel cannot list TCP sockets"));
		fail_hint(fail, _("load the modules: modprobe -a inet_diag tcp_diag"));
		break;
	case -EPERM:
	case -EACCES:
		fail_set(fail, "sock_diag", _("not permitted (a container's seccomp profile, or a "
					      "security module)"));
		fail_hint(fail, _("run it on the host itself"));
		break;
	default:
		fail_set(fail, "sock_diag", "%s", strerror(-error));
	}
}

int dump_netns(struct root *root, const struct live_request *req, unsigned netns,
	       struct look *look, struct fail *fail)
{
	int error = req->states ? asked_answers(root, req, netns, look) : 0;

	if (!error)
		return 0;
	explain(error, root, netns, fail);
	if (proctcp_read(root, req, netns, look) != 0)
		return error;
	/* A recording has this gap among its own. */
	if (root->is_live)
		gap_add(&look->gaps, "sock_diag", "sock_diag", arena_strdup(look->arena, fail->what),
			_("the sockets are those of /proc/net/tcp, without ages, accept queues, marks and MPTCP"));
	return 0;
}

int dump_mptcp(struct root *root, const struct live_request *req, unsigned netns, struct look *look)
{
	if (!req->states)
		return 0;
	/* The first question may load a module, so it is asked where there is something to see. */
	if (root->is_live && !look->netns[netns].n_subflows && !hostinfo_uses_mptcp(root, netns))
		return 0;
	int error4 = req->only_inet6 ? 0 : answer(root, req, &mptcp4, netns, look);
	int error6 = req->only_inet4 ? 0 : answer(root, req, &mptcp6, netns, look);
	if (error4 && look->netns[netns].n_subflows)
		gap_add(&look->gaps, "mptcp", arena_printf(look->arena, "netns.%u", netns),
			_("no listing of MPTCP (module mptcp_diag): its connections show as their TCP subflows"),
			_("what the application has closed does not show in their states"));
	return error4 ? error4 : error6;
}

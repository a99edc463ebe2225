#include "folder.h"

#include <errno.h>

static int fails(const struct live_request *req)
{
	struct look *look = NULL;
	struct fail fail = { 0 };
	int error = live_look(req, &look, &fail);

	assert_null(look);
	assert_true(fail.object[0] && fail.what[0]);
	return error;
}

static void check_host(const struct look *look)
{
	const struct netns *ns = &look->netns[0];

	assert_int_equal(look->n_socks, 6);
	assert_int_equal(look->states[STATE_CLOSE_WAIT], 4);
	assert_int_equal(look->n_netns, 1);
	assert_int_equal(ns->inode, 4026531840);
	assert_null(ns->name);
	assert_int_equal(ns->n_sockets, 6);
	assert_true(ns->sysctls.fin_timeout_s.known && ns->sysctls.fin_timeout_s.value == 33);
	assert_false(ns->sysctls.tw_reuse.known);
	assert_int_equal(ns->sysctls.port_high.value, 60999);
	assert_true(ns->sysctls.reserved_known && ns->sysctls.reserved_in_range == 10);
	assert_string_equal(ns->sysctls.reserved, "40000-40009");
	assert_int_equal(ns->sysctls.mem_pages[2].value, 300);
	assert_int_equal(ns->sysctls.error[SYSCTL_fin_timeout_s], 0);
	assert_int_equal(ns->sysctls.error[SYSCTL_tw_reuse], ENOENT);
	assert_int_equal(ns->counters.conntrack_drops.value, 7);
	assert_int_equal(ns->counters.conntrack_early_drops.value, 1);
	assert_int_equal(ns->n_timewait.value, 1);
	assert_int_equal(look->host.files_open.value, 659);
	assert_int_equal(look->host.tcp_pages.value, 1);
	assert_int_equal(ns->counters.tw_overflow.value, 17);
	assert_int_equal(ns->counters.out_rsts.value, 4);
	assert_false(ns->counters.listen_drops.known);
	assert_string_equal(look->host.name, "web1");
	assert_null(look->host.kernel);
	assert_int_equal(look->host.time_ns, 1700000000000000001);
	assert_int_equal(look->host.hz, 250);
	assert_int_equal(look->host.uptime_ms, 12345670);
	assert_int_equal(look->netns[0].uptime_ms, 12345670);
	assert_int_equal(look->host.orphans.value, 3);
	assert_true(look->owners_looked && look->owners_complete);
	assert_int_equal(look->gaps.n, 0);
}

static void check_owners(const struct look *look)
{
	const struct sock_full *shared = by_inode(look, 11), *thread = by_inode(look, 12);
	const struct sock_full *ring = by_inode(look, 13);

	assert_int_equal(look->n_procs, 2);
	assert_int_equal(shared->n_holders, 2);
	const struct proc *nginx = shared->holders[0].proc;
	assert_int_equal(nginx->pid, 812);
	assert_int_equal(shared->holders[0].fd, 5);
	assert_int_equal(shared->holders[1].proc->pid, 813);
	assert_int_equal(thread->n_holders, 1);
	assert_ptr_equal(thread->holders[0].proc, nginx);
	assert_int_equal(thread->holders[0].fd, 9);
	assert_int_equal(ring->n_holders, 1);
	assert_int_equal(ring->holders[0].proc->pid, 813);
	assert_int_equal(ring->holders[0].fd, 8);
	assert_int_equal(by_inode(look, 14)->n_holders, 0);

	assert_string_equal(nginx->comm, "nginx");
	assert_string_equal(nginx->cmdline, "nginx: worker");
	assert_string_equal(nginx->exe, "/usr/sbin/nginx");
	assert_string_equal(nginx->unit, "nginx.service");
	assert_true(nginx->has_uid && nginx->uid == 33);
	assert_true(nginx->has_fds && nginx->n_fds == 900);
	assert_int_equal(nginx->fd_limit, 1024);
	assert_int_equal(nginx->start_ticks, 98765);
	assert_int_equal(nginx->netns, 4026531840);
	/* What was not recorded is unknown. */
	const struct proc *child = shared->holders[1].proc;
	assert_null(child->cmdline);
	assert_false(child->has_uid || child->has_fds);
	assert_int_equal(child->fd_limit, 0);
}

static void whole_host(void **state)
{
	struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	struct look *look = look_at(&req);
	check_host(look);
	check_owners(look);
	look_free(look);
}

/* A recording of a recording says the same: what is read is what is written. */
static void recorded_again(void **state)
{
	struct folder *f = *state;
	struct live_request req = everything(f);
	char copy[PATH_MAX], name[PATH_MAX];

	put_host(f);
	req.record = below(f, "copy", copy);
	look_free(look_at(&req));
	/* Only those who hold something are copied, and of their descriptors only the sockets. */
	snprintf(name, sizeof(name), "%s/proc/814", f->at);
	assert_int_equal(access(name, F_OK), 0);
	assert_true(access(below(f, "copy/proc/814", name), F_OK) < 0);
	assert_true(readlink(below(f, "copy/proc/812/fd/7", name), name, 1) < 0);

	req.from = copy;
	req.record = NULL;
	struct look *look = look_at(&req);
	check_host(look);
	check_owners(look);
	look_free(look);

	/* Never two looks in one folder. */
	req.from = f->at;
	req.record = copy;
	assert_int_equal(fails(&req), -EEXIST);
}

static void less_is_asked(void **state)
{
	struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	req.owners = OWNERS_NONE;
	req.want_host = false;
	req.states = STATE_BIT(STATE_TIME_WAIT);
	struct look *look = look_at(&req);
	assert_int_equal(look->n_socks, 1);
	assert_int_equal(look->asked_states, STATE_BIT(STATE_TIME_WAIT));
	assert_false(look->owners_looked);
	assert_int_equal(look->n_procs, 0);
	assert_false(look->netns[0].sysctls.fin_timeout_s.known);
	look_free(look);

	req = everything(f);
	req.owners = OWNERS_TEARDOWN;
	look = look_at(&req);
	assert_int_equal(by_inode(look, 15)->n_holders, 0);
	assert_int_equal(by_inode(look, 11)->n_holders, 2);
	look_free(look);

	req.one_owner_is_enough = true;
	look = look_at(&req);
	assert_true(by_inode(look, 11)->n_holders >= 1);
	assert_int_equal(by_inode(look, 12)->n_holders, 1);
	assert_int_equal(by_inode(look, 13)->n_holders, 1);
	look_free(look);
}

/* Two walks, two namespaces, gaps of the day it was recorded. */
static void put_namespaces(const struct folder *f)
{
	struct inet_diag_msg m4 = row(STATE_CLOSE_WAIT, 1, 0), m6 = row(STATE_CLOSE_WAIT, 2, 0);
	struct answer a4 = { 0 }, a6 = { 0 }, cut = { 0 };

	m6.idiag_family = AF_INET6;
	put_row(&a4, &m4);
	put_done(&a4);
	put_row(&a6, &m6);
	put_done(&a6);
	put_row(&cut, &m4);
	put_bytes(f, "netns.0/netlink.inet4", a4.at, a4.n);
	put_bytes(f, "netns.0/netlink.inet6", a6.at, a6.n);
	put_bytes(f, "netns.1/netlink.inet", cut.at, cut.n);
	/* Nothing is there, so nothing was asked. */
	put_text(f, "netns.2/net/sockstat", "TCP: inuse 0 orphan 0 tw 0 alloc 9 mem 0\n");
	put_text(f, "netns.2/net/sockstat6", "TCP6: inuse 0\n");
	put_text(f, "look", "tcpwhy-look 1\nowners\tpartial\nnetns\t7\tbl%0Aue%09%25\nnetns\t8\t\n"
			    "netns\t9\nunknown\tline\ngap\towners\t/proc\twhy\teffect\t12\n");
}

static void check_namespaces(const struct live_request *req)
{
	struct look *look = look_at(req);

	assert_int_equal(look->n_netns, 3);
	assert_string_equal(look->netns[0].name, "bl\nue\t%");
	assert_int_equal(look->netns[0].n_sockets, 2);
	assert_int_equal(look->netns[1].n_sockets, 1);
	assert_int_equal(look->netns[2].n_sockets, 0);
	assert_int_equal(look->socks[2].netns, 1);
	assert_true(look->owners_looked && !look->owners_complete);
	assert_int_equal(look->gaps.n, 2);
	assert_string_equal(look->gaps.at[0].what, "owners");
	assert_int_equal(look->gaps.at[0].count, 12);
	assert_string_equal(look->gaps.at[1].what, "dump");
	assert_int_equal(look->gaps.at[1].count, 1);
	look_free(look);
}

static void two_namespaces(void **state)
{
	struct folder *f = *state;
	struct live_request req = everything(f);
	char copy[PATH_MAX];

	put_namespaces(f);
	req.record = below(f, "copy", copy);
	check_namespaces(&req);
	req.from = copy;
	req.record = NULL;
	check_namespaces(&req);

	req.only_inet6 = true;
	struct look *look = look_at(&req);
	assert_int_equal(look->n_socks, 1);
	look_free(look);
}

/* Whatever the order of the folder's entries, holders come by process and descriptor. */
static void holders_in_order(void **state)
{
	struct folder *f = *state;
	struct live_request req = everything(f);
	char name[64];

	put_host(f);
	for (unsigned fd = 100; fd < 120; fd++) {
		snprintf(name, sizeof(name), "proc/812/fd/%u", fd % 2 ? fd : 300 - fd);
		put_link(f, name, "socket:[14]");
	}
	struct look *look = look_at(&req);
	const struct sock_full *full = by_inode(look, 14);
	assert_int_equal(full->n_holders, 20);
	for (unsigned i = 1; i < full->n_holders; i++)
		assert_true(full->holders[i - 1].fd < full->holders[i].fd);
	look_free(look);
}

/* Larger than any buffer, so that rows lie across its edge. */
static void long_recording(void **state)
{
	enum { ROWS = 3000 };
	struct folder *f = *state;
	struct live_request req = everything(f);
	char path[PATH_MAX];
	struct answer a;

	put_host(f);
	int fd = open(below(f, "netns.0/netlink.inet", path), O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	for (uint32_t i = 1; i <= ROWS; i++) {
		struct inet_diag_msg m = row(STATE_TIME_WAIT, i, 0);

		a.n = 0;
		put_row(&a, &m);
		put_attr(&a, 999, a.at, i % 60);
		assert_int_equal(write(fd, a.at, a.n), a.n);
	}
	a.n = 0;
	put_done(&a);
	assert_int_equal(write(fd, a.at, a.n), a.n);
	close(fd);
	struct look *look = look_at(&req);
	assert_int_equal(look->n_socks, ROWS);
	assert_int_equal(look->socks[ROWS - 1].cookie, ROWS);
	assert_int_equal(look->gaps.n, 0);
	look_free(look);
}

/* A folder stands where a file should: it cannot be read, and that is not its absence. Read again
 * from a recording, where neither is there, none is called absent. */
static void refused_settings(void **state)
{
	struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	put_text(f, "netns.0/sys/net/ipv4/tcp_retries2/x", "15\n");
	struct look *look = look_at(&req);
	const struct sysctls *ctl = &look->netns[0].sysctls;
	assert_false(ctl->retries2.known);
	assert_int_equal(ctl->error[SYSCTL_retries2], EINVAL);
	assert_int_equal(ctl->error[SYSCTL_tw_recycle], ENOENT);
	assert_int_equal(look->gaps.n, 1);
	assert_string_equal(look->gaps.at[0].what, "sysctl");
	assert_string_equal(look->gaps.at[0].object, "/proc/sys/net/ipv4/tcp_retries2");
	look_free(look);

	put_text(f, "look", "tcpwhy-look 1\ngap\tsysctl\tx\ty\tz\t1\nnetns\t1\t\n");
	look = look_at(&req);
	assert_int_equal(look->netns[0].sysctls.error[SYSCTL_tw_recycle], EACCES);
	look_free(look);
}

/* What is no number is not one, and nothing is made of half a range. */
static void settings_that_are_none(void **state)
{
	static const struct { const char *range; bool low, high; } rows[] = {
		{ "32768\n", true, false }, { "x\t60999\n", false, true }, { "32768\tx\n", true, false },
	};
	struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	put_text(f, "netns.0/sys/net/ipv4/tcp_retries2", "many\n");
	put_text(f, "netns.0/sys/net/ipv4/tcp_mem", "100\t200\n");
	put_text(f, "proc/uptime", "long\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_text(f, "netns.0/sys/net/ipv4/ip_local_port_range", rows[i].range);
		struct look *look = look_at(&req);
		const struct sysctls *ctl = &look->netns[0].sysctls;

		assert_int_equal(ctl->port_low.known, rows[i].low);
		assert_int_equal(ctl->port_high.known, rows[i].high);
		assert_false(ctl->reserved_known);
		assert_int_equal(ctl->error[SYSCTL_retries2], EINVAL);
		assert_true(ctl->mem_pages[1].known && !ctl->mem_pages[2].known);
		assert_int_equal(look->host.uptime_ms, 0);
		look_free(look);
	}
}

/* What the recording did not ask for is missing, and said to be. */
static void less_was_recorded(void **state)
{
	struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	put_text(f, "look", "tcpwhy-look 1\nasked_states\t0x1ffc\nnetns\t1\t\n");
	struct look *look = look_at(&req);
	const struct gap *states = gap_find(look, "states"), *owners = gap_find(look, "owners");
	assert_non_null(states);
	assert_non_null(owners);
	look_free(look);

	req.states = STATE_BIT(STATE_CLOSE_WAIT);
	req.owners = OWNERS_NONE;
	look = look_at(&req);
	assert_null(gap_find(look, "states"));
	assert_null(gap_find(look, "owners"));
	look_free(look);
}

static void not_a_recording(void **state)
{
	struct folder *f = *state;
	struct live_request req = everything(f);
	char path[PATH_MAX];

	assert_int_equal(fails(&req), -EINVAL);
	put_text(f, "look", "tcpwhy-look 2\nnetns\t1\t\n");
	assert_int_equal(fails(&req), -EINVAL);
	put_text(f, "look", "tcpwhy-look 1\nhz\t100\n");
	assert_int_equal(fails(&req), -EINVAL);
	put_text(f, "look", "tcpwhy-look 1\nnetns\t1\t\n");
	assert_int_equal(fails(&req), -ENOENT);

	/* A message that claims more than any has, and a kernel's refusal. */
	struct nlmsghdr huge = { .nlmsg_len = UINT32_MAX };
	struct answer refused = { 0 };
	int32_t error = -EPERM;
	put_bytes(f, "netns.0/netlink.inet", &huge, sizeof(huge));
	struct look *look = look_at(&req);
	assert_int_equal(look->n_socks, 0);
	assert_int_equal(look->gaps.n, 2); /* the dump, and the owners, who were not recorded */
	look_free(look);
	put_message(&refused, NLMSG_ERROR, &error, sizeof(error));
	put_bytes(f, "netns.0/netlink.inet", refused.at, refused.n);
	assert_int_equal(fails(&req), -EPERM);

	req.from = below(f, "nowhere", path);
	assert_int_equal(fails(&req), -ENOENT);
}

/* Nothing outside the folder is read, whatever the folder says, and nothing hangs. */
static void hostile_folder(void **state)
{
	struct folder *f = *state;
	struct live_request req = everything(f);
	char path[PATH_MAX], target[PATH_MAX];

	put_host(f);
	/* proc/812/cmdline and a whole process are links to this process's own. */
	unlink(below(f, "proc/812/cmdline", path));
	put_link(f, "proc/812/cmdline", "/proc/self/cmdline");
	put_link(f, "proc/900", "/proc/self");
	put_link(f, "netns.0/sys/net/core", "/proc/sys/net/core");
	unlink(below(f, "proc/812/status", path));
	put_link(f, "proc/812/status", "/proc/self/status");
	unlink(below(f, "proc/sys/kernel/hostname", path));
	assert_int_equal(mkfifo(below(f, "proc/sys/kernel/hostname", path), 0600), 0);
	struct look *look = look_at(&req);
	const struct proc *nginx = by_inode(look, 11)->holders[0].proc;
	assert_null(nginx->cmdline);
	assert_false(nginx->has_uid);
	assert_null(look->host.name);
	assert_false(look->netns[0].sysctls.somaxconn.known);
	assert_int_equal(look->n_procs, 2);
	look_free(look);

	/* The answers themselves are elsewhere. */
	snprintf(target, sizeof(target), "%s/answers", f->at);
	assert_int_equal(rename(below(f, "netns.0/netlink.inet", path), target), 0);
	put_link(f, "netns.0/netlink.inet", target);
	assert_true(fails(&req) < 0);
}

/* Unread CLOSE-WAITs, inodes 21 to 23, of a process with the given epoll set. */
static void watch_case(const struct folder *f, const char *fdinfo, const enum watch expected[3])
{
	struct live_request req = everything(f);
	struct answer a = { 0 };

	for (uint32_t i = 21; i <= 23; i++) {
		struct inet_diag_msg m = row(STATE_CLOSE_WAIT, i, i);

		m.idiag_rqueue = 1;
		put_row(&a, &m);
	}
	put_done(&a);
	put_bytes(f, "netns.0/netlink.inet", a.at, a.n);
	if (fdinfo)
		put_text(f, "proc/816/fdinfo/9", fdinfo);
	req.want_watch = true;
	struct look *look = look_at(&req);
	for (uint32_t i = 0; i < 3; i++)
		if (by_inode(look, 21 + i)->watch != expected[i])
			fail_msg("inode %u: watch %d", 21 + i, by_inode(look, 21 + i)->watch);
	look_free(look);
}

static void epoll_sets(void **state)
{
	static const enum watch unreadable[3] = { WATCH_UNKNOWN, WATCH_UNKNOWN, WATCH_UNKNOWN };
	static const enum watch mixed[3] = { WATCH_DEAF, WATCH_HEARS, WATCH_ABSENT };
	static const enum watch of_thread[3] = { WATCH_DEAF, WATCH_UNKNOWN, WATCH_UNKNOWN };
	static const enum watch none[3] = { WATCH_NO_EPOLL, WATCH_NO_EPOLL, WATCH_NO_EPOLL };
	const struct folder *f = *state;
	char path[PATH_MAX];

	put_host(f);
	put_proc(f, 816, "loop");
	put_link(f, "proc/816/fd/5", "socket:[21]");
	put_link(f, "proc/816/fd/6", "socket:[22]");
	put_link(f, "proc/816/fd/7", "socket:[23]");
	watch_case(f, NULL, none);
	put_link(f, "proc/816/fd/9", "anon_inode:[eventpoll]");
	watch_case(f, NULL, unreadable);
	/* 7 once was in the set; then the number was given to another file. */
	watch_case(f, "pos:\t0\nflags:\t02\n"
		      "tfd:        5 events:       18 data:                5  pos:0 ino:15 sdev:8\n"
		      "tfd:        6 events:     2019 data:                6  pos:0 ino:16 sdev:8\n"
		      "tfd:        7 events:       19 data:                7  pos:0 ino:3e7 sdev:8\n",
		   mixed);
	/* Before 4.12 the kernel did not tell inodes. */
	watch_case(f, "tfd:        6 events:       19 data:                6\n"
		      "tfd:        5 events: 40000000 data:                5\n", mixed);
	watch_case(f, "tfd: events: tfd:        x events:       19\ntfd:", (enum watch[3]){
		      WATCH_ABSENT, WATCH_ABSENT, WATCH_ABSENT });
	/* A ring may poll for them. */
	put_link(f, "proc/816/fd/8", "anon_inode:[io_uring]");
	watch_case(f, NULL, unreadable);
	unlink(below(f, "proc/816/fd/8", path));
	/* 22 and 23 are in the table of a thread, and so are the sets that may watch them. */
	unlink(below(f, "proc/816/fd/6", path));
	unlink(below(f, "proc/816/fd/7", path));
	put_link(f, "proc/816/task/817/fd/6", "socket:[22]");
	put_link(f, "proc/816/task/817/fd/7", "socket:[23]");
	watch_case(f, "tfd:        6 events:       19 data:                6\n"
		      "tfd:        5 events: 40000000 data:                5\n", of_thread);
}

/* The subflow is ESTABLISHED, the MPTCP socket above it half-closed; both have inode 15. */
static void mptcp_dump(void **state)
{
	const struct folder *f = *state;
	struct live_request req = everything(f);
	struct inet_diag_msg m = row(STATE_CLOSE_WAIT, 90, 15), sub = row(STATE_ESTABLISHED, 91, 15);
	static const uint8_t ulp[] = { 10, 0, 1, 0, 'm', 'p', 't', 'c', 'p', 0, 0, 0 };
	struct answer a = { 0 }, tcp = { 0 };
	char copy[PATH_MAX], name[PATH_MAX];

	put_host(f);
	put_row(&tcp, &sub);
	put_attr(&tcp, INET_DIAG_ULP_INFO, ulp, sizeof(ulp));
	put_done(&tcp);
	put_bytes(f, "netns.0/netlink.inet", tcp.at, tcp.n);
	/* Nobody could list them: the subflows stand alone, and that is said. */
	struct look *look = look_at(&req);
	assert_int_equal(look->gaps.n, 1);
	assert_string_equal(look->gaps.at[0].what, "mptcp");
	look_free(look);

	put_row(&a, &m);
	put_done(&a);
	put_bytes(f, "netns.0/netlink.mptcp4", a.at, a.n);
	req.record = below(f, "copy", copy);
	look_free(look_at(&req));
	assert_int_equal(access(below(f, "copy/netns.0/netlink.mptcp4", name), F_OK), 0);
	req.from = copy;
	req.record = NULL;
	look = look_at(&req);
	assert_int_equal(look->gaps.n, 0);
	assert_int_equal(look->n_socks, 2);
	assert_int_equal(look->netns[0].n_sockets, 1);
	assert_true(look->socks[1].full->is_mptcp);
	assert_int_equal(look->socks[1].full->n_holders, 1);
	assert_int_equal(look->states[STATE_CLOSE_WAIT], 1);
	look_free(look);
}

/* 817 holds nothing that is listed; what the recorder found out about it counts, if it holds up. */
static void dead_descriptors(void **state)
{
	static const struct {
		const char *text;
		uint64_t n_dead;
		bool is_unsure;
	} rows[] = {
		{ "11\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n", 11, false },
		{ "11\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\nunsure\n", 11, true },
		{ "11\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\nsure\n", 11, false },
		{ "11\n5\n6\n", 0, false },
		{ "10\n5\n6\n7\n8\n9\n10\n11\n12\n13\n4294967295\n", 0, false },
		{ "3\n5\n6\n7\n", 0, false },
		{ "18446744073709551615\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n", 0, false },
		{ "", 0, false },
	};
	const struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	put_proc(f, 817, "leaky");
	put_link(f, "proc/817/fd/0", "/dev/null");
	for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
		const struct proc *found = NULL;

		put_text(f, "proc/817/dead_fds", rows[row].text);
		struct look *look = look_at(&req);
		for (size_t i = 0; i < look->n_procs; i++)
			if (look->procs[i]->pid == 817)
				found = look->procs[i];
			else
				assert_int_equal(look->procs[i]->n_dead, 0);
		assert_non_null(found);
		assert_int_equal(found->n_dead, rows[row].n_dead);
		assert_int_equal(found->dead_is_unsure, rows[row].is_unsure);
		if (found->n_dead)
			assert_int_equal(found->dead_fds[1], 6);
		look_free(look);
	}
}

/* Options of inode 11 and 13; the other lines are no kernel's. */
static void socket_options(void **state)
{
	const struct folder *f = *state;
	struct live_request req = everything(f);
	char copy[PATH_MAX];

	put_host(f);
	put_text(f, "sockopts", "13 2 0 0 1 7200 75 9 0 0 0\n"
				"11 31 1 3 1 61 7 5 -1 45000 1\n"
				"12 31 1 3 1 61 7 200 9 45000 1\n"
				"12 32 1 3 1 61 7 5 9 45000 1\n"
				"12 31 1 -3 1 61 7 5 9 45000 1\n"
				"12 31 1 3 1 40000 7 5 9 45000 1\n"
				"12 31 1 3 1 61\nnonsense\n\n"
				"15 31 1 3 1 61 7 5 9 45000 1\n");
	req.record = below(f, "copy", copy);
	look_free(look_at(&req));
	req.from = copy;
	req.record = NULL;
	struct look *look = look_at(&req);
	const struct sock_opts *all = by_inode(look, 11)->opts, *some = by_inode(look, 13)->opts;
	assert_true(all && all->known == OPTS_ALL && all->linger && all->keepalive && all->reuseaddr);
	assert_int_equal(all->linger_s, 3);
	assert_int_equal(all->idle_s + all->interval_s * all->probes, 96);
	assert_int_equal(all->linger2_s, -1);
	assert_int_equal(all->user_timeout_ms, 45000);
	assert_true(some && some->known == OPTS_KEEPALIVE && some->idle_s == 7200);
	assert_null(by_inode(look, 12)->opts);
	assert_null(by_inode(look, 14)->opts);
	assert_null(by_inode(look, 15)->opts); /* ESTABLISHED: nobody was to ask */
	look_free(look);
}

/* Many kernels before 5.16 write 0 wherever a task waits; its stack tells the place. */
static void place_of_waiting(void **state)
{
	static const struct {
		const char *wchan, *stack, *expected;
	} rows[] = {
		{ "ep_poll", "[<0>] pipe_read+0x2fa/0x400\n", "ep_poll" },
		{ "0", "[<0>] pipe_read+0x2fa/0x400\n", "pipe_read" },
		{ "0", "", NULL },
	};
	struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_text(f, "proc/812/wchan", rows[i].wchan);
		put_text(f, "proc/812/stack", rows[i].stack);
		struct look *look = look_at(&req);
		const char *found = by_inode(look, 11)->holders[0].proc->wchan;
		if (rows[i].expected)
			assert_string_equal(found, rows[i].expected);
		else
			assert_null(found);
		look_free(look);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(whole_host),      TEST(recorded_again), TEST(less_is_asked), TEST(less_was_recorded),
		TEST(two_namespaces),  TEST(long_recording), TEST(refused_settings),
		TEST(settings_that_are_none), TEST(not_a_recording),
		TEST(hostile_folder),  TEST(holders_in_order),
		TEST(epoll_sets),     TEST(dead_descriptors),
		TEST(mptcp_dump),     TEST(socket_options),   TEST(place_of_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

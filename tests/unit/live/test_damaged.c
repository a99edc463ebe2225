#include "folder.h"
#include "live/hostinfo.h"
#include "live/pack.h"
#include "live/sockopts.h"

#include <errno.h>

/* Recordings of strangers: what is no fact is none, what is too much has an end that is said, and the rest counts. */

static const struct proc *holder_of(const struct look *look, uint32_t inode)
{
	const struct sock_full *full = by_inode(look, inode);

	assert_true(full && full->n_holders > 0);
	return full->holders[0].proc;
}

static void replace_link(const struct folder *f, const char *name, const char *target)
{
	char path[PATH_MAX];

	unlink(below(f, name, path));
	put_link(f, name, target);
}

/* A dump of CLOSE-WAITs with something unread, of the inodes from `first` on. */
static void put_unread(const struct folder *f, uint32_t first, uint32_t n)
{
	struct answer a = { 0 };

	for (uint32_t i = first; i < first + n; i++) {
		struct inet_diag_msg m = row(STATE_CLOSE_WAIT, i, i);

		m.idiag_rqueue = 1;
		put_row(&a, &m);
	}
	put_done(&a);
	put_bytes(f, "netns.0/netlink.inet", a.at, a.n);
}

/* ---- processes ---- */

static void facts_that_are_none(void **state)
{
	const struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	put_text(f, "proc/812/stat", "812 nginx\n");
	put_text(f, "proc/812/wchan", "");
	put_text(f, "proc/812/fd_count", "many\n");
	put_text(f, "proc/812/leader", "gone\n");
	put_text(f, "proc/813/leader", "here\n");
	put_text(f, "proc/812/dead_fds", "10\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
	replace_link(f, "proc/812/ns/net", "net:elsewhere");
	struct look *look = look_at(&req);
	const struct proc *nginx = holder_of(look, 11), *child = holder_of(look, 13);

	assert_string_equal(nginx->comm, "?");
	assert_int_equal(nginx->state, '?');
	assert_null(nginx->wchan);
	assert_false(nginx->has_fds);
	assert_int_equal(nginx->netns, 0);
	assert_true(nginx->leader_is_gone);
	assert_int_equal(nginx->n_dead, 10);
	assert_int_equal(child->pid, 813);
	assert_false(child->leader_is_gone);
	look_free(look);
}

/* Inode 14 is wanted, and nothing here holds it. */
static void descriptors_that_are_none(void **state)
{
	static const char *const links[][2] = {
		{ "proc/812/fd/20", "socket:[]" },	 { "proc/812/fd/21", "socket:[14x]" },
		{ "proc/812/fd/22", "socket:[99999999999999]" }, { "proc/812/fd/23", "socket:[14" },
		{ "proc/812/fd/26", "socket:[18446744073709551630]" }, /* 2^64 and 14 */
		{ "proc/812/fd/24", "socket:14" },	 { "proc/812/fd/x", "socket:[14]" },
		{ "proc/812/fd/99999999999", "socket:[14]" }, { "proc/812/fd/2147483648", "socket:[14]" },
		{ "proc/0/fd/3", "socket:[14]" },	 { "proc/x/fd/3", "socket:[14]" },
		{ "proc/812/task/y/fd/3", "socket:[14]" }, { "proc/812/task/812/fd/3", "socket:[14]" },
	};
	const struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		put_link(f, links[i][0], links[i][1]);
	put_text(f, "proc/812/fd/25", "socket:[14]");
	put_text(f, "proc/813/fdinfo/8", "pos:\t0\n    0: socket:[14]\n");
	struct look *look = look_at(&req);
	assert_int_equal(by_inode(look, 14)->n_holders, 0);
	assert_int_equal(by_inode(look, 13)->n_holders, 0);
	assert_int_equal(by_inode(look, 11)->n_holders, 2);
	look_free(look);

	put_text(f, "proc/813/fdinfo/8", "UserFiles:\t3\n    0: socket:[x]\n    1: socket:[13]\n    2: socket:[14");
	look = look_at(&req);
	assert_int_equal(by_inode(look, 14)->n_holders, 0);
	assert_int_equal(by_inode(look, 13)->n_holders, 1);
	look_free(look);
}

/* The same as one file: a link where a file should be, a file where a link should be. */
static void kinds_confused(void **state)
{
	static const char netlink[] = "netns.0/netlink.inet";
	const struct folder *f = *state;
	struct live_request req = everything(f);
	struct inet_diag_msg m = row(STATE_CLOSE_WAIT, 11, 11);
	struct answer a = { 0 };
	char path[PATH_MAX];

	put_row(&a, &m);
	put_done(&a);
	int fd = open(below(f, "snapshot", path), O_WRONLY | O_CREAT, 0600);
	struct packer *p = packer_new(fd);
	packer_file(p, netlink, a.at, a.n);
	packer_file(p, "look", "tcpwhy-look 1\nowners\tcomplete\nnetns\t7\n", 39);
	packer_link(p, "proc/812/stat", "812 (nginx) S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2");
	packer_file(p, "proc/812/exe", "/usr/sbin/nginx", 15);
	packer_link(p, "proc/812/fd/5", "socket:[11]");
	packer_file(p, "proc/812/fd/6", "socket:[11]", 11);
	assert_int_equal(packer_end(p), 0);
	close(fd);
	req.from = path;
	struct look *look = look_at(&req);
	assert_int_equal(by_inode(look, 11)->n_holders, 1);
	assert_int_equal(by_inode(look, 11)->holders[0].fd, 5);
	assert_string_equal(holder_of(look, 11)->comm, "?");
	assert_null(holder_of(look, 11)->exe);
	look_free(look);
}

/* ---- what waits in UNIX sockets ---- */

static void put_fdinfo(const struct folder *f, unsigned pid, unsigned fd, const char *text)
{
	char name[64], link[64];

	snprintf(name, sizeof(name), "proc/%u/fd/%u", pid, fd);
	snprintf(link, sizeof(link), "socket:[%u]", 100000 + fd);
	put_link(f, name, link);
	snprintf(name, sizeof(name), "proc/%u/fdinfo/%u", pid, fd);
	put_text(f, name, text);
}

static void descriptors_in_flight(void **state)
{
	static const unsigned expected[3] = { 2, 1, 7 };
	const struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	put_fdinfo(f, 812, 20, "pos:\t0\nscm_fds: 2\n");
	put_fdinfo(f, 813, 21, "pos:\t0\nscm_fds: 1\n");
	put_fdinfo(f, 814, 22, "scm_fds: 7\n");
	put_fdinfo(f, 813, 23, "scm_fds: 0\n");
	put_fdinfo(f, 813, 24, "scm_fds: x\n");
	put_fdinfo(f, 813, 25, "pos:\t0\n");
	put_link(f, "proc/812/task/815/fd/20", "socket:[100020]"); /* of a thread: only holders are asked for */
	struct look *look = look_at(&req);
	assert_int_equal(look->n_in_flight, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(look->in_flight[i].proc->pid, 812 + i);
		assert_int_equal(look->in_flight[i].fd, 20 + i);
		assert_int_equal(look->in_flight[i].n, expected[i]);
	}
	assert_ptr_equal(look->in_flight[0].proc, holder_of(look, 11));
	assert_false(look->flight_is_partial);
	look_free(look);

	for (unsigned fd = 100; fd < 164; fd++)
		put_fdinfo(f, 812, fd, "scm_fds: 1\n");
	look = look_at(&req);
	assert_int_equal(look->n_in_flight, 64);
	assert_true(look->flight_is_partial);
	assert_non_null(gap_find(look, GAP_FLIGHT));
	look_free(look);
}

/* ---- epoll sets ---- */

/* One set more than is read, and none of those that are read hears: nobody knows. */
static void more_sets_than_are_read(void **state)
{
	const struct folder *f = *state;
	struct live_request req = everything(f);
	char name[64];

	put_host(f);
	put_unread(f, 21, 3); /* 22 is another's, 23 nobody's: then threads are asked */
	put_link(f, "proc/812/fd/40", "socket:[22]");
	put_link(f, "proc/812/fd/41", "anon_inode:[eventpoll]");
	put_link(f, "proc/816/task/817/fd/9", "anon_inode:[eventpoll]");
	put_proc(f, 816, "loop");
	put_link(f, "proc/816/fd/5", "socket:[21]");
	req.want_watch = true;
	for (unsigned fd = 10; fd < 77; fd++) {
		snprintf(name, sizeof(name), "proc/816/fd/%u", fd);
		put_link(f, name, "anon_inode:[eventpoll]");
		snprintf(name, sizeof(name), "proc/816/fdinfo/%u", fd);
		put_text(f, name, "tfd: 5 events: 18 data: 5 pos:0 ino:15 sdev:8\n");
		if (fd != 73 && fd != 74 && fd != 76)
			continue;
		struct look *look = look_at(&req);
		assert_int_equal(by_inode(look, 21)->watch, fd == 73 ? WATCH_DEAF : WATCH_UNKNOWN);
		look_free(look);
	}
}

/* Which set is whose; one larger than is read; and a state that has no socket cannot have an owner. */
static void sets_of_others(void **state)
{
	enum { LARGE = (8 << 20) + 100 };
	const struct folder *f = *state;
	struct live_request req = everything(f);
	struct inet_diag_msg mini = row(STATE_CLOSE_WAIT, 23, 23), m = row(STATE_CLOSE_WAIT, 21, 21);
	struct answer a = { 0 };
	char *large = malloc(LARGE);
	AUTO_BUF text = { 0 };

	put_host(f);
	mini.idiag_timer = TIMER_TIMEWAIT;
	m.idiag_rqueue = mini.idiag_rqueue = 1;
	put_row(&a, &mini);
	put_row(&a, &m);
	put_done(&a);
	put_bytes(f, "netns.0/netlink.inet", a.at, a.n);
	put_proc(f, 815, "other");
	put_link(f, "proc/815/fd/4", "socket:[21]");
	put_link(f, "proc/815/fd/9", "anon_inode:[eventpoll]");
	for (unsigned i = 0; i < 100; i++)
		buf_printf(&text, "tfd: %u events: 40000018 data: 7\n", 100 + i);
	buf_puts(&text, "tfd: 6 events: 19 data: 6 pos:0 ino:15 sdev:8\n");
	put_text(f, "proc/815/fdinfo/9", buf_text(&text));
	put_proc(f, 816, "loop");
	put_link(f, "proc/816/fd/5", "socket:[21]");
	put_link(f, "proc/816/fd/9", "anon_inode:[eventpoll]");
	put_text(f, "proc/816/fdinfo/9", "tfd: 5 events: 19 data: 5 pos:0 ino:15 sdev:8\n");
	req.want_watch = true;
	struct look *look = look_at(&req);
	assert_int_equal(holder_of(look, 21)->pid, 815);
	assert_int_equal(by_inode(look, 21)->watch, WATCH_HEARS);
	assert_int_equal(by_inode(look, 21)->watch_events, 0x19); /* of its line alone */
	assert_null(by_inode(look, 23));
	look_free(look);

	memset(large, ' ', LARGE);
	memcpy(large, "tfd: 4 events: 18 data: 4\n", 26);
	put_bytes(f, "proc/815/fdinfo/9", large, LARGE);
	free(large);
	look = look_at(&req);
	assert_int_equal(by_inode(look, 21)->watch, WATCH_UNKNOWN);
	look_free(look);
}

static void more_owners_than_are_asked(void **state)
{
	enum { N = 65 };
	const struct folder *f = *state;
	struct live_request req = everything(f);
	unsigned n[WATCH_NO_EPOLL + 1] = { 0 };
	char name[64], link[64];

	put_host(f);
	put_unread(f, 1000, N);
	for (unsigned i = 0; i < N; i++) {
		put_proc(f, 2000 + i, "one");
		snprintf(name, sizeof(name), "proc/%u/fd/3", 2000 + i);
		snprintf(link, sizeof(link), "socket:[%u]", 1000 + i);
		put_link(f, name, link);
	}
	req.want_watch = true;
	struct look *look = look_at(&req);
	for (uint32_t i = 0; i < N; i++)
		n[by_inode(look, 1000 + i)->watch]++;
	assert_int_equal(n[WATCH_NO_EPOLL], N - 1);
	assert_int_equal(n[WATCH_UNKNOWN], 1);
	look_free(look);
}

/* ---- socket options ---- */

static void options_of_no_kernel(void **state)
{
	static const struct {
		const char *line;
		bool good;
	} rows[] = {
		{ "12 31 1 3 1 61 7 5 9 45000 1", true },
		{ "12 31 1 0 1 32767 32767 127 9 45000 1", true },
		{ "12 32 1 3 1 61 7 5 9 45000 1", false },
		{ "12 31 1 -1 1 61 7 5 9 45000 1", false },
		{ "12 31 1 3 1 -1 7 5 9 45000 1", false },
		{ "12 31 1 3 1 32768 7 5 9 45000 1", false },
		{ "12 31 1 3 1 61 -1 5 9 45000 1", false },
		{ "12 31 1 3 1 61 32768 5 9 45000 1", false },
		{ "12 31 1 3 1 61 7 -1 9 45000 1", false },
		{ "12 31 1 3 1 61 7 128 9 45000 1", false },
		{ "12 31 1 3 1 61 7 5 9 45000", false },
		{ "", false },
	};
	struct sock_opts opts;
	uint32_t inode;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (sockopts_parse(rows[i].line, &inode, &opts) != rows[i].good)
			fail_msg("%s", rows[i].line);
}

/* No line that is one; and more than are ever written, of which the first count. */
static void many_options(void **state)
{
	const struct folder *f = *state;
	struct live_request req = everything(f);
	AUTO_BUF text = { 0 };

	put_host(f);
	put_text(f, "sockopts", "nonsense\n");
	struct look *look = look_at(&req);
	assert_null(by_inode(look, 11)->opts);
	look_free(look);
	for (unsigned i = 0; i < SOCKOPTS_MAX; i++)
		buf_printf(&text, "%u 1 1 3 0 0 0 0 0 0 0\n", i == 7 ? 11 : 5000 + i);
	buf_puts(&text, "12 1 1 3 0 0 0 0 0 0 0\n");
	put_text(f, "sockopts", buf_text(&text));
	look = look_at(&req);
	assert_non_null(by_inode(look, 11)->opts);
	assert_null(by_inode(look, 12)->opts);
	look_free(look);
}

/* ---- answers ---- */

static void put_refusal(const struct folder *f, const char *name, int32_t error)
{
	struct answer a = { 0 };

	put_message(&a, NLMSG_ERROR, &error, sizeof(error));
	put_bytes(f, name, a.at, a.n);
}

/* One family was refused, which is not the same as one that is not there. */
static void half_an_answer(void **state)
{
	static const struct {
		int32_t error4, error6;
		const char *missing;
	} rows[] = { { 0, -EIO, "IPv6" }, { -EIO, 0, "IPv4" }, { 0, 0, NULL } };
	const struct folder *f = *state;
	struct live_request req = everything(f);
	struct inet_diag_msg m = row(STATE_CLOSE_WAIT, 1, 11);
	struct answer good = { 0 };
	char path[PATH_MAX];

	put_host(f);
	unlink(below(f, "netns.0/netlink.inet", path));
	put_row(&good, &m);
	put_done(&good);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_bytes(f, "netns.0/netlink.inet4", good.at, good.n);
		put_bytes(f, "netns.0/netlink.inet6", good.at, good.n);
		if (rows[i].error4)
			put_refusal(f, "netns.0/netlink.inet4", rows[i].error4);
		if (rows[i].error6)
			put_refusal(f, "netns.0/netlink.inet6", rows[i].error6);
		struct look *look = look_at(&req);
		const struct gap *gap = gap_find(look, "dump");

		assert_int_equal(gap != NULL, rows[i].missing != NULL);
		if (gap)
			assert_string_equal(gap->object, rows[i].missing);
		assert_true(look->n_socks >= 1);
		look_free(look);
	}
	/* Only one is asked for, and the other is not there. A recording takes no notice of the kernel's filter. */
	req.bytecode = rows;
	req.bytecode_len = sizeof(rows);
	for (int i = 0; i < 2; i++) {
		put_bytes(f, i ? "netns.0/netlink.inet6" : "netns.0/netlink.inet4", good.at, good.n);
		unlink(below(f, i ? "netns.0/netlink.inet4" : "netns.0/netlink.inet6", path));
		req.only_inet4 = i == 0;
		req.only_inet6 = i == 1;
		struct look *look = look_at(&req);

		assert_null(gap_find(look, "dump"));
		assert_int_equal(look->n_socks, req.only_inet4); /* the row is of IPv4, wherever it stands */
		look_free(look);
	}
	unlink(below(f, "netns.0/netlink.inet6", path));
	struct look *look = NULL;
	struct fail fail;
	assert_int_equal(live_look(&req, &look, &fail), -ENOENT);
}

/* The table changed under the walk: the kernel says so, and a recording cannot be asked again. */
static void interrupted(void **state)
{
	const struct folder *f = *state;
	struct live_request req = everything(f);
	struct inet_diag_msg m = row(STATE_CLOSE_WAIT, 1, 11);
	struct answer a = { 0 };

	put_host(f);
	put_row(&a, &m);
	header(&a)->nlmsg_flags |= NLM_F_DUMP_INTR;
	put_done(&a);
	put_bytes(f, "netns.0/netlink.inet", a.at, a.n);
	struct look *look = look_at(&req);
	assert_int_equal(look->n_socks, 1);
	assert_non_null(gap_find(look, "dump"));
	assert_string_equal(gap_find(look, "dump")->reason, "the dump was interrupted");
	look_free(look);
}

/* More than one state was not asked for: each has its name. */
static void states_not_recorded(void **state)
{
	const struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	put_text(f, "look", "tcpwhy-look 1\nasked_states\t0x02\nowners\tcomplete\nnetns\t1\t\n");
	req.states = STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_LAST_ACK);
	struct look *look = look_at(&req);
	assert_string_equal(gap_find(look, "states")->object, "CLOSE-WAIT, LAST-ACK");
	look_free(look);
}

/* ---- numbers of the host ---- */

static void reserved_ports_that_are_none(void **state)
{
	const struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	put_text(f, "netns.0/sys/net/ipv4/ip_local_reserved_ports", "40000-x\n");
	struct look *look = look_at(&req);
	assert_false(look->netns[0].sysctls.reserved_known);
	assert_null(look->netns[0].sysctls.reserved);
	assert_int_equal(look->netns[0].sysctls.port_high.value, 60999);
	look_free(look);
}

/* A few TIME-WAITs come along; many, or nobody knows how many, do not. */
static void few_timewaits(void **state)
{
	static const struct {
		const char *sockstat;
		bool is_few;
	} rows[] = {
		{ "TCP: inuse 5 orphan 3 tw 8192 alloc 8 mem 1\n", true },
		{ "TCP: inuse 5 orphan 3 tw 8193 alloc 8 mem 1\n", false },
		{ "TCP: inuse 5\n", false },
	};
	const struct folder *f = *state;
	struct live_request req = everything(f);

	put_host(f);
	req.states = STATE_BIT(STATE_CLOSE_WAIT);
	req.with_few_timewaits = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_text(f, "netns.0/net/sockstat", rows[i].sockstat);
		struct look *look = look_at(&req);
		assert_int_equal(look->netns[0].has_few_timewaits, rows[i].is_few);
		assert_int_equal(look->n_socks, rows[i].is_few ? 5 : 4);
		look_free(look);
	}
}

/* TIME-WAITs are counted by sockstat, orphans in FIN-WAIT-2 among them; where it does not say, and where they
 * were listed, they are counted as rows. */
static void counted_timewaits(void **state)
{
	static const struct {
		const char *sockstat; /* NULL: not there */
		unsigned n_rows;
		uint64_t n;
		size_t n_kept;
	} rows[] = {
		{ "TCP: inuse 5 orphan 3 tw 9 alloc 8 mem 1\n", 0, 7, 3 },
		{ "TCP: inuse 5 orphan 3 tw 2 alloc 8 mem 1\n", 0, 0, 3 },
		{ "TCP: inuse 5 orphan 3 tw 0 alloc 8 mem 1\n", 0, 0, 3 },
		{ "TCP: inuse 5 orphan 3 tw 9 alloc 8 mem 1\n", 1, 1, 3 },
		{ "TCP: inuse 5\n", 1, 1, 4 },
		{ NULL, 2, 2, 5 },
	};
	const struct folder *f = *state;
	struct live_request req = everything(f);
	struct inet_diag_msg orphan = row(STATE_FIN_WAIT_2, 1, 0), other = row(STATE_FIN_WAIT_2, 2, 0);
	struct inet_diag_msg held = row(STATE_FIN_WAIT_2, 3, 11);
	char path[PATH_MAX];

	put_host(f);
	orphan.idiag_timer = other.idiag_timer = TIMER_TIMEWAIT;
	req.states = STATE_BIT(STATE_FIN_WAIT_2);
	req.count_timewaits = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct answer a = { 0 };

		put_row(&a, &orphan);
		put_row(&a, &other);
		put_row(&a, &held);
		for (unsigned k = 0; k < rows[i].n_rows; k++) {
			struct inet_diag_msg tw = row(STATE_TIME_WAIT, 4 + k, 0);

			put_row(&a, &tw);
		}
		put_done(&a);
		put_bytes(f, "netns.0/netlink.inet", a.at, a.n);
		unlink(below(f, "netns.0/net/sockstat", path));
		if (rows[i].sockstat)
			put_text(f, "netns.0/net/sockstat", rows[i].sockstat);
		struct look *look = look_at(&req);

		if (look->states[STATE_TIME_WAIT] != rows[i].n || look->n_socks != rows[i].n_kept)
			fail_msg("row %zu: %u, %zu", i, (unsigned)look->states[STATE_TIME_WAIT], look->n_socks);
		look_free(look);
	}
}

static void nobody_uses_it(void **state)
{
	static const struct {
		const char *inet4, *inet6, *protocols;
		bool is_empty, has_mptcp;
	} rows[] = {
		{ "TCP: inuse 0 tw 0\n", "TCP6: inuse 0\n", "MPTCP 1936 0\nMPTCPv6 1936 0\n", true, false },
		{ "TCP: inuse 0 tw 0\n", NULL, "MPTCP 1936 2\n", true, true },
		{ "TCP: inuse 0 tw 0\n", "TCP6: inuse 1\n", "MPTCP 1936\nMPTCPv6 2000 1\n", false, true },
		{ "TCP: inuse 0 tw 0\n", "TCP6: none\n", "MPTCPv6 2000 0\n", false, false },
		{ "TCP: inuse 1 tw 0\n", "TCP6: inuse 0\n", "TCP 1936 7\n", false, false },
		{ "TCP: inuse 0 tw 1\n", "TCP6: inuse 0\n", "", false, false },
		{ "TCP: inuse 0\n", "TCP6: inuse 0\n", NULL, false, false },
		{ "UDP: inuse 0\n", "TCP6: inuse 0\n", NULL, false, false },
		{ NULL, "TCP6: inuse 0\n", NULL, false, false },
	};
	static const char *const names[] = { "netns.0/net/sockstat", "netns.0/net/sockstat6", "netns.0/net/protocols" };
	const struct folder *f = *state;
	struct root root = ROOT_CLOSED;
	char path[PATH_MAX];
	struct fail fail;

	assert_int_equal(root_open(f->at, NULL, NULL, &root, &fail), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const texts[] = { rows[i].inet4, rows[i].inet6, rows[i].protocols };

		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			unlink(below(f, names[k], path));
			if (texts[k])
				put_text(f, names[k], texts[k]);
		}
		if (hostinfo_is_empty(&root, 0) != rows[i].is_empty || hostinfo_uses_mptcp(&root, 0) != rows[i].has_mptcp)
			fail_msg("row %zu", i);
	}
	root_close(&root);
}

/* ---- places ---- */

static int look_fails(const struct live_request *req, char ret_what[static 256])
{
	struct look *look = NULL;
	struct fail fail = { 0 };
	int error = live_look(req, &look, &fail);

	assert_null(look);
	snprintf(ret_what, 256, "%s", fail.what);
	return error;
}

/* What is asked for is neither a folder nor a file; what is to be written to is no folder, or full of others' files. */
static void places_that_are_none(void **state)
{
	const struct folder *f = *state;
	struct live_request req = everything(f);
	char path[PATH_MAX], what[256];

	put_host(f);
	req.from = "/dev/null";
	assert_int_equal(look_fails(&req, what), -EINVAL);
	assert_string_equal(what, "neither a recorded folder nor a snapshot");
	req.from = f->at;
	put_text(f, "file", "");
	req.record = below(f, "file", path);
	assert_int_equal(look_fails(&req, what), -ENOTDIR);
	put_text(f, "copy/netns.0", "");
	put_text(f, "copy/proc", "");
	req.record = below(f, "copy", path);
	assert_int_equal(look_fails(&req, what), -ENOTDIR);
}

/* A link that comes again is the same; one that cannot be made spoils the recording, and the first reason stands. */
static void links_that_are_copied(void **state)
{
	const struct folder *f = *state;
	struct root root = ROOT_CLOSED;
	char copy[PATH_MAX], endless[2 * PATH_MAX], link[64];
	struct fail fail;

	put_host(f);
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_int_equal(root_open(f->at, below(f, "copy", copy), NULL, &root, &fail), 0);
	root_record_link(&root, "proc/1/exe", "/sbin/init");
	root_record_link(&root, "proc/1/exe", "/sbin/init");
	assert_int_equal(root.record_error, 0);
	assert_int_equal(root_readlink(&root, "copy/proc/1/exe", link, sizeof(link)), 0);
	assert_string_equal(link, "/sbin/init");
	root_record_link(&root, "proc/2/exe", endless);
	root_record_file(&root, "proc/1/exe/x", "", 0);
	assert_int_equal(root.record_error, -ENAMETOOLONG);
	root_close(&root);
}

static void paths_that_are_none(void **state)
{
	const struct folder *f = *state;
	struct trouble trouble = { 0 };
	struct root root = ROOT_CLOSED;
	char name[NAME_MAX + 10], path[2 * PATH_MAX], link[64];
	AUTO_BUF text = { 0 };
	struct fail fail;

	put_host(f);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(root_open(f->at, NULL, NULL, &root, &fail), 0);
	snprintf(path, sizeof(path), "proc/%s/stat", name);
	assert_int_equal(root_peek(&root, path, 1, &text), -ENOENT);
	assert_int_equal(root_peek(&root, "proc/../look", 1, &text), -ENOENT);
	assert_int_equal(root_peek(&root, "proc//look", 1, &text), -ENOENT);
	assert_int_equal(root_readlink(&root, "proc/812/fd/..", link, sizeof(link)), -ENOENT);
	assert_int_equal(root_readlink(&root, "proc/812/fd/5", link, sizeof(link)), 0);
	assert_string_equal(link, "socket:[11]");
	/* The first trouble is the one that is told; what belongs to life is none. */
	root.trouble = &trouble;
	root_note_trouble(&root, "a", -ENOENT);
	root_note_trouble(&root, "b", -EIO);
	root_note_trouble(&root, "c", -EMFILE);
	assert_int_equal(trouble.n, 2);
	assert_int_equal(trouble.error, EIO);
	assert_string_equal(trouble.path, "b");
	root_close(&root);

	assert_int_equal(root_open(NULL, NULL, NULL, &root, &fail), 0);
	memset(path, 'x', sizeof(path) - 1);
	memcpy(path, "proc/", 5);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(root_peek(&root, path, 1, &text), -ENAMETOOLONG);
	assert_int_equal(root_readlink(&root, path, link, sizeof(link)), -ENAMETOOLONG);
	root_close(&root);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(facts_that_are_none),
		TEST(descriptors_that_are_none),
		TEST(kinds_confused),
		TEST(descriptors_in_flight),
		TEST(more_sets_than_are_read),
		TEST(sets_of_others),
		TEST(more_owners_than_are_asked),
		TEST(options_of_no_kernel),
		TEST(many_options),
		TEST(half_an_answer),
		TEST(interrupted),
		TEST(states_not_recorded),
		TEST(reserved_ports_that_are_none),
		TEST(few_timewaits),
		TEST(counted_timewaits),
		TEST(nobody_uses_it),
		TEST(places_that_are_none),
		TEST(links_that_are_copied),
		TEST(paths_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#pragma once

/* A recorded look that is made by hand in a temporary folder, then read like any other; and a host to put
 * into it. */

#include "live/live.h"
#include "rows.h"
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	char at[PATH_MAX - 256];
};

static inline int setup(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	snprintf(f->at, sizeof(f->at), "%s/live-replay-XXXXXX", tmp ? tmp : "/tmp");
	*state = f;
	return mkdtemp(f->at) ? 0 : -1;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline int teardown(void **state)
{
	struct folder *f = *state;

	nftw(f->at, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static inline const char *below(const struct folder *f, const char *name, char path[static PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", f->at, name);
	for (char *slash = strchr(path + strlen(f->at) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	return path;
}

static inline void put_bytes(const struct folder *f, const char *name, const void *bytes, size_t n)
{
	char path[PATH_MAX];
	int fd = open(below(f, name, path), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

static inline void put_text(const struct folder *f, const char *name, const char *text)
{
	put_bytes(f, name, text, strlen(text));
}

static inline void put_link(const struct folder *f, const char *name, const char *target)
{
	char path[PATH_MAX];

	assert_int_equal(symlink(target, below(f, name, path)), 0);
}

static inline void put_proc(const struct folder *f, unsigned pid, const char *comm)
{
	char name[64], text[256];

	snprintf(name, sizeof(name), "proc/%u/stat", pid);
	snprintf(text, sizeof(text),
		 "%u (%s) S 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2\n", pid, comm);
	put_text(f, name, text);
}

static inline struct inet_diag_msg row(uint8_t state, uint32_t cookie, uint32_t inode)
{
	return (struct inet_diag_msg){
		.idiag_family = AF_INET, .idiag_state = state, .idiag_inode = inode,
		.id = { .idiag_sport = htons(80), .idiag_cookie = { cookie } },
	};
}

/* Inode 11 is shared by 812 and 813; 12 is held by a thread of 812 alone, 13 by a ring of 813 and
 * 14 by nobody. */
static inline void put_host(const struct folder *f)
{
	struct answer a = { 0 };

	for (uint32_t i = 11; i <= 14; i++) {
		struct inet_diag_msg m = row(STATE_CLOSE_WAIT, i, i);
		put_row(&a, &m);
	}
	struct inet_diag_msg tw = row(STATE_TIME_WAIT, 1, 0), other = row(STATE_ESTABLISHED, 2, 15);
	put_row(&a, &tw);
	put_row(&a, &other);
	put_done(&a);
	put_bytes(f, "netns.0/netlink.inet", a.at, a.n);
	put_text(f, "look", "tcpwhy-look 1\ntime_ns\t1700000000000000001\nhz\t250\n"
			    "owners\tcomplete\nnetns\t4026531840\t\n");
	put_text(f, "netns.0/sys/net/ipv4/tcp_fin_timeout", "33\n");
	put_text(f, "netns.0/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
	put_text(f, "netns.0/sys/net/ipv4/ip_local_reserved_ports", "40000-40009\n");
	put_text(f, "netns.0/sys/net/ipv4/tcp_mem", "100\t200\t300\n");
	put_text(f, "netns.0/net/stat/nf_conntrack", "entries drop early_drop\n2 3 0\n2 4 1\n");
	put_text(f, "proc/sys/fs/file-nr", "659\t0\t2466177\n");
	put_text(f, "netns.0/net/netstat", "TcpExt: A TCPTimeWaitOverflow\nTcpExt: 1 17\n");
	put_text(f, "netns.0/net/snmp", "Tcp: OutRsts\nTcp: 4\n");
	put_text(f, "netns.0/net/sockstat", "TCP: inuse 5 orphan 3 tw 1 alloc 8 mem 1\n");
	put_text(f, "proc/sys/kernel/hostname", "web1\n");
	put_text(f, "proc/uptime", "12345.67 999.00\n");
	put_proc(f, 812, "nginx");
	put_text(f, "proc/812/cmdline", "nginx: worker");
	put_text(f, "proc/812/status", "Name:\tnginx\nUid:\t33\t33\t33\t33\n");
	put_text(f, "proc/812/limits", "Max open files            1024         4096       files\n");
	put_text(f, "proc/812/cgroup", "0::/system.slice/nginx.service\n");
	put_text(f, "proc/812/fd_count", "900\n");
	put_link(f, "proc/812/ns/net", "net:[4026531840]");
	put_link(f, "proc/812/exe", "/usr/sbin/nginx");
	put_link(f, "proc/812/fd/5", "socket:[11]");
	put_link(f, "proc/812/fd/6", "socket:[15]");
	put_link(f, "proc/812/fd/7", "socket:[999]");
	put_link(f, "proc/812/task/815/fd/9", "socket:[12]");
	put_proc(f, 813, "child");
	put_link(f, "proc/813/fd/5", "socket:[11]");
	put_link(f, "proc/813/fd/8", "anon_inode:[io_uring]");
	put_text(f, "proc/813/fdinfo/8", "pos:\t0\nUserFiles:\t2\n    0: socket:[13]\n    1: <none>\n");
	put_proc(f, 814, "innocent");
	put_link(f, "proc/814/fd/0", "/dev/null");
}

static inline struct live_request everything(const struct folder *f)
{
	return (struct live_request){
		.from = f->at, .states = STATES_ALL, .want_info = true, .want_host = true,
		.owners = OWNERS_ALL,
	};
}

static inline struct look *look_at(const struct live_request *req)
{
	struct look *look = NULL;
	struct fail fail = { 0 };

	assert_int_equal(live_look(req, &look, &fail), 0);
	return look;
}

static inline const struct sock_full *by_inode(const struct look *look, uint32_t inode)
{
	for (size_t i = 0; i < look->n_socks; i++)
		if (look->socks[i].full && look->socks[i].full->inode == inode)
			return look->socks[i].full;
	return NULL;
}

static inline const struct gap *gap_find(const struct look *look, const char *what)
{
	for (size_t i = 0; i < look->gaps.n; i++)
		if (strcmp(look->gaps.at[i].what, what) == 0)
			return &look->gaps.at[i];
	return NULL;
}

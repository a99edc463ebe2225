#include "live/owners.h"
#include "live/dead.h"
#include "live/facts.h"
#include "live/flight.h"
#include "live/wants.h"
#include "util/cleanup.h"
#include "util/i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How it works: every link "socket:[INODE]" of every readable process is looked up among the wanted
 * inodes (wants.c). A process is described (facts.c) at its first hit, and only then. Links of
 * threads are read only while a wanted inode has no holder, and only from tables that differ from
 * the process's own.
 *
 * getdents64(2) into a large buffer and readlinkat(2) by name on the open directory is the fastest
 * way there is; statx, io_uring and threads were measured and gain nothing. */

enum {
	LIST_SIZE = 256 * 1024,
	TASK_LIST_SIZE = 32 * 1024,
	MAX_PIDS = 1 << 22,
	MAX_TABLES = 8,
	MAX_FDINFO = 1 << 20,
	PROBE_SIZE = 2048, /* some 80 names */
	FDS_A_LOOK_AT_THE_CLOCK = 1024,
};

struct scan {
	struct root *root;
	struct look *look;
	struct wants wants;
	unsigned *pids;
	size_t n_pids, cap_pids, cap_procs;
	size_t n_refused;
	const char *refused; /* the first one's path */
	char *list; /* buffer of the directory being read */
	struct dead dead;
	bool want_dead;
	struct polls *polls; /* NULL: not wanted */
	struct flight flight;
	bool want_flight;
	const struct live_request *req;
	bool is_late; /* the time is over, and something is left */
};

static bool is_late(struct scan *s)
{
	s->is_late = s->is_late || live_is_late(s->req);
	return s->is_late;
}

/* ---- one table of descriptors ---- */

/* Whose table is being read, and where it is. */
struct table {
	unsigned pid;
	char path[64]; /* "proc/812/fd", "proc/812/task/815/fd" */
	struct proc *proc; /* NULL until its first hit */
	uint64_t n_fds;    /* seen so far */
	bool is_thread;    /* one of its threads', which differs from the process's */
	size_t first_poll; /* in scan.polls */
	size_t n_strays;   /* sockets among them that nobody asked for, the last ones of scan.dead */
	int64_t next;      /* where to go on in the directory, see dir.next */
};

static void add_proc(struct scan *s, struct table *t)
{
	struct look *look = s->look;

	t->proc = facts_read(s->root, look->arena, t->pid);
	if (look->n_procs == s->cap_procs) {
		struct proc **old = look->procs;

		s->cap_procs = s->cap_procs ? s->cap_procs * 2 : 64;
		look->procs = arena_array(look->arena, s->cap_procs, sizeof(struct proc *));
		if (old)
			memcpy(look->procs, old, look->n_procs * sizeof(struct proc *));
	}
	look->procs[look->n_procs++] = t->proc;
}

/* false: nobody asked for this socket. */
static bool add_hit(struct scan *s, struct table *t, uint64_t inode, int fd)
{
	struct want *want = wants_find(&s->wants, inode);

	if (!want)
		return false;
	if (!t->proc)
		add_proc(s, t);
	wants_add(&s->wants, want, (struct holder){ .proc = t->proc, .fd = fd, .of_thread = t->is_thread });
	return true;
}

/* "socket:[123]" */
static bool parse_socket(const char *text, uint64_t *ret)
{
	static const char prefix[] = "socket:[";
	uint64_t inode = 0;
	const char *at = text + sizeof(prefix) - 1;

	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0 || *at == ']')
		return false;
	for (; *at >= '0' && *at <= '9' && inode <= UINT32_MAX; at++)
		inode = inode * 10 + (uint64_t)(*at - '0');
	*ret = inode;
	return *at == ']';
}

/* A ring's fdinfo: "UserFiles:\t1", then "    0: socket:[123]" and lines of other things. */
static void read_ring(struct scan *s, struct table *t, const char *name, int fd)
{
	AUTO_BUF text = { 0 };
	char path[128];
	uint64_t inode;
	bool is_hit = false;

	snprintf(path, sizeof(path), "%.*sfdinfo/%s", (int)(strlen(t->path) - 2), t->path, name);
	if (root_peek(s->root, path, MAX_FDINFO, &text) != 0)
		return;
	const char *at = strstr(buf_text(&text), "UserFiles:");
	while (at && (at = strstr(at, ": socket:["))) {
		at += 2;
		if (parse_socket(at, &inode))
			is_hit |= add_hit(s, t, inode, fd);
	}
	if (is_hit) {
		root_record_file(s->root, path, buf_text(&text), text.n);
		snprintf(path, sizeof(path), "%s/%s", t->path, name);
		root_record_link(s->root, path, "anon_inode:[io_uring]");
	}
}

static void note_poll(struct scan *s, const struct table *t, int fd, bool is_ring)
{
	if (s->polls && !t->is_thread)
		polls_note(s->polls, t->first_poll, (struct poll_fd){ t->pid, fd, is_ring });
}

static void note_stray(struct scan *s, struct table *t, uint64_t inode, int fd)
{
	size_t before = s->dead.n;

	if (!s->want_dead)
		return;
	if (t->n_strays == DEAD_MAX_PER_PROCESS) {
		s->dead.n_beyond++;
		return;
	}
	dead_note(&s->dead, (uint32_t)inode, fd);
	t->n_strays += s->dead.n - before;
}

/* -EACCES: the directory may be open to us and its links not, with CAP_DAC_OVERRIDE but without
 * CAP_SYS_PTRACE. */
static int read_one(struct scan *s, struct table *t, int dir_fd, const char *name, int fd)
{
	char link[64], path[128];
	uint64_t inode;
	ssize_t n = root_readlink_in(s->root, dir_fd, t->path, name, link, sizeof(link));

	if (n < 0)
		return (int)n;
	if (strcmp(link, "anon_inode:[io_uring]") == 0) {
		read_ring(s, t, name, fd);
		note_poll(s, t, fd, true);
	} else if (strcmp(link, "anon_inode:[eventpoll]") == 0) {
		note_poll(s, t, fd, false);
	} else if (parse_socket(link, &inode)) {
		if (!add_hit(s, t, inode, fd)) {
			note_stray(s, t, inode, fd);
			if (s->want_flight && !t->is_thread)
				flight_note(&s->flight, (struct flight_fd){ t->pid, fd, (uint32_t)inode });
		} else if (root_is_recorded(s->root)) {
			snprintf(path, sizeof(path), "%s/%s", t->path, name);
			root_record_link(s->root, path, link);
		}
	}
	return 0;
}

static void note_refusal(struct scan *s, const char *path)
{
	if (s->n_refused++ == 0)
		s->refused = arena_printf(s->look->arena, "/%s", path);
}

/* The first descriptors, or all. false: there may be more, at t->next. */
static bool read_links(struct scan *s, struct table *t, int dir_fd, bool only_probe)
{
	struct dir dir;
	unsigned fd;

	dir_begin(&dir, s->root, t->path, dir_fd, s->list, only_probe ? PROBE_SIZE : LIST_SIZE);
	for (const char *name; (name = dir_next(&dir));) {
		if (!root_parse_number(name, &fd))
			continue;
		if (++t->n_fds % FDS_A_LOOK_AT_THE_CLOCK == 0 && is_late(s))
			return true;
		int error = read_one(s, t, dir_fd, name, (int)fd);
		if (root_is_refusal(error)) {
			note_refusal(s, t->path);
			return true;
		}
		/* A buffer that is not full was the last one. */
		if (only_probe && dir.at >= dir.n && dir.n + 64 > dir.size) {
			t->next = dir.next;
			return false;
		}
	}
	return true;
}

/* Before 6.2 nobody tells the number of descriptors; but now we have seen them all. */
static void set_fd_count(struct scan *s, struct table *t)
{
	char path[64], text[24];

	if (!t->proc)
		return;
	if (!t->proc->has_fds && s->root->is_live && t->n_fds) {
		t->proc->n_fds = t->n_fds;
		t->proc->has_fds = true;
	}
	if (!t->proc->has_fds)
		return;
	snprintf(path, sizeof(path), "proc/%u/fd_count", t->pid);
	int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", t->proc->n_fds);
	root_record_file(s->root, path, text, (size_t)n);
}

static bool is_of_look(const struct scan *s, unsigned pid)
{
	char path[64], link[64];
	uint64_t inode;

	snprintf(path, sizeof(path), "proc/%u/ns/net", pid);
	if (root_readlink(s->root, path, link, sizeof(link)) != 0 ||
	    sscanf(link, "net:[%" SCNu64 "]", &inode) != 1)
		return false;
	for (size_t i = 0; i < s->look->n_netns; i++)
		if (s->look->netns[i].inode == inode)
			return true;
	return false;
}

/* Few may be anything; many are worth knowing the process for, unless all its sockets are another
 * namespace's. */
static void judge_strays(struct scan *s, struct table *t)
{
	if (t->n_strays < DEAD_WORTH_A_WORD || (!t->proc && !is_of_look(s, t->pid))) {
		dead_forget(&s->dead, t->n_strays);
	} else {
		if (!t->proc)
			add_proc(s, t);
		dead_own(&s->dead, t->n_strays, t->proc);
	}
	t->n_strays = 0;
}

/* From t->next on. false: there may be more to read; never without only_probe. */
static bool read_table(struct scan *s, struct table *t, bool only_probe)
{
	AUTO_FD dir_fd = root_open_dir(s->root, t->path);

	if (root_is_refusal(dir_fd))
		note_refusal(s, t->path);
	if (dir_fd < 0)
		return true;
	if (t->next && lseek(dir_fd, t->next, SEEK_SET) < 0) {
		root_note_trouble(s->root, t->path, -errno);
		return true;
	}
	t->first_poll = s->polls ? s->polls->n : 0;
	if (!read_links(s, t, dir_fd, only_probe))
		return false;
	set_fd_count(s, t);
	judge_strays(s, t);
	if (s->polls && !t->proc)
		s->polls->n = t->first_poll;
	return true;
}

/* ---- all processes ---- */

static int by_pid(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void list_pids(struct scan *s)
{
	AUTO_FD fd = root_open_dir(s->root, "proc");
	struct dir dir;
	unsigned pid;

	if (root_is_refusal(fd))
		note_refusal(s, "proc");
	if (fd < 0)
		return;
	dir_begin(&dir, s->root, "proc", fd, s->list, LIST_SIZE);
	for (const char *name; (name = dir_next(&dir)) && s->n_pids < MAX_PIDS;) {
		if (!root_parse_number(name, &pid) || pid == 0)
			continue;
		if (s->n_pids == s->cap_pids) {
			s->cap_pids = s->cap_pids ? s->cap_pids * 2 : 1024;
			s->pids = xrealloc_array(s->pids, s->cap_pids, sizeof(*s->pids));
		}
		s->pids[s->n_pids++] = pid;
	}
	/* /proc is in order; a recorded folder is in whatever order its file system likes, and what
	 * is printed from it must not depend on that. */
	if (!s->root->is_live && s->n_pids)
		qsort(s->pids, s->n_pids, sizeof(*s->pids), by_pid);
}

static struct table table_of(unsigned pid)
{
	struct table t = { .pid = pid };

	snprintf(t.path, sizeof(t.path), "proc/%u/fd", pid);
	return t;
}

static void read_processes(struct scan *s)
{
	for (size_t i = 0; i < s->n_pids && !is_late(s); i++) {
		struct table t = table_of(s->pids[i]);

		read_table(s, &t, false);
		if (s->root->is_live || !dead_is_recorded(s->root, t.pid))
			continue;
		if (!t.proc)
			add_proc(s, &t);
		dead_replay(s->root, s->look->arena, t.proc);
	}
}

/* One holder a socket will do: the first descriptors of every process tell who is likely to hold
 * the others, and nobody reads the files of a database server to the end. */
static void read_likely_first(struct scan *s)
{
	struct table *more = xrealloc_array(NULL, s->n_pids, sizeof(*more));
	size_t n_more = 0;

	for (size_t i = 0; i < s->n_pids && s->wants.n_unowned && !is_late(s); i++) {
		struct table t = table_of(s->pids[i]);

		if (!read_table(s, &t, true))
			more[n_more++] = t;
	}
	for (int likely = 1; likely >= 0; likely--)
		for (size_t i = 0; i < n_more && s->wants.n_unowned && !is_late(s); i++)
			if (!!more[i].proc == likely)
				read_table(s, &more[i], false);
	free(more);
}

/* ---- threads with tables of their own ---- */

/* Do two tasks share one table? Where the kernel cannot say, they do: threads that do not are
 * rare, and reading the same table once a thread is dear. */
static bool same_table(unsigned a, unsigned b)
{
	long order = syscall(SYS_kcmp, a, b, KCMP_FILES, 0, 0);

	return order == 0 || (order < 0 && errno != EPERM && errno != EACCES && errno != ESRCH);
}

/* The process may have been described when its own table was read. */
static struct proc *find_proc(const struct look *look, unsigned pid)
{
	for (size_t i = 0; i < look->n_procs; i++)
		if ((unsigned)look->procs[i]->pid == pid)
			return look->procs[i];
	return NULL;
}

static bool has_table(const unsigned known[], size_t n, unsigned tid)
{
	for (size_t i = 0; i < n; i++)
		if (same_table(known[i], tid))
			return true;
	return false;
}

/* Tables of a process beyond the first few are not read: comparing each thread with each of them
 * would cost more than any process with so many is worth. */
static void read_threads(struct scan *s, unsigned pid)
{
	unsigned known[MAX_TABLES] = { pid }, tid;
	size_t n_known = 1;
	struct dir dir;
	char path[64];

	snprintf(path, sizeof(path), "proc/%u/task", pid);
	AUTO_FD fd = root_open_dir(s->root, path);
	if (fd < 0)
		return;
	/* A second buffer: the links of a thread are read while its siblings are listed. */
	AUTO_FREE char *list = xrealloc_array(NULL, TASK_LIST_SIZE, 1);
	dir_begin(&dir, s->root, path, fd, list, TASK_LIST_SIZE);
	for (const char *name;
	     s->wants.n_unowned && n_known < MAX_TABLES && (name = dir_next(&dir));) {
		if (!root_parse_number(name, &tid) || tid == pid)
			continue;
		/* Of a recording every table that is there is wanted. */
		if (s->root->is_live && has_table(known, n_known, tid))
			continue;
		if (s->root->is_live)
			known[n_known++] = tid;
		struct table t = { .pid = pid, .proc = find_proc(s->look, pid), .is_thread = true };
		snprintf(t.path, sizeof(t.path), "proc/%u/task/%u/fd", pid, tid);
		read_table(s, &t, false);
	}
}

/* The link count of proc/PID/task is the number of threads plus two. */
bool owners_has_threads(const struct root *root, unsigned pid)
{
	char path[64];
	struct stat st;

	if (!root->is_live)
		return true;
	snprintf(path, sizeof(path), "%u/task", pid);
	if (fstatat(root->base_fd, path, &st, 0) == 0)
		return st.st_nlink > 3;
	root_note_trouble(root, path, -errno);
	return false;
}

static void read_all_threads(struct scan *s)
{
	size_t refused = s->n_refused;

	for (size_t i = 0; i < s->n_pids && s->wants.n_unowned && !is_late(s); i++)
		if (owners_has_threads(s->root, s->pids[i]))
			read_threads(s, s->pids[i]);
	/* These were counted with their processes. */
	s->n_refused = refused;
}

/* ---- what could not be seen ---- */

/* The initial pid namespace's inode is part of the kernel's interface (PROC_PID_INIT_INO). */
bool owners_sees_all_pids(const struct root *root)
{
	char link[64];

	return root_readlink(root, "proc/self/ns/pid", link, sizeof(link)) != 0 ||
	       strcmp(link, "pid:[4026531836]") == 0;
}

static void add_gaps(struct scan *s)
{
	struct look *look = s->look;
	const char *effect = geteuid() == 0 ?
		_("a socket without a known owner may belong to one of them") :
		_("a socket without a known owner may belong to one of them; root would see it");

	look->owners_complete = s->n_refused == 0 && !s->is_late;
	look->owners_late = s->is_late;
	if (s->is_late)
		gap_add(&look->gaps, "budget", "/proc", _("the time limit was reached"),
			_("a socket without a known owner may belong to a process that was not looked at"));
	for (size_t i = 0; i < s->n_refused; i++)
		gap_add(&look->gaps, "owners", s->refused, _("permission denied"), effect);
	/* Every pid namespace has a process 1: if it is not there, /proc hides other users'. */
	if (faccessat(s->root->base_fd, "1", F_OK, 0) < 0) {
		look->owners_complete = false;
		gap_add(&look->gaps, "owners", "/proc",
			_("processes of other users are hidden (hidepid)"), effect);
	}
	if (s->wants.n_unowned && !owners_sees_all_pids(s->root)) {
		look->owners_complete = false;
		gap_add(&look->gaps, "owners", "/proc",
			_("processes outside this container are not visible"), effect);
	}
}

static void read_all(struct scan *s, bool one_owner_is_enough)
{
	s->list = xrealloc_array(NULL, LIST_SIZE, 1);
	list_pids(s);
	if (one_owner_is_enough)
		read_likely_first(s);
	else
		read_processes(s);
	if (s->wants.n_unowned)
		read_all_threads(s);
	/* Where a process could not be read, it may be there as well. */
	if (s->wants.n_unowned && s->want_flight && (s->n_refused == 0 || root_is_recorded(s->root)))
		flight_find(&s->flight, s->root, s->look);
	if (s->root->is_live)
		add_gaps(s);
	free(s->list);
	free(s->pids);
}

void owners_find(struct root *root, const struct live_request *req, const struct netns_list *places,
		 struct look *look, struct polls *polls)
{
	struct scan s = { .root = root, .look = look, .req = req, .polls = req->want_watch ? polls : NULL };

	if (req->owners == OWNERS_NONE)
		return;
	look->owners_looked = true;
	look->owners_complete = true;
	wants_collect(&s.wants, look, req->owners);
	s.want_flight = !req->one_owner_is_enough;
	s.want_dead = root->is_live && !req->one_owner_is_enough && !req->no_dead;
	/* A recording is small, and its processes may hold nothing that is listed. */
	if (s.wants.n || req->want_dead || !root->is_live) {
		read_all(&s, req->one_owner_is_enough);
		if (places && !s.is_late)
			dead_confirm(&s.dead, root, req, places, look);
		wants_assign(&s.wants, look, !root->is_live);
	}
	flight_free(&s.flight);
	dead_free(&s.dead);
	wants_free(&s.wants);
}

#include "live/dead.h"
#include "live/dump.h"
#include "live/hostinfo.h"
#include "util/arena.h"
#include "util/buf.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MAX_FILE = 256 * 1024 };

void dead_note(struct dead *d, uint32_t inode, int fd)
{
	if (d->n == DEAD_MAX) {
		d->n_beyond++;
		return;
	}
	if (d->n == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 64;
		d->at = xrealloc_array(d->at, d->cap, sizeof(*d->at));
	}
	d->at[d->n++] = (struct dead_fd){ .inode = inode, .fd = fd };
}

void dead_forget(struct dead *d, size_t n)
{
	d->n -= n;
}

void dead_own(struct dead *d, size_t n, struct proc *proc)
{
	for (size_t i = d->n - n; i < d->n; i++)
		d->at[i].proc = proc;
}

/* Every other protocol has listings of its own; an MPTCP socket ends when its last subflow does. */
static bool is_tcp(const struct dead_fd *f, bool or_mptcp)
{
	char path[64], name[16];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)f->proc->pid, f->fd);
	ssize_t n = getxattr(path, "system.sockprotoname", name, sizeof(name) - 1);
	if (n <= 0)
		return false;
	name[n] = '\0';
	if (strcmp(name, "TCP") == 0 || strcmp(name, "TCPv6") == 0)
		return true;
	return or_mptcp && (strcmp(name, "MPTCP") == 0 || strcmp(name, "MPTCPv6") == 0);
}

static bool is_still_there(const struct dead_fd *f)
{
	char path[64], link[64], expected[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)f->proc->pid, f->fd);
	snprintf(expected, sizeof(expected), "socket:[%" PRIu32 "]", f->inode);
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	return n > 0 && (size_t)n == strlen(expected) && memcmp(link, expected, (size_t)n) == 0;
}

/* ---- the second look ---- */

struct numbers {
	uint64_t *at;
	size_t n, cap;
};

struct listing {
	struct numbers inodes;
	struct numbers places; /* the namespaces that could be listed, by inode */
	bool has_mptcp;
};

static void push(struct numbers *all, uint64_t number)
{
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 64;
		all->at = xrealloc_array(all->at, all->cap, sizeof(*all->at));
	}
	all->at[all->n++] = number;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool has(const struct numbers *all, uint64_t number)
{
	return all->n && bsearch(&number, all->at, all->n, sizeof(*all->at), by_number);
}

static void sort(struct numbers *all)
{
	if (all->n)
		qsort(all->at, all->n, sizeof(*all->at), by_number);
}

/* A socket with an address of its own stays listed when its connection has ended: in CLOSE, but with
 * the peer's port. One that has not connected yet has none. */
static bool take_inode(void *arg, const struct look *look, const struct sock *s)
{
	(void)look;
	if (s->full && s->full->inode && (s->state != STATE_CLOSED || s->pair.peer.port == 0))
		push(arg, s->full->inode);
	return true;
}

/* One namespace. If it cannot be listed nothing there is known to be dead. */
static void list_again(const struct root *root, const struct netns_place *place, bool may_skip,
		       struct listing *all)
{
	enum { BOUND_INACTIVE = 13 }; /* TCP_BOUND_INACTIVE: bound and in CLOSE, since Linux 6.8 */
	const struct live_request req = {
		.states = STATES_ALL | STATE_BIT(BOUND_INACTIVE), .on_sock = take_inode,
		.on_sock_arg = &all->inodes,
	};
	struct root unrecorded = *root;
	struct fail fail;
	bool failed = false;
	int home;

	unrecorded.record_fd = -1;
	if (netns_enter(place, &home) != 0)
		return;
	if (!may_skip || !hostinfo_is_empty(&unrecorded, 0)) {
		struct look *look = look_new();

		look->netns = arena_array(look->arena, 1, sizeof(*look->netns));
		look->n_netns = 1;
		failed = dump_netns(&unrecorded, &req, 0, look, &fail) != 0;
		all->has_mptcp &= dump_mptcp(&unrecorded, &req, 0, look) == 0;
		look_free(look);
	}
	netns_leave(home);
	if (!failed)
		push(&all->places, place->inode);
}

static void count(struct look *look, const struct dead_fd *f)
{
	struct proc *p = f->proc;

	if (!p->dead_fds)
		p->dead_fds = arena_array(look->arena, PROC_MAX_DEAD, sizeof(*p->dead_fds));
	if (p->n_dead < PROC_MAX_DEAD)
		p->dead_fds[p->n_dead] = (uint32_t)f->fd;
	p->n_dead++;
}

static void record(struct root *root, const struct proc *p)
{
	AUTO_BUF text = { 0 };
	char path[64];

	buf_printf(&text, "%" PRIu64 "\n", p->n_dead);
	for (uint64_t i = 0; i < p->n_dead && i < PROC_MAX_DEAD; i++)
		buf_printf(&text, "%" PRIu32 "\n", p->dead_fds[i]);
	snprintf(path, sizeof(path), "proc/%d/dead_fds", (int)p->pid);
	root_record_file(root, path, buf_text(&text), text.n);
}

static void count_all(struct dead *d, const struct listing *all, struct look *look)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct dead_fd *f = &d->at[i];

		if (has(&all->places, f->proc->netns) && !has(&all->inodes, f->inode) &&
		    is_tcp(f, all->has_mptcp) && is_still_there(f))
			count(look, f);
	}
}

static void keep_those_worth_a_word(struct root *root, struct look *look)
{
	for (size_t i = 0; i < look->n_procs; i++) {
		struct proc *p = look->procs[i];

		if (p->n_dead < DEAD_WORTH_A_WORD)
			p->n_dead = 0;
		else
			record(root, p);
	}
}

void dead_confirm(struct dead *d, struct root *root, const struct netns_list *places,
		  struct look *look)
{
	struct listing all = { .has_mptcp = true };

	if (d->n_beyond)
		gap_add(&look->gaps, "dead-sockets", "/proc/PID/fd",
			_("more socket descriptors than are checked"),
			_("of those beyond, 4096 a process and 65536 in all, nobody knows whether "
			  "their connections have ended"));
	if (d->n == 0)
		return;
	/* Inodes are unique on a machine: a process may hold sockets of another namespace. */
	for (size_t i = 0; i < places->n; i++)
		list_again(root, &places->at[i], places->n > 1, &all);
	sort(&all.inodes);
	sort(&all.places);
	count_all(d, &all, look);
	keep_those_worth_a_word(root, look);
	free(all.inodes.at);
	free(all.places.at);
}

/* ---- a recording ---- */

static void path_of(unsigned pid, char ret[static 64])
{
	snprintf(ret, 64, "proc/%u/dead_fds", pid);
}

bool dead_is_recorded(const struct root *root, unsigned pid)
{
	AUTO_BUF text = { 0 };
	char path[64];

	path_of(pid, path);
	return root_peek(root, path, 1, &text) == 0;
}

void dead_replay(struct root *root, struct arena *arena, struct proc *proc)
{
	AUTO_BUF text = { 0 };
	char path[64], *end;

	path_of((unsigned)proc->pid, path);
	if (root_read(root, path, MAX_FILE, &text) != 0)
		return;
	const char *at = buf_text(&text);
	proc->n_dead = strtoull(at, &end, 10);
	proc->dead_fds = arena_array(arena, PROC_MAX_DEAD, sizeof(*proc->dead_fds));
	for (uint64_t i = 0; i < PROC_MAX_DEAD && end != at; i++) {
		at = end;
		proc->dead_fds[i] = (uint32_t)strtoul(at, &end, 10);
	}
}

void dead_free(struct dead *d)
{
	free(d->at);
}

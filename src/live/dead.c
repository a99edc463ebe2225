#include "live/dead.h"
#include "live/dump.h"
#include "util/arena.h"
#include "util/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MAX_FILE = 256 * 1024 };

void dead_note(struct dead *d, uint32_t inode, int fd)
{
	if (d->n == DEAD_MAX)
		return;
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

/* "TCP" or "TCPv6": every other protocol has listings of its own. */
static bool is_tcp(const struct dead_fd *f)
{
	char path[64], name[16];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)f->proc->pid, f->fd);
	ssize_t n = getxattr(path, "system.sockprotoname", name, sizeof(name) - 1);
	if (n <= 0)
		return false;
	name[n] = '\0';
	return strcmp(name, "TCP") == 0 || strcmp(name, "TCPv6") == 0;
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

struct inodes {
	uint32_t *at;
	size_t n, cap;
};

static bool take_inode(void *arg, const struct look *look, const struct sock *s)
{
	struct inodes *all = arg;

	(void)look;
	if (!s->full || !s->full->inode)
		return true;
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 1024;
		all->at = xrealloc_array(all->at, all->cap, sizeof(*all->at));
	}
	all->at[all->n++] = s->full->inode;
	return true;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* false: the sockets could not be listed again, so nothing is known to be dead. */
static bool list_again(const struct root *root, struct inodes *ret)
{
	const struct live_request req = {
		.states = STATES_ALL, .on_sock = take_inode, .on_sock_arg = ret,
	};
	struct root unrecorded = *root;
	struct look *look = look_new();
	struct fail fail;

	unrecorded.record_fd = -1;
	look->netns = arena_array(look->arena, 1, sizeof(*look->netns));
	look->n_netns = 1;
	bool failed = dump_netns(&unrecorded, &req, 0, look, &fail) != 0;
	look_free(look);
	if (!failed && ret->n)
		qsort(ret->at, ret->n, sizeof(*ret->at), by_number);
	return !failed;
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

void dead_confirm(struct dead *d, struct root *root, const struct live_request *req, struct look *look)
{
	struct inodes again = { 0 };

	/* Elsewhere the second listing would be of another namespace. */
	if (d->n == 0 || !root->is_live || req->netns || req->all_netns ||
	    (req->states & STATES_ALL) != STATES_ALL || req->bytecode)
		return;
	if (list_again(root, &again)) {
		for (size_t i = 0; i < d->n; i++) {
			const struct dead_fd *f = &d->at[i];

			if (f->proc->netns != look->netns[0].inode ||
			    bsearch(&f->inode, again.at, again.n, sizeof(*again.at), by_number))
				continue;
			if (is_tcp(f) && is_still_there(f))
				count(look, f);
		}
	}
	for (size_t i = 0; i < look->n_procs; i++) {
		struct proc *p = look->procs[i];

		if (p->n_dead > 0 && p->n_dead < DEAD_WORTH_A_WORD)
			p->n_dead = 0;
		if (p->n_dead > 0)
			record(root, p);
	}
	free(again.at);
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

#include "live/dead.h"
#include "live/dump.h"
#include "live/hostinfo.h"
#include "util/arena.h"
#include "util/buf.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FILE = 256 * 1024, OTHERS_S = 1 };

#define UNSURE "unsure"

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
static bool is_tcp(struct dead_fd *f)
{
	char path[64], name[16];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)f->proc->pid, f->fd);
	ssize_t n = getxattr(path, "system.sockprotoname", name, sizeof(name) - 1);
	if (n <= 0)
		return false;
	name[n] = '\0';
	f->is_mptcp = strcmp(name, "MPTCP") == 0 || strcmp(name, "MPTCPv6") == 0;
	return f->is_mptcp || strcmp(name, "TCP") == 0 || strcmp(name, "TCPv6") == 0;
}

static bool is_still_there(const struct dead_fd *f)
{
	char path[64], link[64], expected[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)f->proc->pid, f->fd);
	snprintf(expected, sizeof(expected), "socket:[%" PRIu32 "]", f->inode);
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	return n > 0 && (size_t)n == strlen(expected) && memcmp(link, expected, (size_t)n) == 0;
}

/* Most programs hold sockets of other kinds: a second look is dear, and they are not worth one. */
static void drop_others(struct dead *d)
{
	size_t n = 0, first = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (is_tcp(&d->at[i]))
			d->at[n++] = d->at[i];
		if (i + 1 < d->n && d->at[i + 1].proc == d->at[i].proc)
			continue;
		if (n - first < DEAD_WORTH_A_WORD)
			n = first;
		first = n;
	}
	d->n = n;
}

/* ---- the second look ---- */

struct listing {
	struct dead *dead;  /* in the order of their inodes */
	uint64_t *places;   /* the namespaces of the look that could be listed, by inode */
	size_t n_places;
	bool has_mptcp;
	bool is_partial;    /* the machine has more than could be listed, or may have */
	bool is_lost;       /* there is no way back to where the look is */
	const struct root *root;
	struct live_request brief; /* how long others may be listed */
};

static int by_inode(const void *a, const void *b)
{
	const struct dead_fd *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

static int by_holder(const void *a, const void *b)
{
	const struct dead_fd *x = a, *y = b;

	if (x->proc->pid != y->proc->pid)
		return x->proc->pid < y->proc->pid ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

/* More than one descriptor may be of it. */
static void mark_listed(const struct dead *d, uint32_t inode)
{
	size_t low = 0, high = d->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (d->at[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < d->n && d->at[low].inode == inode; low++)
		d->at[low].is_listed = true;
}

/* A socket with an address of its own stays listed when its connection has ended: in CLOSE, but with
 * the peer's port. One that has not connected yet has none. */
static bool take_inode(void *arg, const struct look *look, const struct sock *s)
{
	const struct listing *all = arg;

	(void)look;
	if (s->full && s->full->inode && (s->state != STATE_CLOSED || s->pair.peer.port == 0))
		mark_listed(all->dead, s->full->inode);
	return true;
}

/* One namespace. */
static void list_again(const struct netns_place *place, bool may_skip, struct listing *all, bool *ret_listed)
{
	enum { BOUND_INACTIVE = 13 }; /* TCP_BOUND_INACTIVE: bound and in CLOSE, since Linux 6.8 */
	const struct live_request req = {
		.states = STATES_ALL | STATE_BIT(BOUND_INACTIVE), .on_sock = take_inode,
		.on_sock_arg = all,
	};
	struct root unrecorded = *all->root;
	struct fail fail;
	bool failed = false;
	int home;

	unrecorded.record_fd = -1;
	unrecorded.packer = NULL;
	*ret_listed = false;
	if (netns_enter(place, &home) != 0) {
		all->is_partial = true;
		return;
	}
	if (!may_skip || !hostinfo_is_empty(&unrecorded, 0)) {
		struct look *look = look_new();

		look->netns = arena_array(look->arena, 1, sizeof(*look->netns));
		look->n_netns = 1;
		/* What an interrupted listing has missed is not dead. */
		failed = dump_netns(&unrecorded, &req, 0, look, &fail) != 0 || look->gaps.n > 0;
		all->has_mptcp &= dump_mptcp(&unrecorded, &req, 0, look) == 0;
		look_free(look);
	}
	all->is_partial |= failed;
	*ret_listed = !failed;
	all->is_lost = netns_leave(home) != 0;
}

static bool has_unlisted(const struct dead *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (!d->at[i].is_listed)
			return true;
	return false;
}

/* Those of the look: what cannot be listed has nothing that is known to be dead. */
static void list_places(struct listing *all, const struct netns_list *places)
{
	bool is_listed;

	all->is_partial |= places->n_refused || places->hidden || places->is_full;
	for (size_t i = 0; i < places->n && !all->is_lost; i++) {
		list_again(&places->at[i], places->n > 1, all, &is_listed);
		if (is_listed)
			all->places[all->n_places++] = places->at[i].inode;
	}
}

/* false: that is enough. */
static bool list_other(void *arg, struct netns_place *place)
{
	struct listing *all = arg;
	bool is_listed;

	place->is_gone = false;
	if (live_is_late(&all->brief)) {
		all->is_partial = true;
		return false;
	}
	list_again(place, true, all, &is_listed);
	return !all->is_lost && has_unlisted(all->dead);
}

static bool is_one_of(const struct netns_list *places, uint64_t inode)
{
	for (size_t i = 0; i < places->n; i++)
		if (places->at[i].inode == inode)
			return true;
	return false;
}

/* A dump walks the whole machine's table: with hundreds of namespaces that is many seconds. */
static int64_t deadline_of(const struct live_request *req)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t soon = (now.tv_sec + OTHERS_S) * INT64_C(1000000000) + now.tv_nsec;
	return req->deadline_ns && req->deadline_ns < soon ? req->deadline_ns : soon;
}

/* Those of the whole machine, threads' included, until every socket was seen somewhere. */
static void list_others(struct listing *all, const struct live_request *req, const struct netns_list *places,
			struct arena *arena)
{
	const struct netns_seek threads = {
		.in_threads = true, .req = &all->brief, .visit = list_other, .arg = all,
	};
	struct netns_list list = { 0 };
	bool goes_on = true;

	all->brief = (struct live_request){ .deadline_ns = deadline_of(req) };
	netns_list_all(all->root, arena, &list);
	all->is_partial |= list.n_refused || list.hidden || list.is_full;
	for (size_t i = 0; i < list.n && goes_on; i++)
		if (!is_one_of(places, list.at[i].inode))
			goes_on = list_other(all, &list.at[i]);
	if (goes_on)
		netns_seek(all->root, arena, &threads, &list);
	all->is_partial |= all->is_lost || live_is_late(&all->brief);
	netns_list_free(&list);
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
	if (p->dead_is_unsure)
		buf_puts(&text, UNSURE "\n");
	snprintf(path, sizeof(path), "proc/%d/dead_fds", (int)p->pid);
	root_record_file(root, path, buf_text(&text), text.n);
}

static bool was_listed(const struct listing *all, const struct proc *p)
{
	for (size_t i = 0; i < all->n_places; i++)
		if (all->places[i] == p->netns)
			return true;
	return false;
}

static void count_all(const struct listing *all, struct look *look)
{
	for (size_t i = 0; i < all->dead->n; i++) {
		const struct dead_fd *f = &all->dead->at[i];

		if (!f->is_listed && (all->has_mptcp || !f->is_mptcp) && was_listed(all, f->proc) &&
		    is_still_there(f))
			count(look, f);
	}
}

static void keep_those_worth_a_word(struct root *root, struct look *look, bool is_unsure)
{
	for (size_t i = 0; i < look->n_procs; i++) {
		struct proc *p = look->procs[i];

		p->dead_is_unsure = is_unsure;
		if (p->n_dead < DEAD_WORTH_A_WORD)
			p->n_dead = 0;
		else
			record(root, p);
	}
}

void dead_confirm(struct dead *d, struct root *root, const struct live_request *req,
		  const struct netns_list *places, struct look *look)
{
	if (d->n_beyond)
		gap_add(&look->gaps, "dead-sockets", "/proc/PID/fd",
			_("more socket descriptors than are checked"),
			_("of those beyond, 4096 a process and 65536 in all, nobody knows whether "
			  "their connections have ended"));
	drop_others(d);
	if (d->n == 0)
		return;
	struct listing all = { .dead = d, .has_mptcp = true, .root = root };
	all.places = arena_array(look->arena, places->n, sizeof(*all.places));
	qsort(d->at, d->n, sizeof(*d->at), by_inode);
	list_places(&all, places);
	/* Inodes are unique on a machine, and a process may hold sockets of any namespace. */
	if (!req->all_netns && !all.is_lost && has_unlisted(d))
		list_others(&all, req, places, look->arena);
	if (all.is_lost)
		gap_add(&look->gaps, "netns", "setns", _("the way back was refused"),
			_("connections that ended in other network namespaces are missing"));
	qsort(d->at, d->n, sizeof(*d->at), by_holder);
	count_all(&all, look);
	keep_those_worth_a_word(root, look, all.is_partial);
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

/* A file that does not hold up, too many, or numbers missing, tells nothing. */
void dead_replay(struct root *root, struct arena *arena, struct proc *proc)
{
	AUTO_BUF text = { 0 };
	char path[64], *end;

	path_of((unsigned)proc->pid, path);
	if (root_read(root, path, MAX_FILE, &text) != 0)
		return;
	const char *at = buf_text(&text);
	uint64_t n = strtoull(at, &end, 10);
	if (n < DEAD_WORTH_A_WORD || n > DEAD_MAX)
		return;
	uint32_t *fds = arena_array(arena, PROC_MAX_DEAD, sizeof(*fds));
	for (uint64_t i = 0; i < PROC_MAX_DEAD && i < n; i++) {
		at = end;
		unsigned long fd = strtoul(at, &end, 10);
		if (end == at || fd > INT_MAX)
			return;
		fds[i] = (uint32_t)fd;
	}
	proc->n_dead = n;
	proc->dead_fds = fds;
	proc->dead_is_unsure = strcmp(end + strspn(end, "\n"), UNSURE "\n") == 0;
}

void dead_free(struct dead *d)
{
	free(d->at);
}

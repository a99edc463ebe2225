#include "live/netns.h"
#include "live/owners.h"
#include "util/cleanup.h"
#include "util/hash.h"
#include "util/i18n.h"
#include "util/index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How it works: a namespace is known by the inode of its nsfs file. Processes show theirs as a link
 * "net:[INODE]"; `ip netns` and container runtimes keep others alive by mounts of type nsfs, which
 * mountinfo lists with the same text and the place to open:
 *
 *	... 0:4 net:[4026532201] /run/netns/blue rw - nsfs nsfs rw
 *
 * A process may end, and its number be given away, before its namespace is entered: what was opened must
 * have the inode that was noted. If not, one more walk seeks another process that is there, and its
 * namespace is entered at once.
 *
 * Threads are in the namespace of their process, save for those that called unshare(2) or setns(2) for
 * themselves. Each costs more than a process does, so they are read only where sockets are missing (live.c),
 * and where the main thread has ended: then /proc/PID/ns/net leads nowhere (Linux fs/nsfs.c, ns_get_name()).
 *
 * Not found: a namespace that only an open descriptor, a socket or a mount elsewhere keeps. */

enum { MAX_PLACES = UINT16_MAX, MAX_MOUNTINFO = 16 << 20, LIST_SIZE = 64 * 1024, TASK_LIST_SIZE = 32 * 1024 };

#define RUN_NETNS "/run/netns/"

static bool parse_link(const char *text, uint64_t *ret)
{
	return sscanf(text, "net:[%" SCNu64 "]", ret) == 1;
}

static void add_place(struct netns_list *list, struct netns_place place)
{
	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 16;
		list->at = xrealloc_array(list->at, list->cap, sizeof(*list->at));
	}
	list->at[list->n++] = place;
}

void netns_list_own(const struct root *root, struct netns_list *ret)
{
	struct netns_place own = { 0 };
	char link[64];

	if (root_readlink(root, "proc/thread-self/ns/net", link, sizeof(link)) != 0 ||
	    !parse_link(link, &own.inode))
		own.inode = 0;
	add_place(ret, own);
}

/* ---- all of them ---- */

struct finder {
	struct netns_list *list;
	struct index index;
	struct hash_key key;
	struct arena *arena;
	const struct netns_seek *seek; /* NULL: they are listed */
	bool is_over, has_ended; /* by its visit() */
};

static struct netns_place *find_place(struct finder *f, uint64_t inode)
{
	uint64_t hash = hash_u64(&f->key, inode);
	uint32_t at;

	for (size_t it = index_first(&f->index, hash); index_next(&f->index, hash, &it, &at);)
		if (f->list->at[at].inode == inode)
			return &f->list->at[at];
	return NULL;
}

/* The first path found serves; a name may come later. */
static void found(struct finder *f, uint64_t inode, const char *path, const char *name)
{
	struct netns_place *known = find_place(f, inode);

	if (known) {
		if (name && !known->name)
			known->name = arena_strdup(f->arena, name);
		if (!f->seek || !known->is_gone)
			return;
		known->path = arena_strdup(f->arena, path);
	} else if (f->list->n >= MAX_PLACES) {
		f->list->is_full = true;
		return;
	} else {
		index_add(&f->index, hash_u64(&f->key, inode), (uint32_t)f->list->n);
		add_place(f->list, (struct netns_place){
			.inode = inode,
			.path = arena_strdup(f->arena, path),
			.name = name ? arena_strdup(f->arena, name) : NULL,
			.is_gone = f->seek != NULL,
		});
		known = &f->list->at[f->list->n - 1];
	}
	if (f->seek)
		f->is_over = f->has_ended = !f->seek->visit(f->seek->arg, known);
}

/* 0 or -errno. `task` is "proc/812", or one of its threads. */
static int find_by_link(const struct root *root, struct finder *f, const char *task)
{
	char path[64], link[64];
	uint64_t inode;

	snprintf(path, sizeof(path), "/%s/ns/net", task);
	int error = root_readlink(root, path + 1, link, sizeof(link));
	if (!error && parse_link(link, &inode))
		found(f, inode, path, NULL);
	return error;
}

static void find_by_threads(const struct root *root, struct finder *f, unsigned pid)
{
	char path[32], task[48];
	struct dir dir;
	unsigned tid;

	snprintf(path, sizeof(path), "proc/%u/task", pid);
	AUTO_FD fd = root_open_dir(root, path);
	if (fd < 0)
		return;
	AUTO_FREE char *list = xrealloc_array(NULL, TASK_LIST_SIZE, 1);
	dir_begin(&dir, root, path, fd, list, TASK_LIST_SIZE);
	for (const char *name; !f->is_over && (name = dir_next(&dir));) {
		if (!root_parse_number(name, &tid) || tid == pid)
			continue;
		snprintf(task, sizeof(task), "proc/%u/task/%u", pid, tid);
		(void)!find_by_link(root, f, task); /* what is refused was so for the process, too */
		f->is_over |= f->seek && live_is_late(f->seek->req);
	}
}

static void find_by_pid(const struct root *root, struct finder *f, unsigned pid)
{
	char task[32];
	int error = 0;

	snprintf(task, sizeof(task), "proc/%u", pid);
	if (!f->seek || !f->seek->in_threads)
		error = find_by_link(root, f, task);
	if (!f->seek)
		f->list->n_refused += root_is_refusal(error);
	/* Of a zombie there is no other thread, save where its main thread alone has ended. */
	if ((error == -ENOENT || (f->seek && f->seek->in_threads)) && owners_has_threads(root, pid))
		find_by_threads(root, f, pid);
}

static void find_by_process(const struct root *root, struct finder *f)
{
	AUTO_FREE char *list = xrealloc_array(NULL, LIST_SIZE, 1);
	AUTO_FD fd = root_open_dir(root, "proc");
	struct dir dir;
	unsigned pid;

	if (!f->seek)
		f->list->n_refused += root_is_refusal(fd);
	if (fd < 0)
		return;
	dir_begin(&dir, root, "proc", fd, list, LIST_SIZE);
	for (const char *name; !f->is_over && (name = dir_next(&dir));) {
		if (root_parse_number(name, &pid) && pid != 0)
			find_by_pid(root, f, pid);
		f->is_over |= f->seek && live_is_late(f->seek->req);
	}
}

/* mountinfo writes blank, tab, newline and backslash as three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		unsigned value;

		if (*at == '\\' && sscanf(at + 1, "%3o", &value) == 1 && strlen(at) >= 4) {
			*to++ = (char)value;
			at += 3;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
}

static const char *name_of(const char *path)
{
	const char *run = strstr(path, RUN_NETNS);

	/* /var/run is /run on most hosts, and a mount may be seen under either. */
	return run && (run == path || run == path + 4) ? run + strlen(RUN_NETNS) : NULL;
}

static void find_by_mount(const struct root *root, struct finder *f)
{
	AUTO_BUF text = { 0 };
	char where[PATH_MAX];
	uint64_t inode;
	char *save = NULL;

	int error = root_peek(root, "proc/self/mountinfo", MAX_MOUNTINFO, &text);
	if (!f->seek)
		f->list->n_refused += root_is_refusal(error);
	if (error || text.n == 0)
		return;
	for (char *line = strtok_r(text.at, "\n", &save); line && !f->is_over; line = strtok_r(NULL, "\n", &save)) {
		if (!strstr(line, " - nsfs "))
			continue;
		if (sscanf(line, "%*s %*s %*s net:[%" SCNu64 "] %4095s", &inode, where) != 2)
			continue;
		unescape(where);
		found(f, inode, where, name_of(where));
	}
}

void netns_list_all(const struct root *root, struct arena *arena, struct netns_list *ret)
{
	struct finder f = { .list = ret, .key = hash_key_new(), .arena = arena };

	netns_list_own(root, ret);
	index_add(&f.index, hash_u64(&f.key, ret->at[0].inode), 0);
	find_by_process(root, &f);
	find_by_mount(root, &f);
	index_free(&f.index);
	/* Every pid namespace has a process 1. */
	if (root->is_live && faccessat(root->base_fd, "1", F_OK, 0) < 0)
		ret->hidden = _("processes of other users are hidden (hidepid)");
	else if (!owners_sees_all_pids(root))
		ret->hidden = _("processes outside this container are not visible");
}

bool netns_seek(const struct root *root, struct arena *arena, const struct netns_seek *how,
		struct netns_list *list)
{
	struct finder f = { .list = list, .key = hash_key_new(), .arena = arena, .seek = how };

	for (size_t i = 0; i < list->n; i++)
		index_add(&f.index, hash_u64(&f.key, list->at[i].inode), (uint32_t)i);
	find_by_process(root, &f);
	if (!how->in_threads && !f.is_over)
		find_by_mount(root, &f);
	index_free(&f.index);
	return !f.has_ended;
}

/* ---- one of them ---- */

int netns_list_one(const struct root *root, struct arena *arena, const char *which,
		   struct netns_list *ret, struct fail *fail)
{
	struct netns_place place = { 0 };
	unsigned pid;
	struct stat st;

	if (strchr(which, '/')) {
		place.path = arena_strdup(arena, which);
	} else if (root_parse_number(which, &pid)) {
		place.path = arena_printf(arena, "/proc/%u/ns/net", pid);
	} else {
		place.path = arena_printf(arena, RUN_NETNS "%s", which);
	}
	if (stat(place.path, &st) < 0) {
		int error = -errno;

		if (error == -ENOENT && !strchr(which, '/'))
			fail_set(fail, which, _("no such network namespace"));
		else
			fail_set(fail, which, "%s", strerror(-error));
		if (error == -ENOENT)
			fail_hint(fail, _("a name of `ip netns list`, a process id, or a path"));
		return error;
	}
	const char *name = name_of(place.path);
	place.name = name ? arena_strdup(arena, name) : NULL;
	place.inode = st.st_ino;
	/* Our own needs no privilege. */
	struct netns_list own = { 0 };
	netns_list_own(root, &own);
	if (own.at[0].inode == place.inode)
		place.path = NULL;
	netns_list_free(&own);
	add_place(ret, place);
	return 0;
}

void netns_list_free(struct netns_list *list)
{
	free(list->at);
	*list = (struct netns_list){ 0 };
}

/* ---- there and back ---- */

int netns_enter(const struct netns_place *place, int *ret_home)
{
	if (!place->path) {
		*ret_home = -1;
		return 0;
	}
	AUTO_FD there = open(place->path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (there < 0 || fstat(there, &st) < 0)
		return -errno;
	if (st.st_ino != place->inode)
		return -ENOENT;
	AUTO_FD home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return -errno;
	if (setns(there, CLONE_NEWNET) < 0)
		return -errno;
	*ret_home = take_fd(&home);
	return 0;
}

int netns_leave(int home)
{
	if (home < 0)
		return 0;
	int error = setns(home, CLONE_NEWNET) < 0 ? -errno : 0;
	close(home);
	return error;
}

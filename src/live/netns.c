#include "live/netns.h"
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

/* How it works: a namespace is known by the inode of its nsfs file. Processes show theirs as a link
 * "net:[INODE]"; `ip netns` and container runtimes keep others alive by mounts of type nsfs, which
 * mountinfo lists with the same text and the place to open:
 *
 *	... 0:4 net:[4026532201] /run/netns/blue rw - nsfs nsfs rw
 *
 * Not found: a namespace that only a thread, an open descriptor or an orphaned socket keeps. */

enum { MAX_PLACES = UINT16_MAX, MAX_MOUNTINFO = 16 << 20, LIST_SIZE = 64 * 1024 };

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
		return;
	}
	if (f->list->n >= MAX_PLACES)
		return;
	index_add(&f->index, hash_u64(&f->key, inode), (uint32_t)f->list->n);
	add_place(f->list, (struct netns_place){
		.inode = inode,
		.path = arena_strdup(f->arena, path),
		.name = name ? arena_strdup(f->arena, name) : NULL,
	});
}

static void find_by_process(const struct root *root, struct finder *f)
{
	AUTO_FREE char *list = xrealloc_array(NULL, LIST_SIZE, 1);
	AUTO_FD fd = root_open_dir(root, "proc");
	char path[64], link[64];
	struct dir dir;
	unsigned pid;
	uint64_t inode;

	f->list->n_refused += root_is_refusal(fd);
	if (fd < 0)
		return;
	dir_begin(&dir, root, "proc", fd, list, LIST_SIZE);
	for (const char *name; (name = dir_next(&dir));) {
		if (!root_parse_number(name, &pid) || pid == 0)
			continue;
		snprintf(path, sizeof(path), "proc/%u/ns/net", pid);
		int error = root_readlink(root, path, link, sizeof(link));
		f->list->n_refused += root_is_refusal(error);
		if (error || !parse_link(link, &inode))
			continue;
		snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
		found(f, inode, path, NULL);
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
	f->list->n_refused += root_is_refusal(error);
	if (error || text.n == 0)
		return;
	for (char *line = strtok_r(text.at, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
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
	if (there < 0)
		return -errno;
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

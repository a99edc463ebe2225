#include "live/watch.h"
#include "util/arena.h"
#include "util/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
	LIST_SIZE = 64 * 1024,
	MAX_SETS = 64,
	/* A line is some 80 bytes: a set of a hundred thousand descriptors. */
	MAX_FDINFO = 8 << 20,
	HEARS = EPOLLIN | EPOLLRDNORM | EPOLLRDHUP,
};

/* One descriptor in one of the process's sets. */
struct entry {
	uint64_t key; /* inode; where the kernel does not tell it, the descriptor's number */
	uint32_t events;
};

struct sets {
	struct root *root;
	unsigned pid;
	struct entry *at;
	size_t n, cap, n_sets;
	bool has_inodes;
	bool is_whole; /* false: there may be more ways to hear of it than were read */
};

static void add_entry(struct sets *s, const struct entry *e)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->at = xrealloc_array(s->at, s->cap, sizeof(*s->at));
	}
	s->at[s->n++] = *e;
}

/* "tfd:        8 events:       19 data:                8  pos:0 ino:1a2b sdev:9" */
static void read_entries(struct sets *s, const char *text)
{
	for (const char *line = text; (line = strstr(line, "tfd:")); line++) {
		const char *end = line + strcspn(line, "\n"), *ino = strstr(line, " ino:");
		struct entry e;

		if (sscanf(line, "tfd: %" SCNu64 " events: %" SCNx32, &e.key, &e.events) != 2)
			continue;
		s->has_inodes = ino && ino < end;
		if (s->has_inodes)
			e.key = strtoull(ino + 5, NULL, 16);
		add_entry(s, &e);
	}
}

static void read_set(struct sets *s, const char *name)
{
	AUTO_BUF text = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "proc/%u/fdinfo/%s", s->pid, name);
	if (s->n_sets++ == MAX_SETS || root_read(s->root, path, MAX_FDINFO, &text) != 0 ||
	    text.n == MAX_FDINFO) {
		s->is_whole = false;
		return;
	}
	read_entries(s, buf_text(&text));
	snprintf(path, sizeof(path), "proc/%u/fd/%s", s->pid, name);
	root_record_link(s->root, path, "anon_inode:[eventpoll]");
}

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static void read_sets(struct sets *s)
{
	char path[64], link[64], entry[64];
	unsigned fd;

	snprintf(path, sizeof(path), "proc/%u/fd", s->pid);
	AUTO_FD dir_fd = root_open_dir(s->root, path);
	AUTO_FREE char *list = xrealloc_array(NULL, LIST_SIZE, 1);
	struct dir dir;

	s->is_whole = dir_fd >= 0;
	if (dir_fd < 0)
		return;
	dir_begin(&dir, s->root, path, dir_fd, list, LIST_SIZE);
	for (const char *name; (name = dir_next(&dir));) {
		ssize_t n = root_parse_number(name, &fd) ?
				    root_readlink_in(s->root, dir_fd, path, name, link, sizeof(link)) : 0;

		if (n <= 0)
			continue;
		if (strcmp(link, "anon_inode:[eventpoll]") == 0)
			read_set(s, name);
		if (strcmp(link, "anon_inode:[io_uring]") == 0) {
			s->is_whole = false; /* it may poll there */
			snprintf(entry, sizeof(entry), "proc/%u/fd/%s", s->pid, name);
			root_record_link(s->root, entry, link);
		}
	}
	if (s->n)
		qsort(s->at, s->n, sizeof(*s->at), by_key);
}

/* The first entry whose key is not below. */
static size_t lower_bound(const struct sets *s, uint64_t key)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->at[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_candidate(const struct sock *s)
{
	return s->state == STATE_CLOSE_WAIT && s->full && s->full->rqueue > 0 &&
	       s->full->n_holders > 0;
}

static void judge_watch(const struct sets *s, struct sock_full *full)
{
	/* A number may have been given to another file since; an inode is not. */
	uint64_t key = s->has_inodes ? full->inode : (uint64_t)full->holders[0].fd;
	size_t first = lower_bound(s, key), i;

	for (i = first; i < s->n && s->at[i].key == key; i++)
		full->watch_events |= s->at[i].events;
	bool found = i > first;
	if (found && (full->watch_events & HEARS))
		full->watch = WATCH_HEARS;
	else if (!s->is_whole)
		full->watch = WATCH_UNKNOWN;
	else if (found)
		full->watch = WATCH_DEAF;
	else
		full->watch = s->n_sets ? WATCH_ABSENT : WATCH_NO_EPOLL;
}

static void watch_process(struct root *root, struct look *look, const struct proc *proc)
{
	struct sets s = { .root = root, .pid = (unsigned)proc->pid };

	read_sets(&s);
	for (size_t i = 0; i < look->n_socks; i++)
		if (is_candidate(&look->socks[i]) && look->socks[i].full->holders[0].proc == proc)
			judge_watch(&s, look->socks[i].full);
	free(s.at);
}

void watch_find(struct root *root, struct look *look)
{
	const struct proc *done[WATCH_MAX_PROCS];
	size_t n = 0;

	for (size_t i = 0; i < look->n_socks && n < WATCH_MAX_PROCS; i++) {
		const struct sock *s = &look->socks[i];
		size_t at = 0;

		if (!is_candidate(s))
			continue;
		while (at < n && done[at] != s->full->holders[0].proc)
			at++;
		if (at < n)
			continue;
		done[n++] = s->full->holders[0].proc;
		watch_process(root, look, s->full->holders[0].proc);
	}
}

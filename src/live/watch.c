#include "live/watch.h"
#include "util/arena.h"
#include "util/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
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

static void read_set(struct sets *s, int fd)
{
	AUTO_BUF text = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "proc/%u/fdinfo/%d", s->pid, fd);
	if (s->n_sets++ == POLLS_MAX_SETS || root_read(s->root, path, MAX_FDINFO, &text) != 0 ||
	    text.n == MAX_FDINFO) {
		s->is_whole = false;
		return;
	}
	read_entries(s, buf_text(&text));
	snprintf(path, sizeof(path), "proc/%u/fd/%d", s->pid, fd);
	root_record_link(s->root, path, "anon_inode:[eventpoll]");
}

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static void read_sets(struct sets *s, const struct polls *polls)
{
	const struct poll_fd *at = polls_find(polls, s->pid);
	char path[64];

	s->is_whole = true;
	for (; at && at < polls->at + polls->n && at->pid == s->pid; at++) {
		if (!at->is_ring) {
			read_set(s, at->fd);
			continue;
		}
		s->is_whole = false; /* it may poll there */
		snprintf(path, sizeof(path), "proc/%u/fd/%d", s->pid, at->fd);
		root_record_link(s->root, path, "anon_inode:[io_uring]");
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

	/* The sets of a thread that has a table of its own are there, and not among these. */
	if (full->holders[0].of_thread)
		return;
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

/* The sockets whose owner is asked, each owner's in a chain. */
struct candidate {
	struct sock_full *full;
	uint32_t next_plus_1;
};

struct candidates {
	struct candidate *at;
	size_t n, cap;
	struct {
		const struct proc *proc;
		uint32_t first_plus_1;
	} procs[WATCH_MAX_PROCS];
	size_t n_procs;
};

static void add_candidate(struct candidates *c, struct sock_full *full)
{
	const struct proc *proc = full->holders[0].proc;
	size_t i = c->n_procs;

	/* Mostly the one of the last one. */
	while (i > 0 && c->procs[i - 1].proc != proc)
		i--;
	if (i == 0 && c->n_procs == WATCH_MAX_PROCS)
		return;
	if (i == 0) {
		i = ++c->n_procs;
		c->procs[i - 1].proc = proc;
		c->procs[i - 1].first_plus_1 = 0;
	}
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 64;
		c->at = xrealloc_array(c->at, c->cap, sizeof(*c->at));
	}
	c->at[c->n] = (struct candidate){ full, c->procs[i - 1].first_plus_1 };
	c->procs[i - 1].first_plus_1 = (uint32_t)++c->n;
}

void watch_find(struct root *root, struct look *look, const struct polls *polls)
{
	struct candidates c = { 0 };

	for (size_t i = 0; i < look->n_socks; i++)
		if (is_candidate(&look->socks[i]))
			add_candidate(&c, look->socks[i].full);
	for (size_t k = 0; k < c.n_procs; k++) {
		struct sets s = { .root = root, .pid = (unsigned)c.procs[k].proc->pid };

		read_sets(&s, polls);
		for (uint32_t i = c.procs[k].first_plus_1; i; i = c.at[i - 1].next_plus_1)
			judge_watch(&s, c.at[i - 1].full);
		free(s.at);
	}
	free(c.at);
}

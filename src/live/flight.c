#include "live/flight.h"
#include "live/facts.h"
#include "util/buf.h"
#include "util/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How it works: asked only while a connection has no owner, which is rare; every socket's fdinfo is one
 * more file to read, so there is an end to it. */

enum { MAX_READ = 20000, MAX_FOUND = 64, MAX_FDINFO = 4096, LIST_SIZE = 64 * 1024 };

struct search {
	struct root *root;
	struct look *look;
	unsigned n_read;
};

static void add(struct search *s, unsigned pid, unsigned fd, unsigned n)
{
	struct look *look = s->look;
	struct in_flight *f;

	if (!look->in_flight)
		look->in_flight = arena_array(look->arena, MAX_FOUND, sizeof(*look->in_flight));
	f = &look->in_flight[look->n_in_flight++];
	*f = (struct in_flight){ .fd = (int)fd, .n = n };
	for (size_t i = 0; i < look->n_procs; i++)
		if ((unsigned)look->procs[i]->pid == pid)
			f->proc = look->procs[i];
	if (!f->proc)
		f->proc = facts_read(s->root, look->arena, pid);
}

static void read_socket(struct search *s, unsigned pid, unsigned fd, const char *link)
{
	AUTO_BUF text = { 0 };
	char path[64];
	unsigned n;

	snprintf(path, sizeof(path), "proc/%u/fdinfo/%u", pid, fd);
	s->n_read++;
	if (root_peek(s->root, path, MAX_FDINFO, &text) != 0)
		return;
	const char *at = strstr(buf_text(&text), "scm_fds:");
	if (!at || sscanf(at, "scm_fds: %u", &n) != 1 || n == 0)
		return;
	root_record_file(s->root, path, buf_text(&text), text.n);
	snprintf(path, sizeof(path), "proc/%u/fd/%u", pid, fd);
	root_record_link(s->root, path, link);
	add(s, pid, fd, n);
}

static void read_process(struct search *s, unsigned pid, char *list)
{
	char path[64], link[64];
	struct dir dir;
	unsigned fd;

	snprintf(path, sizeof(path), "proc/%u/fd", pid);
	AUTO_FD dir_fd = root_open_dir(s->root, path);
	if (dir_fd < 0)
		return;
	dir_begin(&dir, s->root, path, dir_fd, list, LIST_SIZE);
	for (const char *name; (name = dir_next(&dir));)
		if (s->n_read < MAX_READ && s->look->n_in_flight < MAX_FOUND && root_parse_number(name, &fd) &&
		    root_readlink_in(s->root, dir_fd, path, name, link, sizeof(link)) > 0 &&
		    strncmp(link, "socket:[", 8) == 0)
			read_socket(s, pid, fd, link);
}

void flight_find(struct root *root, struct look *look, const unsigned pids[], size_t n_pids)
{
	struct search s = { root, look, 0 };
	AUTO_FREE char *list = xrealloc_array(NULL, LIST_SIZE, 1);

	for (size_t i = 0; i < n_pids; i++)
		read_process(&s, pids[i], list);
}

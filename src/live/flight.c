#include "live/flight.h"
#include "live/facts.h"
#include "util/buf.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How it works: asked only while a connection has no owner, which is rare; every socket's fdinfo is one
 * more file to read, so there is an end to it. */

enum { MAX_FOUND = 64, MAX_FDINFO = 4096 };

void flight_note(struct flight *f, struct flight_fd fd)
{
	if (f->n == FLIGHT_MAX) {
		f->n_beyond++;
		return;
	}
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 64;
		f->at = xrealloc_array(f->at, f->cap, sizeof(*f->at));
	}
	f->at[f->n++] = fd;
}

static const struct proc *proc_of(struct root *root, const struct look *look, unsigned pid)
{
	for (size_t i = 0; i < look->n_procs; i++)
		if ((unsigned)look->procs[i]->pid == pid)
			return look->procs[i];
	return facts_read(root, look->arena, pid);
}

static void read_socket(const struct flight_fd *fd, struct root *root, struct look *look)
{
	AUTO_BUF text = { 0 };
	char path[64], link[64];
	unsigned n;

	snprintf(path, sizeof(path), "proc/%u/fdinfo/%d", fd->pid, fd->fd);
	if (root_peek(root, path, MAX_FDINFO, &text) != 0)
		return;
	const char *at = strstr(buf_text(&text), "scm_fds:");
	if (!at || sscanf(at, "scm_fds: %u", &n) != 1 || n == 0)
		return;
	root_record_file(root, path, buf_text(&text), text.n);
	snprintf(path, sizeof(path), "proc/%u/fd/%d", fd->pid, fd->fd);
	snprintf(link, sizeof(link), "socket:[%" PRIu32 "]", fd->inode);
	root_record_link(root, path, link);
	if (!look->in_flight)
		look->in_flight = arena_array(look->arena, MAX_FOUND, sizeof(*look->in_flight));
	look->in_flight[look->n_in_flight++] = (struct in_flight){
		.proc = proc_of(root, look, fd->pid), .fd = fd->fd, .n = n,
	};
}

void flight_find(const struct flight *f, struct root *root, struct look *look)
{
	size_t i = 0;

	for (; i < f->n && look->n_in_flight < MAX_FOUND; i++)
		read_socket(&f->at[i], root, look);
	if (i == f->n && f->n_beyond == 0)
		return;
	look->flight_is_partial = true;
	gap_add(&look->gaps, GAP_FLIGHT, "/proc/PID/fdinfo",
		_("more sockets than are asked for descriptors on their way through UNIX sockets"),
		_("a socket without an owner may wait in one that was not asked"));
}

void flight_free(struct flight *f)
{
	free(f->at);
	*f = (struct flight){ 0 };
}

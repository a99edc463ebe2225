#include "live/facts.h"
#include "util/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_CMDLINE = 4096, MAX_FILE = 64 * 1024, MAX_WCHAN = 128, CONTAINER_ID_LEN = 64, POD_UID_MIN = 32 };

/* The line that begins with key; NULL: there is none. */
static const char *line_after(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, key, n) == 0)
			return at + n;
	}
	return NULL;
}

bool facts_parse_stat(const char *text, struct arena *arena, struct proc *ret)
{
	/* comm may hold blanks and brackets; nothing behind it does. */
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	char state;
	int ppid, pgrp;
	unsigned threads;
	uint64_t start;

	if (!open || !close || close < open)
		return false;
	/* Fields 3, 4, 5, 20 and 22 of proc(5). */
	if (sscanf(close + 1,
		   " %c %d %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %u %*s"
		   " %" SCNu64, &state, &ppid, &pgrp, &threads, &start) != 5)
		return false;
	ret->comm = arena_strndup(arena, open + 1, (size_t)(close - open - 1));
	ret->state = state;
	ret->ppid = ppid;
	ret->pgrp = pgrp;
	ret->n_threads = threads;
	ret->start_ticks = start;
	return true;
}

void facts_parse_status(const char *status, struct proc *ret)
{
	const char *uid = line_after(status, "Uid:"), *tracer = line_after(status, "TracerPid:");
	int pid;

	ret->has_uid = uid && sscanf(uid, "%" SCNu32, &ret->uid) == 1;
	if (tracer && sscanf(tracer, "%d", &pid) == 1 && pid > 0)
		ret->tracer = pid;
}

/* "0" is a running task, or what those may read who may not trace it. */
static const char *wait_channel(const char *text, struct arena *arena)
{
	size_t n = strcspn(text, "\n");

	return n == 0 || strncmp(text, "0", n) == 0 ? NULL : arena_strndup(arena, text, n);
}

/* "[<0>] pipe_read+0x2fa/0x400", the innermost call first; schedulers are left out, as in wchan. */
char *facts_parse_stack(const char *stack, struct arena *arena)
{
	size_t n_line = strcspn(stack, "\n");
	const char *name = memchr(stack, ' ', n_line);
	size_t n = name ? strcspn(++name, "+\n") : 0;

	return n == 0 || name[n] != '+' ? NULL : arena_strndup(arena, name, n);
}

uint64_t facts_parse_fd_limit(const char *limits)
{
	const char *at = line_after(limits, "Max open files");
	uint64_t value;

	if (!at)
		return 0;
	at += strspn(at, " ");
	if (strncmp(at, "unlimited", 9) == 0)
		return UINT64_MAX;
	return sscanf(at, "%" SCNu64, &value) == 1 ? value : 0;
}

static bool has_suffix(const char *at, size_t n, const char *suffix)
{
	size_t len = strlen(suffix);

	return n > len && memcmp(at + n - len, suffix, len) == 0;
}

/* The id in "docker-ID.scope", "cri-containerd-ID.scope", "crio-ID" or "ID" alone. */
static const char *container_id(const char *name, size_t n)
{
	size_t run = 0;

	for (size_t i = 0; i < n; i++) {
		bool is_hex = isdigit((unsigned char)name[i]) || (name[i] >= 'a' && name[i] <= 'f');

		run = is_hex ? run + 1 : 0;
		if (run == CONTAINER_ID_LEN && (i + 1 == n || name[i + 1] == '.'))
			return name + i + 1 - run;
	}
	return NULL;
}

/* "kubepods-burstable-podUID.slice" of systemd, with _ for -, or "podUID" below "kubepods". The UID is that of the
 * API server, or of a static pod the 32 digits of its manifest's hash. */
static const char *pod_uid(const char *name, size_t n, bool in_kubepods, size_t *ret_n)
{
	const char *slice = memmem(name, n, "-pod", 4);
	size_t start = 3, len;

	if (n > 8 && memcmp(name, "kubepods", 8) == 0 && slice)
		start = (size_t)(slice - name) + 4;
	else if (!in_kubepods || n <= 3 || memcmp(name, "pod", 3) != 0)
		return NULL;
	for (len = 0; start + len < n; len++)
		if (!isxdigit((unsigned char)name[start + len]) && !strchr("-_", name[start + len]))
			break;
	*ret_n = len;
	return len >= POD_UID_MIN && (start + len == n || name[start + len] == '.') ? name + start : NULL;
}

/* A dash in the name of a slice would be a step of its path. */
static char *with_dashes(char *uid)
{
	for (char *at = uid; *at; at++)
		*at = *at == '_' ? '-' : *at;
	return uid;
}

/* "lxc.payload.NAME", or NAME below "lxc". */
static const char *lxc_name(const char *name, size_t n, bool in_lxc, size_t *ret_n)
{
	static const char payload[] = "lxc.payload.";

	if (n > sizeof(payload) - 1 && memcmp(name, payload, sizeof(payload) - 1) == 0)
		*ret_n = n - (sizeof(payload) - 1);
	else if (in_lxc && n > 0)
		*ret_n = n;
	else
		return NULL;
	return name + n - *ret_n;
}

/* The last component that is a unit wins: a service may have made groups of its own below. */
static void parse_path(const char *path, bool may_name_unit, struct arena *arena, struct proc *ret)
{
	const char *unit = NULL, *id = NULL, *pod = NULL, *lxc = NULL, *found;
	size_t unit_len = 0, pod_len = 0, lxc_len = 0;
	bool in_kubepods = false, in_lxc = false;

	for (const char *at = path; *at && *at != '\n';) {
		at += strspn(at, "/");
		size_t n = strcspn(at, "/\n");

		if (has_suffix(at, n, ".service") || has_suffix(at, n, ".scope")) {
			unit = at;
			unit_len = n;
		}
		found = container_id(at, n);
		id = found ? found : id;
		found = pod ? NULL : pod_uid(at, n, in_kubepods, &pod_len);
		pod = found ? found : pod;
		found = lxc ? NULL : lxc_name(at, n, in_lxc, &lxc_len);
		lxc = found ? found : lxc;
		in_kubepods |= n >= 8 && memcmp(at, "kubepods", 8) == 0;
		in_lxc = n == 3 && memcmp(at, "lxc", 3) == 0;
		at += n;
	}
	if (unit && may_name_unit && !ret->unit)
		ret->unit = arena_strndup(arena, unit, unit_len);
	if (id && !ret->container)
		ret->container = arena_strndup(arena, id, CONTAINER_ID_LEN);
	else if (lxc && !ret->container)
		ret->container = arena_strndup(arena, lxc, lxc_len);
	if (pod && !ret->pod)
		ret->pod = with_dashes(arena_strndup(arena, pod, pod_len));
}

/* Lines are HIERARCHY:CONTROLLERS:PATH; "0::" is version 2, "name=systemd" systemd's own group
 * under version 1. Container runtimes put their groups into any of them. */
void facts_parse_cgroup(const char *text, struct arena *arena, struct proc *ret)
{
	for (const char *line = text; *line; line += *line == '\n') {
		const char *end = line + strcspn(line, "\n");
		const char *controllers = memchr(line, ':', (size_t)(end - line));
		const char *path = controllers ? memchr(controllers + 1, ':',
							(size_t)(end - controllers - 1)) : NULL;

		if (path) {
			bool names_unit = path == controllers + 1 ||
					  strncmp(controllers, ":name=systemd:", 14) == 0;

			parse_path(path + 1, names_unit, arena, ret);
		}
		line = end;
	}
}

char *facts_join_cmdline(const char *bytes, size_t n, struct arena *arena)
{
	while (n > 0 && bytes[n - 1] == '\0')
		n--;
	char *text = arena_alloc(arena, n + 1);
	for (size_t i = 0; i < n; i++)
		text[i] = bytes[i] ? bytes[i] : ' ';
	return text;
}

static bool read_file(struct root *root, unsigned pid, const char *name, size_t cap,
		      struct buf *text)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%u/%s", pid, name);
	return root_read(root, path, cap, text) == 0;
}

/* Links are facts of their own: they are recorded as links. */
static bool read_link(struct root *root, unsigned pid, const char *name, char *ret, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%u/%s", pid, name);
	if (root_readlink(root, path, ret, size) != 0)
		return false;
	root_record_link(root, path, ret);
	return true;
}

/* Since 6.2 the size of the directory is the number of descriptors; before it is 0 and the caller
 * may count. Zero is not believed: this process holds a socket. */
static void read_fd_count(struct root *root, unsigned pid, struct proc *proc)
{
	char path[64], text[24];
	struct stat st;

	if (!root->is_live) {
		AUTO_BUF count = { 0 };

		proc->has_fds = read_file(root, pid, "fd_count", sizeof(text), &count) &&
				sscanf(buf_text(&count), "%" SCNu64, &proc->n_fds) == 1;
		return;
	}
	snprintf(path, sizeof(path), "proc/%u/fd", pid);
	AUTO_FD fd = root_open_dir(root, path);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0)
		return;
	proc->n_fds = (uint64_t)st.st_size;
	proc->has_fds = true;
}

/* A group outlives its leader: what is left then was started by a process that is gone. */
static bool read_leader_is_gone(struct root *root, const struct proc *proc)
{
	AUTO_BUF text = { 0 };
	char path[64];

	if (!root->is_live)
		return read_file(root, (unsigned)proc->pid, "leader", 8, &text) &&
		       strncmp(buf_text(&text), "gone", 4) == 0;
	if (proc->pgrp <= 0 || proc->pgrp == proc->pid)
		return false;
	snprintf(path, sizeof(path), "%d", proc->pgrp);
	/* hidepid hides the directory, not the process. */
	if (faccessat(root->base_fd, path, F_OK, 0) == 0 || errno != ENOENT ||
	    kill(proc->pgrp, 0) == 0 || errno != ESRCH)
		return false;
	snprintf(path, sizeof(path), "proc/%d/leader", proc->pid);
	root_record_file(root, path, "gone\n", 5);
	return true;
}

/* Before 5.16 x86 looks for the caller in frame pointers, which most kernels are built without, and
 * finds nothing; the stack is found in other ways, but for root alone. Source: Linux
 * arch/x86/kernel/process.c, get_wchan(); fs/proc/base.c, proc_pid_stack(). */
static const char *read_wait(struct root *root, struct arena *arena, const struct proc *proc)
{
	unsigned pid = (unsigned)proc->pid;
	AUTO_BUF wchan = { 0 }, stack = { 0 };
	const char *found = NULL;

	if (read_file(root, pid, "wchan", MAX_WCHAN, &wchan))
		found = wait_channel(buf_text(&wchan), arena);
	if (!found && proc->state != 'R' && read_file(root, pid, "stack", MAX_FILE, &stack))
		found = facts_parse_stack(buf_text(&stack), arena);
	return found;
}

struct proc *facts_read(struct root *root, struct arena *arena, unsigned pid)
{
	struct proc *proc = arena_alloc(arena, sizeof(*proc));
	AUTO_BUF text = { 0 };
	char link[PATH_MAX];

	proc->pid = (pid_t)pid;
	proc->state = '?';
	if (!read_file(root, pid, "stat", MAX_FILE, &text) ||
	    !facts_parse_stat(buf_text(&text), arena, proc))
		proc->comm = "?";
	if (read_file(root, pid, "cmdline", MAX_CMDLINE, &text))
		proc->cmdline = facts_join_cmdline(buf_text(&text), text.n, arena);
	if (read_file(root, pid, "status", MAX_FILE, &text))
		facts_parse_status(buf_text(&text), proc);
	proc->wchan = read_wait(root, arena, proc);
	if (read_file(root, pid, "limits", MAX_FILE, &text))
		proc->fd_limit = facts_parse_fd_limit(buf_text(&text));
	if (read_file(root, pid, "cgroup", MAX_FILE, &text))
		facts_parse_cgroup(buf_text(&text), arena, proc);
	if (read_link(root, pid, "exe", link, sizeof(link)))
		proc->exe = arena_strdup(arena, link);
	if (read_link(root, pid, "ns/net", link, sizeof(link)) &&
	    sscanf(link, "net:[%" SCNu64 "]", &proc->netns) != 1)
		proc->netns = 0;
	read_fd_count(root, pid, proc);
	proc->leader_is_gone = read_leader_is_gone(root, proc);
	return proc;
}

#include "cli/run.h"
#include "live/live.h"
#include "live/pack.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How it works: the file has no name while it is written, so that whatever ends the program leaves
 * nothing behind; then it gets one beside its place, and rename() puts it there at once. Command lines
 * may hold secrets: it is its maker's alone. */

struct place {
	const char *path;  /* "-": standard output */
	bool is_replaced;  /* false: a device or a pipe, to be written to */
	struct buf folder, beside;
};

static void say_about(const char *path, int error)
{
	say_line("tcpwhy: %s: %s", path, strerror(-error)); /* untranslated: a name */
}

/* tcpwhy-HOST-20261121T084000Z.tar.zst */
static void put_name(struct buf *b)
{
	char host[256] = "", when[32];
	time_t now = time(NULL);
	struct tm utc;

	gethostname(host, sizeof(host) - 1);
	for (char *c = host; *c; c++)
		if (*c == '/')
			*c = '_';
	gmtime_r(&now, &utc);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &utc);
	buf_printf(b, "tcpwhy-%s-%s.tar.zst", *host ? host : "host", when);
}

static void place_fill(struct place *place, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	place->path = path;
	place->is_replaced = strcmp(path, "-") != 0 && (stat(path, &st) < 0 || S_ISREG(st.st_mode));
	buf_add(&place->folder, path, slash ? (size_t)(slash - path) + 1 : 0);
	if (!slash)
		buf_puts(&place->folder, "./");
	buf_printf(&place->beside, "%s.tcpwhy-%d", buf_text(&place->folder), (int)getpid());
}

/* -errno: nothing can be written there. */
static int place_open(const struct place *place)
{
	int fd;

	if (!place->is_replaced) {
		fd = strcmp(place->path, "-") == 0 ? dup(STDOUT_FILENO) :
						     open(place->path, O_WRONLY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	fd = open(buf_text(&place->folder), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	/* Not every file system has files without a name. */
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = open(buf_text(&place->beside), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static int place_finish(const struct place *place, int fd)
{
	const char *beside = buf_text(&place->beside);
	char self[32];

	if (!place->is_replaced)
		return 0;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (fsync(fd) < 0 ||
	    (linkat(AT_FDCWD, self, AT_FDCWD, beside, AT_SYMLINK_FOLLOW) < 0 && errno != EEXIST) ||
	    rename(beside, place->path) < 0)
		return -errno;
	return 0;
}

static void say_done(const char *path, const struct look *look)
{
	say_line(_("tcpwhy: %s: sockets: %zu, processes: %zu; `tcpwhy --from %s` reads it"), path,
		 look->n_socks, look->n_procs, path);
}

static int take(const struct options *o, const struct place *place, int fd)
{
	struct live_request req = whole_look(o);
	struct look *look;
	struct fail fail;

	req.packer = packer_new(fd);
	req.want_memory = true;
	req.want_dead = true;
	if (!req.packer) {
		say_about(place->path, -ENOMEM);
		return STATUS_FAILED;
	}
	int failed = live_look(&req, &look, &fail);
	int error = packer_end(req.packer);
	if (failed < 0) {
		say_failure(&fail);
		return STATUS_FAILED;
	}
	if (!error)
		error = place_finish(place, fd);
	int status = error || gaps_spoil(&look->gaps) ? STATUS_FAILED : STATUS_OK;
	say_gaps(&look->gaps);
	if (error)
		say_about(place->path, error);
	else if (place->is_replaced)
		say_done(place->path, look);
	look_free(look);
	return status;
}

int run_snapshot(const struct options *o)
{
	AUTO_BUF name = { 0 };
	struct place place = { 0 };
	int status = STATUS_FAILED;

	if (o->n_words > 0) {
		say_line(_("tcpwhy: snapshot: %s: it takes no filter: a snapshot has everything"), o->words[0]);
		return STATUS_USAGE;
	}
	if (o->output && strcmp(o->output, "-") == 0 && isatty(STDOUT_FILENO)) {
		say_line(_("tcpwhy: snapshot: this is no text for a terminal; give a file with -o"));
		return STATUS_USAGE;
	}
	put_name(&name);
	place_fill(&place, o->output ? o->output : buf_text(&name));
	AUTO_FD fd = place_open(&place);
	if (fd < 0)
		say_about(place.path, fd);
	else
		status = take(o, &place, fd);
	if (status != STATUS_OK && place.is_replaced)
		unlink(buf_text(&place.beside));
	buf_free(&place.folder);
	buf_free(&place.beside);
	return status;
}

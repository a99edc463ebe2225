#include "cli/run.h"
#include "live/live.h"
#include "live/pack.h"
#include "util/buf.h"
#include "util/i18n.h"
#include "util/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Command lines may hold secrets: a snapshot is its maker's alone. */

/* Where it goes: into a file's place, or straight to standard output, a device or a pipe. */
struct place {
	const char *path; /* "-": standard output */
	bool is_replaced;
	struct replacement file;
	int fd;
};

static void say_about(const char *path, int error)
{
	say_line("tcpwhy: %s: %s", path, replace_reason(error)); /* untranslated: a name */
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

/* 0, or -errno: nothing can be written there. */
static int place_begin(const char *path, struct place *ret)
{
	struct place place = { .path = path, .fd = -1 };
	struct stat st;
	int error = 0;

	place.is_replaced = strcmp(path, "-") != 0 && (stat(path, &st) < 0 || S_ISREG(st.st_mode));
	if (place.is_replaced)
		error = replace_begin(path, 0600, &place.file);
	else if ((place.fd = strcmp(path, "-") == 0 ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CLOEXEC)) < 0)
		error = -errno;
	if (!error)
		*ret = place;
	return error;
}

static int place_fd(const struct place *place)
{
	return place->is_replaced ? place->file.fd : place->fd;
}

/* Ends it; with an error there already, without putting anything in place. */
static int place_end(struct place *place, int error)
{
	if (place->is_replaced && error)
		replace_drop(&place->file);
	else if (place->is_replaced)
		error = replace_end(&place->file);
	else if (close(place->fd) < 0 && !error)
		error = -errno;
	return error;
}

static void say_done(const char *path, const struct look *look)
{
	say_line(_("tcpwhy: %s: sockets: %zu, processes: %zu; `tcpwhy --from %s` reads it"), path,
		 look->n_socks, look->n_procs, path);
}

static int take(const struct options *o, struct place *place)
{
	struct live_request req = whole_look(o);
	struct look *look;
	struct fail fail;

	req.packer = packer_new(place_fd(place));
	req.want_dead = true;
	if (!req.packer) {
		say_about(place->path, place_end(place, -ENOMEM));
		return STATUS_FAILED;
	}
	int failed = take_look(o, &req, false, &look, &fail);
	int error = packer_end(req.packer);
	if (failed < 0) {
		(void)!place_end(place, failed);
		say_failure(&fail);
		return STATUS_FAILED;
	}
	error = place_end(place, error);
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
	struct place place;

	if (o->n_words > 0) {
		say_line(_("tcpwhy: snapshot: %s: it takes no filter: a snapshot has everything"), o->words[0]);
		return STATUS_USAGE;
	}
	if (o->output && strcmp(o->output, "-") == 0 && isatty(STDOUT_FILENO)) {
		say_line(_("tcpwhy: snapshot: this is no text for a terminal; give a file with -o"));
		return STATUS_USAGE;
	}
	struct options named = *o;
	put_name(&name);
	if (!o->output)
		named.output = buf_text(&name);
	int error = place_begin(named.output, &place);
	if (!error)
		return take(&named, &place);
	say_about(named.output, error);
	return STATUS_FAILED;
}

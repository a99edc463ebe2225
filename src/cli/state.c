#include "cli/state.h"
#include "util/cleanup.h"
#include "util/i18n.h"
#include "util/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void complain(const char *path, const char *what, struct look *look)
{
	gap_add(&look->gaps, "state", path, arena_strdup(look->arena, what),
		_("growth since the last check is not known"));
}

/* What is wrong with it, NULL if nothing is; no words at all if it is not there. */
static const char *read_file(const char *path, struct arena *arena, char **ret, size_t *ret_n)
{
	/* Whoever put a pipe there must not make us wait, and a link may lead anywhere. */
	AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	size_t n = 0;

	if (fd < 0)
		return errno == ENOENT ? "" : errno == ELOOP ? _("a link, not a file") : strerror(errno);
	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode) || (st.st_uid != 0 && st.st_uid != geteuid()))
		return _("somebody else's, or no plain file");
	if (st.st_size > MEMORY_MAX_BYTES)
		return _("damaged");
	char *text = arena_alloc(arena, MEMORY_MAX_BYTES + 1);
	for (;;) {
		ssize_t got = read(fd, text + n, MEMORY_MAX_BYTES + 1 - n);

		if (got < 0)
			return strerror(errno);
		n += (size_t)got;
		if (got == 0 || n > MEMORY_MAX_BYTES)
			break;
	}
	*ret = text;
	*ret_n = n;
	return NULL;
}

void state_read(const char *path, bool all_netns, struct look *look, struct check_past *ret)
{
	struct memory *m = arena_alloc(look->arena, sizeof(*m));
	size_t n = 0;
	char *text = NULL;
	const char *wrong = read_file(path, look->arena, &text, &n);

	*ret = (struct check_past){ .none = N_("growth shows from the next look on"), .all_netns = all_netns };
	if (wrong && *wrong)
		complain(path, wrong, look);
	else if (!wrong && !memory_read(text, n, look->arena, m))
		complain(path, _("damaged, or of another program; it is replaced"), look);
	else if (!wrong && memory_is_of(m, look, all_netns))
		*ret = (struct check_past){ .look = m, .all_netns = all_netns };
}

bool state_write(const char *path, const struct memory *m, struct look *look)
{
	AUTO_BUF text = { 0 };

	memory_write(&text, m);
	int error = replace_with(path, 0644, &text);
	if (error)
		complain(path, replace_reason(error), look);
	return error == 0;
}

const char *state_path(const struct options *o)
{
	static const char folder[] = "/run/tcpwhy", usual[] = "/run/tcpwhy/check.state";

	if (o->state)
		return o->state;
	/* Another namespace's look would be compared with this one's. */
	if (o->from || o->netns || o->all_netns || access(folder, W_OK) < 0)
		return NULL;
	return usual;
}

#include "cli/textfile.h"
#include "util/cleanup.h"
#include "util/i18n.h"
#include "util/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* How it works: a new file in the same folder, so that rename() can put it in place at once. Its
 * name ends in six letters of mkstemp(), never in ".prom": node_exporter does not read it. */

static int fill(int fd, const struct buf *text)
{
	int r = write_all(fd, buf_text(text), text->n);

	if (r < 0)
		return r;
	return fchmod(fd, 0644) < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* The name itself must last as well. Where folders cannot be synced, that is all there is. */
static void sync_folder(const char *folder)
{
	AUTO_FD fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd);
}

static int replace(const char *path, const char *temporary, int fd, const struct buf *text)
{
	int r = fill(fd, text);

	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r;
}

int textfile_replace(const char *path, const struct buf *text, struct fail *fail)
{
	const char *slash = strrchr(path, '/');
	AUTO_BUF folder = { 0 }, name = { 0 };
	struct stat st;

	/* rename() would put a file where /dev/null was. */
	if (stat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))) {
		fail_set(fail, path, _("a device, which is not replaced"));
		return -EINVAL;
	}
	if (slash)
		buf_add(&folder, path, (size_t)(slash - path) + 1);
	else
		buf_puts(&folder, "./");
	buf_printf(&name, "%s.tcpwhy-XXXXXX", buf_text(&folder));
	int fd = mkostemp(name.at, O_CLOEXEC);
	int r = fd < 0 ? -errno : replace(path, name.at, fd, text);
	if (r < 0) {
		fail_set(fail, path, "%s", strerror(-r));
		return r;
	}
	sync_folder(buf_text(&folder));
	return 0;
}

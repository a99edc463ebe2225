/* bare_scan: all descriptors of all processes, each link read and thrown away. The limit of every search
 * for owners. */

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry {
	unsigned long long ino;
	long long off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static void each(int dir, char *list, size_t size, void (*take)(int dir, const char *name))
{
	for (long n; (n = syscall(SYS_getdents64, dir, list, size)) > 0;)
		for (long at = 0; at < n;) {
			const struct entry *e = (const void *)(list + at);

			at += e->reclen;
			if (isdigit((unsigned char)e->name[0]))
				take(dir, e->name);
		}
}

static void read_link(int dir, const char *name)
{
	char link[64];

	/* Closed since it was listed: no matter. */
	if (readlinkat(dir, name, link, sizeof(link)) < 0)
		return;
}

static void read_process(int proc, const char *name)
{
	static char list[256 * 1024] __attribute__((aligned(8)));
	char path[64];

	snprintf(path, sizeof(path), "%s/fd", name);
	int dir = openat(proc, path, O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		return;
	each(dir, list, sizeof(list), read_link);
	close(dir);
}

int main(void)
{
	static char list[256 * 1024] __attribute__((aligned(8)));
	int proc = open("/proc", O_RDONLY | O_DIRECTORY);

	if (proc < 0)
		err(1, "/proc");
	each(proc, list, sizeof(list), read_process);
	return 0;
}

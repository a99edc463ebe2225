#include "live/pack.h"

#include <limits.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* A snapshot of a stranger: read, then looked through as the rest of the program does. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const folders[] = { "proc", "proc/12/fd", "" };
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char name[NAME_MAX + 1];
	struct pack *p = NULL;
	struct fail fail;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	if (pack_read(fd, "fuzz", &p, &fail) == 0) {
		for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
			for (size_t at = 0; pack_next(p, folders[i], &at, name, sizeof(name));)
				if (pack_find(p, name))
					break;
		pack_free(p);
	}
	close(fd);
	return 0;
}

/* Feeds files to LLVMFuzzerTestOneInput() without a fuzzer: replay MUTATIONS FILE|FOLDER...
 *
 * How it works: each input is run as it is, then cut at up to 256 places (a length field that
 * promises more than is there is the classic mistake), then MUTATIONS times with a few bytes
 * changed. The changes come from a fixed seed, so that a crash comes again. The input lies at the
 * very end of its own allocation, where the address sanitizer sees a read of one byte too many.
 * After a crash the last file named on stdout is the one to look at. */

#include "util/attr.h"
#include "util/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_BYTES = 1 << 20, MAX_CUTS = 256, MAX_CHANGES = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct replay {
	unsigned mutations;
	uint64_t random, n_files;
};

static uint32_t draw(struct replay *r)
{
	/* xorshift64: any even spread will do. */
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return (uint32_t)(r->random >> 32);
}

static void run_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void mutate(struct replay *r, uint8_t *data, size_t size)
{
	static const uint8_t edges[] = { 0, 1, 0x7f, 0x80, 0xff };
	uint8_t before[MAX_CHANGES];
	size_t at[MAX_CHANGES], n = draw(r) % MAX_CHANGES + 1;

	for (size_t i = 0; i < n; i++) {
		at[i] = draw(r) % size;
		before[i] = data[at[i]];
		data[at[i]] = draw(r) % 2 ? edges[draw(r) % ARRAY_LEN(edges)] : (uint8_t)draw(r);
	}
	run_copy(data, size);
	while (n--)
		data[at[n]] = before[n];
}

static void run_all(struct replay *r, uint8_t *data, size_t size)
{
	size_t step = size / MAX_CUTS + 1;

	run_copy(data, size);
	for (size_t cut = 0; cut < size; cut += step)
		run_copy(data, cut);
	for (unsigned i = 0; size && i < r->mutations; i++)
		mutate(r, data, size);
	r->n_files++;
}

static bool run_file(struct replay *r, const char *path)
{
	AUTO_FILE f = fopen(path, "rb");
	AUTO_FREE uint8_t *data = malloc(MAX_BYTES);

	if (!f || !data) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	size_t size = fread(data, 1, MAX_BYTES, f);
	printf("# %s: %zu bytes\n", path, size);
	fflush(stdout);
	run_all(r, data, size);
	return true;
}

static bool run_folder(struct replay *r, const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort);
	bool good = n >= 0;
	char name[4096];

	if (!good)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.') {
			snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
			good &= run_file(r, name);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return good;
}

int main(int argc, char **argv)
{
	struct replay r = { .random = 0x9e3779b97f4a7c15u };
	struct stat st;
	bool good = argc > 2;

	if (!good) {
		fprintf(stderr, "usage: %s MUTATIONS FILE|FOLDER...\n", argv[0]);
		return 2;
	}
	r.mutations = (unsigned)strtoul(argv[1], NULL, 10);
	for (int i = 2; i < argc; i++) {
		bool is_folder = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);

		good &= is_folder ? run_folder(&r, argv[i]) : run_file(&r, argv[i]);
	}
	printf("# %llu inputs\n", (unsigned long long)r.n_files);
	return good && r.n_files > 0 ? 0 : 1;
}

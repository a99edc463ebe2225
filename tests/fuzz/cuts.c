/* Captures cut at every Nth byte: cuts STEP FILE...
 *
 * How it works: reading a file anew for each of its cuts is quadratic, so it is read once. The stream
 * gives STEP bytes at a time, and before it gives the next ones it forks: to the child the file ends
 * there, which draws its conclusions and is done; the parent goes on reading. A child that crashes,
 * hangs or is told off by a sanitizer names the file and the place. */

#include "util/attr.h"
#include "util/cleanup.h"
#include "wire/capture.h"
#include "wire/flowtab.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEADLINE_S = 60, MAX_NAMED = 20 };

struct cut_file {
	const char *name;
	uint8_t *bytes;
	size_t size, at, step;
	bool ends_here; /* in the child */
	unsigned n_cuts, n_bad;
};

static bool see(void *ctx, const struct flow *f)
{
	uint64_t *sum = ctx;

	if (f->n_rsts > MAX_FLOW_RSTS || f->pattern > PATTERN_OPEN)
		abort();
	*sum += f->end[SIDE_CLIENT].bytes + f->end[SIDE_SERVER].bytes;
	return true;
}

/* To the end of it, wherever that is. */
static void draw_conclusions(void)
{
	struct flowtab *tab = flowtab_new();
	struct capture *capture;
	struct fail fail;
	uint64_t sum = 0;

	if (capture_open_file("-", &capture, &fail) != 0)
		abort();
	/* A refusal says why. */
	if (capture_read(capture, tab, 0, NULL) < 0 && !capture_info(capture)->error)
		abort();
	flowtab_each(tab, see, &sum);
	capture_close(capture);
	flowtab_free(tab);
}

static bool ends_well(struct cut_file *f)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		abort();
	if (child == 0) {
		alarm(DEADLINE_S);
		f->ends_here = true;
		return true;
	}
	if (waitpid(child, &status, 0) != child)
		abort();
	f->n_cuts++;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (f->n_bad++ < MAX_NAMED)
		printf("%s: cut behind %zu bytes: %s %d\n", f->name, f->at,
		       WIFSIGNALED(status) ? "signal" : "status",
		       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return false;
}

static ssize_t give(void *cookie, char *ret, size_t n)
{
	struct cut_file *f = cookie;

	ends_well(f);
	if (f->ends_here)
		return 0;
	n = n < f->step ? n : f->step;
	if (n > f->size - f->at)
		n = f->size - f->at;
	memcpy(ret, f->bytes + f->at, n);
	f->at += n;
	return (ssize_t)n;
}

static bool load(struct cut_file *f)
{
	AUTO_FILE file = fopen(f->name, "rb");
	struct stat st;

	if (!file || fstat(fileno(file), &st) != 0)
		return false;
	f->bytes = malloc((size_t)st.st_size + 1);
	if (!f->bytes)
		abort();
	f->size = fread(f->bytes, 1, (size_t)st.st_size, file);
	return true;
}

/* Only the parent comes back. */
static bool run_file(const char *name, size_t step)
{
	struct cut_file f = { .name = name, .step = step };
	FILE *real = stdin;

	if (!load(&f)) {
		perror(name);
		return false;
	}
	stdin = fopencookie(&f, "rb", (cookie_io_functions_t){ .read = give });
	if (!stdin)
		abort();
	draw_conclusions();
	if (f.ends_here)
		_exit(0);
	stdin = real;
	free(f.bytes);
	printf("# %s: %u cuts\n", name, f.n_cuts);
	fflush(stdout);
	return f.n_bad == 0;
}

int main(int argc, char **argv)
{
	size_t step = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	bool good = step > 0;

	if (!good)
		fprintf(stderr, "usage: %s STEP FILE...\n", argv[0]);
	for (int i = 2; i < argc && step > 0; i++) {
		fflush(stdout);
		good &= run_file(argv[i], step);
	}
	return good ? 0 : 1;
}

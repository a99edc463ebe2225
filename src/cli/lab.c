#include "cli/run.h"
#include "lab/lab.h"
#include "util/i18n.h"
#include "wire/capture.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t ms_since(const struct timespec *began)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)((now.tv_sec - began->tv_sec) * 1000 + (now.tv_nsec - began->tv_nsec) / 1000000);
}

/* The lab's own capture: the ordinary one, until the lab closes its end of the pipe. */
static int capture_until_told(const char *device, const char *file, int ready_fd, int stop_fd)
{
	enum { SLICE_MS = 50 };
	struct pollfd stop = { .fd = stop_fd, .events = POLLIN };
	struct capture *capture;
	struct fail fail;
	struct timespec began;

	if (capture_open_live(device, file, &capture, &fail) < 0) {
		say_failure(&fail);
		return STATUS_FAILED;
	}
	int failed = write(ready_fd, "", 1) == 1 ? 0 : -1;
	clock_gettime(CLOCK_MONOTONIC, &began);
	while (!failed && poll(&stop, 1, 0) == 0)
		failed = capture_collect(capture, ms_since(&began) + SLICE_MS, 0, NULL);
	/* What has arrived in the meantime still belongs to it. */
	if (!failed)
		failed = capture_collect(capture, ms_since(&began) + SLICE_MS, 0, NULL);
	capture_close(capture);
	return failed ? STATUS_FAILED : STATUS_OK;
}

int run_lab(const struct options *o)
{
	struct lab_request req = {
		.name = o->n_words > 0 && strcmp(o->words[0], "list") != 0 ? o->words[0] : NULL,
		.all = o->all,
		.json = strcmp(o->format, "json") == 0,
		.verbose = o->verbose,
		.tcpwhy = run_tcpwhy,
		.capture = capture_until_told,
	};

	if (o->n_words > 1) {
		say_line(_("tcpwhy: lab: one scenario at a time, or --all"));
		return STATUS_USAGE;
	}
	int status = lab_run(&req);
	if (status == STATUS_USAGE)
		say_line(_("tcpwhy: lab: %s: no such scenario; `tcpwhy lab` lists them"), req.name);
	return status;
}

/* A whole capture file, compressed or not, down to how its connections ended. */

#include "wire/capture.h"
#include "wire/flowtab.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Look at all that a rule or a report would. */
static bool see(void *ctx, const struct flow *f)
{
	uint64_t *sum = ctx;

	if (f->n_rsts > MAX_FLOW_RSTS || f->pattern > PATTERN_OPEN)
		abort();
	for (int s = SIDE_CLIENT; s <= SIDE_SERVER; s++) {
		if (f->end[s].state > STATE_MAX || f->end[s].saw > SAW_ECONNABORTED)
			abort();
		*sum += f->end[s].bytes + f->end[s].packets + f->end[s].fin.retransmissions;
	}
	for (uint32_t i = 0; i < f->n_rsts; i++)
		*sum += (uint64_t)f->rsts[i].at_ns + f->rsts[i].repeats;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	struct flowtab *tab = flowtab_new();
	struct capture *capture;
	struct fail fail;
	volatile uint64_t kept;
	uint64_t sum = 0;
	char name[32];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (capture_open_file(name, &capture, &fail) == 0) {
		/* A refusal says why. */
		if (capture_read(capture, tab, 0, NULL) < 0 && !capture_info(capture)->error)
			abort();
		if (capture_info(capture)->tcp_packets > capture_info(capture)->packets)
			abort();
		flowtab_each(tab, see, &sum);
		capture_close(capture);
	}
	kept = sum;
	(void)kept;
	flowtab_free(tab);
	close(fd);
	return 0;
}

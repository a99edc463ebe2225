#pragma once

/* The headers cmocka wants in front of its own, and a report as the text that it wrote. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/report.h"
#include "util/attr.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What was written to a memory file since its start; the caller frees. Closes it. */
static inline char *written(int fd)
{
	off_t n = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)n + 1);

	assert_int_equal(pread(fd, text, (size_t)n, 0), n);
	close(fd);
	return text;
}

/* Everything a report is made of; NULL: none of it. */
struct told {
	const char *format;
	struct report_options options;
	const struct conn *conns;
	size_t n_conns;
	const struct finding *finding;
	const struct gap *gap;
	bool is_incomplete;
};

static inline char *told(const struct told *t)
{
	int fd = memfd_create("report", MFD_CLOEXEC);
	struct report *r = report_begin(format_find(t->format), &t->options, fd);

	if (t->finding && format_find(t->format)->findings_first)
		report_finding(r, t->finding);
	for (size_t i = 0; i < t->n_conns; i++)
		report_conn(r, &t->conns[i]);
	if (t->finding && !format_find(t->format)->findings_first)
		report_finding(r, t->finding);
	if (t->gap)
		report_gap(r, t->gap);
	assert_int_equal(report_end(r, !t->is_incomplete), 0);
	return written(fd);
}

#pragma once

/* What a format knows while it writes; shared by the files of report/ only. */

#include "report/out.h"
#include "report/report.h"
#include "util/buf.h"

struct report {
	const struct format *format;
	struct report_options options;
	struct out out;
	struct buf line;      /* scratch of one line or value */
	uint64_t n_conns, n_findings[3], n_gaps;
	int section;          /* the format's own: which list is open */
};

/* Prose is wrapped here when the output is no terminal. */
enum { DEFAULT_WIDTH = 80 };

extern const struct format format_text, format_json, format_json_lines, format_csv;

/* "nginx[812]" for people, escaped. */
void put_process(struct buf *b, const struct proc *p, bool ascii);
/* Why an owner is hidden or how it was inferred; NULL: nothing to say. */
const char *basis_text(enum basis basis);
size_t prose_width(const struct report *r);

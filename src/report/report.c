#include "report/report.h"
#include "report/columns.h"
#include "report/escape.h"
#include "report/state.h"
#include "util/arena.h"
#include "util/i18n.h"

#include <stdlib.h>
#include <string.h>

const struct format *format_find(const char *name)
{
	static const struct format *const formats[] = { &format_text, &format_json,
							&format_json_lines, &format_csv };

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}

struct report *report_begin(const struct format *format, const struct report_options *options, int fd)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		arena_die();
	r->format = format;
	r->options = *options;
	if (r->options.columns.n == 0)
		columns_default(&r->options.columns);
	r->out.fd = fd;
	format->begin(r);
	return r;
}

void report_conn(struct report *r, const struct conn *c)
{
	r->format->conn(r, c);
	r->n_conns++;
}

void report_ladder(struct report *r, const struct ladder *l)
{
	if (r->format->ladder)
		r->format->ladder(r, l);
}

void report_finding(struct report *r, const struct finding *f)
{
	r->format->finding(r, f);
	r->n_findings[f->severity]++;
}

void report_gap(struct report *r, const struct gap *g)
{
	r->format->gap(r, g);
	r->n_gaps++;
}

int report_end(struct report *r, bool is_complete)
{
	int failed;

	r->format->end(r, is_complete);
	out_flush(&r->out);
	failed = r->out.failed;
	buf_free(&r->line);
	free(r);
	return failed;
}

void put_process(struct buf *b, const struct proc *p, bool ascii)
{
	escape_terminal(b, p->comm ? p->comm : "?", ascii);
	buf_printf(b, "[%d]", (int)p->pid);
}

const char *basis_text(enum basis basis)
{
	static const char *const texts[] = {
		[BASIS_NONE] = NULL,
		[BASIS_LISTENER] = N_("listens on the local port"),
		[BASIS_SAME_DESTINATION] = N_("has live connections to the same destination"),
		[BASIS_NO_PRIVILEGE] = N_("other users' descriptors are not readable"),
		[BASIS_NOT_FOUND] = N_("no readable process has it"),
		[BASIS_NOT_LOOKED] = N_("owners were not asked for"),
		[BASIS_TIME_LIMIT] = N_("the time limit was reached before all processes had been looked at"),
	};

	return texts[basis];
}

size_t prose_width(const struct report *r)
{
	return r->options.width > 0 ? (size_t)r->options.width : DEFAULT_WIDTH;
}

#include "report/columns.h"
#include "report/state.h"
#include "util/buf.h"

#include <string.h>

/* Comma-separated values: the columns of the table, their names in the first line, numbers as numbers
 * (durations in the unit that their name ends in), nothing where a value is not there or not known.
 * Source: RFC 4180, with lines that end as everywhere on this system. */

static void end_line(struct report *r)
{
	buf_putc(&r->line, '\n');
	out_add(&r->out, r->line.at, r->line.n);
	buf_clear(&r->line);
}

/* What stands in the line from `start` on, in quotes if it needs them. A name that a spreadsheet would
 * take for a formula gets an apostrophe in front, which makes it text there. */
static void quote(struct buf *line, size_t start, bool is_text)
{
	const char *cell = buf_text(line) + start;
	bool is_formula = is_text && *cell && strchr("=+-@", *cell);
	AUTO_BUF quoted = { 0 };

	if (!is_formula && !strpbrk(cell, ",\"\r\n"))
		return;
	if (is_formula)
		buf_putc(&quoted, '\'');
	for (const char *c = line->at + start; *c; c++) {
		if (*c == '"')
			buf_putc(&quoted, '"');
		buf_putc(&quoted, *c);
	}
	line->n = start;
	buf_putc(line, '"');
	buf_add(line, quoted.at, quoted.n);
	buf_putc(line, '"');
}

static void csv_begin(struct report *r)
{
	if (r->options.no_header)
		return;
	for (size_t i = 0; i < r->options.columns.n; i++) {
		buf_puts(&r->line, i > 0 ? "," : "");
		buf_puts(&r->line, r->options.columns.at[i]->name);
		buf_puts(&r->line, r->options.columns.at[i]->unit);
	}
	end_line(r);
}

static void csv_conn(struct report *r, const struct conn *c)
{
	for (size_t i = 0; i < r->options.columns.n; i++) {
		const struct column *column = r->options.columns.at[i];
		struct column plain = *column;

		buf_puts(&r->line, i > 0 ? "," : "");
		size_t start = r->line.n;
		plain.get = column->number ? NULL : column->get;
		column_put(&r->line, &plain, r, c);
		quote(&r->line, start, !column->number);
	}
	end_line(r);
}

static void csv_finding(struct report *r, const struct finding *f)
{
	(void)r;
	(void)f;
}

/* Not of the table: whoever prints it says them elsewhere. */
static void csv_gap(struct report *r, const struct gap *g)
{
	(void)r;
	(void)g;
}

static void csv_end(struct report *r, bool is_complete)
{
	(void)r;
	(void)is_complete;
}

const struct format format_csv = {
	.name = "csv",
	.begin = csv_begin,
	.conn = csv_conn,
	.finding = csv_finding,
	.gap = csv_gap,
	.end = csv_end,
};

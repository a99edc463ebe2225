#include "report/check.h"
#include "report/escape.h"
#include "report/json_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* How it works: metrics are named after the checks: "ports.share" is tcpwhy_ports_ratio, beside it
 * _used and _limit; ages are _seconds, numbers _connections. What is not known has no sample, so
 * that absent() finds it. Nothing here is translated: names are looked up in dashboards.
 *
 * The two dialects differ in three things: OpenMetrics names a counter's family without _total,
 * says the unit a name ends with, and ends with "# EOF".
 * Source: Prometheus, "Exposition formats", text 0.0.4; OpenMetrics 1.0.0. */

struct metrics_out {
	struct buf *b;
	enum metrics dialect;
};

struct family {
	char name[80];
	const char *unit; /* what the name ends with, if that is a unit; else NULL */
	bool is_counter;
	const char *help;
};

void check_put_label(struct buf *b, const char *text)
{
	AUTO_BUF visible = { 0 };

	escape_visible(&visible, text);
	for (const char *at = buf_text(&visible); *at; at++) {
		if (*at == '"' || *at == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *at);
	}
}

static void put_family(const struct metrics_out *out, const struct family *f)
{
	bool is_open = out->dialect == METRICS_OPENMETRICS;
	const char *total = f->is_counter && !is_open ? "_total" : "";

	buf_printf(out->b, "# HELP %s%s %s\n# TYPE %s%s %s\n", f->name, total, f->help, f->name, total,
		   f->is_counter ? "counter" : "gauge");
	if (is_open && f->unit)
		buf_printf(out->b, "# UNIT %s %s\n", f->name, f->unit);
}

static void put_number(const struct metrics_out *out, const struct family *f, uint64_t n)
{
	put_family(out, f);
	buf_printf(out->b, "%s%s %" PRIu64 "\n", f->name, f->is_counter ? "_total" : "", n);
}

/* "close-wait.age", "seconds" -> "tcpwhy_close_wait_age_seconds" */
static struct family family_of(const struct check_row *row, const char *suffix, const char *help)
{
	struct family f = { .help = row->help ? row->help : help };
	const char *at = row->name, *share = strstr(at, ".share");
	AUTO_BUF name = { 0 };

	buf_puts(&name, "tcpwhy_");
	for (; *at && at != share; at++)
		buf_putc(&name, isalnum((unsigned char)*at) ? *at : '_');
	buf_printf(&name, "_%s", suffix);
	strncpy(f.name, buf_text(&name), sizeof(f.name) - 1);
	return f;
}

static void put_value(const struct metrics_out *out, const struct check_result *r)
{
	struct family f;

	switch (r->row->unit) {
	case CHECK_COUNT:
		f = family_of(r->row, "connections", "Connections of the worst process.");
		f.unit = "connections";
		put_number(out, &f, (uint64_t)r->value / 1000);
		break;
	case CHECK_SECONDS:
		f = family_of(r->row, "seconds", "Age of the oldest connection.");
		f.unit = "seconds";
		put_family(out, &f);
		buf_printf(out->b, "%s ", f.name);
		json_thousandths(out->b, r->value);
		buf_putc(out->b, '\n');
		break;
	case CHECK_PERCENT:
		f = family_of(r->row, "ratio", "Share of its limit, of the worst one.");
		f.unit = "ratio";
		put_family(out, &f);
		/* Thousandths of a percent: five decimals of a ratio. */
		buf_printf(out->b, "%s %" PRId64 ".%05" PRId64 "\n", f.name, r->value / 100000,
			   r->value % 100000);
		break;
	case CHECK_A_MINUTE:
		return; /* the counter itself is of more use: see rate() */
	}
	if (!r->has_limit)
		return;
	f = family_of(r->row, "used", "How much of the limit is used, by the worst one.");
	put_number(out, &f, r->used);
	f = family_of(r->row, "limit", "The limit itself.");
	put_number(out, &f, r->limit);
}

static void put_states(const struct metrics_out *out, const struct look *look)
{
	static const struct family f = { "tcpwhy_sockets", NULL, false, "TCP sockets by state." };

	put_family(out, &f);
	for (enum state s = STATE_ESTABLISHED; s <= STATE_CLOSING; s++)
		if (s != STATE_CLOSED)
			buf_printf(out->b, "%s{state=\"%s\"} %" PRIu64 "\n", f.name, state_name(s),
				   look->states[s] +
					   (s == STATE_SYN_RECV ? look->states[STATE_NEW_SYN_RECV] : 0));
}

static void put_owner_labels(struct buf *b, const struct check_owner *o)
{
	buf_puts(b, "comm=\"");
	check_put_label(b, o->comm);
	buf_puts(b, "\",unit=\"");
	check_put_label(b, o->unit ? o->unit : "");
	buf_putc(b, '"');
}

/* A name may look like another one with its controls escaped. The same labels twice would make the
 * whole file worthless: the smaller one is left out. */
static bool stood_before(const struct check_results *results, size_t i, const struct buf *labels)
{
	for (size_t k = 0; k < i; k++) {
		AUTO_BUF other = { 0 };

		put_owner_labels(&other, &results->owners[k]);
		if (strcmp(buf_text(&other), buf_text(labels)) == 0)
			return true;
	}
	return false;
}

static void put_owners(const struct metrics_out *out, const struct check_results *results,
		       size_t top)
{
	static const struct family f = {
		"tcpwhy_owner_close_wait_connections", "connections", false,
		"Connections in CLOSE-WAIT of the processes that hold most, by name and unit.",
	};

	if (top == 0 || results->n_owners == 0)
		return;
	put_family(out, &f);
	for (size_t i = 0; i < results->n_owners && i < top; i++) {
		AUTO_BUF labels = { 0 };

		put_owner_labels(&labels, &results->owners[i]);
		if (!stood_before(results, i, &labels))
			buf_printf(out->b, "%s{%s} %" PRIu64 "\n", f.name, buf_text(&labels),
				   results->owners[i].n_close_wait);
	}
}

/* Counters are of one namespace: of several they would need a label and be of no use to sum. */
static void put_counters(const struct metrics_out *out, const struct look *look)
{
	const struct counters *c = &look->netns[0].counters;
	const struct {
		struct setting value;
		struct family f;
	} rows[] = {
		{ c->tw_overflow, { "tcpwhy_time_wait_overflows", NULL, true,
				    "Connections ended without TIME-WAIT." } },
		{ c->listen_overflows, { "tcpwhy_listen_overflows", NULL, true,
					 "Handshakes that met a full accept queue." } },
		{ c->listen_drops, { "tcpwhy_listen_drops", NULL, true,
				     "Handshakes that a listener refused, for any reason." } },
		{ c->abort_on_memory, { "tcpwhy_aborts_on_memory", NULL, true,
					"Connections reset for too many orphans or too little memory." } },
		{ c->out_rsts, { "tcpwhy_resets_sent", NULL, true, "Segments sent with RST." } },
	};

	for (size_t i = 0; look->n_netns == 1 && i < ARRAY_LEN(rows); i++)
		if (rows[i].value.known)
			put_number(out, &rows[i].f, (uint64_t)rows[i].value.value);
}

static void put_end(const struct metrics_out *out, bool is_whole)
{
	static const struct family f = { "tcpwhy_look_complete", NULL, false,
					 "1 if all sockets could be seen." };

	put_number(out, &f, is_whole);
	if (out->dialect == METRICS_OPENMETRICS)
		buf_puts(out->b, "# EOF\n");
}

void check_put_metrics(struct buf *b, enum metrics dialect, const struct check_results *results,
		       const struct look *look, size_t top)
{
	static const struct family status = { "tcpwhy_check_status", NULL, false,
					      "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN." };
	const struct metrics_out out = { b, dialect };

	put_family(&out, &status);
	for (size_t i = 0; i < results->n; i++)
		buf_printf(b, "%s{check=\"%s\"} %d\n", status.name, results->at[i].row->name,
			   (int)results->at[i].status);
	for (size_t i = 0; i < results->n; i++)
		if (results->at[i].known)
			put_value(&out, &results->at[i]);
	put_owners(&out, results, top);
	put_states(&out, look);
	put_counters(&out, look);
	put_end(&out, results->is_whole);
}

void check_put_metrics_failure(struct buf *b, enum metrics dialect, const char *object,
			       const char *what)
{
	const struct metrics_out out = { b, dialect };

	/* OpenMetrics knows no comments. */
	if (dialect == METRICS_PROMETHEUS) {
		buf_puts(b, "# ");
		check_put_failure(b, object, what, false);
	}
	put_end(&out, false);
}

#include "report/check.h"
#include "report/json_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* How it works: metrics are named after the checks: "ports.share" is tcpwhy_ports_ratio, beside it
 * _used and _limit; ages are _seconds, numbers _connections. What is not known has no sample, so
 * that absent() finds it. Nothing here is translated: names are looked up in dashboards.
 * Source: Prometheus, "Exposition formats", text 0.0.4. */

static void put_name(struct buf *b, const char *check, const char *suffix)
{
	const char *share = strstr(check, ".share");

	buf_puts(b, "tcpwhy_");
	for (; *check && check != share; check++)
		buf_putc(b, isalnum((unsigned char)*check) ? *check : '_');
	buf_puts(b, suffix);
}

static void put_head(struct buf *b, const struct check_row *row, const char *suffix,
		     const char *help)
{
	buf_puts(b, "# HELP ");
	put_name(b, row->name, suffix);
	buf_printf(b, " %s\n# TYPE ", help);
	put_name(b, row->name, suffix);
	buf_puts(b, " gauge\n");
	put_name(b, row->name, suffix);
	buf_putc(b, ' ');
}

/* Thousandths of a percent: five decimals of a ratio. */
static void put_ratio(struct buf *b, int64_t n)
{
	buf_printf(b, "%" PRId64 ".%05" PRId64 "\n", n / 100000, n % 100000);
}

static void put_count(struct buf *b, const struct check_row *row, const char *suffix,
		      const char *help, uint64_t n)
{
	put_head(b, row, suffix, help);
	buf_printf(b, "%" PRIu64 "\n", n);
}

static void put_value(struct buf *b, const struct check_result *r)
{
	const struct check_row *row = r->row;

	switch (row->unit) {
	case CHECK_COUNT:
		put_count(b, row, "_connections", "Connections of the worst process.",
			  (uint64_t)r->value / 1000);
		break;
	case CHECK_SECONDS:
		put_head(b, row, "_seconds", "Age of the oldest connection.");
		json_thousandths(b, r->value);
		buf_putc(b, '\n');
		break;
	case CHECK_PERCENT:
		put_head(b, row, "_ratio", "Share of its limit, of the worst one.");
		put_ratio(b, r->value);
		break;
	}
	if (!r->has_limit)
		return;
	put_count(b, row, "_used", "How much of the limit is used, by the worst one.", r->used);
	put_count(b, row, "_limit", "The limit itself.", r->limit);
}

static void put_states(struct buf *b, const struct look *look)
{
	buf_puts(b, "# HELP tcpwhy_sockets TCP sockets by state.\n# TYPE tcpwhy_sockets gauge\n");
	for (enum state s = STATE_ESTABLISHED; s <= STATE_CLOSING; s++)
		if (s != STATE_CLOSED)
			buf_printf(b, "tcpwhy_sockets{state=\"%s\"} %" PRIu64 "\n", state_name(s),
				   look->states[s] +
					   (s == STATE_SYN_RECV ? look->states[STATE_NEW_SYN_RECV] : 0));
}

/* Counters are of one namespace: of several they would need a label and be of no use to sum. */
static void put_counters(struct buf *b, const struct look *look)
{
	const struct counters *c = &look->netns[0].counters;
	const struct {
		const char *name, *help;
		struct setting value;
	} rows[] = {
		{ "time_wait_overflows", "Connections ended without TIME-WAIT.", c->tw_overflow },
		{ "listen_overflows", "Handshakes that met a full accept queue.",
		  c->listen_overflows },
		{ "aborts_on_memory", "Connections reset for too many orphans or too little memory.",
		  c->abort_on_memory },
		{ "resets_sent", "Segments sent with RST.", c->out_rsts },
	};

	for (size_t i = 0; look->n_netns == 1 && i < ARRAY_LEN(rows); i++)
		if (rows[i].value.known)
			buf_printf(b,
				   "# HELP tcpwhy_%s_total %s\n# TYPE tcpwhy_%s_total counter\n"
				   "tcpwhy_%s_total %" PRIu64 "\n",
				   rows[i].name, rows[i].help, rows[i].name, rows[i].name,
				   (uint64_t)rows[i].value.value);
}

void check_put_prometheus(struct buf *b, const struct check_results *results,
			  const struct look *look)
{
	buf_puts(b, "# HELP tcpwhy_check_status 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\n"
		    "# TYPE tcpwhy_check_status gauge\n");
	for (size_t i = 0; i < results->n; i++)
		buf_printf(b, "tcpwhy_check_status{check=\"%s\"} %d\n", results->at[i].row->name,
			   (int)results->at[i].status);
	for (size_t i = 0; i < results->n; i++)
		if (results->at[i].known)
			put_value(b, &results->at[i]);
	put_states(b, look);
	put_counters(b, look);
	buf_printf(b,
		   "# HELP tcpwhy_look_complete 1 if all sockets could be seen.\n"
		   "# TYPE tcpwhy_look_complete gauge\ntcpwhy_look_complete %d\n",
		   results->is_whole);
}

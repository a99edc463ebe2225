#include "report/watch.h"
#include "report/escape.h"
#include "report/json_value.h"
#include "report/says.h"
#include "report/state.h"
#include "report/wrap.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <string.h>

static const enum state states[] = { STATE_CLOSE_WAIT, STATE_FIN_WAIT_1, STATE_FIN_WAIT_2,
				     STATE_CLOSING, STATE_LAST_ACK, STATE_TIME_WAIT };

/* "+5.0", "-0.3" */
static void put_rate(struct buf *b, int64_t tenths)
{
	uint64_t size = (uint64_t)(tenths < 0 ? -tenths : tenths);

	buf_printf(b, "%c%" PRIu64, tenths < 0 ? '-' : '+', size / 10);
	if (size < 1000)
		buf_printf(b, ".%" PRIu64, size % 10);
}

/* "45s", "12m03s", "2h05m", "3d04h": as narrow as a column. */
static void put_time(struct buf *b, uint64_t ms)
{
	uint64_t s = ms / 1000;

	if (s < 60)
		buf_printf(b, "%" PRIu64 "s", s);
	else if (s < 3600)
		buf_printf(b, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		buf_printf(b, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s % 3600 / 60);
	else if (s < 1000 * 86400)
		buf_printf(b, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s % 86400 / 3600);
	else
		buf_puts(b, ">1000d");
}

void watch_put_states(struct buf *b, const struct frame *f)
{
	size_t before = b->n;

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		enum state s = states[i];

		if (f->n[s] == 0 && f->rate[s] == 0)
			continue;
		buf_printf(b, "%s%s %" PRIu64, b->n > before ? "  " : "", state_name(s), f->n[s]);
		if (!f->has_rates || f->rate[s] == 0)
			continue;
		buf_putc(b, ' ');
		put_rate(b, f->rate[s]);
		buf_puts(b, "/s");
	}
	if (b->n == before)
		buf_puts(b, _("no sockets in teardown states"));
}

void watch_put_name(struct buf *b, const struct frame_owner *o, bool ascii)
{
	switch (o->kind) {
	case FRAME_PROCESS:
		put_process(b, o->proc, ascii);
		break;
	case FRAME_SEVERAL:
		buf_puts(b, _("(one of several)"));
		break;
	case FRAME_KERNEL:
		buf_puts(b, _("(closed)"));
		break;
	case FRAME_HIDDEN:
		buf_puts(b, _("(not seen)"));
		break;
	case FRAME_NEW:
		buf_puts(b, _("(new)"));
		break;
	}
}

void watch_put_owner(struct buf *b, const struct frame_owner *o, bool with_times, bool ascii)
{
	const char *between = ": ";

	watch_put_name(b, o, ascii);
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (o->n[states[i]] == 0)
			continue;
		buf_printf(b, "%s%s %" PRIu64, between, state_name(states[i]), o->n[states[i]]);
		between = ", ";
		if (with_times && states[i] == STATE_CLOSE_WAIT && o->has_rate && o->gain != 0) {
			buf_putc(b, ' ');
			put_rate(b, o->gain);
			buf_puts(b, "/s");
		}
	}
	if (with_times && o->oldest.known) {
		buf_puts(b, _(", oldest "));
		put_time(b, o->oldest.ms);
	}
	if (with_times && o->is_filling) {
		buf_puts(b, _(", EMFILE in "));
		put_time(b, o->left_ms);
	}
}

void watch_put_finding(struct buf *b, const struct finding *f, bool ascii)
{
	static const char *const words[] = {
		[SEVERITY_NOTE] = "NOTE",
		[SEVERITY_WARNING] = "WARNING",
		[SEVERITY_PROBLEM] = "PROBLEM",
	};

	buf_printf(b, "%s %s", words[f->severity], f->text->id);
	if (f->subject.proc) {
		buf_putc(b, ' ');
		put_process(b, f->subject.proc, ascii);
	}
	buf_puts(b, ": ");
	says_fill(b, _(f->says ? f->says : f->text->says), f, ascii);
}

/* Columns. */

/* Right-aligned, one blank in front at least. */
static void put_cell(struct buf *b, const char *text, size_t width)
{
	size_t used = text_columns(text, strlen(text));

	do
		buf_putc(b, ' ');
	while (++used < width);
	buf_puts(b, text);
}

static void put_count(struct buf *b, uint64_t n, size_t width)
{
	AUTO_BUF text = { 0 };

	if (n > 0)
		buf_printf(&text, "%" PRIu64, n);
	else
		buf_putc(&text, '-');
	put_cell(b, buf_text(&text), width);
}

enum { NAME_WIDTH = 20, RATE_WIDTH = 8, TIME_WIDTH = 8 };

static const size_t widths[ARRAY_LEN(states)] = { 7, 5, 5, 4, 5, 7 };

void watch_put_heading(struct buf *b)
{
	/* CLOSE-WAIT, FIN-WAIT-1 and so on, as narrow as their columns. */
	static const char *const names[ARRAY_LEN(states)] = { "C-WAIT", "FW1", "FW2", "CLO", "LACK",
							      "T-WAIT" };

	buf_printf(b, "%-*s", NAME_WIDTH, "OWNER");
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		put_cell(b, names[i], widths[i]);
		if (states[i] == STATE_CLOSE_WAIT)
			put_cell(b, "GAIN/S", RATE_WIDTH);
	}
	put_cell(b, "OLDEST", TIME_WIDTH);
	put_cell(b, "EMFILE", TIME_WIDTH);
}

/* Cut in the middle of a name, never of its pid. */
static void put_name_cell(struct buf *b, const struct frame_owner *o, bool ascii)
{
	AUTO_BUF name = { 0 }, pid = { 0 };

	watch_put_name(&name, o, ascii);
	char *bracket = o->kind == FRAME_PROCESS ? strrchr(name.at, '[') : NULL;
	if (bracket) {
		buf_puts(&pid, bracket);
		*bracket = '\0';
	}
	const char *at = buf_text(&name);
	size_t left = NAME_WIDTH - pid.n;
	while (*at) {
		uint32_t c;
		size_t len = utf8_next(at, strlen(at), &c), used = text_columns(at, len ? len : 1);

		if (used > left)
			break;
		left -= used;
		buf_add(b, at, len ? len : 1);
		at += len ? len : 1;
	}
	buf_puts(b, buf_text(&pid));
	while (left-- > 0)
		buf_putc(b, ' ');
}

static void put_time_cell(struct buf *b, bool is_known, uint64_t ms)
{
	AUTO_BUF text = { 0 };

	if (is_known)
		put_time(&text, ms);
	else
		buf_putc(&text, '-');
	put_cell(b, buf_text(&text), TIME_WIDTH);
}

void watch_put_row(struct buf *b, const struct frame_owner *o, bool ascii)
{
	AUTO_BUF rate = { 0 };

	put_name_cell(b, o, ascii);
	if (o->has_rate && o->gain != 0)
		put_rate(&rate, o->gain);
	else
		buf_putc(&rate, '-');
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		put_count(b, o->n[states[i]], widths[i]);
		if (states[i] == STATE_CLOSE_WAIT)
			put_cell(b, buf_text(&rate), RATE_WIDTH);
	}
	put_time_cell(b, o->oldest.known, o->oldest.ms);
	put_time_cell(b, o->is_filling, o->left_ms);
}

/* JSON. */

static void json_rate(struct buf *b, const char *key, bool is_known, int64_t tenths)
{
	if (!is_known) {
		json_unknown(b, key);
		return;
	}
	json_key(b, key);
	json_thousandths(b, tenths * 100);
}

static void json_states(struct buf *b, const uint64_t n[static STATE_MAX])
{
	json_open(b, "states");
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		json_unsigned(b, state_name(states[i]), n[states[i]]);
	json_close(b);
}

static void json_owner(struct buf *b, const struct frame_owner *o)
{
	static const char *const kinds[] = {
		[FRAME_KERNEL] = "none",
		[FRAME_HIDDEN] = "hidden", [FRAME_NEW] = "new",
	};
	const struct proc *p = o->proc;

	json_open(b, NULL);
	json_text(b, "status", kinds[o->kind] ? kinds[o->kind] : owner_status_name(o->status));
	if (p)
		json_signed(b, "pid", p->pid);
	else
		json_unknown(b, "pid");
	json_text(b, "comm", p ? p->comm : NULL);
	json_text(b, "unit", p ? p->unit : NULL);
	json_text(b, "container", p ? p->container : NULL);
	json_states(b, o->n);
	json_rate(b, "close_wait_per_s", o->has_rate, o->gain);
	json_unsigned_or_null(b, "oldest_ms", o->oldest.ms, o->oldest.known);
	json_unsigned_or_null(b, "fds", p ? p->n_fds : 0, p && p->has_fds);
	json_unsigned_or_null(b, "fd_limit", p ? p->fd_limit : 0, p && p->fd_limit > 0);
	json_unsigned_or_null(b, "emfile_in_ms", o->left_ms, o->is_filling);
	json_close(b);
}

void watch_put_json(struct buf *b, const struct frame *f)
{
	json_open(b, NULL);
	json_text(b, "type", "look");
	json_instant(b, "time", f->look->host.time_ns);
	json_states(b, f->n);
	json_open(b, "per_s");
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		json_rate(b, state_name(states[i]), f->has_rates, f->rate[states[i]]);
	json_close(b);
	json_list(b, "owners");
	for (size_t i = 0; i < f->n_owners; i++)
		json_owner(b, &f->owners[i]);
	json_list_end(b);
	json_list(b, "findings");
	for (size_t i = 0; i < f->findings->n; i++)
		json_put_finding(b, &f->findings->at[i]);
	json_list_end(b);
	json_list(b, "gaps");
	for (size_t i = 0; i < f->look->gaps.n; i++)
		json_put_gap(b, NULL, &f->look->gaps.at[i]);
	json_list_end(b);
	json_close(b);
	buf_putc(b, '\n');
}

void watch_put_json_end(struct buf *b, bool is_complete)
{
	json_open(b, NULL);
	json_bool(b, "complete", is_complete);
	json_close(b);
	buf_putc(b, '\n');
}

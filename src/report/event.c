#include "report/event.h"
#include "report/json_value.h"
#include "report/state.h"
#include "util/i18n.h"

#include <time.h>

static void put_time(struct buf *b, int64_t ns)
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;
	char text[16];

	if (localtime_r(&s, &tm) && strftime(text, sizeof(text), "%T", &tm) > 0)
		buf_printf(b, "%s.%03d", text, (int)(ns / 1000000 % 1000));
}

static void put_end(struct buf *b, const struct endpoint *e, const struct proc *owner, bool ascii)
{
	char text[ENDPOINT_TEXT_MAX];

	buf_printf(b, " %s", endpoint_format(*e, text));
	if (!owner)
		return;
	buf_putc(b, ' ');
	put_process(b, owner, ascii);
}

void event_put(struct buf *b, const struct event *e, bool ascii)
{
	static const char *const names[] = { [EVENT_FIN] = "FIN", [EVENT_RST] = "RST", [EVENT_GONE] = "gone" };

	put_time(b, e->at_ns);
	buf_printf(b, " %s", names[e->kind]);
	put_end(b, &e->from, e->from_owner, ascii);
	buf_puts(b, " >");
	put_end(b, &e->to, e->to_owner, ascii);
	if (e->is_again)
		buf_puts(b, _(": again"));
	else if (e->kind == EVENT_FIN)
		buf_puts(b, e->is_first ? _(": closes first") : _(": closes, too"));
	else if (e->kind == EVENT_RST && e->rule)
		buf_printf(b, ": %s (%s)", e->rule, certainty_name(e->certainty));
}

static void json_owner(struct buf *b, const char *key, const struct proc *p)
{
	if (!p) {
		json_unknown(b, key);
		return;
	}
	json_open(b, key);
	json_signed(b, "pid", p->pid);
	json_text(b, "comm", p->comm);
	json_close(b);
}

void event_put_json(struct buf *b, const struct event *e)
{
	static const char *const types[] = { [EVENT_FIN] = "fin", [EVENT_RST] = "rst", [EVENT_GONE] = "gone" };

	json_open(b, NULL);
	json_text(b, "type", types[e->kind]);
	json_instant(b, "time", e->at_ns);
	json_endpoint(b, "from", &e->from);
	json_endpoint(b, "to", &e->to);
	json_owner(b, "from_owner", e->from_owner);
	json_owner(b, "to_owner", e->to_owner);
	if (e->kind == EVENT_FIN)
		json_bool(b, "closes_first", e->is_first);
	if (e->kind != EVENT_GONE)
		json_bool(b, "again", e->is_again);
	if (e->kind == EVENT_RST) {
		json_text(b, "cause", e->rule);
		json_text(b, "certainty", e->rule ? certainty_name(e->certainty) : NULL);
	}
	json_close(b);
	buf_putc(b, '\n');
}

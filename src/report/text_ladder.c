#include "report/text_ladder.h"
#include "report/says.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <string.h>

enum { ARROW = 18, STATE_WIDTH = 11 };

#define LONG_PAUSE_NS INT64_C(1000000000)

/* A word for the arrow and one for the reader. */
static const struct {
	const char *label, *words;
} kinds[] = {
	[RUNG_SYN] = { "SYN", N_("asks to connect") },
	[RUNG_SYN_ACK] = { "SYN ACK", N_("agrees") },
	[RUNG_DATA] = { "data", N_("sends") },
	[RUNG_FIN] = { "FIN", N_("sends no more") },
	[RUNG_ACK] = { "ACK", N_("acknowledges") },
	[RUNG_RST] = { "RST", N_("aborts") },
	[RUNG_PROBE] = { "probe", N_("are you still there?") },
	[RUNG_FOLDED] = { "...", "" },
};

static const char *state_or_blank(enum state s)
{
	return s == STATE_UNKNOWN ? "" : state_name(s);
}

/* "-- FIN --------->" or "<--------- FIN --" */
static void put_arrow(struct buf *b, const char *label, enum side from)
{
	size_t dashes = ARROW - strlen(label) - 5; /* "-- ", " " and the head */

	buf_puts(b, from == SIDE_CLIENT ? "-- " : "<");
	if (from == SIDE_CLIENT)
		buf_printf(b, "%s ", label);
	for (size_t i = 0; i < dashes; i++)
		buf_putc(b, '-');
	buf_printf(b, from == SIDE_CLIENT ? ">" : " %s --", label);
}

/* At most 26 columns. */
static void put_words(struct buf *b, const struct rung *r)
{
	if (r->kind == RUNG_FOLDED) {
		buf_printf(b, _("%u segments, "), r->n_more);
		says_bytes(b, r->more_bytes);
	} else if (r->kind == RUNG_DATA) {
		says_bytes(b, r->len);
		if (r->is_again)
			buf_puts(b, _(", again"));
	} else if (r->is_again) {
		buf_puts(b, _("the same again"));
	} else if (r->acks_fin) {
		buf_puts(b, r->kind == RUNG_FIN ? _("heard it and closes, too") :
						  _("heard the FIN"));
	} else {
		buf_puts(b, _(kinds[r->kind].words));
	}
	if (r->kind == RUNG_FIN && r->len > 0 && !r->acks_fin)
		buf_puts(b, _(", with data"));
}

/* since_ns: TIME_NONE without time stamps. */
static void put_rung(struct report *r, const struct rung *rung, int64_t since_ns)
{
	AUTO_BUF arrow = { 0 };
	AUTO_BUF words = { 0 };

	if (rung->kind == RUNG_FOLDED)
		buf_printf(&arrow, "%*s...", ARROW / 2 - 1, "");
	else
		put_arrow(&arrow, kinds[rung->kind].label, rung->from);
	put_words(&words, rung);
	if (since_ns == TIME_NONE)
		out_printf(&r->out, " %9s", "-");
	else
		out_printf(&r->out, " %9.3f", (double)since_ns / 1e9);
	out_printf(&r->out, " %-*s %-*s %-*s %s\n", STATE_WIDTH,
		   state_or_blank(rung->state[SIDE_CLIENT]), ARROW, buf_text(&arrow), STATE_WIDTH,
		   state_or_blank(rung->state[SIDE_SERVER]), buf_text(&words));
}

static void put_pause(struct report *r, int64_t ns)
{
	AUTO_BUF text = { 0 };

	says_duration(&text, (uint64_t)ns / 1000000);
	out_printf(&r->out, _("           (nothing for %s)\n"), buf_text(&text));
}

void text_ladder(struct report *r, const struct ladder *l)
{
	int64_t first = l->n ? l->at[0].at_ns : 0, last = first;

	out_printf(&r->out, " %9s %-*s %-*s %s\n", _("seconds"), STATE_WIDTH, _("client"), ARROW, "",
		   _("server"));
	for (size_t i = 0; i < l->n; i++) {
		if (l->at[i].kind != RUNG_FOLDED && l->at[i].at_ns - last >= LONG_PAUSE_NS)
			put_pause(r, l->at[i].at_ns - last);
		put_rung(r, &l->at[i], l->is_untimed ? TIME_NONE : l->at[i].at_ns - first);
		last = l->at[i].at_ns;
	}
	if (l->n_left_out)
		out_printf(&r->out, _("           (%" PRIu64 " more segments)\n"), l->n_left_out);
	out_putc(&r->out, '\n');
}

#include "wire/source.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <string.h>

static struct table_counts counts_of(const struct flowtab *t)
{
	return (struct table_counts){
		.duplicates = t->n_duplicates, .left = t->store.n_left,
		.left_open = t->store.n_left_open, .refused = t->refused,
		.notes_refused = t->store.n_notes_refused,
	};
}

void source_begin(struct source *s, struct flowtab *tab)
{
	s->tab = tab;
	s->before = counts_of(tab);
	s->capture = flowtab_begin(tab);
}

/* Less is usual: queues and interfaces are not read in the order of time. Such a step changes no duration that
 * matters; what sets a clock, or appends one capture to another, does. */
static void note_step_back(struct source *s, int64_t at_ns)
{
	enum { STEP_NS = 1000000000 };

	if (s->at_ns - at_ns >= STEP_NS && s->n_back++ == 0) {
		s->back_at = s->info->packets;
		s->back_ns = s->at_ns - at_ns;
	}
	s->at_ns = at_ns;
}

void source_frame(struct source *s, const struct link_type *link, struct bytes b,
		  uint32_t wire_len, int64_t at_ns, uint32_t place)
{
	struct capture_info *info = s->info;
	struct segment *seg = s->holds ? &s->held : flowtab_slot(s->tab);

	/* Without time stamps the order of the file stands for them, a nanosecond a packet, so that
	 * what came first is still known. */
	if (at_ns == 0)
		at_ns = (int64_t)info->packets;
	info->packets++;
	info->bytes += wire_len;
	note_step_back(s, at_ns);
	if (info->first_ns == TIME_NONE || at_ns < info->first_ns)
		info->first_ns = at_ns;
	if (info->last_ns == TIME_NONE || at_ns > info->last_ns)
		info->last_ns = at_ns;
	if (!link) {
		s->decoder.skips[SKIP_LINK_TYPE]++;
		return;
	}
	if (!decode_frame(&s->decoder, link, b, wire_len, seg))
		return;
	if (s->tab->wants && !s->tab->wants(s->tab->ctx, seg))
		return;
	seg->at_ns = at_ns;
	seg->capture = s->capture;
	if (!seg->link_id)
		seg->link_id = place;
	info->tcp_packets++;
	if (!s->holds) {
		flowtab_push(s->tab);
		return;
	}
	/* Each file is a place of its own. */
	seg->link_id |= (s->capture + 1u) << 24;
	s->has_held = true;
}

void source_note_link(struct source *s, const char *name)
{
	struct capture_info *info = s->info;

	for (size_t i = 0; i < info->n_link_types; i++)
		if (strcmp(info->link_types[i], name) == 0)
			return;
	if (info->n_link_types < MAX_LINK_TYPES)
		info->link_types[info->n_link_types++] = name;
}

static void say_overflow(struct source *s)
{
	struct capture_info *i = s->info;

	if (i->flows_left + i->flows_left_open + i->segments_refused > 0)
		i->overflow = arena_printf(s->arena,
					   _("more connections than can be kept: %" PRIu64 " closed and %" PRIu64
					     " unanswered ones were left out, and %" PRIu64
					     " segments of others"),
					   i->flows_left, i->flows_left_open, i->segments_refused);
	else if (i->notes_refused > 0)
		i->overflow = arena_printf(s->arena, _("%" PRIu64 " details of connections (repetitions, "
						       "resets) are more than can be kept"),
					   i->notes_refused);
}

static void say_step_back(struct source *s)
{
	int64_t by = s->back_ns / 1000000000;

	if (s->n_back == 1)
		s->info->time_back = arena_printf(s->arena, _("time goes back at packet %" PRIu64 ", by %" PRId64 " s"),
						  s->back_at, by);
	else if (s->n_back > 1)
		s->info->time_back = arena_printf(s->arena, _("time goes back %" PRIu64 " times, first at packet %" PRIu64
							      ", by %" PRId64 " s"),
						  s->n_back, s->back_at, by);
}

static void say_cut(struct source *s)
{
	const struct decoder *d = &s->decoder;

	if (d->n_cut == 1)
		s->info->headers_cut = arena_printf(s->arena, _("a packet was cut within its headers: only %" PRIu32
								" bytes of it were captured"), d->cut_at);
	else if (d->n_cut > 1)
		s->info->headers_cut = arena_printf(s->arena, _("%" PRIu64 " packets were cut within their headers: at most %"
								PRIu32 " bytes of each were captured"),
						    d->n_cut, d->cut_at);
}

void source_forget_overflow(struct source *s)
{
	struct capture_info *i = s->info;

	i->flows_left = i->flows_left_open = i->segments_refused = i->notes_refused = 0;
	i->overflow = NULL;
}

void source_end(struct source *s)
{
	struct capture_info *info = s->info;

	flowtab_run(s->tab);
	struct table_counts now = counts_of(s->tab);
	s->tab->captures[s->capture].header_cut += s->decoder.n_cut;
	flowtab_end(s->tab, s->capture, info->dropped_by_kernel);
	info->content = flowtab_content(s->tab, s->capture);
	info->is_untimed = info->first_ns == 0 && info->last_ns < (int64_t)info->packets;
	s->tab->captures[s->capture].is_untimed = info->is_untimed;
	if (info->is_untimed)
		info->first_ns = info->last_ns = TIME_NONE;
	info->flows_left = now.left - s->before.left;
	info->flows_left_open = now.left_open - s->before.left_open;
	info->segments_refused = now.refused - s->before.refused;
	info->notes_refused = now.notes_refused - s->before.notes_refused;
	say_overflow(s);
	say_step_back(s);
	say_cut(s);
	s->decoder.skips[SKIP_DUPLICATE] = now.duplicates - s->before.duplicates;
	info->n_skips = 0;
	for (unsigned i = 1; i < N_SKIPS; i++)
		if (s->decoder.skips[i] && info->n_skips < MAX_SKIPS)
			info->skips[info->n_skips++] =
				(struct skip){ skip_reason_name(i), s->decoder.skips[i] };
}

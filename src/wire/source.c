#include "wire/source.h"

#include <string.h>

void source_begin(struct source *s, struct flowtab *tab)
{
	s->tab = tab;
	s->refused_before = tab->refused;
	s->duplicates_before = tab->n_duplicates;
	s->capture = flowtab_begin(tab);
}

void source_frame(struct source *s, const struct link_type *link, struct bytes b,
		  uint32_t wire_len, int64_t at_ns, uint32_t place)
{
	struct capture_info *info = s->info;
	struct segment *seg = s->holds ? &s->held : flowtab_slot(s->tab);

	info->packets++;
	info->bytes += wire_len;
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

void source_end(struct source *s)
{
	struct capture_info *info = s->info;

	flowtab_end(s->tab, s->capture, info->dropped_by_kernel);
	info->content = flowtab_content(s->tab, s->capture);
	info->flows_refused = s->tab->refused - s->refused_before;
	s->decoder.skips[SKIP_DUPLICATE] = s->tab->n_duplicates - s->duplicates_before;
	info->n_skips = 0;
	for (unsigned i = 1; i < N_SKIPS; i++)
		if (s->decoder.skips[i] && info->n_skips < MAX_SKIPS)
			info->skips[info->n_skips++] =
				(struct skip){ skip_reason_name(i), s->decoder.skips[i] };
}

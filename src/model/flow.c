#include "model/flow.h"

#include <string.h>

const char *pattern_name(enum pattern p)
{
	static const char *const names[] = {
		[PATTERN_FOUR_WAY] = "four-way",
		[PATTERN_THREE_SEGMENT] = "three-segment",
		[PATTERN_SIMULTANEOUS] = "simultaneous",
		[PATTERN_HALF_CLOSED] = "half-closed",
		[PATTERN_RESET] = "reset",
		[PATTERN_RESET_AFTER_FIN] = "reset-after-fin",
		[PATTERN_REFUSED] = "refused",
		[PATTERN_SILENT] = "silent",
		[PATTERN_OPEN] = "open",
	};

	return names[p];
}

const char *content_name(enum content c)
{
	static const char *const names[] = {
		[CONTENT_FULL] = "full",
		[CONTENT_FIN_RST_ONLY] = "fin-rst-only",
		[CONTENT_PARTIAL] = "partial",
	};

	return names[c];
}

const char *saw_name(enum saw s)
{
	static const char *const names[] = {
		[SAW_UNKNOWN] = NULL,
		[SAW_EOF] = "EOF",
		[SAW_ECONNRESET] = "ECONNRESET",
		[SAW_EPIPE] = "EPIPE",
		[SAW_ETIMEDOUT] = "ETIMEDOUT",
		[SAW_ECONNREFUSED] = "ECONNREFUSED",
		[SAW_ECONNABORTED] = "ECONNABORTED",
	};

	return names[s];
}

const char *side_name(enum side s)
{
	return s == SIDE_CLIENT ? "client" : "server";
}

const char *closed_first_name(enum closed_first c)
{
	static const char *const names[] = {
		[CLOSED_NOBODY] = NULL,
		[CLOSED_CLIENT] = "client",
		[CLOSED_SERVER] = "server",
		[CLOSED_BOTH] = "both",
	};

	return names[c];
}

struct flow *flow_keep(const struct flow *view, struct arena *arena)
{
	size_t size = offsetof(struct flow, rsts) + view->n_rsts * sizeof(view->rsts[0]);
	struct flow *kept = arena_alloc(arena, size);

	memcpy(kept, view, size);
	return kept;
}

int64_t flow_fin_ns(const struct flow *f, enum side side)
{
	const struct flow_fin *fin = &f->end[side].fin;

	if (!fin->is_inferred)
		return fin->at_ns;
	return f->is_untimed ? TIME_NONE : fin->acked_ns;
}

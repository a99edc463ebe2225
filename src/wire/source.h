#pragma once

/* Between a reader of frames (libpcap, pcapng.c) and the flow table: decodes, counts, and keeps the
 * capture's info up to date. */

#include "util/arena.h"
#include "wire/capture.h"
#include "wire/flowtab_in.h"

/* What the table had counted when this capture began. */
struct table_counts {
	uint64_t duplicates, left, left_open, refused, notes_refused;
};

struct source {
	struct flowtab *tab;
	struct decoder decoder;
	struct capture_info *info;
	struct arena *arena;          /* of the info's strings */
	const struct link_type *link; /* of every frame, where the file has one */
	struct table_counts before;
	uint8_t capture;              /* its number in the table */
	int64_t at_ns;                /* of the last frame */
	/* Steps back: how many, and of the first one where and how far. */
	uint64_t n_back, back_at;
	int64_t back_ns;
	/* One of several that are read at once: its segment waits here for its turn. */
	bool holds, has_held;
	struct segment held;
};

void source_begin(struct source *s, struct flowtab *tab);
/* One frame. link NULL: its type is not known here. `place` tells the interfaces of one file apart,
 * 0 unknown. */
void source_frame(struct source *s, const struct link_type *link, struct bytes b,
		  uint32_t wire_len, int64_t at_ns, uint32_t place);
/* Adds a link type to the info, once. The name must live as long as the info. */
void source_note_link(struct source *s, const char *name);
void source_end(struct source *s);
/* Of several that were read at once: what did not fit is said of one of them. */
void source_forget_overflow(struct source *s);

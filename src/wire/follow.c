#include "wire/follow.h"
#include "util/arena.h"
#include "wire/flowtab.h"
#include "wire/flowtab_in.h"
#include "wire/teardown.h"

#include <stdlib.h>

enum { MAX_FLOWS = 1 << 15 };

struct follow {
	struct capture *device;
	struct flowtab *tab;
	uint64_t n_duplicates;
	follow_fn *see;
	void *ctx;
};

static void on_segment(void *ctx, struct flowtab *t, const struct segment *s)
{
	struct follow *f = ctx;
	struct followed_segment seen = { .at_ns = s->at_ns, .is_rst = s->flags & TCP_RST };
	const struct slot *slot = flowstore_find(&t->store, s);
	struct flow now;

	/* The same packet captured twice is one: it passes loopback going out and coming in. */
	if (t->n_duplicates > f->n_duplicates) {
		f->n_duplicates = t->n_duplicates;
		return;
	}
	if (!(s->flags & (TCP_FIN | TCP_RST)) || !slot || !slot->rec_plus_1)
		return;
	teardown_view(t, slot->rec_plus_1 - 1, &now);
	if (!teardown_sender(&now, s, &seen.from))
		return;
	seen.is_again = seen.is_rst ? now.n_rst_packets > 1 :
				      now.end[seen.from].fin.retransmissions > 0;
	f->see(f->ctx, &now, &seen);
}

static void begin_anew(struct follow *f)
{
	flowtab_free(f->tab);
	f->tab = flowtab_new();
	f->tab->see = on_segment;
	f->tab->ctx = f;
	f->n_duplicates = 0;
}

struct follow *follow_new(struct capture *device, follow_fn *see, void *ctx)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (!f)
		arena_die();
	f->device = device;
	f->see = see;
	f->ctx = ctx;
	begin_anew(f);
	return f;
}

int follow_some(struct follow *f)
{
	if (flowtab_count(f->tab) > MAX_FLOWS)
		begin_anew(f);
	return capture_follow(f->device, f->tab);
}

void follow_free(struct follow *f)
{
	flowtab_free(f->tab);
	free(f);
}

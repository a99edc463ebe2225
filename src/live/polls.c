#include "live/polls.h"
#include "util/arena.h"

#include <stdlib.h>

void polls_note(struct polls *p, size_t first, struct poll_fd fd)
{
	if (p->n - first > POLLS_MAX_SETS)
		return;
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 64;
		p->at = xrealloc_array(p->at, p->cap, sizeof(*p->at));
	}
	p->at[p->n++] = fd;
}

const struct poll_fd *polls_find(const struct polls *p, unsigned pid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->at[i].pid == pid)
			return &p->at[i];
	return NULL;
}

void polls_free(struct polls *p)
{
	free(p->at);
	*p = (struct polls){ 0 };
}

#include "model/look.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SOCKS = 1 << 24 };

struct look *look_new(void)
{
	struct arena *arena = arena_new();
	struct look *look = arena_alloc(arena, sizeof(*look));

	look->arena = arena;
	look->source = "live";
	return look;
}

void look_free(struct look *look)
{
	if (!look)
		return;
	gaps_free(&look->gaps);
	free(look->socks);
	arena_free(look->arena);
}

struct sock *look_add_sock(struct look *look)
{
	if (look->n_socks >= MAX_SOCKS)
		return NULL;
	if (look->n_socks == look->cap_socks) {
		look->cap_socks = look->cap_socks ? look->cap_socks * 2 : 256;
		look->socks = xrealloc_array(look->socks, look->cap_socks, sizeof(*look->socks));
	}
	struct sock *s = &look->socks[look->n_socks++];
	memset(s, 0, sizeof(*s));
	return s;
}

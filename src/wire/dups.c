#include "wire/dups.h"

enum { DUP_NS = 1000 * 1000, ENOUGH = 2 };

static uint64_t signature(const struct segment *s)
{
	uint64_t a = (uint64_t)s->seq << 32 | s->ack;
	uint64_t b = (uint64_t)s->hash << 32 | (uint32_t)s->flags << 24 | (uint32_t)s->side << 16 |
		     s->ip_id;
	uint64_t c = (uint64_t)s->ts_val << 32 | (s->len ^ (uint32_t)s->window << 16);

	a = (a ^ b * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
	a = (a ^ a >> 32 ^ c) * 0xc4ceb9fe1a85ec53u;
	return a ^ a >> 29;
}

static bool is_copy(struct dups *d, const struct dup *old, const struct segment *s)
{
	int64_t apart = s->at_ns - old->at_ns;

	if (apart > DUP_NS || apart < -DUP_NS)
		return false;
	bool other_place = (old->link_id != s->link_id && old->link_id && s->link_id) ||
			   old->ttl != s->ttl;
	if (other_place || s->ip_id) {
		d->n_certain++;
		return true;
	}
	return d->n_certain >= ENOUGH;
}

bool dups_has(struct dups *d, const struct segment *s)
{
	uint64_t sig = signature(s);
	struct dup *old = &d->recent[sig % N_DUPS];

	if (old->signature == sig && is_copy(d, old, s))
		return true;
	*old = (struct dup){ s->at_ns, sig, s->link_id, s->ttl };
	return false;
}

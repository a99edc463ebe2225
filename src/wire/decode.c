#include "wire/decode.h"

/* Cut by a snap length: what is as short as it was on the wire is damaged. */
static void note_cut(struct decoder *d, enum skip_reason why, size_t captured)
{
	bool is_short = why == SKIP_SHORT_LINK || why == SKIP_SHORT_IP || why == SKIP_SHORT_TCP;

	if (!is_short || d->missing == 0)
		return;
	d->n_cut++;
	if (captured > d->cut_at)
		d->cut_at = (uint32_t)captured;
}

bool decode_frame(struct decoder *d, const struct link_type *link, struct bytes b,
		  uint32_t wire_len, struct segment *ret)
{
	/* Some writers give a length on the wire below what they captured. */
	struct packet p = { b, wire_len > b.left ? wire_len - (uint32_t)b.left : 0 };

	ret->tunnel = 0;
	ret->link_id = 0;
	ret->window = ret->checksum = 0;
	ret->ts_val = 0; /* part of what copies are recognised by, also where there is none */
	ret->has_ts = ret->has_options = false;
	d->layers = 0;
	d->missing = p.cut;
	d->seg = ret;
	enum skip_reason why = link->decode(d, p);
	if (why == SKIP_NONE)
		return true;
	d->skips[why]++;
	note_cut(d, why, b.left);
	return false;
}

const char *skip_reason_name(enum skip_reason r)
{
	static const char *const names[] = {
		[SKIP_NONE] = "none",
		[SKIP_SHORT_LINK] = "short-link",
		[SKIP_NOT_IP] = "not-ip",
		[SKIP_ENCRYPTED] = "encrypted",
		[SKIP_SHORT_IP] = "short-ip",
		[SKIP_BAD_IP] = "bad-ip",
		[SKIP_FRAGMENT] = "fragment",
		[SKIP_NOT_TCP] = "not-tcp",
		[SKIP_TOO_DEEP] = "too-deep",
		[SKIP_SHORT_TCP] = "short-tcp",
		[SKIP_BAD_TCP] = "bad-tcp",
		[SKIP_ODD_FLAGS] = "odd-flags",
		[SKIP_DUPLICATE] = "duplicate",
		[SKIP_LINK_TYPE] = "link-type",
		[SKIP_NO_INTERFACE] = "no-interface",
	};

	return names[r];
}

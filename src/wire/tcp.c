#include "wire/decode.h"

/* How it works: the fourteen bytes up to the flags are all a teardown needs, so a header that the
 * snap length cut behind them still counts. Options are read only as far as they are whole. */

enum { OPT_END = 0, OPT_NOP = 1, OPT_TIMESTAMPS = 8, TWO_NOPS_AND_TIMESTAMPS = 0x0101080a };

/* RFC 7323 appendix A: nearly every segment has these options and no others. */
static bool are_usual(struct bytes b, struct segment *s)
{
	if (b.left != 12 || bytes_be32_at(&b, 0) != TWO_NOPS_AND_TIMESTAMPS)
		return false;
	s->ts_val = bytes_be32_at(&b, 4);
	return true;
}

static void read_options(struct bytes b, struct segment *s)
{
	uint8_t kind, size;
	struct bytes body;

	s->has_options = b.left > 0;
	s->has_ts = are_usual(b, s);
	if (s->has_ts)
		return;
	while (bytes_u8(&b, &kind) && kind != OPT_END) {
		if (kind == OPT_NOP)
			continue;
		if (!bytes_u8(&b, &size) || size < 2 || !bytes_take(&b, size - 2u, &body))
			return;
		if (kind == OPT_TIMESTAMPS && size == 10)
			s->has_ts = bytes_be32(&body, &s->ts_val);
	}
}

enum skip_reason decode_tcp(struct decoder *d, struct packet p)
{
	struct segment *s = d->seg;
	uint64_t wire_len = (uint64_t)p.b.left + p.cut;
	struct bytes b = p.b, fixed, options;

	if (!bytes_take(&b, 14, &fixed))
		return SKIP_SHORT_TCP;
	s->port[0] = bytes_be16_at(&fixed, 0);
	s->port[1] = bytes_be16_at(&fixed, 2);
	s->seq = bytes_be32_at(&fixed, 4);
	s->ack = bytes_be32_at(&fixed, 8);
	s->flags = bytes_u8_at(&fixed, 13);
	size_t header = (size_t)(bytes_u8_at(&fixed, 12) >> 4) * 4;
	if (header < 20 || header > wire_len)
		return SKIP_BAD_TCP;
	s->len = (uint32_t)(wire_len - header);
	s->is_header_cut = !bytes_be16(&b, &s->window) || !bytes_be16(&b, &s->checksum) ||
			   !bytes_skip(&b, 2); /* urgent pointer */
	if (!s->is_header_cut && bytes_take(&b, header - 20, &options))
		read_options(options, s);
	return SKIP_NONE;
}

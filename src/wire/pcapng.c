#include "wire/pcapng.h"
#include "util/i18n.h"

#include <errno.h>
#include <stdlib.h>

/* How it works: a file is blocks {type, length, body, length again}, in sections. A section header
 * sets the byte order; interface blocks give link type, snap length and clock; packets name their
 * interface. The body is read whole into one buffer and parsed inside that view.
 *
 *   block      type 4 | length 4 | body, padded to 4 | length 4
 *   section    0a0d0d0a | length | magic 4 | version 2 2 | section length 8 | options
 *   interface  1 | length | link type 2 | 0 2 | snap length 4 | options
 *   packet     6 | length | interface 4 | time high 4 low 4 | captured 4 | on the wire 4 | data …
 *   simple     3 | length | on the wire 4 | data                      (interface 0, no time)
 *   old packet 2 | length | interface 2 | drops 2 | time … as packet
 *   statistics 5 | length | interface 4 | time high 4 low 4 | options */

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_OLD_PACKET = 2,
	BLOCK_SIMPLE = 3,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
	OPT_TSRESOL = 9,
	OPT_TSOFFSET = 14,
	OPT_IFDROP = 5, /* of statistics */
	OPT_OSDROP = 7,
	FRAME = 12,                /* of a block: type and both lengths */
	MAX_BLOCK = 16 << 20,      /* libpcap's own cap */
	MAX_INTERFACES = 1 << 16,
};

__extension__ typedef __int128 wide;

struct interface {
	const struct link_type *link; /* NULL: not known here */
	uint32_t snaplen;             /* 0: none */
	uint8_t resolution;           /* high bit: a power of two, else of ten; of a second */
	int64_t offset_s;
	uint64_t drops[2];            /* its own, and those of the operating system behind it */
};

struct pcapng {
	FILE *file;
	struct source *to;
	bool is_swapped;
	struct interface *interfaces;
	uint32_t n_interfaces, cap_interfaces;
	wide dropped; /* of all interfaces of all sections */
	uint8_t *body;
	size_t cap_body;
	bool gave_packet;
};

struct pcapng *pcapng_new(FILE *file, struct source *to)
{
	struct pcapng *p = calloc(1, sizeof(*p));

	if (!p)
		arena_die();
	p->file = file;
	p->to = to;
	return p;
}

void pcapng_free(struct pcapng *p)
{
	free(p->interfaces);
	free(p->body);
	free(p);
}

MUST_CHECK static bool get32(const struct pcapng *p, struct bytes *b, uint32_t *ret)
{
	return p->is_swapped ? bytes_be32(b, ret) : bytes_le32(b, ret);
}

MUST_CHECK static bool get16(const struct pcapng *p, struct bytes *b, uint16_t *ret)
{
	return p->is_swapped ? bytes_be16(b, ret) : bytes_le16(b, ret);
}

MUST_CHECK static bool get64(const struct pcapng *p, struct bytes *b, uint64_t *ret)
{
	uint32_t first, second;

	if (!get32(p, b, &first) || !get32(p, b, &second))
		return false;
	*ret = p->is_swapped ? (uint64_t)first << 32 | second : (uint64_t)second << 32 | first;
	return true;
}

/* Of bytes that are there for certain: the ends of a block. */
static uint32_t u32_of(const struct pcapng *p, const uint8_t at[4])
{
	struct bytes b = { at, 4 };
	uint32_t v = bytes_be32_at(&b, 0);

	return p->is_swapped ? v : __builtin_bswap32(v);
}

static int damaged(struct pcapng *p, const char *how)
{
	p->to->info->error = how;
	return -EBADMSG;
}

static int cut(struct pcapng *p)
{
	p->to->info->is_cut = true;
	return damaged(p, _("the file ends in the middle of a block"));
}

static bool pass_over(struct pcapng *p, uint32_t n)
{
	char waste[4096];

	while (n) {
		size_t step = n < sizeof(waste) ? n : sizeof(waste);

		if (fread(waste, 1, step, p->file) != step)
			return false;
		n -= (uint32_t)step;
	}
	return true;
}

/* Into the buffer. */
static bool read_body(struct pcapng *p, size_t n)
{
	if (n > p->cap_body) {
		p->cap_body = n + 4096;
		p->body = xrealloc_array(p->body, p->cap_body, 1);
	}
	return fread(p->body, 1, n, p->file) == n;
}

/* false: that was the last one, or the rest is damaged. */
MUST_CHECK static bool next_option(const struct pcapng *p, struct bytes *b, uint16_t *ret_code,
				   struct bytes *ret_value)
{
	uint16_t size;

	return get16(p, b, ret_code) && get16(p, b, &size) && *ret_code &&
	       bytes_take(b, size, ret_value) && bytes_skip(b, -(size_t)size & 3);
}

static void read_options(const struct pcapng *p, struct bytes b, struct interface *to)
{
	uint16_t code;
	struct bytes value;
	uint64_t offset;

	while (next_option(p, &b, &code, &value)) {
		if (code == OPT_TSRESOL && !bytes_u8(&value, &to->resolution))
			return;
		if (code == OPT_TSOFFSET && get64(p, &value, &offset))
			to->offset_s = (int64_t)offset;
	}
}

static int read_interface(struct pcapng *p, struct bytes b)
{
	enum { MICROSECONDS = 6 };
	struct interface new = { .resolution = MICROSECONDS };
	struct source *to = p->to;
	uint16_t type;

	if (!get16(p, &b, &type) || !bytes_skip(&b, 2) || !get32(p, &b, &new.snaplen))
		return damaged(p, _("an interface block is too short"));
	if (p->n_interfaces == MAX_INTERFACES)
		return damaged(p, _("more interfaces than any capture has"));
	read_options(p, b, &new);
	new.link = link_find(type);
	source_note_link(to, new.link ? new.link->name : arena_printf(to->arena, "%u", type));
	to->info->is_nano |= new.resolution > MICROSECONDS;
	if (p->n_interfaces == p->cap_interfaces) {
		p->cap_interfaces = p->cap_interfaces ? p->cap_interfaces * 2 : 4;
		p->interfaces = xrealloc_array(p->interfaces, p->cap_interfaces,
					       sizeof(*p->interfaces));
	}
	p->interfaces[p->n_interfaces++] = new;
	return 0;
}

/* Clamped to what 62 bits of nanoseconds hold: the year 2116. */
static int64_t time_ns(const struct interface *i, uint64_t ticks)
{
	const wide limit = (wide)1 << 62, second = 1000000000;
	unsigned power = i->resolution & 0x7f;
	wide ns = ticks;

	if (i->resolution & 0x80) {
		ns = power < 64 ? ns * second >> power : 0;
	} else {
		for (; power < 9; power++)
			ns *= 10;
		for (; power > 9 && ns; power--)
			ns /= 10;
	}
	ns += i->offset_s * second;
	return (int64_t)(ns < 0 ? 0 : ns > limit ? limit : ns);
}

static int give(struct pcapng *p, uint32_t number, struct bytes b, uint32_t captured,
		uint32_t wire_len, int64_t at_ns)
{
	struct bytes frame;

	if (!bytes_take(&b, captured, &frame))
		return damaged(p, _("a packet is longer than its block"));
	source_frame(p->to, p->interfaces[number].link, frame, wire_len, at_ns, number + 1);
	p->gave_packet = true;
	return 0;
}

/* Of an interface that was never described: nobody can know its link type. */
static int no_interface(struct pcapng *p)
{
	p->to->info->packets++;
	p->to->decoder.skips[SKIP_NO_INTERFACE]++;
	p->gave_packet = true;
	return 0;
}

static int read_packet(struct pcapng *p, struct bytes b, bool is_old)
{
	uint32_t number, high, low, captured, wire_len;
	uint16_t number16;

	if (is_old) {
		if (!get16(p, &b, &number16) || !bytes_skip(&b, 2))
			return damaged(p, _("a packet block is too short"));
		number = number16;
	} else if (!get32(p, &b, &number)) {
		return damaged(p, _("a packet block is too short"));
	}
	if (!get32(p, &b, &high) || !get32(p, &b, &low) || !get32(p, &b, &captured) ||
	    !get32(p, &b, &wire_len))
		return damaged(p, _("a packet block is too short"));
	if (number >= p->n_interfaces)
		return no_interface(p);
	return give(p, number, b, captured, wire_len,
		    time_ns(&p->interfaces[number], (uint64_t)high << 32 | low));
}

/* Has no time; it counts as taken together with the packet before it. */
static int read_simple(struct pcapng *p, struct bytes b)
{
	const struct capture_info *info = p->to->info;
	uint32_t wire_len;

	if (!get32(p, &b, &wire_len))
		return damaged(p, _("a packet block is too short"));
	if (!p->n_interfaces)
		return no_interface(p);
	uint32_t captured = wire_len, snaplen = p->interfaces[0].snaplen;
	if (snaplen && captured > snaplen)
		captured = snaplen;
	if (captured > b.left)
		captured = (uint32_t)b.left;
	return give(p, 0, b, captured, wire_len, info->last_ns == TIME_NONE ? 0 : info->last_ns);
}

/* Both counters are of the time since the capture began, so the last one of an interface holds all before it.
 * They count at two places that a packet passes one after the other, the interface and then the operating
 * system, so none is in both: draft-ietf-opsawg-pcapng, section 4.6. dumpcap writes isb_ifdrop alone, and in it
 * what the kernel dropped as well as what it dropped itself: capture_loop_start(). Damage here costs no packet
 * and ends no reading. */
static void read_statistics(struct pcapng *p, struct bytes b)
{
	/* What a reader of JSON can count exactly, and many captures together without an overflow. */
	const wide most = (wide)1 << 53;
	uint32_t number;
	uint16_t code;
	struct bytes value;
	uint64_t n;

	if (!get32(p, &b, &number) || !bytes_skip(&b, 8) || number >= p->n_interfaces)
		return;
	uint64_t *drops = p->interfaces[number].drops;
	p->dropped -= (wide)drops[0] + drops[1];
	while (next_option(p, &b, &code, &value))
		if ((code == OPT_IFDROP || code == OPT_OSDROP) && get64(p, &value, &n))
			drops[code == OPT_OSDROP] = n;
	p->dropped += (wide)drops[0] + drops[1];
	p->to->info->dropped_by_kernel = (uint64_t)(p->dropped < most ? p->dropped : most);
}

/* The byte order is in the body, before the length can be read. */
static int read_section(struct pcapng *p, const uint8_t length[4], uint32_t *ret_length)
{
	enum { MAGIC = 0x1a2b3c4d, SWAPPED = 0x4d3c2b1a };

	if (!read_body(p, 4))
		return cut(p);
	p->is_swapped = false;
	uint32_t magic = u32_of(p, p->body);
	if (magic != MAGIC && magic != (uint32_t)SWAPPED)
		return damaged(p, _("a section has no byte order"));
	p->is_swapped = magic != MAGIC;
	p->n_interfaces = 0;
	*ret_length = u32_of(p, length);
	return 0;
}

static int read_known(struct pcapng *p, uint32_t type, struct bytes b)
{
	if (type == BLOCK_INTERFACE)
		return read_interface(p, b);
	if (type == BLOCK_SIMPLE)
		return read_simple(p, b);
	if (type == BLOCK_STATISTICS) {
		read_statistics(p, b);
		return 0;
	}
	return read_packet(p, b, type == BLOCK_OLD_PACKET);
}

/* What follows the type and the first length; of the body `have` bytes are read already. */
static int read_rest(struct pcapng *p, uint32_t type, uint32_t length, size_t have)
{
	bool is_known = type == BLOCK_INTERFACE || type == BLOCK_PACKET ||
			type == BLOCK_OLD_PACKET || type == BLOCK_SIMPLE || type == BLOCK_STATISTICS;
	size_t body = 0; /* how much of the buffer it is */

	if (length < FRAME + have)
		return damaged(p, _("a block is shorter than its frame"));
	if (is_known) {
		if (length > MAX_BLOCK)
			return damaged(p, _("a block is larger than 16 MiB"));
		body = length - FRAME;
	} else if (!pass_over(p, length - FRAME - (uint32_t)have)) {
		return cut(p);
	}
	if (!read_body(p, body + 4))
		return cut(p);
	int err = is_known ? read_known(p, type, (struct bytes){ p->body, body }) : 0;
	if (err)
		return err;
	if (u32_of(p, p->body + body) != length)
		return damaged(p, _("the two lengths of a block differ"));
	return 0;
}

static int read_block(struct pcapng *p, bool *ret_end)
{
	uint8_t head[8];
	size_t got = fread(head, 1, sizeof(head), p->file);

	*ret_end = got == 0 && !ferror(p->file);
	if (*ret_end)
		return 0;
	if (got != sizeof(head))
		return cut(p);
	uint32_t type = u32_of(p, head), length = u32_of(p, head + 4);
	if (type != BLOCK_SECTION) /* reads the same in both orders */
		return read_rest(p, type, length, 0);
	int err = read_section(p, head + 4, &length);
	return err ? err : read_rest(p, type, length, 4);
}

int pcapng_next(struct pcapng *p)
{
	bool end;

	p->gave_packet = false;
	do {
		int err = read_block(p, &end);

		if (err)
			return err;
	} while (!end && !p->gave_packet);
	return !end;
}

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

/* How it works without an id, at one place: a mirror port sends a copy microseconds after the packet. A sender
 * repeats itself when a timer ends, which takes longer (Linux: TCP_RTO_MIN is 200 ms, and where a route or
 * tcp_rto_min_us sets less, no timer is below a tick of 1 ms; a probe of the tail waits TCP_TIMEOUT_MIN, two
 * ticks), or when the other end tells of a loss, which is then seen between the two. What may well be sent twice
 * at once is an ACK (RFC 5681: one for each segment behind a gap) and a reset (one for each segment that finds
 * no socket, all with the same numbers): these are copies only where most segments had one. */
enum { QUICK_NS = 200 * 1000 };

static uint32_t sender_of(const struct segment *s, uint8_t side)
{
	return s->hash << 1 | side;
}

/* What happened between the two, as far as it is remembered. */
static bool may_be_answered(const struct dups *d, const struct dup *old, const struct segment *s)
{
	uint32_t since = d->number - old->number;

	if (since > N_SENDERS)
		return true;
	for (uint32_t i = 1; i < since; i++)
		if (d->senders[(d->number - i) % N_SENDERS] == sender_of(s, !s->side))
			return true;
	return false;
}

/* Not known of a clock of milliseconds, of which many packets have the same; nor where the order of packets
 * stands for their times, see source_frame(). */
static bool is_quick(const struct dups *d, const struct dup *old, const struct segment *s)
{
	const int64_t untimed_below_ns = 1000000000;
	int64_t apart = s->at_ns - old->at_ns;

	return apart <= QUICK_NS && apart >= -QUICK_NS && (apart != 0 || d->is_fine) && s->at_ns >= untimed_below_ns;
}

static bool is_sent_once(const struct segment *s)
{
	return !(s->flags & TCP_RST) && (s->len > 0 || (s->flags & (TCP_SYN | TCP_FIN)));
}

static bool is_quick_copy(struct dups *d, const struct dup *old, const struct segment *s)
{
	if (s->is_header_cut || s->checksum != old->checksum || !is_quick(d, old, s) || may_be_answered(d, old, s))
		return false;
	if (!is_sent_once(s))
		return d->n_quick >= ENOUGH && d->n_quick >= d->n_once / 2;
	d->n_quick++;
	return true;
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
	return d->n_certain >= ENOUGH || is_quick_copy(d, old, s);
}

static void note(struct dups *d, const struct segment *s)
{
	int64_t step = s->at_ns - d->at_ns;

	d->is_fine |= step > 0 && step <= QUICK_NS;
	d->at_ns = s->at_ns;
	d->number++;
	d->senders[d->number % N_SENDERS] = sender_of(s, s->side);
}

bool dups_has(struct dups *d, const struct segment *s)
{
	uint64_t sig = signature(s);
	struct dup *two = d->recent[sig % N_PAIRS];
	struct dup *old = two[0].signature == sig ? &two[0] : &two[1];

	note(d, s);
	if (old->signature == sig && is_copy(d, old, s))
		return true;
	d->n_once += !s->ip_id && is_sent_once(s);
	if (old == &two[1])
		two[1] = two[0];
	two[0] = (struct dup){ s->at_ns, sig, s->link_id, d->number, s->checksum, s->ttl };
	return false;
}

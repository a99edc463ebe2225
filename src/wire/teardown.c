#include "wire/teardown.h"
#include "util/arena.h"
#include "util/buf.h"

#include <string.h>

/* How it works: a compact record becomes a view of a connection: client and server instead of lower
 * and higher end, and what follows from the numbers. Who closed first is read from the FINs' own
 * acknowledgements, not from their times: FINs that do not cover each other crossed, whatever the
 * clock at the point of capture says. States come from four facts an end (RFC 9293 section 3.6):
 *
 *   my FIN sent | acked | peer's FIN acked by me | state
 *   no          |       | no                     | ESTABLISHED
 *   yes         | no    | no                     | FIN-WAIT-1
 *   yes         | yes   | no                     | FIN-WAIT-2
 *   no          |       | yes                    | CLOSE-WAIT
 *   yes         | no    | yes                    | LAST-ACK if my FIN covers the peer's, else CLOSING
 *   yes         | yes   | yes                    | CLOSED if my FIN covers the peer's, else TIME-WAIT */

#define QUIET_NS INT64_C(3000000000)       /* longer than the first few copies of a segment take */
#define DELAYED_ACK_NS INT64_C(40000000)

/* A record's notes by kind, found in one walk along their list. NULL: there is none. */
struct notes {
	const struct note_flow *flow;
	const struct note_end *end[2];
	const struct note_half *half[2];
	const struct note_rst *rsts[MAX_FLOW_RSTS]; /* newest first */
	unsigned n_rsts;
	uint32_t n_rst_packets;
};

static void sort_rst(const struct note_rst *n, struct notes *ret)
{
	ret->n_rst_packets += 1u + n->note.repeats;
	if (ret->n_rsts < MAX_FLOW_RSTS)
		ret->rsts[ret->n_rsts++] = n;
}

static void sort_notes(const struct flowtab *t, const struct rec *r, struct notes *ret)
{
	*ret = (struct notes){ 0 };
	for (const struct note *at = flowstore_note(&t->store, r->notes); at;
	     at = flowstore_note(&t->store, at->next)) {
		switch ((enum note_kind)at->kind) {
		case NOTE_FLOW:
			ret->flow = (const void *)at;
			break;
		case NOTE_END:
			ret->end[at->end] = (const void *)at;
			break;
		case NOTE_HALF:
			ret->half[at->end] = (const void *)at;
			break;
		case NOTE_RST:
			sort_rst((const void *)at, ret);
			break;
		case N_NOTE_KINDS:
			break;
		}
	}
}

static enum side client_is(const struct rec *r)
{
	const struct rec_end *a = &r->end[0], *b = &r->end[1];

	if ((a->flags & b->flags) & END_SYN) /* simultaneous open */
		return !(a->flags & END_FIRST);
	if ((a->flags | b->flags) & END_SYN)
		return !(a->flags & END_SYN);
	if ((a->flags | b->flags) & END_SYN_ACK)
		return !!(a->flags & END_SYN_ACK);
	if (r->port[0] != r->port[1])
		return r->port[0] < r->port[1];
	return !(a->flags & END_FIRST);
}

static void fill_addresses(const struct flowtab *t, const struct rec *r, unsigned client,
			   struct flow *f)
{
	for (unsigned i = 0; i < 2; i++) {
		struct endpoint *at = &f->end[i ^ client].at;
		uint8_t v4[4];

		memcpy(v4, &r->addr[i], 4);
		at->port = r->port[i];
		at->addr = r->flags & FLOW_INET6 ?
			addr_from_v6(flowstore_pair6(&t->store, r->addr[0])->addr[i]) : addr_from_v4(v4);
	}
}

static void fill_fin(const struct rec *r, const struct note_end *n, unsigned i,
		     struct flow_fin *ret)
{
	const struct rec_end *e = &r->end[i];

	*ret = (struct flow_fin){ .at_ns = TIME_NONE, .last_ns = TIME_NONE, .acked_ns = TIME_NONE };
	if (!(e->flags & END_FIN))
		return;
	ret->seen = true;
	ret->is_inferred = e->flags & END_FIN_INFERRED;
	ret->seq = e->fin_seq;
	ret->covers_peer_fin = e->flags & END_FIN_COVERS;
	int64_t at = rec_time(r, WHEN_FIN + i);
	if (!ret->is_inferred)
		ret->at_ns = ret->last_ns = at;
	if (e->fin_acked == FIN_ACKED_LATE)
		ret->acked_ns = n ? n->fin_acked_ns : TIME_NONE;
	else if (e->fin_acked)
		ret->acked_ns = at + rec_fin_acked(e);
	if (!n)
		return;
	ret->retransmissions = n->fin_retransmissions;
	if (n->fin_last_ns > ret->last_ns)
		ret->last_ns = n->fin_last_ns;
}

static void fill_end(const struct rec *r, const struct note_end *n, unsigned i,
		     struct flow_end *ret)
{
	const struct rec_end *e = &r->end[i];

	ret->seen = e->packets;
	ret->packets = e->packets;
	ret->bytes = rec_bytes(r, i);
	ret->idle_before_unanswered_ns = n && n->unanswered ? n->idle_ns : TIME_NONE;
	ret->isn_known = e->flags & END_ISN;
	ret->has_acked = e->flags & END_ACKED;
	ret->isn = e->isn;
	ret->nxt = e->nxt;
	ret->ack_max = e->ack_max;
	if (n) {
		ret->retransmissions = n->retransmissions;
		ret->unanswered = n->unanswered;
	}
	fill_fin(r, n, i, &ret->fin);
}

static void fill_rst(const struct rec *r, const struct note_rst *n, enum side from,
		     const struct flow *f, struct flow_rst *ret)
{
	const struct flow_fin *own = &f->end[from].fin;

	*ret = (struct flow_rst){
		.from = from, .at_ns = n->at_ns, .seq = n->seq, .ack = n->ack,
		.with_ack = n->with_ack, .repeats = n->note.repeats, .shape = n->shape,
		.window = n->window, .ttl = n->ttl, .ip_id = n->ip_id,
		.is_inet6 = r->flags & FLOW_INET6,
		.has_timestamps = n->has_timestamps, .has_options = n->has_options,
		.has_payload = n->has_payload, .df = n->df,
		.trigger = n->trigger, .trigger_gap_ns = n->trigger_gap_ns,
		.answers_trigger = n->answers_trigger,
		.after_own_fin = n->after_own_fin, .own_fin_acked = n->own_fin_acked,
		.after_peer_fin = n->after_peer_fin, .peer_fin_acked = n->peer_fin_acked,
		.own_fin_gap_ns = TIME_NONE,
		.peer_bytes_since_own = n->peer_bytes_since_own,
		.peer_bytes_after_own_fin = n->peer_bytes_after_own_fin,
		.sender_bytes = n->sender_bytes, .peer_bytes = n->peer_bytes,
		.idle_ns = n->idle_ns,
		.probes_unanswered = n->probes_unanswered,
		.probe_interval_ns = n->probe_interval_ns,
		.retransmissions_unanswered = n->retransmissions_unanswered,
		.sender_went_on = n->sender_went_on, .seq_is_next = n->seq_is_next,
		.ttl_differs = n->ttl_differs, .window_is_odd = n->window_is_odd,
		.options_are_odd = n->options_are_odd, .id_is_odd = n->id_is_odd,
		.is_challenge_pair = n->is_challenge_pair,
		.of_old_incarnation = n->of_old_incarnation,
	};
	if (n->after_own_fin && own->at_ns != TIME_NONE)
		ret->own_fin_gap_ns = n->at_ns > own->at_ns ? n->at_ns - own->at_ns : 0;
}

/* What the address of that end answers other SYNs with. */
static uint8_t host_ttl(const struct flowtab *t, const struct rec *r, unsigned end)
{
	uint8_t addr[16] = { 0 };

	if (r->flags & FLOW_INET6)
		memcpy(addr, flowstore_pair6(&t->store, r->addr[0])->addr[end], 16);
	else
		memcpy(addr, &r->addr[end], 4);
	return hosts_ttl(&t->hosts, &t->store.key, addr, r->flags & FLOW_INET6, r->capture);
}

/* Notes stand newest first, resets are shown oldest first. */
static void fill_rsts(const struct flowtab *t, const struct rec *r, const struct notes *notes,
		      unsigned client, struct flow *f)
{
	f->n_rst_packets = notes->n_rst_packets;
	for (unsigned n = notes->n_rsts; n > 0; n--) {
		const struct note_rst *rst = notes->rsts[n - 1];
		struct flow_rst *to = &f->rsts[f->n_rsts++];

		fill_rst(r, rst, rst->note.end ^ client, f, to);
		if (r->flags & FLOW_REFUSED)
			to->host_ttl = host_ttl(t, r, rst->note.end);
	}
}

static void fill_keepalive(const struct notes *notes, unsigned client, struct flow *f)
{
	struct flow_keepalive *k = &f->keepalive;

	for (unsigned i = 0; i < 2; i++) {
		const struct note_end *n = notes->end[i];

		if (!n || n->probes_are_window || n->probes <= k->probes)
			continue;
		*k = (struct flow_keepalive){
			.seen = true, .from = i ^ client, .probes = n->probes,
			.interval_ns = n->probes > 1 ? n->probe_interval_ns : TIME_NONE,
			.answered = n->probes_unanswered == 0,
		};
	}
}

static int64_t survived_ns(const struct rec *r, const struct notes *notes)
{
	const struct note_flow *n = notes->flow;
	int64_t ns = n ? rec_survived(r, n, notes->end[n->pause_end]) : 0;

	return ns ? ns : TIME_NONE;
}

static void fill_times(const struct rec *r, const struct notes *notes, struct flow *f)
{
	const struct note_flow *n = notes->flow;
	uint16_t both = r->end[0].flags | r->end[1].flags;

	f->first_ns = n && n->first_ns != TIME_NONE ? n->first_ns : r->base_ns;
	f->last_ns = rec_last(r);
	f->last_payload_ns = both & END_TURN ? rec_time(r, WHEN_PAYLOAD) : TIME_NONE;
	f->idle_before_end_ns = TIME_NONE;
	f->survived_pause_ns = survived_ns(r, notes);
	if (!(both & END_FIN) && !f->n_rsts)
		return;
	f->idle_before_end_ns = r->end_gap_ms != GAP_LONG ? (int64_t)r->end_gap_ms * 1000000 :
			        n && n->end_gap_ns != TIME_NONE ? n->end_gap_ns : TIME_NONE;
	/* The silence that counts stood before what provoked the reset. */
	if (!(both & END_FIN))
		f->idle_before_end_ns = f->rsts[0].idle_ns;
	for (unsigned i = 0; i < 2; i++) {
		const struct flow_fin *fin = &f->end[i].fin;

		if (fin->seen && fin->at_ns != TIME_NONE && fin->at_ns > f->last_payload_ns)
			f->last_payload_ns = fin->at_ns;
	}
}

/* The first reset that belongs to this connection, NULL: none. */
static const struct flow_rst *first_rst(const struct flow *f)
{
	for (uint32_t i = 0; i < f->n_rsts; i++)
		if (!f->rsts[i].of_old_incarnation || f->rsts[i].after_own_fin)
			return &f->rsts[i];
	return NULL;
}

static enum closed_first who_closed(const struct rec *r, const struct flow *f)
{
	const struct flow_fin *c = &f->end[SIDE_CLIENT].fin, *s = &f->end[SIDE_SERVER].fin;

	if (c->seen && s->seen) {
		if (c->is_inferred != s->is_inferred && !c->covers_peer_fin && !s->covers_peer_fin)
			return c->is_inferred ? CLOSED_CLIENT : CLOSED_SERVER;
		if (c->covers_peer_fin != s->covers_peer_fin)
			return s->covers_peer_fin ? CLOSED_CLIENT : CLOSED_SERVER;
		/* Neither knew of the other's, also where one was lost or met a reset. */
		return CLOSED_BOTH;
	}
	if (c->seen || s->seen)
		return c->seen ? CLOSED_CLIENT : CLOSED_SERVER;
	const struct flow_rst *rst = first_rst(f);
	if (!rst || !(r->flags & FLOW_RESET))
		return CLOSED_NOBODY;
	return rst->from == SIDE_CLIENT ? CLOSED_CLIENT : CLOSED_SERVER;
}

static bool is_silent(const struct flow *f)
{
	for (unsigned i = 0; i < N_SIDES; i++) {
		uint32_t n = f->end[i].unanswered;

		if (n > 1 || (n && f->capture_end_ns - f->last_ns > QUIET_NS))
			return true;
	}
	return !f->end[SIDE_SERVER].seen && f->opened_seen && !f->end[SIDE_CLIENT].has_acked &&
	       f->capture_end_ns - f->last_ns > QUIET_NS;
}

/* Did the FIN of this side arrive? Its acknowledgement says so, or the other FIN, or a reset that
 * answered one. */
static bool fin_arrived(const struct flow *f, enum side side)
{
	if (f->end[side].fin.acked_ns != TIME_NONE || f->end[side_other(side)].fin.covers_peer_fin)
		return true;
	for (uint32_t i = 0; i < f->n_rsts; i++)
		if (f->rsts[i].from == side && f->rsts[i].own_fin_acked)
			return true;
	return false;
}

/* The FIN that answers a FIN may also be its first acknowledgement. Where bare acknowledgements are
 * not in the capture, only the time tells: nobody delays one for longer. */
static bool is_three_segment(const struct flow *f)
{
	enum side first = f->closed_first == CLOSED_SERVER ? SIDE_SERVER : SIDE_CLIENT;
	const struct flow_fin *a = &f->end[first].fin, *b = &f->end[side_other(first)].fin;

	if (a->acked_ns == TIME_NONE || a->at_ns == TIME_NONE || b->at_ns == TIME_NONE || a->acked_ns < b->at_ns)
		return false;
	return f->content != CONTENT_FIN_RST_ONLY || b->at_ns - a->at_ns < DELAYED_ACK_NS;
}

static enum pattern pattern_of(const struct rec *r, const struct flow *f)
{
	bool client = f->end[SIDE_CLIENT].fin.seen, server = f->end[SIDE_SERVER].fin.seen;

	if ((r->flags & FLOW_RESET) && !client && !server)
		return r->flags & FLOW_REFUSED ? PATTERN_REFUSED : PATTERN_RESET;
	/* After the complete close a reset changes nothing. */
	if ((r->flags & FLOW_RESET) && !(client && server && fin_arrived(f, SIDE_CLIENT) &&
					 fin_arrived(f, SIDE_SERVER)))
		return PATTERN_RESET_AFTER_FIN;
	if (client && server) {
		if (f->closed_first == CLOSED_BOTH)
			return PATTERN_SIMULTANEOUS;
		return is_three_segment(f) ? PATTERN_THREE_SEGMENT : PATTERN_FOUR_WAY;
	}
	if (client || server)
		return PATTERN_HALF_CLOSED;
	return is_silent(f) ? PATTERN_SILENT : PATTERN_OPEN;
}

static void fill_half_close(const struct rec *r, const struct notes *notes, unsigned client,
			    struct flow *f)
{
	const struct flow_fin *c = &f->end[SIDE_CLIENT].fin, *s = &f->end[SIDE_SERVER].fin;
	enum side second = f->closed_first == CLOSED_SERVER ? SIDE_CLIENT : SIDE_SERVER;
	const struct note_half *n = notes->half[second ^ client];

	f->half_close_ns = TIME_NONE;
	if (n)
		f->half_close_bytes = rec_payload_since(&r->end[second ^ client], n->nxt);
	if (c->at_ns == TIME_NONE || s->at_ns == TIME_NONE)
		return;
	int64_t d = f->closed_first == CLOSED_SERVER ? c->at_ns - s->at_ns : s->at_ns - c->at_ns;
	if (f->closed_first == CLOSED_BOTH)
		d = d < 0 ? -d : d;
	f->half_close_ns = d < 0 ? 0 : d;
}

const char *teardown_tunnel(struct flowtab *t, uint32_t code)
{
	AUTO_BUF text = { 0 };

	for (size_t i = 0; i < t->n_tunnels; i++)
		if (t->tunnels[i].code == code)
			return t->tunnels[i].text;
	for (int shift = 28; shift >= 0; shift -= 4) {
		enum tunnel one = code >> shift & 15;

		if (one == TUNNEL_NONE)
			continue;
		if (text.n)
			buf_putc(&text, '/');
		buf_puts(&text, tunnel_name(one));
	}
	if (t->n_tunnels == MAX_TUNNEL_NAMES)
		return "...";
	char *kept = arena_strdup(t->arena, buf_text(&text));
	t->tunnels[t->n_tunnels++] = (struct tunnel_text){ code, kept };
	return kept;
}

static void forget_times(struct flow *f)
{
	f->is_untimed = true;
	f->first_ns = f->last_ns = f->last_payload_ns = f->capture_end_ns = TIME_NONE;
	f->half_close_ns = f->idle_before_end_ns = f->keepalive.interval_ns = TIME_NONE;
	f->survived_pause_ns = TIME_NONE;
	for (unsigned i = 0; i < N_SIDES; i++) {
		f->end[i].fin.at_ns = f->end[i].fin.last_ns = TIME_NONE;
		f->end[i].idle_before_unanswered_ns = TIME_NONE;
	}
	for (uint32_t i = 0; i < f->n_rsts; i++) {
		struct flow_rst *r = &f->rsts[i];

		r->at_ns = r->trigger_gap_ns = r->own_fin_gap_ns = TIME_NONE;
		r->idle_ns = r->probe_interval_ns = TIME_NONE;
	}
}

void teardown_view(struct flowtab *t, uint32_t at, struct flow *ret)
{
	const struct rec *r = flowstore_rec(&t->store, at);
	unsigned client = client_is(r);
	uint16_t both = r->end[0].flags | r->end[1].flags;
	struct notes notes;

	sort_notes(t, r, &notes);
	memset(ret, 0, offsetof(struct flow, rsts));
	ret->opened_seen = both & (END_SYN | END_SYN_ACK);
	ret->handshake_done = r->flags & FLOW_DONE;
	ret->content = t->captures[r->capture].content;
	ret->capture_end_ns = t->captures[r->capture].end_ns != TIME_NONE ?
		t->captures[r->capture].end_ns : t->captures[r->capture].last_ns;
	ret->is_lossy = both & END_LOSSY;
	ret->is_one_sided = !r->end[0].packets || !r->end[1].packets;
	ret->tunnel = notes.flow && notes.flow->tunnel ? teardown_tunnel(t, notes.flow->tunnel) : NULL;
	fill_addresses(t, r, client, ret);
	for (unsigned i = 0; i < 2; i++)
		fill_end(r, notes.end[i], i, &ret->end[i ^ client]);
	fill_rsts(t, r, &notes, client, ret);
	fill_keepalive(&notes, client, ret);
	fill_times(r, &notes, ret);
	ret->closed_first = who_closed(r, ret);
	ret->pattern = pattern_of(r, ret);
	fill_half_close(r, &notes, client, ret);
	teardown_states(ret, r->flags & FLOW_RESET);
	if (t->captures[r->capture].is_untimed)
		forget_times(ret);
}

static struct endpoint endpoint_of(const struct segment *s, int which)
{
	return (struct endpoint){
		.addr = s->is_inet6 ? addr_from_v6(s->addr[which]) : addr_from_v4(s->addr[which]),
		.port = s->port[which],
	};
}

bool teardown_sender(const struct flow *f, const struct segment *s, enum side *ret)
{
	struct endpoint from = endpoint_of(s, 0), to = endpoint_of(s, 1);

	for (enum side side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
		if (!endpoint_equal(from, f->end[side].at) ||
		    !endpoint_equal(to, f->end[side_other(side)].at))
			continue;
		*ret = side;
		return true;
	}
	return false;
}

#include "util/attr.h"
#include "wire/flowtab_in.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The short way of usual segments against the long one: two tables get the same conversations, some of
 * which misbehave, and must come to the same records and notes. */

enum { FLOWS = 8000, SEGMENTS = 200000, ROUNDS = 4 };

struct talk {
	uint32_t nxt[2], acked[2]; /* acked: by this end */
	uint32_t port;
	uint32_t calm;  /* one segment in so many may be odd */
	unsigned phase; /* 3: the handshake is done, or began before the capture */
	bool is_inet6;
};

static uint32_t draw(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (uint32_t)(*x >> 32);
}

/* What an end of an open conversation says next, nearly always data or an acknowledgement. */
static void say(struct talk *c, struct segment *s, uint64_t *x)
{
	uint32_t *nxt = &c->nxt[s->side], peer = c->nxt[!s->side], odd = draw(x) % c->calm;

	s->flags = TCP_ACK;
	s->seq = *nxt;
	s->ack = draw(x) % 2 ? peer : c->acked[s->side];
	s->len = draw(x) % 2 ? draw(x) % 1460 : 0;
	switch (odd) {
	case 0: /* a piece is lost */
		s->seq = *nxt += 1000;
		break;
	case 1: /* sent again */
		s->seq -= 1460;
		s->len = 1460;
		return;
	case 2: /* a probe */
		s->seq--;
		s->len = 0;
		return;
	case 3: /* acknowledges what was not seen */
		s->ack = peer + 1 + draw(x) % 2;
		break;
	case 4:
		s->flags |= TCP_FIN;
		break;
	case 5:
		s->flags = draw(x) % 2 ? TCP_RST : TCP_RST | TCP_ACK;
		return;
	case 6: /* nearly around */
		s->seq = *nxt += UINT32_C(1) << 31;
		break;
	case 7:
		s->len = UINT32_C(3) << 30;
		break;
	case 8:
		s->flags = TCP_SYN;
		s->seq = *nxt = draw(x);
		break;
	case 9:
		s->flags = 0;
		break;
	case 10:
		s->tunnel = 1;
		break;
	case 11:
		s->ack = draw(x);
		break;
	}
	c->acked[s->side] = s->ack;
	*nxt = s->seq + s->len + !!(s->flags & (TCP_FIN | TCP_SYN));
}

static void shake_hands(struct talk *c, struct segment *s, uint64_t *x)
{
	static const uint8_t flags[] = { TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK };

	if (c->phase < 2)
		c->nxt[s->side] = draw(x);
	s->flags = flags[c->phase++];
	s->seq = c->nxt[s->side];
	s->ack = c->acked[s->side] = c->nxt[!s->side];
	c->nxt[s->side] += !!(s->flags & TCP_SYN);
}

static void fill(struct segment *s, struct talk *c, uint64_t *x)
{
	uint32_t what = draw(x);

	memset(s, 0, sizeof(*s));
	s->side = (uint8_t)(c->phase < 3 ? c->phase == 1 : what & 1);
	s->is_inet6 = c->is_inet6;
	s->addr[s->side][s->is_inet6 ? 15 : 3] = 1;
	s->addr[!s->side][s->is_inet6 ? 15 : 3] = 2;
	s->port[s->side] = (uint16_t)c->port;
	s->port[!s->side] = 80;
	s->ip_id = what & 2 ? (uint16_t)(what >> 16) : 0;
	s->ttl = what % 300 == 0 ? 63 : 64;
	s->window = (uint16_t)(what % 50 ? 500 : 0);
	s->has_ts = what & 4;
	s->ts_val = what;
	s->is_header_cut = what % 200 == 0;
	if (c->phase < 3)
		shake_hands(c, s, x);
	else
		say(c, s, x);
	if (what % 300 == 7)
		c->phase = 0;
}

/* Mostly a step of some milliseconds, so that of the thousands of conversations some pause for more than
 * a minute; sometimes a step back. */
static int64_t later(uint64_t *x)
{
	if (draw(x) % 5000 == 0)
		return -INT64_C(1000000) * (draw(x) % 200);
	return draw(x) % 4000000;
}

static void push(struct flowtab *t, const struct segment *s, uint8_t capture)
{
	*flowtab_slot(t) = *s;
	flowtab_slot(t)->capture = capture;
	flowtab_push(t);
}

static void assert_same(const struct flowstore *a, const struct flowstore *b)
{
	assert_int_equal(a->n_recs, b->n_recs);
	for (uint32_t i = 0; i < a->n_recs; i++)
		assert_memory_equal(flowstore_rec(a, i), flowstore_rec(b, i), sizeof(struct rec));
	assert_int_equal(a->n_note_chunks, b->n_note_chunks);
	assert_int_equal(a->units_used, b->units_used);
	for (uint32_t i = 0; i < a->n_note_chunks; i++)
		assert_memory_equal(a->notes[i], b->notes[i], UNITS_PER_CHUNK * NOTE_UNIT);
}

/* `limit` 0: as many connections as usual. Returns how many notes found no room. */
static uint64_t come_to_the_same(uint64_t seed, int64_t base_ns, uint32_t limit)
{
	struct flowtab *quick = flowtab_new(), *thorough = flowtab_new();
	struct talk *talks = calloc(FLOWS, sizeof(*talks));
	struct segment s;
	uint64_t x = seed;
	int64_t at_ns = base_ns;

	assert_non_null(talks);
	for (unsigned i = 0; i < FLOWS; i++)
		talks[i] = (struct talk){ .port = 1000 + i, .is_inet6 = i % 3 == 0,
					  .phase = i % 4 == 0 ? 3 : 0,
					  .calm = limit ? 20 : 300 };
	thorough->is_thorough = true;
	if (limit) {
		flowtab_limit(quick, limit);
		flowtab_limit(thorough, limit);
	}
	uint8_t a = flowtab_begin(quick), b = flowtab_begin(thorough);
	for (unsigned i = 0; i < SEGMENTS; i++) {
		uint32_t which = draw(&x) % FLOWS;

		fill(&s, &talks[which], &x);
		s.at_ns = at_ns += later(&x);
		push(quick, &s, a);
		push(thorough, &s, b);
	}
	flowtab_end(quick, a, 0);
	flowtab_end(thorough, b, 0);
	assert_same(&quick->store, &thorough->store);
	uint64_t n_refused = quick->store.n_notes_refused;

	assert_int_equal(n_refused, thorough->store.n_notes_refused);
	flowtab_free(quick);
	flowtab_free(thorough);
	free(talks);
	return n_refused;
}

static void takes_the_short_way(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++)
		assert_int_equal(come_to_the_same(88172645463325252u + i, INT64_C(1700000000000000000) + i, 0), 0);
}

/* Where details find no room any more they are counted, and the connections stay what they were. */
static void without_room_for_notes(void **state)
{
	(void)state;
	assert_true(come_to_the_same(88172645463325252u, INT64_C(1700000000000000000), FLOWS / 2) > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(takes_the_short_way),
					    cmocka_unit_test(without_room_for_notes) };

	return cmocka_run_group_tests_name("wire-track", tests, NULL, NULL);
}

#pragma once

/* Conversations as text, for tests of the flow table. One line a segment:
 *
 *	MS  END FLAGS  SEQ ACK [LEN] [ts] [v6] [id=N] [ttl=N] [win=N] [link=N] [tunnel=N] [port=N]
 *	[sport=N] [df=N] [sum=N] [cut]
 *
 * END is `c` (10.0.0.1:40000) or `s` (10.0.0.2:80), FLAGS letters of FSRPA. An IP id counts up by
 * itself where none is given; ts is a timestamp option, port the client's, sport the server's, sum the checksum,
 * cut one whose window was not captured. */

#include "util/attr.h"
#include "wire/flowtab_in.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { TALK_MAX_FLOWS = 8 };

struct talk {
	struct flow flows[TALK_MAX_FLOWS];
	char tunnels[TALK_MAX_FLOWS][40];
	size_t n;
	uint64_t duplicates;
};

static inline uint8_t talk_flags(const char *letters)
{
	static const struct { char letter; uint8_t flag; } all[] = {
		{ 'F', TCP_FIN }, { 'S', TCP_SYN }, { 'R', TCP_RST }, { 'P', TCP_PSH }, { 'A', TCP_ACK },
	};
	uint8_t flags = 0;

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strchr(letters, all[i].letter))
			flags |= all[i].flag;
	return flags;
}

static inline void talk_word(struct segment *s, const char *word, bool from_server)
{
	unsigned n = 0;

	if (sscanf(word, "id=%u", &n) == 1)
		s->ip_id = (uint16_t)n;
	else if (sscanf(word, "ttl=%u", &n) == 1)
		s->ttl = (uint8_t)n;
	else if (sscanf(word, "win=%u", &n) == 1)
		s->window = (uint16_t)n;
	else if (sscanf(word, "link=%u", &n) == 1)
		s->link_id = n;
	else if (sscanf(word, "tunnel=%x", &n) == 1)
		s->tunnel = n;
	else if (sscanf(word, "port=%u", &n) == 1)
		s->port[from_server] = (uint16_t)n;
	else if (sscanf(word, "sport=%u", &n) == 1)
		s->port[!from_server] = (uint16_t)n;
	else if (sscanf(word, "df=%u", &n) == 1)
		s->df = n;
	else if (sscanf(word, "sum=%u", &n) == 1)
		s->checksum = (uint16_t)n;
	else if (strcmp(word, "cut") == 0)
		s->is_header_cut = true;
	else if (strcmp(word, "v6") == 0)
		s->is_inet6 = true;
	else if (strcmp(word, "ts") == 0)
		s->has_ts = true, s->ts_val = 7;
	else if (sscanf(word, "%u", &n) == 1)
		s->len = n;
	else
		fail_msg("what is %s?", word);
}

/* The slot is used again and again, as decoded frames use it: what is not set is what was there. */
static inline void talk_line(struct flowtab *t, const char *line, uint16_t id)
{
	struct segment *s = flowtab_slot(t);
	char end, flags[8], rest[80] = "", *save = NULL;
	double ms;

	memset(s, 0, sizeof(*s));
	if (sscanf(line, "%lf %c %7s %u %u %79[^\n]", &ms, &end, flags, &s->seq, &s->ack, rest) < 5)
		fail_msg("not a segment: %s", line);
	bool from_server = end == 's';
	memcpy(s->addr[from_server], (uint8_t[]){ 10, 0, 0, 1 }, 4);
	memcpy(s->addr[!from_server], (uint8_t[]){ 10, 0, 0, 2 }, 4);
	s->port[from_server] = 40000;
	s->port[!from_server] = 80;
	s->at_ns = INT64_C(1700000000000000000) + (int64_t)(ms * 1000000);
	s->flags = talk_flags(flags);
	s->ip_id = id;
	s->ttl = 64;
	s->df = true;
	s->window = s->flags & TCP_RST ? 0 : 501;
	for (char *w = strtok_r(rest, " \t", &save); w; w = strtok_r(NULL, " \t", &save))
		talk_word(s, w, from_server);
	flowtab_push(t);
}

static inline bool talk_keep(void *ctx, const struct flow *view)
{
	struct talk *k = ctx;

	assert_true(k->n < TALK_MAX_FLOWS);
	snprintf(k->tunnels[k->n], sizeof(k->tunnels[0]), "%s", view->tunnel ? view->tunnel : "");
	k->flows[k->n++] = *view;
	return true;
}

/* All of it as one capture. */
static inline void talk_hear(const char *const lines[], struct talk *ret)
{
	struct flowtab *t = flowtab_new();

	*ret = (struct talk){ 0 };
	uint8_t capture = flowtab_begin(t);
	for (uint16_t i = 0; lines[i]; i++)
		talk_line(t, lines[i], (uint16_t)(i + 1));
	flowtab_end(t, capture, 0);
	ret->duplicates = t->n_duplicates;
	flowtab_each(t, talk_keep, ret);
	flowtab_free(t);
}

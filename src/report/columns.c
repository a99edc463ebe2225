#include "report/columns.h"
#include "report/escape.h"
#include "report/says.h"
#include "util/i18n.h"

#include <stdio.h>
#include <string.h>

/* Addresses are the bulk of a million rows: written by hand, inet_ntop() is four times as slow. */
static char *put_digits(char *to, unsigned n)
{
	if (n >= 10000)
		*to++ = (char)('0' + n / 10000 % 10);
	if (n >= 1000)
		*to++ = (char)('0' + n / 1000 % 10);
	if (n >= 100)
		*to++ = (char)('0' + n / 100 % 10);
	if (n >= 10)
		*to++ = (char)('0' + n / 10 % 10);
	*to++ = (char)('0' + n % 10);
	return to;
}

static void put_endpoint(struct buf *b, const struct sock *s, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX + 16], *to = text;

	if (s->state == STATE_LISTEN || e->port == 0 || !addr_is_v4(e->addr)) {
		buf_puts(b, endpoint_format(*e, text));
		return;
	}
	if (s->is_inet6) {
		memcpy(to, "[::ffff:", 8);
		to += 8;
	}
	for (size_t i = 12; i < 16; i++) {
		to = put_digits(to, e->addr.b[i]);
		*to++ = i < 15 ? '.' : s->is_inet6 ? ']' : ':';
	}
	if (s->is_inet6)
		*to++ = ':';
	to = put_digits(to, e->port);
	buf_add(b, text, (size_t)(to - text));
}

static void get_state(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	buf_puts(b, state_name((enum state)c->sock->state));
}

static void put_number(struct buf *b, uint32_t n)
{
	char digits[16];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	buf_add(b, digits + at, sizeof(digits) - at);
}

static void get_recv_q(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	put_number(b, c->sock->full ? c->sock->full->rqueue : 0);
}

static void get_send_q(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	put_number(b, c->sock->full ? c->sock->full->wqueue : 0);
}

static void get_local(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	put_endpoint(b, c->sock, &c->sock->pair.local);
}

static void get_peer(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	put_endpoint(b, c->sock, &c->sock->pair.peer);
}

/* As ss has it: users:(("nginx",pid=12,fd=7)); what is inferred says so. */
static void get_process(struct buf *b, const struct report *r, const struct conn *c)
{
	size_t shown = c->n_holders < MAX_CONN_HOLDERS ? c->n_holders : MAX_CONN_HOLDERS;
	const char *word = "users:(";

	if (c->owner == OWNER_HIDDEN) {
		buf_puts(b, c->basis == BASIS_NO_PRIVILEGE ? _("hidden (needs root)") : _("hidden"));
		return;
	}
	if (c->owner == OWNER_UNACCEPTED)
		word = "unaccepted:(";
	else if (c->owner == OWNER_ATTRIBUTED)
		word = "likely:(";
	if (shown == 0) {
		if (c->owner == OWNER_UNACCEPTED)
			buf_puts(b, _("unaccepted"));
		return;
	}
	buf_puts(b, word);
	for (size_t i = 0; i < shown; i++) {
		const struct holder *h = &c->holders[i];

		buf_puts(b, i ? ",(\"" : "(\"");
		escape_terminal(b, h->proc->comm ? h->proc->comm : "?", r->options.ascii);
		if (c->owner == OWNER_KNOWN)
			buf_printf(b, "\",pid=%d,fd=%d)", (int)h->proc->pid, h->fd);
		else
			buf_printf(b, "\",pid=%d)", (int)h->proc->pid);
	}
	if (c->n_holders > shown)
		buf_printf(b, _(",and %zu more"), c->n_holders - shown);
	buf_putc(b, ')');
}

static void put_short_span(struct buf *b, uint64_t ms)
{
	if (ms < 60000)
		buf_printf(b, "%u.%us", (unsigned)(ms / 1000), (unsigned)(ms % 1000 / 100));
	else if (ms < 3600000)
		buf_printf(b, "%um%02us", (unsigned)(ms / 60000), (unsigned)(ms % 60000 / 1000));
	else if (ms < 86400000)
		buf_printf(b, "%uh%02um", (unsigned)(ms / 3600000),
			   (unsigned)(ms % 3600000 / 60000));
	else
		buf_printf(b, "%ud%02uh", (unsigned)(ms / 86400000),
			   (unsigned)(ms % 86400000 / 3600000));
}

static void get_age(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	if (!(STATE_BIT(c->sock->state) & STATES_TEARDOWN))
		return;
	if (!c->age.known) {
		buf_putc(b, '?');
		return;
	}
	if (!c->age.is_exact)
		buf_putc(b, '>');
	put_short_span(b, c->age.ms);
}

static void get_ends(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	if (!(STATE_BIT(c->sock->state) & STATES_TEARDOWN))
		return;
	if (c->ends.in_known) {
		put_short_span(b, c->ends.in_ms);
		return;
	}
	buf_puts(b, c->ends.by == ENDS_UNKNOWN ? "?" : ends_by_name(c->ends.by));
}

static void get_rule(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	if (c->rules[0])
		buf_puts(b, c->rules[0]);
}

const struct column columns[] = {
	{ "State", 10, false, get_state },
	{ "Recv-Q", 6, true, get_recv_q },
	{ "Send-Q", 6, true, get_send_q },
	{ "Local Address:Port", 21, true, get_local },
	{ "Peer Address:Port", 21, true, get_peer },
	{ "Process", 32, false, get_process },
	{ "Age", 7, true, get_age },
	{ "Ends", 7, true, get_ends },
	{ "Why", 0, false, get_rule },
};
const size_t n_columns = ARRAY_LEN(columns);

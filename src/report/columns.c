#include "report/columns.h"
#include "report/escape.h"
#include "report/says.h"
#include "util/i18n.h"

#include <stdio.h>
#include <string.h>

/* ss shows the IPv4 address of an IPv6 socket as what it is to the socket. */
static void put_endpoint(struct buf *b, const struct sock *s, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];
	bool is_mapped = s->is_inet6 && s->state != STATE_LISTEN && e->port != 0 && addr_is_v4(e->addr);

	endpoint_format(*e, text);
	if (!is_mapped) {
		buf_puts(b, text);
		return;
	}
	const char *colon = strchr(text, ':');
	buf_puts(b, "[::ffff:");
	buf_add(b, text, (size_t)(colon - text));
	buf_putc(b, ']');
	buf_puts(b, colon);
}

static void get_state(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	buf_puts(b, state_name((enum state)c->sock->state));
}

static void put_number(struct buf *b, uint64_t n)
{
	char digits[24];
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

static void put_two_digits(struct buf *b, uint64_t n)
{
	buf_putc(b, (char)('0' + n / 10 % 10));
	buf_putc(b, (char)('0' + n % 10));
}

/* "59.9s", "4m59s", "23h59m", "7d00h" */
static void put_short_span(struct buf *b, uint64_t ms)
{
	static const struct {
		uint64_t below_ms, big_ms, small_ms;
		char big, small;
	} units[] = {
		{ 3600000, 60000, 1000, 'm', 's' },
		{ 86400000, 3600000, 60000, 'h', 'm' },
		{ UINT64_MAX, 86400000, 3600000, 'd', 'h' },
	};
	size_t i = 0;

	if (ms < 60000) {
		put_number(b, ms / 1000);
		buf_putc(b, '.');
		put_number(b, ms % 1000 / 100);
		buf_putc(b, 's');
		return;
	}
	while (ms >= units[i].below_ms)
		i++;
	put_number(b, ms / units[i].big_ms);
	buf_putc(b, units[i].big);
	put_two_digits(b, ms % units[i].big_ms / units[i].small_ms);
	buf_putc(b, units[i].small);
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

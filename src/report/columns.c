#include "report/columns.h"
#include "report/escape.h"
#include "report/says.h"
#include "util/i18n.h"

#include <stdio.h>
#include <string.h>

/* ss shows the IPv4 address of an IPv6 socket as what it is to the socket. */
static void put_endpoint(struct buf *b, const struct sock *s, const struct endpoint *e)
{
	bool is_mapped = s->is_inet6 && s->state != STATE_LISTEN && e->port != 0 && addr_is_v4(e->addr);
	char text[ENDPOINT_TEXT_MAX];

	if (!is_mapped) {
		buf_add(b, text, (size_t)(endpoint_put(*e, text) - text));
		return;
	}
	const char *colon = strchr(endpoint_format(*e, text), ':');
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
		word = c->n_holders == 1 ? "likely:(" : "possible:(";
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
		buf_u64(b, ms / 1000);
		buf_putc(b, '.');
		buf_u64(b, ms % 1000 / 100);
		buf_putc(b, 's');
		return;
	}
	while (ms >= units[i].below_ms)
		i++;
	buf_u64(b, ms / units[i].big_ms);
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
		if (c->ends.by == ENDS_RETRIES)
			buf_putc(b, '<');
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

/* ---- numbers ---- */

static bool recv_q(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->full ? c->sock->full->rqueue : 0;
	return true;
}

static bool send_q(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->full ? c->sock->full->wqueue : 0;
	return true;
}

static bool age(const struct conn *c, uint64_t *ret)
{
	*ret = c->age.ms;
	return c->age.known && STATE_BIT(c->sock->state) & STATES_TEARDOWN;
}

static bool ends(const struct conn *c, uint64_t *ret)
{
	*ret = c->ends.in_ms;
	return c->ends.in_known && STATE_BIT(c->sock->state) & STATES_TEARDOWN;
}

static bool uid(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->full ? c->sock->full->uid : 0;
	return c->sock->full;
}

static bool inode(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->full ? c->sock->full->inode : 0;
	return *ret;
}

static bool cookie(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->cookie;
	return *ret;
}

static bool expires(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->expires_ms;
	return c->sock->timer != TIMER_OFF;
}

static bool retrans(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->retrans;
	return true;
}

static bool device(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->full ? c->sock->full->ifindex : c->sock->ifindex;
	return *ret && (c->sock->full || *ret < UINT16_MAX);
}

static bool cgroup(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->full ? c->sock->full->cgroup_id : 0;
	return c->sock->full && c->sock->full->has_cgroup;
}

static bool mark(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->full ? c->sock->full->mark : 0;
	return c->sock->full && c->sock->full->has_mark;
}

static bool rto(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->full ? c->sock->full->info.rto_us / 1000 : 0;
	return c->sock->full && c->sock->full->info.len >= SOCK_INFO_LEN_BASIC;
}

static bool rtt(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->full ? c->sock->full->info.rtt_us : 0;
	return c->sock->full && c->sock->full->info.len >= SOCK_INFO_LEN_BASIC;
}

static bool pid(const struct conn *c, uint64_t *ret)
{
	const struct proc *p = conn_proc(c);

	*ret = p ? (uint64_t)p->pid : 0;
	return p;
}

static bool local_port(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->pair.local.port;
	return true;
}

static bool peer_port(const struct conn *c, uint64_t *ret)
{
	*ret = c->sock->pair.peer.port;
	return true;
}

/* ---- names ---- */

static void get_family(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	buf_puts(b, c->sock->is_inet6 ? "inet6" : "inet");
}

static void get_local_address(struct buf *b, const struct report *r, const struct conn *c)
{
	char text[ADDR_TEXT_MAX];

	(void)r;
	buf_puts(b, addr_format(c->sock->pair.local.addr, text));
}

static void get_peer_address(struct buf *b, const struct report *r, const struct conn *c)
{
	char text[ADDR_TEXT_MAX];

	(void)r;
	buf_puts(b, addr_format(c->sock->pair.peer.addr, text));
}

static void get_timer(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	buf_puts(b, timer_name((enum timer)c->sock->timer));
}

static void get_ends_by(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	if (STATE_BIT(c->sock->state) & STATES_TEARDOWN)
		buf_puts(b, ends_by_name(c->ends.by));
}

static void get_netns(struct buf *b, const struct report *r, const struct conn *c)
{
	if (c->netns->name)
		escape_terminal(b, c->netns->name, r->options.ascii);
	else if (c->netns->inode)
		buf_u64(b, c->netns->inode);
}

static void get_owner(struct buf *b, const struct report *r, const struct conn *c)
{
	(void)r;
	buf_puts(b, owner_status_name(c->owner));
}

static void put_of_first(struct buf *b, const struct report *r, const struct conn *c,
			 const char *(*of)(const struct proc *p))
{
	const struct proc *p = conn_proc(c);
	const char *text = p ? of(p) : NULL;

	if (text)
		escape_terminal(b, text, r->options.ascii);
}

static const char *comm_of(const struct proc *p)
{
	return p->comm;
}

static const char *unit_of(const struct proc *p)
{
	return p->unit;
}

static const char *pod_of(const struct proc *p)
{
	return p->pod;
}

static const char *container_of(const struct proc *p)
{
	return p->container;
}

static void get_comm(struct buf *b, const struct report *r, const struct conn *c)
{
	put_of_first(b, r, c, comm_of);
}

static void get_unit(struct buf *b, const struct report *r, const struct conn *c)
{
	put_of_first(b, r, c, unit_of);
}

static void get_pod(struct buf *b, const struct report *r, const struct conn *c)
{
	put_of_first(b, r, c, pod_of);
}

static void get_container(struct buf *b, const struct report *r, const struct conn *c)
{
	put_of_first(b, r, c, container_of);
}

/* ---- the table ---- */

enum {
	INFO = COLUMN_NEEDS_INFO,
	OWNER = COLUMN_NEEDS_OWNER,
	RULES = COLUMN_NEEDS_RULES,
	ALL_OWNERS = COLUMN_NEEDS_OWNER | COLUMN_NEEDS_HOLDERS,
};

static const struct column columns[] = {
	{ "state", "", "State", 11, false, false, 0, get_state, NULL },
	{ "recv-q", "", "Recv-Q", 6, true, false, 0, NULL, recv_q },
	{ "send-q", "", "Send-Q", 6, true, false, 0, NULL, send_q },
	{ "local", "", "Local Address:Port", 21, true, false, 0, get_local, NULL },
	{ "peer", "", "Peer Address:Port", 21, true, false, 0, get_peer, NULL },
	{ "process", "", "Process", 32, false, true, ALL_OWNERS, get_process, NULL },
	{ "age", "_ms", "Age", 7, true, false, INFO, get_age, age },
	{ "ends", "_ms", "Ends", 7, true, false, INFO, get_ends, ends },
	{ "why", "", "Why", 0, false, false, INFO | ALL_OWNERS | RULES, get_rule, NULL },
	/* Those in front are shown where none are chosen. */
	{ "netns", "", "Netns", 10, false, true, 0, get_netns, NULL },
	{ "owner", "", "Owner", 10, false, false, OWNER, get_owner, NULL },
	{ "pid", "", "Pid", 7, true, false, OWNER, NULL, pid },
	{ "comm", "", "Comm", 15, false, true, OWNER, get_comm, NULL },
	{ "unit", "", "Unit", 20, false, true, OWNER, get_unit, NULL },
	{ "pod", "", "Pod", 36, false, false, OWNER, get_pod, NULL },
	{ "container", "", "Container", 12, false, true, OWNER, get_container, NULL },
	{ "family", "", "Family", 6, false, false, 0, get_family, NULL },
	{ "local-address", "", "Local Address", 15, true, false, 0, get_local_address, NULL },
	{ "local-port", "", "Local Port", 10, true, false, 0, NULL, local_port },
	{ "peer-address", "", "Peer Address", 15, true, false, 0, get_peer_address, NULL },
	{ "peer-port", "", "Peer Port", 9, true, false, 0, NULL, peer_port },
	{ "uid", "", "Uid", 6, true, false, 0, NULL, uid },
	{ "inode", "", "Inode", 10, true, false, 0, NULL, inode },
	{ "cookie", "", "Cookie", 10, true, false, 0, NULL, cookie },
	{ "device", "", "Device", 6, true, false, 0, NULL, device },
	{ "mark", "", "Mark", 6, true, false, 0, NULL, mark },
	{ "cgroup", "", "Cgroup", 10, true, false, 0, NULL, cgroup },
	{ "ends-by", "", "Ends by", 12, false, false, INFO, get_ends_by, NULL },
	{ "timer", "", "Timer", 9, false, false, 0, get_timer, NULL },
	{ "expires", "_ms", "Expires ms", 10, true, false, 0, NULL, expires },
	{ "retrans", "", "Retrans", 7, true, false, 0, NULL, retrans },
	{ "rto", "_ms", "Rto ms", 6, true, false, INFO, NULL, rto },
	{ "rtt", "_us", "Rtt us", 8, true, false, INFO, NULL, rtt },
};

enum { N_DEFAULT = 9 };
_Static_assert(ARRAY_LEN(columns) <= MAX_COLUMNS, "each of them once");

const struct column *column_at(size_t i)
{
	return i < ARRAY_LEN(columns) ? &columns[i] : NULL;
}

const struct column *column_find(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		if (strlen(columns[i].name) == n && memcmp(columns[i].name, name, n) == 0)
			return &columns[i];
	return NULL;
}

void columns_default(struct columns *ret)
{
	ret->n = N_DEFAULT;
	for (size_t i = 0; i < N_DEFAULT; i++)
		ret->at[i] = &columns[i];
}

bool columns_add(struct columns *list, const struct column *c)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i] == c)
			return false;
	list->at[list->n++] = c;
	return true;
}

bool columns_parse(const char *text, struct columns *ret)
{
	struct columns list = { 0 };

	if (text[0] == '+')
		columns_default(&list);
	for (;;) {
		text += text[0] == '+';
		size_t n = strcspn(text, ",");
		const struct column *c = column_find(text, n);

		if (!c)
			return false;
		columns_add(&list, c);
		if (text[n] == '\0')
			break;
		text += n + 1;
	}
	*ret = list;
	return true;
}

unsigned columns_needs(const struct columns *list)
{
	unsigned needs = 0;

	for (size_t i = 0; i < list->n; i++)
		needs |= list->at[i]->needs;
	return needs;
}

void column_put(struct buf *b, const struct column *column, const struct report *r, const struct conn *c)
{
	uint64_t n;

	if (column->get)
		column->get(b, r, c);
	else if (column->number(c, &n))
		buf_u64(b, n);
}

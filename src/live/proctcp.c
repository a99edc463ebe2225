#include "live/proctcp.h"
#include "util/cleanup.h"
#include "util/i18n.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How it works: a line is
 *
 *	sl: LOCAL:PORT REMOTE:PORT ST TX:RX TR:WHEN RETRANS UID TIMEOUT INODE ...
 *
 * in hexadecimal up to RETRANS. An address is one or four words of 32 bits, each as the machine that
 * wrote it keeps them, so a recording is read on a machine of the same byte order. The kernel goes on
 * where a read() ended by counting sockets, so one may be missed or come twice, as in any dump. */

enum { CHUNK = 64 * 1024, MAX_LINE = 512 };

/* ---- one line ---- */

/* A number and what ends it; blanks in front are skipped. */
static bool take_number(const char **at, int base, char end, uint64_t *ret)
{
	char *behind;

	*at += strspn(*at, " ");
	if (!strchr("0123456789abcdefABCDEF", **at) || !**at)
		return false;
	*ret = strtoull(*at, &behind, base);
	if (*behind != end)
		return false;
	*at = behind + 1;
	return true;
}

static bool take_word(const char **at, uint8_t ret[4])
{
	char digits[9] = { 0 };
	uint32_t word;

	memcpy(digits, *at, strnlen(*at, 8));
	if (strspn(digits, "0123456789ABCDEF") != 8)
		return false;
	word = (uint32_t)strtoul(digits, NULL, 16);
	memcpy(ret, &word, sizeof(word));
	*at += 8;
	return true;
}

static bool take_endpoint(const char **at, bool is_inet6, struct endpoint *ret)
{
	uint8_t b[16];
	uint64_t port;

	*at += strspn(*at, " ");
	for (size_t i = 0; i < (is_inet6 ? 4 : 1); i++)
		if (!take_word(at, b + 4 * i))
			return false;
	if (*(*at)++ != ':' || !take_number(at, 16, ' ', &port) || port > UINT16_MAX)
		return false;
	*ret = (struct endpoint){ is_inet6 ? addr_from_v6(b) : addr_from_v4(b), (uint16_t)port };
	return true;
}

static bool has_full(const struct sock *s)
{
	return s->state != STATE_TIME_WAIT && s->timer != TIMER_TIMEWAIT &&
	       s->state != STATE_SYN_RECV && s->state != STATE_NEW_SYN_RECV;
}

bool proctcp_parse(const char *line, bool is_inet6, int64_t hz, struct sock *ret, struct sock_full *full)
{
	struct sock s = { .is_inet6 = is_inet6 };
	uint64_t sl, state, tx, rx, timer, when, retrans, uid, timeout, inode;

	if (!take_number(&line, 10, ':', &sl) ||
	    !take_endpoint(&line, is_inet6, &s.pair.local) ||
	    !take_endpoint(&line, is_inet6, &s.pair.peer) ||
	    !take_number(&line, 16, ' ', &state) || state >= STATE_MAX ||
	    !take_number(&line, 16, ':', &tx) || !take_number(&line, 16, ' ', &rx) ||
	    !take_number(&line, 16, ':', &timer) || !take_number(&line, 16, ' ', &when) ||
	    !take_number(&line, 16, ' ', &retrans) || !take_number(&line, 10, ' ', &uid) ||
	    !take_number(&line, 10, ' ', &timeout) || !take_number(&line, 10, ' ', &inode))
		return false;
	s.state = (uint8_t)state;
	s.timer = timer <= TIMER_PERSIST ? (uint8_t)timer : TIMER_OFF;
	s.retrans = retrans < UINT8_MAX ? (uint8_t)retrans : UINT8_MAX;
	uint64_t ms = hz > 0 && when < UINT32_MAX ? when * 1000 / (uint64_t)hz : 0;
	s.expires_ms = ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
	*full = (struct sock_full){
		/* A listener's queue is here, but not how long it may grow: half of it would mislead. */
		.rqueue = state == STATE_LISTEN ? 0 : (uint32_t)rx,
		.wqueue = state == STATE_LISTEN ? 0 : (uint32_t)tx,
		.uid = (uint32_t)uid,
		.inode = (uint32_t)inode,
	};
	s.full = has_full(&s) ? full : NULL;
	*ret = s;
	return true;
}

/* ---- a file ---- */

struct table {
	const struct live_request *req;
	struct look *look;
	unsigned netns;
	bool is_inet6;
	uint64_t states[STATE_MAX];
	uint32_t n;
	size_t n_malformed, n_dropped;
};

static bool is_wanted(const struct live_request *req, const struct sock *s)
{
	const uint32_t syn_recv = STATE_BIT(STATE_SYN_RECV) | STATE_BIT(STATE_NEW_SYN_RECV);
	uint32_t bits = STATE_BIT(s->state);

	return req->states & (bits & syn_recv ? syn_recv : bits);
}

static void take_line(struct table *t, const char *line)
{
	const struct live_request *req = t->req;
	struct sock_full full;
	struct sock s;

	if (!proctcp_parse(line, t->is_inet6, t->look->host.hz, &s, &full)) {
		t->n_malformed++;
		return;
	}
	s.netns = (uint16_t)t->netns;
	t->states[s.state]++;
	if (!is_wanted(req, &s))
		return;
	t->n++;
	if (req->on_sock && req->on_sock(req->on_sock_arg, t->look, &s))
		return;
	struct sock *slot = look_add_sock(t->look);
	if (!slot) {
		t->n_dropped++;
		return;
	}
	*slot = s;
	if (!s.full)
		return;
	slot->full = arena_alloc(t->look->arena, sizeof(full));
	*slot->full = full;
}

/* The whole lines of text[n]; returns how many bytes they were. */
static size_t take_lines(struct table *t, char *text, size_t n, bool *is_heading)
{
	size_t used = 0;

	for (char *end; (end = memchr(text + used, '\n', n - used));) {
		*end = '\0';
		if (!*is_heading)
			take_line(t, text + used);
		*is_heading = false;
		used = (size_t)(end - text) + 1;
	}
	return used;
}

static int read_table(struct table *t, struct root *root, const char *path)
{
	AUTO_ROOT_FILE file = ROOT_FILE_CLOSED;
	AUTO_FREE char *text = xrealloc_array(NULL, CHUNK, 1);
	bool is_heading = true;
	size_t n = 0;
	int error = root_file_open(root, path, &file);

	if (error)
		return error;
	AUTO_FD copy = root_record_open(root, path);
	for (;;) {
		ssize_t more = root_file_read(&file, text + n, CHUNK - n);

		if (more <= 0)
			break;
		root_record_write(root, copy, text + n, (size_t)more);
		n += (size_t)more;
		size_t used = take_lines(t, text, n, &is_heading);
		memmove(text, text + used, n - used);
		n -= used;
		/* Longer than any line is: this is no such file. */
		if (n > MAX_LINE)
			break;
	}
	t->n_malformed += n > 0;
	return 0;
}

static void add_gap(const struct table *t)
{
	if (t->n_malformed || t->n_dropped)
		gap_add(&t->look->gaps, "dump", "/proc/net/tcp", _("some lines were not understood, or too many"),
			_("some sockets are missing"));
}

int proctcp_read(struct root *root, const struct live_request *req, unsigned netns, struct look *look)
{
	struct table t = { .req = req, .look = look, .netns = netns };
	char path[64];
	int error = 0;

	snprintf(path, sizeof(path), "netns.%u/net/tcp", netns);
	if (!req->only_inet6)
		error = read_table(&t, root, path);
	if (error)
		return error;
	t.is_inet6 = true;
	snprintf(path, sizeof(path), "netns.%u/net/tcp6", netns);
	if (!req->only_inet4)
		error = read_table(&t, root, path);
	/* Without IPv6 there is no such file. */
	if (error && (error != -ENOENT || req->only_inet6))
		return error;
	for (size_t i = 0; i < STATE_MAX; i++)
		look->states[i] += t.states[i];
	look->netns[netns].n_sockets += t.n;
	add_gap(&t);
	return 0;
}

/* How it works: recursive descent over two levels, as in ss (and in tcpdump): `not` binds first; `and`,
 * which may be left out between two terms, and `or` bind alike, from left to right.
 *
 *   list  = not { [ AND | OR ] not }
 *   not   = NOT not | "(" list ")" | leaf
 *   leaf  = WORD [ COMPARE ] [ VALUE ]       one row of predicates[]
 *
 * In front may stand any number of `state X` and `exclude X`, which are done one after the other, as in
 * ss. Depth and number of terms have a cap: an expression can come from a stranger's script.
 * Source: iproute2 misc/ssfilter.y; ss.c, main(). */

#include "filter/host.h"
#include "filter/token.h"
#include "util/buf.h"
#include "util/duration.h"
#include "util/i18n.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

enum { MAX_DEPTH = 64, MAX_NODES = 1024 };

enum value {
	VALUE_NONE,
	VALUE_STATE,
	VALUE_HOST,
	VALUE_PORT,
	VALUE_NUMBER,
	VALUE_DURATION,
	VALUE_USER,
	VALUE_TIMER,
	VALUE_MARK,
	VALUE_DEVICE,
	VALUE_NETNS,
	VALUE_CGROUP,
	VALUE_TEXT,
};

static const struct predicate {
	const char *word;
	enum value value;
	enum asked what;
	unsigned needs;
	const char *expected;
} predicates[] = {
	{ "state", VALUE_STATE, 0, 0, N_("a state, such as close-wait") },
	{ "exclude", VALUE_STATE, 0, 0, N_("a state, such as time-wait") },
	{ "excl", VALUE_STATE, 0, 0, N_("a state, such as time-wait") },
	{ "src", VALUE_HOST, 0, 0, NULL },
	{ "dst", VALUE_HOST, 0, 0, NULL },
	{ "sport", VALUE_PORT, 0, 0, N_("a port number or the name of a service") },
	{ "dport", VALUE_PORT, 0, 0, N_("a port number or the name of a service") },
	{ "dev", VALUE_DEVICE, ASKED_DEV, 0, N_("the name or number of an interface") },
	{ "fwmark", VALUE_MARK, ASKED_FWMARK, 0, N_("a mark, such as 0x1 or 0x1/0xff") },
	{ "cgroup", VALUE_CGROUP, ASKED_CGROUP, 0, N_("a control group of version 2: its folder, or its number") },
	{ "autobound", VALUE_NONE, ASKED_AUTOBOUND, FILTER_NEEDS_HOST, NULL },
	{ "pid", VALUE_NUMBER, ASKED_PID, FILTER_NEEDS_OWNER, N_("a process id") },
	{ "comm", VALUE_TEXT, ASKED_COMM, FILTER_NEEDS_OWNER, N_("the name of a process") },
	{ "uid", VALUE_USER, ASKED_UID, 0, N_("a user's name or number") },
	{ "ino", VALUE_NUMBER, ASKED_INO, 0, N_("an inode number") },
	{ "age", VALUE_DURATION, ASKED_AGE_MS, FILTER_NEEDS_INFO, N_("a duration, such as 5m") },
	{ "rqueue", VALUE_NUMBER, ASKED_RQUEUE, 0, N_("a number of bytes") },
	{ "wqueue", VALUE_NUMBER, ASKED_WQUEUE, 0, N_("a number of bytes") },
	{ "retrans", VALUE_NUMBER, ASKED_RETRANS, 0, N_("a number") },
	{ "timer", VALUE_TIMER, ASKED_TIMER, 0, N_("off, on, keepalive, timewait or persist") },
	{ "netns", VALUE_NETNS, 0, 0, N_("the name or the inode of a network namespace") },
	{ "unit", VALUE_TEXT, ASKED_UNIT, FILTER_NEEDS_OWNER, N_("the name of a systemd unit") },
	{ "container", VALUE_TEXT, ASKED_CONTAINER, FILTER_NEEDS_OWNER, N_("a container's id") },
	{ "pod", VALUE_TEXT, ASKED_POD, FILTER_NEEDS_OWNER, N_("the uid of a pod") },
	{ "rule", VALUE_TEXT, ASKED_RULE, FILTER_NEEDS_RULES, N_("a rule, see tcpwhy-rules(7)") },
	{ "orphan", VALUE_NONE, ASKED_ORPHAN, 0, NULL },
	{ "owned", VALUE_NONE, ASKED_OWNED, 0, NULL },
	{ "unaccepted", VALUE_NONE, ASKED_UNACCEPTED, 0, NULL },
};

struct parser {
	struct filter *f;
	const char *text;
	size_t at;
	struct token here;
	size_t n_nodes, depth;
	struct filter_error *error; /* text already given; what[0] set: failed */
};

static const struct node *parse_list(struct parser *p);

static const struct node *wrong(struct parser *p, const char *expected)
{
	if (p->error->what[0])
		return NULL;
	p->error->at = p->here.at;
	if (p->here.kind == TOKEN_UNCLOSED)
		snprintf(p->error->what, sizeof(p->error->what), _("a quote is not closed"));
	else if (p->here.kind == TOKEN_END)
		snprintf(p->error->what, sizeof(p->error->what), _("expected %s at the end"), expected);
	else
		snprintf(p->error->what, sizeof(p->error->what), _("expected %s, not '%.40s'"),
			 expected, p->here.text);
	return NULL;
}

static void step(struct parser *p)
{
	p->here = token_next(p->text, &p->at, p->f->arena);
}

static struct node *new_node(struct parser *p, enum node_kind kind)
{
	struct node *n = arena_alloc(p->f->arena, sizeof(*n));

	n->kind = kind;
	p->n_nodes++;
	return n;
}

static bool number_parse(const char *text, char **end, uint64_t *ret)
{
	errno = 0;
	*ret = strtoull(text, end, 0);
	return *text >= '0' && *text <= '9' && errno == 0;
}

static bool whole_number_parse(const char *text, uint64_t *ret)
{
	char *end;

	return number_parse(text, &end, ret) && !*end;
}

static bool mark_parse(const char *text, uint64_t *ret, uint64_t *ret_mask)
{
	char *end;

	*ret_mask = UINT32_MAX;
	if (!number_parse(text, &end, ret))
		return false;
	return !*end || (*end == '/' && whole_number_parse(end + 1, ret_mask));
}

static bool user_parse(const char *text, uint64_t *ret)
{
	const struct passwd *user;

	if (whole_number_parse(text, ret))
		return true;
	user = getpwnam(text);
	if (user)
		*ret = user->pw_uid;
	return user;
}

static bool timer_parse(const char *text, uint64_t *ret)
{
	for (enum timer t = TIMER_OFF; t <= TIMER_PERSIST; t++) {
		if (strcmp(timer_name(t), text) != 0)
			continue;
		*ret = t;
		return true;
	}
	return false;
}

static bool device_parse(const char *text, uint64_t *ret)
{
	if (whole_number_parse(text, ret))
		return true;
	*ret = if_nametoindex(text);
	return *ret > 0;
}

/* The folder as ss takes it, or as /proc/PID/cgroup writes it. A control group's id is the inode of its
 * folder. Source: Linux fs/kernfs/dir.c, kernfs_id_ino(). */
static bool cgroup_parse(const char *text, uint64_t *ret)
{
	static const char *const roots[] = { "", "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	enum { CGROUP2_MAGIC = 0x63677270 };
	char path[PATH_MAX];
	struct statfs fs;
	struct stat st;

	if (whole_number_parse(text, ret))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		int n = snprintf(path, sizeof(path), "%s%s%s", roots[i],
				 i > 0 && text[0] != '/' ? "/" : "", text);

		if (n >= (int)sizeof(path) || statfs(path, &fs) < 0 || fs.f_type != CGROUP2_MAGIC ||
		    stat(path, &st) < 0)
			continue;
		*ret = st.st_ino;
		return true;
	}
	return false;
}

static const struct {
	const char *name;
	uint32_t states;
} groups[] = {
	/* Those of ss(8), and our own six. */
	{ "all", STATES_ALL },
	{ "connected", STATES_ALL & ~(STATE_BIT(STATE_CLOSED) | STATE_BIT(STATE_LISTEN)) },
	{ "synchronized", STATES_ALL & ~(STATE_BIT(STATE_CLOSED) | STATE_BIT(STATE_LISTEN) |
					 STATE_BIT(STATE_SYN_SENT)) },
	{ "bucket", STATE_BIT(STATE_SYN_RECV) | STATE_BIT(STATE_NEW_SYN_RECV) |
			    STATE_BIT(STATE_TIME_WAIT) },
	{ "big", STATES_ALL & ~(STATE_BIT(STATE_SYN_RECV) | STATE_BIT(STATE_NEW_SYN_RECV) |
				STATE_BIT(STATE_TIME_WAIT)) },
	{ "teardown", STATES_TEARDOWN },
};

static bool states_parse(const char *text, uint32_t *ret)
{
	enum state s = state_parse(text);

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		if (strcmp(groups[i].name, text) != 0)
			continue;
		*ret = groups[i].states;
		return true;
	}
	*ret = STATE_BIT(s);
	/* A request socket is the same state to everyone but the kernel. */
	if (s == STATE_SYN_RECV)
		*ret |= STATE_BIT(STATE_NEW_SYN_RECV);
	return s != STATE_UNKNOWN;
}

static const struct node *name_node(struct parser *p, enum asked what, enum compare compare)
{
	struct node *n = new_node(p, NODE_NAME);

	n->what = what;
	n->compare = compare;
	n->text = p->here.text;
	return n;
}

static const struct node *host_leaf(struct parser *p, bool is_dst, enum compare compare)
{
	const char *expected;
	const struct node *host = host_parse(p->here.text, is_dst, p->f->arena, &expected);
	struct node *n;

	if (!host)
		return wrong(p, expected);
	if (compare == COMPARE_EQ)
		return host;
	n = new_node(p, NODE_NOT);
	n->a = host;
	return n;
}

static const struct node *state_leaf(struct parser *p, bool is_exclude)
{
	struct node *n = new_node(p, NODE_STATE);

	if (!states_parse(p->here.text, &n->states))
		return wrong(p, _("a state, such as close-wait"));
	if (is_exclude)
		n->states = STATES_ALL & ~n->states;
	n->is_exclude = is_exclude;
	return n;
}

static const struct node *number_leaf(struct parser *p, const struct predicate *is,
				      enum compare compare)
{
	struct node *n = new_node(p, is->value == VALUE_PORT ? NODE_PORT : NODE_NUMBER);
	const char *text = p->here.text;
	bool ok = false;
	int port;

	n->what = is->what;
	n->compare = compare;
	n->mask = UINT64_MAX;
	n->is_dst = is->word[0] == 'd';
	switch (is->value) {
	case VALUE_PORT:
		ok = port_parse(text, &port) && port >= 0;
		n->number = ok ? (uint64_t)port : 0;
		break;
	case VALUE_NUMBER: ok = whole_number_parse(text, &n->number); break;
	case VALUE_DURATION: ok = duration_parse(text, &n->number); break;
	case VALUE_USER: ok = user_parse(text, &n->number); break;
	case VALUE_TIMER: ok = timer_parse(text, &n->number); break;
	case VALUE_MARK: ok = mark_parse(text, &n->number, &n->mask); break;
	case VALUE_DEVICE: ok = device_parse(text, &n->number); break;
	case VALUE_CGROUP: ok = cgroup_parse(text, &n->number); break;
	case VALUE_NETNS:
		n->what = ASKED_NETNS_INODE;
		if (!whole_number_parse(text, &n->number))
			return name_node(p, ASKED_NETNS_NAME, compare);
		ok = true;
		break;
	case VALUE_NONE:
	case VALUE_STATE:
	case VALUE_HOST:
	case VALUE_TEXT: break;
	}
	return ok ? n : wrong(p, _(is->expected));
}

/* Ordered comparison makes sense for amounts only. */
static bool is_amount(enum value v)
{
	return v == VALUE_PORT || v == VALUE_NUMBER || v == VALUE_DURATION;
}

static const struct node *value_leaf(struct parser *p, const struct predicate *is,
				     enum compare compare)
{
	if (is->value == VALUE_HOST)
		return host_leaf(p, strcmp(is->word, "dst") == 0, compare);
	if (is->value == VALUE_STATE)
		return state_leaf(p, strcmp(is->word, "state") != 0);
	if (is->value == VALUE_TEXT)
		return name_node(p, is->what, compare);
	return number_leaf(p, is, compare);
}

static const struct node *parse_leaf(struct parser *p, const struct predicate *is)
{
	enum compare compare = COMPARE_EQ;
	const struct node *n;

	p->f->needs |= is->needs;
	step(p);
	if (is->value == VALUE_NONE) {
		struct node *claim = new_node(p, NODE_CLAIM);

		claim->what = is->what;
		return claim;
	}
	if (p->here.kind == TOKEN_COMPARE && is->value != VALUE_STATE) {
		compare = p->here.compare;
		if (!is_amount(is->value) && compare != COMPARE_EQ && compare != COMPARE_NE)
			return wrong(p, _("= or != here"));
		step(p);
	}
	if (p->here.kind != TOKEN_WORD)
		return wrong(p, is->expected ? _(is->expected)
					     : _("an address, a prefix or a name"));
	n = value_leaf(p, is, compare);
	if (n)
		step(p);
	return n;
}

static const struct predicate *predicate_here(const struct parser *p)
{
	if (p->here.kind != TOKEN_WORD)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(predicates); i++)
		if (strcmp(predicates[i].word, p->here.text) == 0)
			return &predicates[i];
	return NULL;
}

static const struct node *parse_not(struct parser *p)
{
	const struct predicate *is = predicate_here(p);
	const struct node *inner;

	if (p->n_nodes > MAX_NODES || ++p->depth > MAX_DEPTH)
		return wrong(p, _("a simpler expression"));
	if (p->here.kind == TOKEN_NOT) {
		struct node *n = new_node(p, NODE_NOT);

		step(p);
		n->a = inner = parse_not(p);
		p->depth--;
		return inner ? n : NULL;
	}
	if (p->here.kind == TOKEN_OPEN) {
		step(p);
		inner = parse_list(p);
		if (inner && p->here.kind != TOKEN_CLOSE)
			inner = wrong(p, _("and, or, or a closing parenthesis"));
		if (inner)
			step(p);
		p->depth--;
		return inner;
	}
	p->depth--;
	return is ? parse_leaf(p, is)
		  : wrong(p, _("a condition, such as 'state', 'src', 'dport' or 'pid'"));
}

static const struct node *join_nodes(struct parser *p, enum node_kind kind, const struct node *a,
				     const struct node *b)
{
	struct node *n = new_node(p, kind);

	n->a = a;
	n->b = b;
	return n;
}

static const struct node *parse_list(struct parser *p)
{
	const struct node *n = parse_not(p), *right;

	while (n && (p->here.kind == TOKEN_AND || p->here.kind == TOKEN_OR ||
		     p->here.kind == TOKEN_NOT || p->here.kind == TOKEN_OPEN || predicate_here(p))) {
		enum node_kind kind = p->here.kind == TOKEN_OR ? NODE_OR : NODE_AND;

		if (p->here.kind == TOKEN_AND || p->here.kind == TOKEN_OR)
			step(p);
		right = parse_not(p);
		n = right ? join_nodes(p, kind, n, right) : NULL;
	}
	return n;
}

/* ss's front: `state X state Y exclude Z …`, each adding to or taking from what those before it left;
 * an `exclude` that comes first takes from all. `state X or …` is an expression after all, and so is a
 * front with a mistake, which is reported there. */
static void parse_front(struct parser *p)
{
	struct parser ahead = *p;
	uint32_t only = 0, except = 0, states;
	const struct predicate *is;

	while ((is = predicate_here(&ahead)) && is->value == VALUE_STATE) {
		step(&ahead);
		if (ahead.here.kind != TOKEN_WORD || !states_parse(ahead.here.text, &states))
			return;
		if (strcmp(is->word, "state") == 0) {
			only = only || !except ? only | states : STATES_ALL;
			except &= ~states;
		} else {
			except |= states;
		}
		step(&ahead);
	}
	if (ahead.here.kind == TOKEN_OR)
		return;
	*p = ahead;
	p->f->only = only;
	p->f->except = except;
	if ((only || except) && p->here.kind == TOKEN_AND)
		step(p);
}

static bool parse_whole(struct parser *p)
{
	bool has_front;

	step(p);
	parse_front(p);
	has_front = p->f->only || p->f->except;
	if (p->here.kind == TOKEN_END && (has_front || p->here.at == strspn(p->text, " ")))
		return true;
	p->f->root = parse_list(p);
	if (p->f->root && p->here.kind != TOKEN_END)
		p->f->root = wrong(p, _("and, or, or the end"));
	return p->f->root;
}

struct filter *filter_parse(const char *const *words, size_t n, struct filter_error *error)
{
	struct filter *f;
	struct parser p;
	AUTO_BUF text = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(&text, ' ');
		buf_puts(&text, words[i]);
	}
	*error = (struct filter_error){ 0 };
	f = xrealloc_array(NULL, 1, sizeof(*f));
	*f = (struct filter){ .arena = arena_new() };
	p = (struct parser){ .f = f, .text = buf_text(&text), .error = error };
	if (parse_whole(&p))
		return f;
	filter_free(f);
	error->text = strdup(buf_text(&text));
	return NULL;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	arena_free(f->arena);
	free(f);
}

const char *filter_word_at(size_t i)
{
	return i < ARRAY_LEN(predicates) ? predicates[i].word : NULL;
}

const char *filter_state_group_at(size_t i)
{
	return i < ARRAY_LEN(groups) ? groups[i].name : NULL;
}

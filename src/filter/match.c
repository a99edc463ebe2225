#include "filter/node.h"

#include <fnmatch.h>
#include <string.h>

static enum truth truth_of(bool b)
{
	return b ? TRUTH_YES : TRUTH_NO;
}

static bool compares(uint64_t is, enum compare compare, uint64_t with)
{
	switch (compare) {
	case COMPARE_EQ: return is == with;
	case COMPARE_NE: return is != with;
	case COMPARE_LT: return is < with;
	case COMPARE_LE: return is <= with;
	case COMPARE_GT: return is > with;
	case COMPARE_GE: return is >= with;
	}
	return false;
}

/* Of a connection that only a capture knows, the client is `src` and the server `dst`. */
static struct endpoint endpoint_of(const struct conn *c, bool is_dst)
{
	if (c->sock)
		return is_dst ? c->sock->pair.peer : c->sock->pair.local;
	return c->flow->end[is_dst ? SIDE_SERVER : SIDE_CLIENT].at;
}

static enum truth host_truth(const struct node *n, const struct conn *c)
{
	struct endpoint at = endpoint_of(c, n->is_dst);
	bool is_inet6 = c->sock ? c->sock->is_inet6 : !addr_is_v4(at.addr);

	return truth_of(host_matches(n, at, is_inet6));
}

/* Either end's state counts in a capture. */
static enum truth state_truth(const struct node *n, const struct conn *c)
{
	uint32_t is;

	if (c->sock)
		return truth_of(n->states & STATE_BIT(c->sock->state));
	is = STATE_BIT(c->flow->end[SIDE_CLIENT].state) | STATE_BIT(c->flow->end[SIDE_SERVER].state);
	if (is == STATE_BIT(STATE_UNKNOWN))
		return TRUTH_UNKNOWN;
	return truth_of(n->states & is);
}

/* What a full socket knows of itself; a minisock has no owner, queue or inode, and that is a fact. */
static bool sock_number(const struct sock *s, enum asked what, uint64_t *ret)
{
	const struct sock_full *full = s->full;

	switch (what) {
	case ASKED_INO: *ret = full ? full->inode : 0; return true;
	case ASKED_RQUEUE: *ret = full ? full->rqueue : 0; return true;
	case ASKED_WQUEUE: *ret = full ? full->wqueue : 0; return true;
	case ASKED_RETRANS: *ret = s->retrans; return true;
	case ASKED_TIMER: *ret = s->timer; return true;
	case ASKED_UID: *ret = full ? full->uid : 0; return full;
	case ASKED_DEV:
		*ret = full ? full->ifindex : s->ifindex;
		return full || s->ifindex != UINT16_MAX;
	/* What ss thinks of those that have none to show. */
	case ASKED_FWMARK: *ret = full ? full->mark : 0; return !full || full->has_mark;
	case ASKED_CGROUP: *ret = full ? full->cgroup_id : 0; return !full || full->has_cgroup;
	case ASKED_PID:
	case ASKED_AGE_MS:
	case ASKED_NETNS_INODE:
	case ASKED_COMM:
	case ASKED_UNIT:
	case ASKED_CONTAINER:
	case ASKED_POD:
	case ASKED_NETNS_NAME:
	case ASKED_RULE:
	case ASKED_ORPHAN:
	case ASKED_OWNED:
	case ASKED_UNACCEPTED:
	case ASKED_AUTOBOUND: break;
	}
	return false;
}

static bool holder_matches(const struct node *n, const struct proc *p)
{
	const char *is = n->what == ASKED_UNIT	      ? p->unit
			 : n->what == ASKED_CONTAINER ? p->container
			 : n->what == ASKED_POD	      ? p->pod
						      : p->comm;

	if (n->what == ASKED_PID)
		return compares((uint64_t)p->pid, n->compare, n->number);
	/* A container's id is commonly given by its first twelve digits. */
	if (is && n->what == ASKED_CONTAINER)
		return strncmp(is, n->text, strlen(n->text)) == 0;
	return is && fnmatch(n->text, is, 0) == 0;
}

/* Any holder. Nobody there to find is a no; somebody who could not be seen is not known. */
static enum truth owner_truth(const struct node *n, const struct conn *c)
{
	bool is_negated = n->what != ASKED_PID && n->compare == COMPARE_NE;

	for (size_t i = 0; i < c->n_holders && i < MAX_CONN_HOLDERS; i++)
		if (holder_matches(n, c->holders[i].proc))
			return truth_of(!is_negated);
	if (c->owner == OWNER_HIDDEN || c->n_holders > MAX_CONN_HOLDERS)
		return TRUTH_UNKNOWN;
	return truth_of(is_negated);
}

static enum truth number_truth(const struct node *n, const struct conn *c)
{
	uint64_t is = 0;
	bool known;

	if (n->what == ASKED_PID)
		return owner_truth(n, c);
	if (n->what == ASKED_AGE_MS) {
		known = c->age.known;
		is = c->age.ms;
		/* "At least ten minutes" is more than five, not less than five, and perhaps more than
		 * an hour. */
		if (known && !c->age.is_exact)
			known = is > n->number ||
				(is == n->number && (n->compare == COMPARE_GE || n->compare == COMPARE_LT));
	} else if (n->what == ASKED_NETNS_INODE) {
		known = c->netns;
		is = known ? c->netns->inode : 0;
	} else {
		known = c->sock && sock_number(c->sock, n->what, &is);
	}
	return known ? truth_of(compares(is & n->mask, n->compare, n->number & n->mask))
		     : TRUTH_UNKNOWN;
}

static enum truth name_truth(const struct node *n, const struct conn *c, const char *const *rules)
{
	bool same = false;

	if (n->what == ASKED_RULE) {
		if (!rules)
			return TRUTH_UNKNOWN;
		for (; *rules && !same; rules++)
			same = fnmatch(n->text, *rules, 0) == 0;
	} else if (n->what == ASKED_NETNS_NAME) {
		if (!c->netns)
			return TRUTH_UNKNOWN;
		same = c->netns->name && fnmatch(n->text, c->netns->name, 0) == 0;
	} else {
		return owner_truth(n, c);
	}
	return truth_of(same == (n->compare == COMPARE_EQ));
}

/* In the range from which the kernel takes ports, as ss has it. Whether it did is known to the kernel
 * alone, which is asked, too. */
static enum truth autobound_truth(const struct conn *c)
{
	uint16_t port = c->sock->pair.local.port;

	if (!c->netns)
		return TRUTH_UNKNOWN;
	const struct sysctls *ctl = &c->netns->sysctls;
	if (!ctl->port_low.known || !ctl->port_high.known)
		return TRUTH_UNKNOWN;
	return truth_of(port >= ctl->port_low.value && port <= ctl->port_high.value);
}

static enum truth claim_truth(const struct node *n, const struct conn *c)
{
	if (!c->sock)
		return TRUTH_UNKNOWN;
	if (n->what == ASKED_ORPHAN)
		return truth_of(sock_is_orphan(c->sock));
	if (n->what == ASKED_UNACCEPTED)
		return truth_of(sock_is_unaccepted(c->sock));
	if (n->what == ASKED_AUTOBOUND)
		return autobound_truth(c);
	return truth_of(c->sock->full && c->sock->full->inode != 0);
}

static enum truth truth(const struct node *n, const struct conn *c, const char *const *rules)
{
	enum truth a, b;

	switch (n->kind) {
	case NODE_AND:
		a = truth(n->a, c, rules);
		if (a == TRUTH_NO)
			return TRUTH_NO;
		b = truth(n->b, c, rules);
		return b == TRUTH_YES ? a : b;
	case NODE_OR:
		a = truth(n->a, c, rules);
		if (a == TRUTH_YES)
			return TRUTH_YES;
		b = truth(n->b, c, rules);
		return b == TRUTH_NO ? a : b;
	case NODE_NOT:
		a = truth(n->a, c, rules);
		return a == TRUTH_UNKNOWN ? a : truth_of(a == TRUTH_NO);
	case NODE_STATE: return state_truth(n, c);
	case NODE_HOST: return host_truth(n, c);
	case NODE_PORT:
		return truth_of(compares(endpoint_of(c, n->is_dst).port, n->compare, n->number));
	case NODE_NUMBER: return number_truth(n, c);
	case NODE_NAME: return name_truth(n, c, rules);
	case NODE_CLAIM: return claim_truth(n, c);
	}
	return TRUTH_UNKNOWN;
}

bool filter_match(const struct filter *f, const struct conn *c, const char *const *rules)
{
	const struct node front = { .kind = NODE_STATE,
				    .states = (f->only ? f->only : STATES_ALL) & ~f->except };

	if ((f->only || f->except) && state_truth(&front, c) != TRUTH_YES)
		return false;
	return !f->root || truth(f->root, c, rules) == TRUTH_YES;
}

unsigned filter_needs(const struct filter *f)
{
	return f->needs;
}

/* The states in which `n` may be true, all other questions left open. */
static uint32_t may_states(const struct node *n, bool negated)
{
	uint32_t a, b;

	switch (n->kind) {
	case NODE_AND:
	case NODE_OR:
		a = may_states(n->a, negated);
		b = may_states(n->b, negated);
		return (n->kind == NODE_AND) != negated ? a & b : a | b;
	case NODE_NOT: return may_states(n->a, !negated);
	case NODE_STATE: return negated ? STATES_ALL & ~n->states : n->states;
	case NODE_HOST:
	case NODE_PORT:
	case NODE_NUMBER:
	case NODE_NAME:
	case NODE_CLAIM: break;
	}
	return STATES_ALL;
}

/* Is a state asked for, and not merely excluded? */
static bool names_state(const struct node *n, bool negated)
{
	switch (n->kind) {
	case NODE_AND:
	case NODE_OR: return names_state(n->a, negated) || names_state(n->b, negated);
	case NODE_NOT: return names_state(n->a, !negated);
	case NODE_STATE: return !negated && !n->is_exclude;
	case NODE_HOST:
	case NODE_PORT:
	case NODE_NUMBER:
	case NODE_NAME:
	case NODE_CLAIM: break;
	}
	return false;
}

uint32_t filter_states(const struct filter *f, uint32_t fallback)
{
	bool named = f->only || (f->root && names_state(f->root, false));
	uint32_t states = named ? STATES_ALL : fallback;

	if (f->only)
		states &= f->only;
	states &= ~f->except;
	return f->root ? states & may_states(f->root, false) : states;
}

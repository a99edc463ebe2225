/* How it works: the tree is walked with its negations pushed down to the leaves (De Morgan), so every
 * leaf that the kernel cannot judge is simply "may be", whatever stands around it:
 *
 *   AND  may-be x  =  x          OR  may-be x  =  may-be
 *
 * Code for a term accepts by running exactly to its end and rejects by jumping 4 bytes beyond it:
 *
 *   a AND b    a b               a's rejections are moved behind b
 *   a OR b     a JMP(end) b      a's rejections already land on b, one JMP behind a's end
 *   NOT a      a JMP(end+4)      a's rejections already land behind the JMP: on the end
 *
 * Source: Linux net/ipv4/inet_diag.c, inet_diag_bc_run() and inet_diag_bc_audit(), which wants `yes`
 * to walk the ops one by one. S_EQ and D_EQ are there since 4.16, CGROUP_COND since 5.9. */

#include "filter/node.h"
#include "util/buf.h"

#include <linux/inet_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* `no` has 16 bits, and the attribute's length too. */
enum { MAX_CODE = 32768, OP_SIZE = sizeof(struct inet_diag_bc_op) };

static void add_op(struct buf *code, int op, size_t yes, size_t no)
{
	struct inet_diag_bc_op o = {
		.code = (unsigned char)op, .yes = (unsigned char)yes, .no = (unsigned short)no,
	};

	buf_add(code, (const char *)&o, sizeof(o));
}

/* Turns the code into its contrary. */
static void add_not(struct buf *code)
{
	add_op(code, INET_DIAG_BC_JMP, OP_SIZE, 2 * OP_SIZE);
}

static void add_host(const struct node *n, struct buf *code)
{
	size_t addr_len = n->family == FAMILY_INET ? 4 : n->family == FAMILY_INET6 ? 16 : 0;
	struct inet_diag_hostcond host = { .port = n->port };
	size_t whole = OP_SIZE + sizeof(host) + addr_len;

	host.family = n->family == FAMILY_INET	  ? AF_INET
		      : n->family == FAMILY_INET6 ? AF_INET6
						  : AF_UNSPEC;
	host.prefix_len = (unsigned char)(n->family == FAMILY_INET ? n->bits - V4_OFFSET : n->bits);
	add_op(code, n->is_dst ? INET_DIAG_BC_D_COND : INET_DIAG_BC_S_COND, whole, whole + OP_SIZE);
	buf_add(code, (const char *)&host, sizeof(host));
	buf_add(code, (const char *)n->prefix.b + (sizeof(n->prefix.b) - addr_len), addr_len);
}

/* The operand of a port's op stands in the `no` of a second one. */
static void add_port(const struct node *n, struct buf *code)
{
	int ge = n->is_dst ? INET_DIAG_BC_D_GE : INET_DIAG_BC_S_GE;
	int le = n->is_dst ? INET_DIAG_BC_D_LE : INET_DIAG_BC_S_LE;
	int eq = n->is_dst ? INET_DIAG_BC_D_EQ : INET_DIAG_BC_S_EQ;
	bool negated = n->compare == COMPARE_NE || n->compare == COMPARE_LT ||
		       n->compare == COMPARE_GT;
	int op = n->compare == COMPARE_EQ || n->compare == COMPARE_NE	? eq
		 : n->compare == COMPARE_GE || n->compare == COMPARE_LT ? ge
									: le;

	add_op(code, op, 2 * OP_SIZE, 3 * OP_SIZE);
	add_op(code, INET_DIAG_BC_NOP, 0, n->number);
	if (negated)
		add_not(code);
}

/* Of a number of 32 or 64 bits, which stands behind the op. */
static void add_number(int op, const void *number, size_t size, bool negated, struct buf *code)
{
	add_op(code, op, OP_SIZE + size, 2 * OP_SIZE + size);
	buf_add(code, number, size);
	if (negated)
		add_not(code);
}

static bool add_asked(const struct node *n, struct buf *code)
{
	uint32_t device = (uint32_t)n->number;
	bool negated = n->compare == COMPARE_NE;

	if (n->what == ASKED_DEV)
		add_number(INET_DIAG_BC_DEV_COND, &device, sizeof(device), negated, code);
	else if (n->what == ASKED_CGROUP)
		add_number(INET_DIAG_BC_CGROUP_COND, &n->number, sizeof(n->number), negated, code);
	return n->what == ASKED_DEV || n->what == ASKED_CGROUP;
}

/* Moves what rejects a code of `n` bytes by `by` bytes further. */
static void move_rejections(char *code, size_t n, size_t by)
{
	struct inet_diag_bc_op op;

	for (size_t at = 0; at < n; at += op.yes) {
		memcpy(&op, code + at, sizeof(op));
		if (at + op.no == n + OP_SIZE) {
			op.no = (unsigned short)(op.no + by);
			memcpy(code + at, &op, sizeof(op));
		}
	}
}

static bool compile(const struct node *n, bool negated, struct buf *ret);

static bool compile_two(const struct node *n, bool is_and, bool negated, struct buf *ret)
{
	AUTO_BUF a = { 0 };
	AUTO_BUF b = { 0 };
	bool has_a = compile(n->a, negated, &a);
	bool has_b = compile(n->b, negated, &b);

	if (!is_and && (!has_a || !has_b))
		return false;
	if (!has_a && !has_b)
		return false;
	if (a.n + b.n > MAX_CODE)
		return false;
	if (has_a && has_b && is_and)
		move_rejections(a.at, a.n, b.n);
	buf_add(ret, buf_text(&a), has_a ? a.n : 0);
	if (!is_and)
		add_op(ret, INET_DIAG_BC_JMP, OP_SIZE, b.n + OP_SIZE);
	buf_add(ret, buf_text(&b), has_b ? b.n : 0);
	return true;
}

/* false: may be, nothing was added. */
static bool compile(const struct node *n, bool negated, struct buf *ret)
{
	switch (n->kind) {
	case NODE_AND: return compile_two(n, !negated, negated, ret);
	case NODE_OR: return compile_two(n, negated, negated, ret);
	case NODE_NOT: return compile(n->a, !negated, ret);
	case NODE_HOST:
		/* The kernel's IPv4 takes the mapped ones in. */
		if (n->is_strict && negated)
			return false;
		add_host(n, ret);
		break;
	case NODE_PORT: add_port(n, ret); break;
	case NODE_NUMBER:
		if (!add_asked(n, ret))
			return false;
		break;
	case NODE_CLAIM:
		/* The kernel knows who chose the port, filter_match() only from which range; so the contrary
		 * of the kernel's answer would be too little. */
		if (n->what != ASKED_AUTOBOUND || negated)
			return false;
		add_op(ret, INET_DIAG_BC_AUTO, OP_SIZE, 2 * OP_SIZE);
		break;
	case NODE_STATE:
	case NODE_NAME: return false;
	}
	if (negated)
		add_not(ret);
	return true;
}

size_t filter_bytecode(const struct filter *f, void **ret)
{
	AUTO_BUF code = { 0 };

	*ret = NULL;
	if (!f->root || !compile(f->root, false, &code))
		return 0;
	*ret = xrealloc_array(NULL, code.n, 1);
	memcpy(*ret, code.at, code.n);
	return code.n;
}

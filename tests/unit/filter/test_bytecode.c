#include "test.h"
#include "util/buf.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>

/* The kernel's half of a filter, played here: what it would refuse, and which rows it would drop.
 *
 * Whatever filter_match() accepts must arrive, so the code must accept it too; the other way round
 * it may let more through. Where every condition is the kernel's own, the two agree exactly.
 * Source: Linux net/ipv4/inet_diag.c: inet_diag_bc_audit(), valid_cc(), valid_hostcond(),
 * valid_port_comparison(), inet_diag_bc_run(), bitstring_match(). */

#define OP struct inet_diag_bc_op

static OP op_at(const uint8_t *code, size_t at)
{
	OP o;

	memcpy(&o, code + at, sizeof(o));
	return o;
}

/* Does walking by `yes` from the start come to where `left` bytes are left? */
static bool is_on_path(const uint8_t *code, size_t n, size_t left)
{
	for (size_t at = 0; at <= n; at += op_at(code, at).yes) {
		if (left > n - at)
			return false;
		if (left == n - at)
			return true;
		if (op_at(code, at).yes < 4 || op_at(code, at).yes & 3)
			return false;
	}
	return false;
}

/* The least size of the op, or 0: refused. */
static size_t least_size(const uint8_t *code, size_t left)
{
	struct inet_diag_hostcond host;
	size_t least = sizeof(OP), addr_len;

	switch (op_at(code, 0).code) {
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND:
		least += sizeof(host);
		if (left < least)
			return 0;
		memcpy(&host, code + sizeof(OP), sizeof(host));
		if (host.family != AF_UNSPEC && host.family != AF_INET && host.family != AF_INET6)
			return 0;
		addr_len = host.family == AF_INET ? 4 : host.family == AF_INET6 ? 16 : 0;
		least += addr_len;
		return left < least || host.prefix_len > 8 * addr_len ? 0 : least;
	case INET_DIAG_BC_S_EQ:
	case INET_DIAG_BC_S_GE:
	case INET_DIAG_BC_S_LE:
	case INET_DIAG_BC_D_EQ:
	case INET_DIAG_BC_D_GE:
	case INET_DIAG_BC_D_LE:
		least += sizeof(OP);
		return left < least ? 0 : least;
	case INET_DIAG_BC_DEV_COND:
		least += sizeof(uint32_t);
		return left < least ? 0 : least;
	case INET_DIAG_BC_CGROUP_COND:
		least += sizeof(uint64_t);
		return left < least ? 0 : least;
	case INET_DIAG_BC_JMP:
	case INET_DIAG_BC_NOP:
		return least;
	default: /* known to the kernel, but nothing that we write */
		return 0;
	}
}

static bool audit(const uint8_t *code, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t left = n - at;

		if (left < sizeof(OP))
			return false;

		OP o = op_at(code, at);
		size_t least = least_size(code + at, left);

		if (least == 0)
			return false;
		if (o.code != INET_DIAG_BC_NOP) {
			if (o.no < least || o.no > left + 4 || o.no & 3)
				return false;
			if (o.no < left && !is_on_path(code, n, left - o.no))
				return false;
		}
		if (o.yes < least || o.yes > left + 4 || o.yes & 3)
			return false;
		at += o.yes;
	}
	return at == n;
}

static bool bits_agree(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

/* A row as the kernel has it: four bytes of IPv4 or sixteen of IPv6, mapped or not. */
static bool host_is(const uint8_t *code, const struct sock *s, bool is_dst)
{
	const struct endpoint *e = is_dst ? &s->pair.peer : &s->pair.local;
	const uint8_t *addr = s->is_inet6 ? e->addr.b : e->addr.b + 12;
	const uint8_t *want = code + sizeof(OP) + sizeof(struct inet_diag_hostcond);
	int family = s->is_inet6 ? AF_INET6 : AF_INET;
	struct inet_diag_hostcond host;

	memcpy(&host, code + sizeof(OP), sizeof(host));
	if (host.port != -1 && host.port != e->port)
		return false;
	if (host.family != AF_UNSPEC && host.family != family)
		return family == AF_INET6 && addr_is_v4(e->addr) &&
		       bits_agree(e->addr.b + 12, want, host.prefix_len);
	return bits_agree(addr, want, host.prefix_len);
}

static bool op_is(const uint8_t *code, const struct sock *s)
{
	uint16_t sport = s->pair.local.port, dport = s->pair.peer.port;
	uint64_t cgroup;
	uint32_t device;

	switch (op_at(code, 0).code) {
	case INET_DIAG_BC_NOP: return true;
	case INET_DIAG_BC_JMP: return false;
	case INET_DIAG_BC_S_EQ: return sport == op_at(code, sizeof(OP)).no;
	case INET_DIAG_BC_S_GE: return sport >= op_at(code, sizeof(OP)).no;
	case INET_DIAG_BC_S_LE: return sport <= op_at(code, sizeof(OP)).no;
	case INET_DIAG_BC_D_EQ: return dport == op_at(code, sizeof(OP)).no;
	case INET_DIAG_BC_D_GE: return dport >= op_at(code, sizeof(OP)).no;
	case INET_DIAG_BC_D_LE: return dport <= op_at(code, sizeof(OP)).no;
	case INET_DIAG_BC_S_COND: return host_is(code, s, false);
	case INET_DIAG_BC_D_COND: return host_is(code, s, true);
	case INET_DIAG_BC_DEV_COND:
		memcpy(&device, code + sizeof(OP), sizeof(device));
		return device == s->ifindex;
	case INET_DIAG_BC_CGROUP_COND:
		memcpy(&cgroup, code + sizeof(OP), sizeof(cgroup));
		return cgroup == (s->full ? s->full->cgroup_id : 0);
	}
	fail_msg("op %u", op_at(code, 0).code);
	return false;
}

static bool run(const uint8_t *code, size_t n, const struct sock *s)
{
	size_t at = 0;

	while (at < n) {
		OP o = op_at(code, at);

		at += op_is(code + at, s) ? o.yes : o.no;
	}
	return at == n;
}

/* Small and repeatable: a failure names its expression anyway. */
static uint32_t dice(uint32_t *seed, uint32_t sides)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % sides;
}

static const char *const kernel_leaves[] = {
	"src 10/8",	     "src 10.1.2.3",	 "src 10.1.2.3:22",   "src != 10.1.0.0/16",
	"dst 192.0.2.7",     "dst 192.0.2.0/25", "dst 0/0",	      "src ::/0",
	"src [::1]:22",	     "dst 2001:db8::/32", "dst 2001:db8::/33", "src inet6:*",
	"src :22",		 "dst :443",	      "src *",
	"sport 22",	     "sport != :22",	 "dport >= :1024",    "dport < :1024",
	"dport <= 443",	     "sport > 22",	 "dport = 443",	      "dst [2001:db8::2]:443",
	"dport > 443",	     "sport >= 1024",	 "sport < 1024",      "sport <= 443", "dport != 22",
	"src 10.1.2.3/31:22", "dst != 192.0.2.7:40000", "src [::ffff:10.1.2.3]:22", "dst ::ffff:0:0/96",
	"dev 1", "dev != 2", "cgroup 7", "cgroup != 0",
};
static const char *const own_leaves[] = {
	"pid 1",	    "pid 812",	"uid 33", "not uid 33", "state close-wait", "owned",
	"exclude time-wait", "age > 5m", "orphan", "rqueue > 0", "dst inet:*", "src inet:10/8",
};

static void put_random(struct buf *b, uint32_t *seed, int depth, bool only_kernel)
{
	uint32_t kind = depth == 0 ? 0 : dice(seed, 5);

	if (kind == 0) {
		bool own = !only_kernel && dice(seed, 3) == 0;

		buf_puts(b, own ? own_leaves[dice(seed, ARRAY_LEN(own_leaves))]
				: kernel_leaves[dice(seed, ARRAY_LEN(kernel_leaves))]);
		return;
	}
	buf_puts(b, kind == 1 ? "not (" : "(");
	put_random(b, seed, depth - 1, only_kernel);
	if (kind > 1) {
		buf_puts(b, kind < 4 ? ") or (" : ") and (");
		put_random(b, seed, depth - 1, only_kernel);
	}
	buf_puts(b, ")");
}

static void roll_sock(uint32_t *seed, struct sock *s)
{
	static const char *const v4[] = { "10.1.2.3", "10.1.2.2", "10.9.9.9", "192.0.2.7",
					  "192.0.2.200", "127.0.0.1", "0.0.0.0" };
	static const char *const v6[] = { "2001:db8::1", "2001:db8::2", "2001:db8:8000::1", "::1",
					  "::", "fe80::1" };
	static const uint16_t ports[] = { 0, 22, 23, 443, 1023, 1024, 40000, 65535 };
	bool is_v4 = dice(seed, 2);
	struct endpoint *ends[] = { &s->pair.local, &s->pair.peer };

	s->is_inet6 = !is_v4 || dice(seed, 3) == 0;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		*ends[i] = endpoint(is_v4 ? v4[dice(seed, ARRAY_LEN(v4))]
					  : v6[dice(seed, ARRAY_LEN(v6))],
				    ports[dice(seed, ARRAY_LEN(ports))]);
	s->state = dice(seed, 2) ? STATE_CLOSE_WAIT : STATE_TIME_WAIT;
}

static struct buf random_expression(uint32_t *seed, bool only_kernel)
{
	struct buf b = { 0 };

	put_random(&b, seed, (int)dice(seed, 5), only_kernel);
	return b;
}

/* How many sockets the code dropped: a test that never sees one would prove nothing. */
static unsigned compare(uint32_t *seed, bool only_kernel)
{
	AUTO_BUF text = random_expression(seed, only_kernel);
	struct filter *f = parsed(text.at);
	void *code;
	size_t n = filter_bytecode(f, &code);
	unsigned n_dropped = 0;

	assert_int_equal(n % 4, 0);
	assert_true((n == 0) == !code);
	if (only_kernel)
		assert_true(n > 0);
	if (!audit(code, n))
		fail_msg("the kernel would refuse: %s", text.at);
	for (int i = 0; n > 0 && i < 60; i++) {
		struct proc proc = { .pid = 812 };
		uint16_t device = (uint16_t)dice(seed, 3);
		struct sock_full full = { .uid = dice(seed, 2) ? 33 : 0, .inode = dice(seed, 2),
					  .rqueue = dice(seed, 2), .ifindex = device,
					  .has_cgroup = true, .cgroup_id = 7 * dice(seed, 2) };
		struct sock s = { 0 };
		struct conn c = { .sock = &s, .owner = dice(seed, 2) ? OWNER_KNOWN : OWNER_HIDDEN };

		roll_sock(seed, &s);
		s.ifindex = device;
		s.full = s.state == STATE_TIME_WAIT ? NULL : &full;
		c.n_holders = c.owner == OWNER_KNOWN;
		c.holders[0].proc = &proc;

		bool is_sent = run(code, n, &s), is_wanted = filter_match(f, &c, NULL);

		if (is_wanted && !is_sent)
			fail_msg("the kernel would drop what matches: %s", text.at);
		if (only_kernel && is_sent && !is_wanted)
			fail_msg("the kernel would send what does not match: %s", text.at);
		n_dropped += !is_sent;
	}
	free(code);
	filter_free(f);
	return n_dropped;
}

static void what_matches_is_sent(void **state)
{
	uint32_t seed = 1;
	unsigned n_dropped = 0;

	(void)state;
	for (int i = 0; i < 3000; i++)
		n_dropped += compare(&seed, false);
	assert_true(n_dropped >= 3000 && n_dropped <= 60 * 3000);
}

static void addresses_and_ports_agree_exactly(void **state)
{
	uint32_t seed = 2;
	unsigned n_dropped = 0;

	(void)state;
	for (int i = 0; i < 3000; i++)
		n_dropped += compare(&seed, true);
	assert_true(n_dropped >= 3000 && n_dropped <= 60 * 3000);
}

static size_t code_of(const char *expression, void **ret)
{
	struct filter *f = parsed(expression);
	size_t n = filter_bytecode(f, ret);

	filter_free(f);
	return n;
}

/* "dport = :443": the op, and its operand in a second one. */
static void one_op(void **state)
{
	static const OP want[] = { { INET_DIAG_BC_D_EQ, 8, 12 }, { INET_DIAG_BC_NOP, 0, 443 } };
	static const OP autobound[] = { { INET_DIAG_BC_AUTO, 4, 8 } };
	void *code;

	(void)state;
	assert_int_equal(code_of("dport = :443", &code), sizeof(want));
	assert_memory_equal(code, want, sizeof(want));
	free(code);
	assert_int_equal(code_of("autobound", &code), sizeof(autobound));
	assert_memory_equal(code, autobound, sizeof(autobound));
	free(code);
}

static void what_the_kernel_cannot_judge(void **state)
{
	static const char *const rows[] = {
		"pid 1", "state close-wait", "pid 1 or dport 80", "not (pid 1 and dport 80)",
		"not uid 5", "(dport 80 or pid 1) and (uid 7 or src 10/8)",
	};
	void *code;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(code_of(rows[i], &code), 0);
		assert_null(code);
	}
	/* Mapped addresses pass the kernel's IPv4, who chose a port it alone knows. */
	assert_int_equal(code_of("not src inet:10/8", &code), 0);
	assert_int_equal(code_of("not autobound", &code), 0);
	/* The half that it can: */
	assert_int_equal(code_of("pid 1 and dport 80", &code), 8);
	free(code);
	assert_int_equal(code_of("not (pid 1 or dport 80)", &code), 12);
	free(code);
}

/* A jump has 16 bits. What would not fit is judged here instead, or passes the audit. */
static void the_longest_expressions(void **state)
{
	static const char *const leaves[] = { "src [2001:db8::1]:22", "sport != 1", "src 10/8" };
	static const char *const joints[] = { " or ", " and " };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(leaves) * ARRAY_LEN(joints); i++) {
		AUTO_BUF text = { 0 };
		struct sock s = { .pair = { endpoint("2001:db8::1", 22), endpoint("::1", 1) },
				  .is_inet6 = true };
		struct conn c = { .sock = &s };
		void *code;

		for (int k = 0; k < 500; k++) {
			buf_puts(&text, leaves[i / 2]);
			buf_puts(&text, joints[i % 2]);
		}
		buf_puts(&text, leaves[i / 2]);

		struct filter *f = parsed(text.at);
		size_t n = filter_bytecode(f, &code);

		assert_true(n < 65536 - 4);
		assert_true(audit(code, n));
		assert_true(!filter_match(f, &c, NULL) || run(code, n, &s));
		free(code);
		filter_free(f);
	}
}

/* The audit itself must be able to refuse. */
static void the_audit_refuses(void **state)
{
	static const OP good[] = { { INET_DIAG_BC_S_EQ, 8, 12 }, { INET_DIAG_BC_NOP, 0, 22 } };
	static const OP into_an_operand[] = {
		{ INET_DIAG_BC_S_EQ, 8, 12 }, { INET_DIAG_BC_NOP, 0, 22 },
		{ INET_DIAG_BC_S_EQ, 8, 4 },  { INET_DIAG_BC_NOP, 0, 22 },
	};
	static const OP too_far[] = { { INET_DIAG_BC_JMP, 4, 12 } };
	static const OP uneven[] = { { INET_DIAG_BC_JMP, 4, 6 } };
	static const OP operand_missing[] = { { INET_DIAG_BC_S_EQ, 8, 12 } };

	(void)state;
	assert_true(audit((const uint8_t *)good, sizeof(good)));
	assert_false(audit((const uint8_t *)into_an_operand, sizeof(into_an_operand)));
	assert_false(audit((const uint8_t *)too_far, sizeof(too_far)));
	assert_false(audit((const uint8_t *)uneven, sizeof(uneven)));
	assert_false(audit((const uint8_t *)operand_missing, sizeof(operand_missing)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_matches_is_sent),
		cmocka_unit_test(addresses_and_ports_agree_exactly),
		cmocka_unit_test(one_op),
		cmocka_unit_test(what_the_kernel_cannot_judge),
		cmocka_unit_test(the_longest_expressions),
		cmocka_unit_test(the_audit_refuses),
	};

	return cmocka_run_group_tests_name("filter-bytecode", tests, NULL, NULL);
}

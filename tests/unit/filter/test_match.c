#include "test.h"

#include <net/if.h>

/* A CLOSE-WAIT held by two processes of one service; each test changes what it asks about. */
struct fixture {
	struct proc procs[2];
	struct netns netns;
	struct sock_full full;
	struct sock sock;
	struct conn conn;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->procs[0] = (struct proc){ .pid = 812, .comm = "nginx", .unit = "nginx.service",
				     .container = "4f2ab09c77de11aa" };
	f->procs[1] = (struct proc){ .pid = 813, .comm = "nginx: worker" };
	f->netns = (struct netns){ .inode = 4026531840, .name = "blue" };
	f->full = (struct sock_full){ .rqueue = 1, .wqueue = 9, .uid = 33, .inode = 4711,
				      .ifindex = 1, .has_mark = true, .mark = 0x25 };
	f->sock = (struct sock){
		.state = STATE_CLOSE_WAIT, .timer = TIMER_KEEPALIVE, .retrans = 2, .full = &f->full,
		.pair = { endpoint("10.0.0.1", 80), endpoint("192.0.2.7", 40000) },
	};
	f->conn = (struct conn){
		.sock = &f->sock, .netns = &f->netns, .owner = OWNER_KNOWN,
		.holders = { { .proc = &f->procs[0], .fd = 7 }, { .proc = &f->procs[1], .fd = 7 } }, .n_holders = 2,
		.age = { .known = true, .is_exact = true, .ms = 300000 },
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

struct question {
	const char *expression;
	bool want;
};

static void ask(const struct conn *c, const char *const *rules, const struct question *q, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (matches(q[i].expression, c, rules) != q[i].want)
			fail_msg("'%s' is not %d", q[i].expression, q[i].want);
}

#define ASK(conn, rules, ...)                                                              \
	do {                                                                               \
		static const struct question asked[] = { __VA_ARGS__ };                    \
		ask(conn, rules, asked, ARRAY_LEN(asked));                                 \
	} while (0)

static void predicates(void **state)
{
	struct fixture *f = *state;

	ASK(&f->conn, NULL,
	    { "pid 812", true }, { "pid = 813", true }, { "pid 814", false },
	    { "pid > 812", true }, { "pid > 813", false }, { "pid lt 813", true },
	    { "comm nginx", true }, { "comm 'nginx: worker'", true }, { "comm 'nginx*'", true },
	    { "comm ngin", false }, { "comm != nginx", false }, { "comm != redis", true },
	    { "unit nginx.service", true }, { "unit '*.service'", true }, { "unit cron", false },
	    { "container 4f2ab09c77de", true }, { "container 4f2ab09c77df", false },
	    { "uid 33", true }, { "uid != 33", false }, { "uid root", false },
	    { "uid != root", true },
	    { "ino 4711", true }, { "ino != 4711", false }, { "ino 0", false },
	    { "netns blue", true }, { "netns 'b*'", true }, { "netns red", false },
	    { "netns != red", true }, { "netns 4026531840", true }, { "netns 1", false },
	    { "age > 5m", false }, { "age >= 5m", true }, { "age = 300s", true },
	    { "age > 299", true }, { "age < 1h", true }, { "age < 300000ms", false },
	    { "rqueue 1", true }, { "rqueue > 0", true }, { "rqueue > 1", false },
	    { "wqueue >= 9", true }, { "wqueue < 9", false },
	    { "retrans 2", true }, { "retrans > 2", false },
	    { "timer keepalive", true }, { "timer off", false }, { "timer != off", true },
	    { "fwmark 0x25", true }, { "fwmark 0x5/0xf", true }, { "fwmark 5", false },
	    { "fwmark != 0x25", false },
	    { "dev 1", true }, { "dev 2", false },
	    { "owned", true }, { "orphan", false }, { "unaccepted", false },
	    { "not owned", false }, { "not orphan", true });
	if (if_nametoindex("lo") == 1)
		ASK(&f->conn, NULL, { "dev lo", true }, { "dev != lo", false });
}

static void rules(void **state)
{
	const char *const ids[] = { "close-wait-leaked-fd", "unjudged", NULL };
	struct fixture *f = *state;

	ASK(&f->conn, ids,
	    { "rule close-wait-leaked-fd", true }, { "rule 'close-wait-*'", true },
	    { "rule unjudged", true }, { "rule rst-refused", false },
	    { "rule != rst-refused", true }, { "rule != unjudged", false });
	ASK(&f->conn, NULL, { "rule unjudged", false }, { "not rule unjudged", false });
}

/* pid 812 and uid 33 are true here, any other number is false. */
static void precedence(void **state)
{
	struct fixture *f = *state;

	ASK(&f->conn, NULL,
	    /* and is no better than or: from left to right */
	    { "pid 812 or pid 1 and pid 2", false },
	    { "pid 812 or (pid 1 and pid 2)", true },
	    { "pid 1 and pid 2 or pid 812", true },
	    { "(pid 812 or pid 1) and pid 2", false },
	    /* not before and */
	    { "not pid 1 and pid 2", false },
	    { "not (pid 1 and pid 2)", true },
	    { "not pid 1 or pid 2", true },
	    { "not pid 812 or pid 812", true },
	    { "not not pid 812", true },
	    /* Side by side is and. */
	    { "pid 812 pid 813", true },
	    { "pid 812 pid 1", false },
	    { "pid 1 or pid 812 uid 33", true },
	    { "pid 812 or pid 1 uid 1", false },
	    { "pid 812 not pid 1", true },
	    { "pid 812 (pid 1 or uid 33)", true },
	    /* The symbols are the words. */
	    { "pid 812||pid 1&&pid 2", false },
	    { "pid 812||(pid 1&&pid 2)", true },
	    { "(pid 812|pid 1)&pid 2", false },
	    { "!pid 1&&uid=33", true },
	    { "!(pid 1)", true });
}

static void front(void **state)
{
	struct fixture *f = *state;

	ASK(&f->conn, NULL,
	    { "state close-wait", true }, { "state last-ack", false },
	    { "state last-ack state close-wait", true },
	    { "state last-ack state close-wait pid 812", true },
	    { "state last-ack state close-wait and pid 1", false },
	    { "state teardown exclude close-wait", false },
	    { "exclude close-wait", false }, { "exclude time-wait", true },
	    { "exclude time-wait exclude last-ack pid 812", true },
	    /* One after the other. */
	    { "exclude close-wait state last-ack", false },
	    { "exclude last-ack state close-wait", true },
	    { "exclude last-ack state time-wait", true },
	    { "exclude close-wait state close-wait", true },
	    { "state close-wait exclude close-wait state last-ack", false },
	    { "excl close-wait", false }, { "excl last-ack", true },
	    /* No front but an expression: */
	    { "state last-ack or pid 812", true },
	    { "state last-ack or state close-wait", true },
	    { "state last-ack and state close-wait", false },
	    { "pid 812 state last-ack state close-wait", false },
	    { "not state last-ack", true }, { "not exclude close-wait", true });
}

static void hidden_owner(void **state)
{
	struct fixture *f = *state;

	f->conn.owner = OWNER_HIDDEN;
	f->conn.n_holders = 0;
	ASK(&f->conn, NULL,
	    { "pid 1", false }, { "not pid 1", false }, { "not not pid 1", false },
	    { "pid != 1", false }, { "comm x", false }, { "comm != x", false },
	    { "not unit x", false }, { "not container 1", false },
	    /* What is known decides where it can. */
	    { "pid 1 or uid 33", true }, { "uid 33 or pid 1", true },
	    { "pid 1 or not pid 1", false },
	    { "not (pid 1 and uid 34)", true }, { "not (uid 34 and pid 1)", true },
	    { "not (pid 1 and uid 33)", false }, { "not (pid 1 or uid 34)", false },
	    { "pid 1 and uid 33", false });
}

/* Seventeen holders, of whom sixteen are known: the last could be anybody. */
static void more_holders_than_kept(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < MAX_CONN_HOLDERS; i++)
		f->conn.holders[i] = (struct holder){ .proc = &f->procs[0], .fd = 7 };
	f->conn.n_holders = MAX_CONN_HOLDERS + 1;
	ASK(&f->conn, NULL, { "pid 812", true }, { "pid 5", false }, { "not pid 5", false },
	    { "comm != nginx", false }, { "comm != x", false });
}

static void nobody_holds_it(void **state)
{
	struct fixture *f = *state;

	f->full.inode = 0;
	f->conn.owner = OWNER_UNACCEPTED;
	f->conn.n_holders = 0;
	ASK(&f->conn, NULL, { "unaccepted", true }, { "owned", false }, { "orphan", false },
	    { "pid 1", false }, { "not pid 1", true }, { "comm != x", true });
	f->conn.owner = OWNER_NONE;
	f->sock.state = STATE_LAST_ACK;
	ASK(&f->conn, NULL, { "orphan", true }, { "unaccepted", false }, { "not owned", true },
	    { "not pid 1", true });
}

/* A minisock has no queue and no inode, which is a fact; its user is not reported. */
static void minisock(void **state)
{
	struct fixture *f = *state;

	f->sock.full = NULL;
	f->sock.state = STATE_TIME_WAIT;
	f->sock.timer = TIMER_TIMEWAIT;
	f->conn.owner = OWNER_NONE;
	f->conn.n_holders = 0;
	f->sock.ifindex = 3;
	ASK(&f->conn, NULL, { "orphan", true }, { "owned", false }, { "ino 0", true },
	    { "rqueue 0 wqueue 0", true }, { "timer timewait", true },
	    { "uid 0", false }, { "not uid 0", false }, { "uid != 5", false },
	    { "dev 1", false }, { "not dev 1", true }, { "dev 3", true },
	    { "fwmark 0", true }, { "not fwmark 0", false },
	    { "cgroup 0", true }, { "cgroup 7", false }, { "not cgroup 7", true });
	f->sock.ifindex = UINT16_MAX;
	ASK(&f->conn, NULL, { "dev 65535", false }, { "not dev 65535", false });
}

/* The range is the kernel's, the port is the socket's. */
static void autobound(void **state)
{
	struct fixture *f = *state;

	f->netns.sysctls.port_low = (struct setting){ true, 32768 };
	f->netns.sysctls.port_high = (struct setting){ true, 60999 };
	f->conn.netns = &f->netns;
	f->sock.pair.local.port = 32768;
	ASK(&f->conn, NULL, { "autobound", true }, { "not autobound", false });
	f->sock.pair.local.port = 61000;
	ASK(&f->conn, NULL, { "autobound", false }, { "not autobound", true });
	f->netns.sysctls.port_high.known = false;
	ASK(&f->conn, NULL, { "autobound", false }, { "not autobound", false });
	f->netns.sysctls.port_low.known = false;
	ASK(&f->conn, NULL, { "autobound", false }, { "not autobound", false });
	f->conn.netns = NULL;
	ASK(&f->conn, NULL, { "autobound", false }, { "not autobound", false });
}

static void what_is_not_reported(void **state)
{
	struct fixture *f = *state;

	f->full.has_mark = false;
	f->conn.age.known = false;
	f->conn.netns = NULL;
	ASK(&f->conn, NULL, { "fwmark 0", false }, { "not fwmark 0", false },
	    { "age > 1s", false }, { "not age > 1s", false }, { "age < 1s", false },
	    { "netns blue", false }, { "not netns blue", false }, { "not netns 5", false });
	/* A namespace without a name has certainly not that name. */
	f->netns.name = NULL;
	f->conn.netns = &f->netns;
	ASK(&f->conn, NULL, { "netns blue", false }, { "not netns blue", true },
	    { "netns != blue", true });
}

/* At least five minutes. */
static void lower_bound_of_age(void **state)
{
	struct fixture *f = *state;

	f->conn.age.is_exact = false;
	ASK(&f->conn, NULL,
	    { "age > 4m", true }, { "age > 5m", false }, { "age >= 5m", true },
	    { "age >= 6m", false }, { "not age > 4m", false },
	    /* Perhaps. */
	    { "not age > 5m", false }, { "age < 1h", false }, { "not age < 1h", false },
	    { "age = 5m", false }, { "not age = 5m", false }, { "not age >= 6m", false },
	    /* Certainly not below what it is at least. */
	    { "age < 4m", false }, { "not age < 4m", true }, { "not age < 5m", true },
	    { "not age <= 5m", false }, { "not age <= 4m", true }, { "not age = 4m", true },
	    { "age != 4m", true }, { "age != 5m", false });
}

/* A capture knows packets: no queue, no owner. */
static void only_packets(void **state)
{
	struct flow flow = {
		.end = { [SIDE_CLIENT] = { .state = STATE_FIN_WAIT_2 },
			 [SIDE_SERVER] = { .state = STATE_CLOSE_WAIT } },
	};
	struct conn c = { .flow = &flow, .owner = OWNER_HIDDEN };

	(void)state;
	ASK(&c, NULL,
	    { "state fin-wait-2", true }, { "state close-wait", true }, { "state closing", false },
	    { "not state closing", true },
	    { "rqueue 0", false }, { "not rqueue 0", false }, { "not orphan", false },
	    { "orphan", false }, { "not owned", false }, { "not uid 1", false },
	    { "not timer off", false }, { "not pid 1", false });
	flow.end[SIDE_CLIENT].state = flow.end[SIDE_SERVER].state = STATE_UNKNOWN;
	ASK(&c, NULL, { "state closing", false }, { "not state closing", false },
	    { "exclude closing", false });
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(predicates),
		TEST(rules),
		TEST(precedence),
		TEST(front),
		TEST(hidden_owner),
		TEST(more_holders_than_kept),
		TEST(nobody_holds_it),
		TEST(minisock),
		TEST(autobound),
		TEST(what_is_not_reported),
		TEST(lower_bound_of_age),
		TEST(only_packets),
	};

	return cmocka_run_group_tests_name("filter-match", tests, NULL, NULL);
}

#include "check/table.h"
#include "host.h"

/* A host whose last look was a minute ago, when its counters stood at 1000. */

enum { MINUTE_MS = 60000, NOW_MS = 1000000, THEN = 1000 };

struct past {
	struct memory memory;
	struct memory_netns netns;
	struct memory_listener listener;
	struct check_past all;
};

static void make_past(struct past *p)
{
	*p = (struct past){
		.netns = { (int64_t)netns.inode, { THEN, THEN, THEN } },
		.listener = { (int64_t)netns.inode, 5, 90 },
		.memory = { .boot_id = "b", .uptime_ms = NOW_MS - MINUTE_MS, .n_netnses = 1, .n_listeners = 1 },
	};
	p->memory.netnses = &p->netns;
	p->memory.listeners = &p->listener;
	p->all.look = &p->memory;
}

static struct look *look_now(void)
{
	struct look *look = make_look();

	look->host.uptime_ms = NOW_MS;
	look->host.boot_id = "b";
	return look;
}

static void set_counters(bool known, int64_t n)
{
	const struct setting now = { known, n };

	netns.counters.tw_overflow = netns.counters.listen_overflows = netns.counters.abort_on_memory = now;
}

static void judge(const struct look *look, const struct past *past, const struct host_conn *listeners, size_t n,
		  struct check_results *ret)
{
	struct check *k = check_new(look, OLD_MS, &past->all);
	struct findings none = { 0 };
	struct check_levels levels;

	for (size_t i = 0; i < n; i++) {
		struct conn c = listeners[i].conn;

		c.sock = &listeners[i].sock;
		check_sock(k, &c);
	}
	check_levels_default(&levels);
	check_end(k, &none, &levels, true, ret);
}

/* The three by what their counters gained in a minute. */
static void what_grows_is_judged(void **state)
{
	static const struct {
		int64_t now;
		enum check_status tw, queue, aborts;
	} rows[] = {
		{ THEN, CHECK_OK, CHECK_OK, CHECK_OK }, /* however much it was */
		{ THEN + 1, CHECK_WARNING, CHECK_OK, CHECK_CRITICAL },
		{ THEN + 10, CHECK_WARNING, CHECK_OK, CHECK_CRITICAL },
		{ THEN + 11, CHECK_WARNING, CHECK_WARNING, CHECK_CRITICAL },
		{ THEN + 61, CHECK_WARNING, CHECK_CRITICAL, CHECK_CRITICAL },
		{ INT64_MAX, CHECK_WARNING, CHECK_CRITICAL, CHECK_CRITICAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look *look = look_now();
		struct check_results all;
		struct past past;

		make_past(&past);
		set_counters(true, rows[i].now);
		judge(look, &past, NULL, 0, &all);
		assert_int_equal(result(&all, "tw-buckets.overflows")->status, rows[i].tw);
		assert_int_equal(result(&all, "accept-queue.overflows")->status, rows[i].queue);
		assert_int_equal(result(&all, "orphans.aborts")->status, rows[i].aborts);
		const struct check_result *aborts = result(&all, "orphans.aborts");
		assert_int_equal(aborts->value, rows[i].now == INT64_MAX ? RANGE_HIGHEST : (rows[i].now - THEN) * 1000);
		assert_int_equal(aborts->has_worst, rows[i].now != THEN);
		look_free(look);
	}
	set_counters(false, 0);
}

/* Each by its own counter, and once a day is not never. */
static void each_has_its_counter(void **state)
{
	struct look *look = look_now();
	struct check_results all;
	struct past past;

	(void)state;
	make_past(&past);
	netns.counters.tw_overflow = (struct setting){ true, THEN + 1 };
	netns.counters.listen_overflows = (struct setting){ true, THEN + 2 };
	netns.counters.abort_on_memory = (struct setting){ true, THEN + 3 };
	judge(look, &past, NULL, 0, &all);
	assert_int_equal(result(&all, "tw-buckets.overflows")->value, 1000);
	assert_int_equal(result(&all, "accept-queue.overflows")->value, 2000);
	assert_int_equal(result(&all, "orphans.aborts")->value, 3000);
	look->host.uptime_ms += 24 * 60 * (int64_t)MINUTE_MS;
	judge(look, &past, NULL, 0, &all);
	assert_int_equal(result(&all, "tw-buckets.overflows")->value, 1);
	set_counters(false, 0);
	look_free(look);
}

static void expect_not_judged(const struct look *look, const struct past *past, enum check_status status,
			      bool is_unwatched)
{
	struct check_results all;

	judge(look, past, NULL, 0, &all);
	const struct check_result *r = result(&all, "tw-buckets.overflows");
	assert_false(r->known);
	assert_non_null(r->unknown);
	assert_int_equal(r->status, status);
	assert_int_equal(r->is_unwatched, is_unwatched);
}

static void without_a_past_nothing_is_known(void **state)
{
	struct look *look = look_now();
	struct past past;

	(void)state;
	make_past(&past);
	set_counters(true, THEN + 500);
	past.all = (struct check_past){ 0 };
	expect_not_judged(look, &past, CHECK_OK, true);
	past.all.none = "first";
	expect_not_judged(look, &past, CHECK_OK, false);
	/* A state of before counters were kept, of another namespace, and of one by the same number. */
	make_past(&past);
	past.memory.n_netnses = 0;
	expect_not_judged(look, &past, CHECK_OK, false);
	past.memory.n_netnses = 1;
	past.netns.netns++;
	expect_not_judged(look, &past, CHECK_OK, false);
	make_past(&past);
	past.netns.counters[MEMORY_TW_OVERFLOWS] = THEN + 501;
	expect_not_judged(look, &past, CHECK_OK, false);
	past.netns.counters[MEMORY_TW_OVERFLOWS] = -1;
	expect_not_judged(look, &past, CHECK_OK, false);
	/* Nobody can say that it does not grow. */
	set_counters(false, 0);
	make_past(&past);
	expect_not_judged(look, &past, CHECK_UNKNOWN, false);
	look_free(look);
}

/* Of several namespaces the one that gained most is judged; where one cannot be read, none is well. */
static void the_worst_namespace_counts(void **state)
{
	static const int64_t gains[] = { 5, 20, 10 };
	struct memory_netns then[ARRAY_LEN(gains)];
	struct netns now[ARRAY_LEN(gains)];
	struct look *look = look_now();
	struct check_results all;
	struct past past;

	(void)state;
	make_past(&past);
	for (size_t i = 0; i < ARRAY_LEN(gains); i++) {
		now[i] = netns;
		now[i].inode = 100 + i;
		now[i].counters.listen_overflows = (struct setting){ true, THEN + gains[i] };
		then[i] = (struct memory_netns){ (int64_t)now[i].inode, { THEN, THEN, THEN } };
	}
	past.memory.netnses = then;
	past.memory.n_netnses = look->n_netns = ARRAY_LEN(gains);
	look->netns = now;
	judge(look, &past, NULL, 0, &all);
	const struct check_result *r = result(&all, "accept-queue.overflows");
	assert_int_equal(r->value, 20000);
	assert_ptr_equal(r->worst.subject.netns, &now[1]);
	for (size_t i = 0; i < ARRAY_LEN(gains); i++)
		now[i].counters.listen_overflows.value = THEN;
	now[0].counters.listen_overflows.known = false;
	judge(look, &past, NULL, 0, &all);
	assert_int_equal(result(&all, "accept-queue.overflows")->status, CHECK_UNKNOWN);
	look_free(look);
}

static const struct check_result *without_state(struct look *look, const char *none, struct check_results *all)
{
	struct past past = { .all.none = none };

	judge(look, &past, NULL, 0, all);
	return result(all, "tw-buckets.overflows");
}

static int64_t total_of(const struct check_result *r)
{
	const struct fact *total = finding_find_fact(&r->worst, "total", strlen("total"));

	return total ? total->number : -1;
}

/* What was counted since boot is told where nobody asked for growth, and there is something to tell. */
static void without_a_state_the_total_is_told(void **state)
{
	struct netns both[] = { netns, netns };
	struct look *look = look_now();
	struct check_results all;

	(void)state;
	look->netns = both;
	look->n_netns = 2;
	both[0].counters.tw_overflow = both[1].counters.tw_overflow = (struct setting){ true, 7 };
	assert_int_equal(total_of(without_state(look, NULL, &all)), 14);
	assert_int_equal(total_of(without_state(look, "first", &all)), -1);
	both[0].counters.tw_overflow.value = both[1].counters.tw_overflow.value = INT64_MAX;
	assert_int_equal(total_of(without_state(look, NULL, &all)), INT64_MAX);
	both[0].counters.tw_overflow.value = both[1].counters.tw_overflow.value = 0;
	assert_int_equal(total_of(without_state(look, NULL, &all)), -1);
	look_free(look);
}

/* The one that has turned most away since, not the one that ever did. */
static void a_listener_is_named(void **state)
{
	static struct proc others[] = { { .pid = 3, .comm = "old" }, { .pid = 4, .comm = "young" } };
	static struct netns elsewhere = { .inode = 5 };
	static struct memory_listener many[MEMORY_MAX_LISTENERS];
	struct look *look = look_now();
	struct check_results all;
	struct host_conn h[5];
	struct past past;

	(void)state;
	make_past(&past);
	const struct memory_netns there = { (int64_t)elsewhere.inode, { THEN, THEN, THEN } };
	struct memory_netns both[] = { past.netns, there };
	set_counters(true, THEN + 100);
	for (size_t i = 0; i < ARRAY_LEN(h); i++) {
		make_conn(&h[i], STATE_LISTEN, i < 2 ? &others[i] : &leaky, 0);
		h[i].sock.full = NULL;
		h[i].sock.cookie = 5 + i;
		h[i].full.has_drops = true;
	}
	h[0].full.drops = 100; /* 90 of them before */
	h[1].full.drops = 60;
	h[2].full.drops = 40;
	h[3] = h[0];
	h[4].full.drops = 1000;
	h[4].conn.netns = &elsewhere;
	past.memory.netnses = both;
	past.memory.n_netnses = 2;
	for (size_t i = 0; i < ARRAY_LEN(h); i++)
		h[i].sock.full = &h[i].full;
	judge(look, &past, h, ARRAY_LEN(h), &all);
	const struct check_result *r = result(&all, "accept-queue.overflows");
	assert_ptr_equal(r->worst.subject.proc, &others[1]);
	assert_int_equal(r->worst.subject.kind, SUBJECT_LISTENER);
	/* The state had no room for all: of who is not in it nobody knows what is new. */
	many[0] = past.listener;
	past.memory.listeners = many;
	past.memory.n_listeners = MEMORY_MAX_LISTENERS;
	judge(look, &past, h, ARRAY_LEN(h), &all);
	assert_ptr_equal(result(&all, "accept-queue.overflows")->worst.subject.proc, &others[0]);
	/* Where it is gone already, nobody is blamed, */
	make_past(&past);
	judge(look, &past, NULL, 0, &all);
	r = result(&all, "accept-queue.overflows");
	assert_int_equal(r->status, CHECK_CRITICAL);
	assert_null(r->worst.subject.proc);
	assert_non_null(r->worst.says);
	/* nor where it turned clients away for another reason than its queue. */
	set_counters(true, THEN);
	judge(look, &past, h, ARRAY_LEN(h), &all);
	assert_null(result(&all, "accept-queue.overflows")->worst.subject.proc);
	set_counters(false, 0);
	look_free(look);
}

static void counters_are_remembered(void **state)
{
	static const struct check_past nothing;
	struct look *look = look_now();
	struct host_conn h;
	struct memory m;

	(void)state;
	set_counters(true, 77);
	netns.counters.abort_on_memory.known = false;
	make_conn(&h, STATE_LISTEN, &leaky, 0);
	h.conn.sock = &h.sock;
	h.sock.cookie = 9;
	h.full.has_drops = true;
	struct check *k = check_new(look, OLD_MS, &nothing);
	check_sock(k, &h.conn); /* none turned away: not worth keeping */
	h.full.drops = 4;
	check_sock(k, &h.conn);
	assert_true(check_remember(k, &m));
	assert_int_equal(m.n_netnses, 1);
	assert_int_equal(m.netnses[0].counters[MEMORY_TW_OVERFLOWS], 77);
	assert_int_equal(m.netnses[0].counters[MEMORY_ABORTS], -1);
	assert_int_equal(m.n_listeners, 1);
	assert_int_equal(m.listeners[0].drops, 4);
	struct check_results all;
	struct check_levels levels;
	struct findings none = { 0 };
	check_levels_default(&levels);
	check_end(k, &none, &levels, true, &all);
	set_counters(false, 0);
	look_free(look);
}

/* A state has room for some: for those that turned most away. */
static void more_than_a_state_holds(void **state)
{
	enum { MANY = MEMORY_MAX_NETNS + 1 };
	static const struct check_past nothing;
	static struct netns namespaces[MANY];
	struct look *look = look_now();
	struct check *k = check_new(look, OLD_MS, &nothing);
	struct check_results all;
	struct check_levels levels;
	struct findings none = { 0 };
	struct memory m;

	(void)state;
	for (uint32_t i = 0; i <= MEMORY_MAX_LISTENERS; i++) {
		struct host_conn *h = arena_alloc(look->arena, sizeof(*h));

		make_conn(h, STATE_LISTEN, &leaky, 0);
		h->full.has_drops = true;
		h->full.drops = 100 + (i * 7) % (MEMORY_MAX_LISTENERS + 1);
		h->sock.cookie = h->full.drops;
		check_sock(k, &h->conn);
	}
	look->netns = namespaces;
	look->n_netns = MANY;
	assert_true(check_remember(k, &m));
	assert_int_equal(m.n_netnses, MEMORY_MAX_NETNS);
	assert_int_equal(m.n_listeners, MEMORY_MAX_LISTENERS);
	for (int64_t i = 0; i < MEMORY_MAX_LISTENERS; i++)
		assert_int_equal(m.listeners[i].drops, 100 + MEMORY_MAX_LISTENERS - i);
	look->netns = &netns;
	look->n_netns = 1;
	check_levels_default(&levels);
	check_end(k, &none, &levels, true, &all);
	look_free(look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_grows_is_judged),
		cmocka_unit_test(each_has_its_counter),
		cmocka_unit_test(without_a_past_nothing_is_known),
		cmocka_unit_test(the_worst_namespace_counts),
		cmocka_unit_test(without_a_state_the_total_is_told),
		cmocka_unit_test(a_listener_is_named),
		cmocka_unit_test(counters_are_remembered),
		cmocka_unit_test(more_than_a_state_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

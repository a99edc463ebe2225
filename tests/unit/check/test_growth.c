#include "check/table.h"
#include "host.h"

/* A host whose last look was a minute ago, 16 minutes after it booted. */

enum { MINUTE_MS = 60000, NOW_MS = 1000000, SHORTEST_MS = OLD_MS / 60 };

static struct proc grower = { .pid = 7, .start_ticks = 50, .comm = "grower", .fd_limit = 1000,
			      .n_fds = 400, .has_fds = true };

struct past {
	struct memory memory;
	struct memory_owner owner;
	struct memory_ports ports;
	struct check_past all;
};

static void make_past(struct past *p, int64_t n, int64_t ago_ms)
{
	*p = (struct past){
		.owner = { 7, 50, n },
		.memory = { .boot_id = "b", .uptime_ms = NOW_MS - ago_ms, .n_owners = 1 },
	};
	p->memory.owners = &p->owner;
	p->memory.ports = &p->ports;
	p->all.look = &p->memory;
}

static struct look *look_now(void)
{
	struct look *look = make_look();

	look->host.uptime_ms = NOW_MS;
	look->host.hz = 100;
	look->host.boot_id = "b";
	return look;
}

/* `n` connections whose ages are spread from `from` to `to`. */
static void add_spread(struct check *k, struct host_conn *h, size_t n, uint64_t from_ms, uint64_t to_ms)
{
	h->conn.sock = &h->sock;
	for (size_t i = 0; i < n; i++) {
		h->conn.age.ms = from_ms + (to_ms - from_ms) * i / n;
		check_sock(k, &h->conn);
	}
}

static void end(struct check *k, struct check_results *ret)
{
	struct findings none = { 0 };
	struct check_levels levels;

	check_levels_default(&levels);
	check_end(k, &none, &levels, true, ret);
}

/* 300 more in a minute, 600 free: two minutes. */
static void a_leak_has_a_time_left(void **state)
{
	struct look *look = look_now();
	struct check_results all;
	struct host_conn h;
	struct past past;

	(void)state;
	make_past(&past, 50, MINUTE_MS);
	struct check *k = check_new(look, OLD_MS, &past.all);
	make_conn(&h, STATE_CLOSE_WAIT, &grower, 0);
	add_spread(k, &h, 300, 0, MINUTE_MS);
	add_spread(k, &h, 50, MINUTE_MS, 10 * MINUTE_MS);
	end(k, &all);
	const struct check_result *left = result(&all, "close-wait.left");
	assert_int_equal(left->value, 2 * MINUTE_MS);
	assert_int_equal(left->status, CHECK_CRITICAL);
	assert_ptr_equal(all.first, left);
	assert_ptr_equal(left->worst.subject.proc, &grower);
	look_free(look);
}

/* What is no leak: each row holds 300, and had `before`. */
static void what_passes_does_not(void **state)
{
	static const struct {
		const char *what;
		int64_t before;
		uint64_t from_ms, to_ms;
		bool is_parked;
	} rows[] = {
		{ "a burst, a moment ago", 0, 0, 500, false },
		{ "a burst, in between", 0, 40000, 59000, false },
		{ "many that are closed soon", 0, 0, 20000, false },
		{ "as many as before", 300, 0, MINUTE_MS, false },
		{ "fewer than before", 500, 0, MINUTE_MS, false },
		{ "nine more", 291, 0, MINUTE_MS, false },
		{ "old ones that were not counted then", 0, MINUTE_MS, 9 * MINUTE_MS, false },
		{ "an idle pool", 0, 0, MINUTE_MS, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look *look = look_now();
		struct check_results all;
		struct host_conn h;
		struct past past;

		make_past(&past, rows[i].before, MINUTE_MS);
		struct check *k = check_new(look, OLD_MS, &past.all);
		make_conn(&h, STATE_CLOSE_WAIT, &grower, 0);
		if (rows[i].is_parked)
			h.conn.rules[0] = "close-wait-idle-pool";
		add_spread(k, &h, 300, rows[i].from_ms, rows[i].to_ms);
		end(k, &all);
		const struct check_result *left = result(&all, "close-wait.left");
		if (left->known || left->status != CHECK_OK || !left->is_harmless)
			fail_msg("%s", rows[i].what);
		look_free(look);
	}
}

/* Another process had that number of a pid before; this one is ten seconds old. */
static void a_young_process_had_nothing(void **state)
{
	struct proc young = grower;
	struct look *look = look_now();
	struct check_results all;
	struct host_conn h;
	struct past past;

	(void)state;
	young.start_ticks = (NOW_MS - 10000) / 10;
	make_past(&past, 1000, MINUTE_MS);
	struct check *k = check_new(look, OLD_MS, &past.all);
	make_conn(&h, STATE_CLOSE_WAIT, &young, 0);
	add_spread(k, &h, 100, 0, 10000);
	end(k, &all);
	/* 100 in ten seconds, 600 free. */
	assert_int_equal(result(&all, "close-wait.left")->value, MINUTE_MS);
	look_free(look);
}

static void without_a_past_nothing_is_judged(void **state)
{
	static const struct {
		bool is_asked;
		int64_t ago_ms; /* 0: no look */
	} rows[] = { { false, 0 }, { true, 0 }, { true, SHORTEST_MS - 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look *look = look_now();
		struct check_results all;
		struct host_conn h;
		struct past past;

		make_past(&past, 0, rows[i].ago_ms);
		if (!rows[i].ago_ms)
			past.all = (struct check_past){ .none = rows[i].is_asked ? "first" : NULL };
		struct check *k = check_new(look, OLD_MS, &past.all);
		make_conn(&h, STATE_CLOSE_WAIT, &grower, 0);
		add_spread(k, &h, 150, 0, MINUTE_MS);
		end(k, &all);
		const struct check_result *left = result(&all, "close-wait.left");
		assert_false(left->known);
		assert_non_null(left->unknown);
		assert_int_equal(left->is_unwatched, !rows[i].is_asked);
		assert_false(left->is_harmless);
		assert_int_equal(left->status, CHECK_OK);
		look_free(look);
	}
}

static void hidden_owners_may_grow(void **state)
{
	static const struct {
		enum basis basis;
		enum check_status status;
	} rows[] = { { BASIS_NO_PRIVILEGE, CHECK_UNKNOWN }, { BASIS_NOT_FOUND, CHECK_OK } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look *look = look_now();
		struct check_results all;
		struct host_conn h;
		struct past past;

		make_past(&past, 0, MINUTE_MS);
		struct check *k = check_new(look, OLD_MS, &past.all);
		make_conn(&h, STATE_CLOSE_WAIT, NULL, 0);
		h.conn.basis = rows[i].basis;
		add_spread(k, &h, 1, 0, 1);
		end(k, &all);
		assert_int_equal(result(&all, "close-wait.left")->status, rows[i].status);
		look_free(look);
	}
}

/* Without a past nobody tells growth, and nobody ever will; but what grows beyond doubt is told. */
static void a_look_that_is_lost_is_not_fine(void **state)
{
	static const char *const growth[] = { "close-wait.left", "ports.left", "accept-queue.overflows",
					      "orphans.aborts", "tw-buckets.overflows" };

	(void)state;
	for (int is_lost = 0; is_lost <= 1; is_lost++) {
		struct look *look = look_now();
		struct check_results all;
		struct past past = { .all.none = "first" };
		struct check *k = check_new(look, OLD_MS, &past.all);

		if (is_lost)
			check_lose(k);
		end(k, &all);
		size_t n_unknown = 0;
		for (size_t i = 0; i < all.n; i++)
			n_unknown += all.at[i].status == CHECK_UNKNOWN;
		assert_int_equal(n_unknown, is_lost ? ARRAY_LEN(growth) : 0);
		for (size_t i = 0; i < ARRAY_LEN(growth); i++)
			assert_int_equal(result(&all, growth[i])->status, is_lost ? CHECK_UNKNOWN : CHECK_OK);
		assert_int_equal(all.status, is_lost ? CHECK_UNKNOWN : CHECK_OK);
		look_free(look);
	}
	struct look *look = look_now();
	struct check_results all;
	struct host_conn h;
	struct past past;

	make_past(&past, 50, MINUTE_MS);
	struct check *k = check_new(look, OLD_MS, &past.all);
	make_conn(&h, STATE_CLOSE_WAIT, &grower, 0);
	add_spread(k, &h, 300, 0, MINUTE_MS);
	add_spread(k, &h, 50, MINUTE_MS, 10 * MINUTE_MS);
	check_lose(k);
	end(k, &all);
	assert_int_equal(result(&all, "close-wait.left")->status, CHECK_CRITICAL);
	assert_int_equal(result(&all, "close-wait.left")->value, 2 * MINUTE_MS);
	assert_null(result(&all, "close-wait.left")->unknown);
	/* Nothing grew since that look, which is soon too long ago to tell. */
	assert_int_equal(result(&all, "ports.left")->status, CHECK_UNKNOWN);
	assert_false(result(&all, "ports.left")->is_harmless);
	look_free(look);
}

static void the_last_look_is_kept_for_a_while(void **state)
{
	struct look *look = look_now();
	struct check_results all;
	struct host_conn h;
	struct memory m;
	struct past past;

	(void)state;
	for (int is_late = 0; is_late <= 1; is_late++) {
		make_past(&past, 7, 3 * SHORTEST_MS - !is_late);
		struct check *k = check_new(look, OLD_MS, &past.all);
		make_conn(&h, STATE_CLOSE_WAIT, &grower, 0);
		add_spread(k, &h, 20, 0, MINUTE_MS);
		make_conn(&h, STATE_CLOSE_WAIT, &leaky, 0);
		add_spread(k, &h, 30, 0, MINUTE_MS);
		assert_int_equal(check_remember(k, &m), is_late);
		end(k, &all);
	}
	assert_int_equal(m.n_owners, 2);
	assert_int_equal(m.owners[0].pid, leaky.pid);
	assert_int_equal(m.owners[1].n, 20);
	assert_int_equal(m.uptime_ms, NOW_MS);
	assert_true(memory_is_of(&m, look, false));
	assert_false(memory_is_of(&m, look, true));
	look_free(look);
}

/* 10,000 ports. Twenty seconds ago `before` were held, and `waiting_before` were in TIME-WAIT. */
static void ports_have_a_time_left(void **state)
{
	static const struct {
		const char *what;
		uint32_t held, waiting, new_10s, reusable;
		int64_t before, waiting_before, left_ms; /* -1: there is none */
	} rows[] = {
		{ "held ones that grow", 5000, 0, 0, 0, 4000, 0, 100000 },
		{ "held ones that grow, few", 1900, 0, 0, 0, 0, 0, -1 },
		{ "held ones that stay", 9000, 0, 0, 0, 9000, 0, -1 },
		{ "a rate that fits in a minute", 0, 3000, 1500, 0, 0, 0, -1 },
		{ "a rate that does not", 0, 5000, 2500, 0, 0, 0, 20000 },
		{ "the same, but it was a burst", 0, 5000, 5000, 0, 0, 4000, -1 },
		{ "the same, but it is over", 0, 5000, 0, 0, 0, 0, -1 },
		{ "TIME-WAITs that may be taken over", 0, 9000, 4500, 6500, 0, 0, -1 },
		{ "both", 2000, 5000, 2500, 0, 1000, 0, 10000 },
	};
	struct sock_full full = { .inode = 7 };
	struct sock sock = { .full = &full, .state = STATE_ESTABLISHED };
	struct conn example = { .sock = &sock, .netns = &netns };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct port_budget b = {
			.netns = &netns, .capacity = 10000, .used = rows[i].held + rows[i].waiting,
			.time_wait = rows[i].waiting, .reusable = rows[i].reusable,
			.new_10s = rows[i].new_10s, .example = &sock,
		};
		struct look *look = look_now();
		struct check_results all;
		struct past past;

		make_past(&past, 0, 20000);
		past.memory.n_ports = 1;
		past.ports = (struct memory_ports){ .netns = (int64_t)netns.inode,
						    .held = rows[i].before,
						    .waiting = rows[i].waiting_before };
		struct check *k = check_new(look, OLD_MS, &past.all);
		check_ports(k, &b, &example);
		end(k, &all);
		const struct check_result *left = result(&all, "ports.left");
		if (left->known != (rows[i].left_ms >= 0) ||
		    (left->known && left->value != rows[i].left_ms))
			fail_msg("%s: %d %lld", rows[i].what, left->known, (long long)left->value);
		look_free(look);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leak_has_a_time_left),
		cmocka_unit_test(what_passes_does_not),
		cmocka_unit_test(a_young_process_had_nothing),
		cmocka_unit_test(without_a_past_nothing_is_judged),
		cmocka_unit_test(hidden_owners_may_grow),
		cmocka_unit_test(a_look_that_is_lost_is_not_fine),
		cmocka_unit_test(the_last_look_is_kept_for_a_while),
		cmocka_unit_test(ports_have_a_time_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "host.h"
#include "rules/judge.h"

static void a_leak_is_judged_by_the_limit(void **state)
{
	static const struct {
		size_t n;
		enum check_status status;
	} rows[] = { { 0, CHECK_OK },       { 200, CHECK_OK },       { 201, CHECK_WARNING },
		     { 500, CHECK_WARNING }, { 501, CHECK_CRITICAL } };
	struct look *look = make_look();
	struct check_results all;
	struct host_conn h;

	(void)state;
	make_conn(&h, STATE_CLOSE_WAIT, &leaky, 1000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_many(look, &h, rows[i].n, true, &all);
		assert_int_equal(all.status, rows[i].status);
		assert_int_equal(result(&all, "close-wait.nofile")->status, rows[i].status);
	}
	assert_ptr_equal(all.first->worst.subject.proc, &leaky);
	assert_int_equal(all.first->used, 501);
	assert_int_equal(all.first->limit, 1000);
	look_free(look);
}

/* A program that has confined itself may hold one of one descriptor, and of none. */
static void fewer_than_ten_are_no_share(void **state)
{
	static const struct {
		uint64_t limit;
		size_t n;
		enum check_status status;
	} rows[] = { { 1, 1, CHECK_OK },  { 1, 9, CHECK_OK },   { 1, 10, CHECK_CRITICAL }, { 10, 9, CHECK_OK },
		     { 0, 1, CHECK_OK },  { 0, 9, CHECK_OK },   { 0, 10, CHECK_UNKNOWN },  { 40, 10, CHECK_WARNING } };
	struct look *look = make_look();
	struct check_results all;
	struct host_conn h;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct proc confined = { .pid = 5, .comm = "sshd", .fd_limit = rows[i].limit };

		make_conn(&h, STATE_CLOSE_WAIT, &confined, 1000);
		check_many(look, &h, rows[i].n, true, &all);
		if (result(&all, "close-wait.nofile")->status != rows[i].status)
			fail_msg("%zu of %u", rows[i].n, (unsigned)rows[i].limit);
		assert_int_equal(all.status, rows[i].status);
	}
	look_free(look);
}

static void age_counts_ten(void **state)
{
	struct look *look = make_look();
	struct check_results all;
	struct host_conn h;

	(void)state;
	make_conn(&h, STATE_CLOSE_WAIT, &leaky, OLD_MS);
	check_many(look, &h, 9, true, &all);
	assert_int_equal(all.status, CHECK_OK);
	check_many(look, &h, 10, true, &all);
	assert_int_equal(result(&all, "close-wait.count")->status, CHECK_WARNING);
	h.conn.rules[0] = "close-wait-idle-pool";
	check_many(look, &h, 10, true, &all);
	assert_int_equal(all.status, CHECK_OK);
	h.conn.age.ms = 3600001;
	check_many(look, &h, 1, true, &all);
	assert_int_equal(result(&all, "close-wait.age")->status, CHECK_WARNING);
	look_free(look);
}

/* In the queue of one of several listeners each waits once, and who has it is not known. */
static void what_waits_in_one_of_several_queues(void **state)
{
	static struct proc other = { .pid = 913, .comm = "other", .fd_limit = 1000 };
	static const struct {
		size_t n_listeners, n_holders, n_counted;
		const char *who;
	} rows[] = { { 1, 1, 1, "leaky[812]" }, { 2, 1, 1, "leaky[812]" },
		     { 2, 2, 1, "one of several processes" }, { 1, 2, 2, "one of several processes" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look *look = make_look();
		struct check_results all;
		struct host_conn h;
		uint64_t n = 0;

		make_conn(&h, STATE_CLOSE_WAIT, &leaky, OLD_MS);
		h.full.inode = 0;
		h.conn.owner = OWNER_UNACCEPTED;
		h.conn.holders[1].proc = &other;
		h.conn.n_holders = rows[i].n_holders;
		h.conn.n_listeners = rows[i].n_listeners;
		check_many(look, &h, 10, true, &all);
		for (size_t k = 0; k < all.n_owners; k++)
			n += all.owners[k].n_close_wait;
		assert_int_equal(n, 10 * rows[i].n_counted);
		const struct check_result *age = result(&all, "close-wait.age");
		const struct fact *who = finding_find_fact(&age->worst, "who", strlen("who"));
		assert_string_equal(who->text, rows[i].who);
		assert_ptr_equal(age->worst.subject.proc, rows[i].n_holders == 1 ? &leaky : NULL);
		look_free(look);
	}
}

static void what_is_hidden_is_unknown_only_where_it_matters(void **state)
{
	struct look *look = make_look();
	struct check_results all;
	struct host_conn h;

	(void)state;
	make_conn(&h, STATE_CLOSE_WAIT, NULL, OLD_MS);
	check_many(look, &h, 9, true, &all);
	assert_int_equal(result(&all, "close-wait.count")->status, CHECK_OK);
	assert_int_equal(result(&all, "close-wait.nofile")->status, CHECK_UNKNOWN);
	assert_non_null(result(&all, "close-wait.nofile")->unknown);
	assert_int_equal(all.status, CHECK_UNKNOWN);
	check_many(look, &h, 10, true, &all);
	assert_int_equal(result(&all, "close-wait.count")->status, CHECK_UNKNOWN);
	/* An age alone needs no owner, and an alert is worse than not knowing. */
	h.conn.age.ms = 3600001;
	check_many(look, &h, 1, true, &all);
	assert_int_equal(all.status, CHECK_WARNING);
	assert_string_equal(all.first->row->name, "close-wait.age");
	/* No age at all. */
	h.conn.age.known = false;
	check_many(look, &h, 1, true, &all);
	assert_int_equal(result(&all, "close-wait.age")->status, CHECK_UNKNOWN);
	/* A limit nobody could read. */
	static const struct proc unreadable = { .pid = 3, .comm = "x" };
	make_conn(&h, STATE_CLOSE_WAIT, &unreadable, 0);
	check_many(look, &h, 10, true, &all);
	assert_int_equal(result(&all, "close-wait.nofile")->status, CHECK_UNKNOWN);
	look_free(look);
}

/* All could be read, and nobody has it: it is no one's leak, but as old as it is. */
static void what_nobody_holds_is_not_hidden(void **state)
{
	static const struct {
		enum basis basis;
		enum check_status status;
	} rows[] = { { BASIS_NOT_FOUND, CHECK_OK }, { BASIS_NO_PRIVILEGE, CHECK_UNKNOWN },
		     { BASIS_TIME_LIMIT, CHECK_UNKNOWN }, { BASIS_NOT_LOOKED, CHECK_UNKNOWN } };
	struct look *look = make_look();
	struct check_results all;
	struct host_conn h;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		make_conn(&h, STATE_CLOSE_WAIT, NULL, OLD_MS);
		h.conn.basis = rows[i].basis;
		check_many(look, &h, 10, true, &all);
		assert_int_equal(all.status, rows[i].status);
		assert_int_equal(result(&all, "close-wait.nofile")->known, rows[i].status == CHECK_OK);
		assert_int_equal(result(&all, "close-wait.count")->known, rows[i].status == CHECK_OK);
		h.conn.age.ms = 3600001;
		check_many(look, &h, 1, true, &all);
		assert_int_equal(result(&all, "close-wait.age")->status, CHECK_WARNING);
		h.conn.age.known = false;
		check_many(look, &h, 1, true, &all);
		assert_int_equal(result(&all, "close-wait.age")->status, CHECK_UNKNOWN);
	}
	look_free(look);
}

static void take(const char *name, const char *range, struct range levels[static MAX_CHECKS])
{
	AUTO_BUF text = { 0 };
	const struct check_row *row;
	size_t len;

	buf_printf(&text, "%s=%s", name, range);
	assert_null(check_levels_parse(buf_text(&text), levels, &len, &row));
}

/* One connection whose owner or age is hidden: anything may be true of it. */
static void what_is_hidden_may_be_anything(void **state)
{
	static const struct {
		const char *name, *warn, *crit;
		enum check_status hidden, seen;
		bool is_harmless;
	} rows[] = {
		{ "close-wait.nofile", "20", "50", CHECK_UNKNOWN, CHECK_OK, false },
		{ "close-wait.nofile", "@10:90", "@30:90", CHECK_UNKNOWN, CHECK_OK, false },
		{ "close-wait.nofile", "~:", "@99:", CHECK_UNKNOWN, CHECK_OK, false },
		{ "close-wait.nofile", "100", "~:", CHECK_OK, CHECK_OK, true },
		{ "close-wait.nofile", "~:", "~:", CHECK_OK, CHECK_OK, false },
		{ "close-wait.nofile", "@0", "~:", CHECK_WARNING, CHECK_WARNING, false },
		{ "close-wait.age", "10m", "~:", CHECK_UNKNOWN, CHECK_OK, false },
		{ "close-wait.age", "~:", "~:", CHECK_OK, CHECK_OK, false },
		{ "close-wait.age", "0:", "~:", CHECK_OK, CHECK_OK, false },
	};
	struct look *look = make_look();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool is_of_age = strcmp(rows[i].name, "close-wait.age") == 0;
		struct check_levels levels;
		struct check_results all;
		struct host_conn h;

		check_levels_default(&levels);
		take(rows[i].name, rows[i].warn, levels.warn);
		take(rows[i].name, rows[i].crit, levels.crit);
		make_conn(&h, STATE_CLOSE_WAIT, is_of_age ? &leaky : NULL, OLD_MS);
		h.conn.age.known = !is_of_age;
		check_by(look, &h, 1, &levels, true, &all);
		const struct check_result *r = result(&all, rows[i].name);
		if (r->status != rows[i].hidden || r->is_harmless != rows[i].is_harmless)
			fail_msg("row %zu: %s", i, check_status_name(r->status));
		/* What was seen is no value of it. */
		assert_int_equal(r->known, r->status == CHECK_WARNING);
		assert_int_equal(r->unknown != NULL, !r->known);
		make_conn(&h, STATE_CLOSE_WAIT, &leaky, OLD_MS);
		check_by(look, &h, 1, &levels, true, &all);
		r = result(&all, rows[i].name);
		if (r->status != rows[i].seen || !r->known || r->unknown || r->is_harmless)
			fail_msg("row %zu, seen: %s", i, check_status_name(r->status));
	}
	look_free(look);
}

static void part_of_a_look_is_never_ok(void **state)
{
	struct look *look = make_look();
	struct check_results all;
	struct host_conn h;

	(void)state;
	make_conn(&h, STATE_CLOSE_WAIT, &leaky, 0);
	check_many(look, &h, 0, false, &all);
	assert_int_equal(all.status, CHECK_UNKNOWN);
	check_many(look, &h, 501, false, &all);
	assert_int_equal(all.status, CHECK_CRITICAL);
	look->host.orphans.known = false;
	check_many(look, &h, 0, true, &all);
	assert_int_equal(result(&all, "orphans.share")->status, CHECK_UNKNOWN);
	assert_false(result(&all, "orphans.share")->known);
	/* A namespace that is not the first has no such limit. */
	look->host.orphans.known = true;
	netns.sysctls.max_orphans.known = false;
	check_many(look, &h, 0, true, &all);
	assert_int_equal(all.status, CHECK_OK);
	assert_false(result(&all, "orphans.share")->known);
	assert_non_null(result(&all, "orphans.share")->unknown);
	netns.sysctls.max_tw_buckets.known = false;
	check_many(look, &h, 0, true, &all);
	assert_int_equal(all.status, CHECK_UNKNOWN);
	netns.sysctls.max_orphans.known = netns.sysctls.max_tw_buckets.known = true;
	look_free(look);
}

static void time_wait_has_only_the_buckets(void **state)
{
	struct look *look = make_look();
	struct check_results all;
	struct host_conn h;

	(void)state;
	make_conn(&h, STATE_TIME_WAIT, NULL, 0);
	h.sock.full = NULL;
	check_many(look, &h, 900, true, &all);
	assert_int_equal(all.status, CHECK_OK);
	check_many(look, &h, 901, true, &all);
	assert_int_equal(result(&all, "tw-buckets.share")->status, CHECK_WARNING);
	assert_int_equal(all.status, CHECK_WARNING);
	look_free(look);
}

static void a_table_is_judged_where_there_is_one(void **state)
{
	static const struct {
		struct setting count, max;
		enum check_status status;
	} rows[] = { { { false, 0 }, { false, 0 }, CHECK_OK },
		     { { true, 0 }, { true, 1000 }, CHECK_OK },
		     { { true, 800 }, { true, 1000 }, CHECK_OK },
		     { { true, 801 }, { true, 1000 }, CHECK_WARNING },
		     { { true, 951 }, { true, 1000 }, CHECK_CRITICAL },
		     { { true, 1 }, { false, 0 }, CHECK_UNKNOWN },
		     { { false, 0 }, { true, 1000 }, CHECK_UNKNOWN },
		     { { true, 5 }, { true, 0 }, CHECK_OK } };
	struct look *look = make_look();
	struct check_results all;
	struct host_conn h;

	(void)state;
	make_conn(&h, STATE_LISTEN, NULL, 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		netns.sysctls.conntrack_count = rows[i].count;
		netns.sysctls.conntrack_max = rows[i].max;
		check_many(look, &h, 0, true, &all);
		assert_int_equal(result(&all, "conntrack.share")->status, rows[i].status);
		assert_int_equal(all.status, rows[i].status);
	}
	netns.sysctls.conntrack_count.known = netns.sysctls.conntrack_max.known = false;
	look_free(look);
}

/* Of one name: `forks` share 25 connections, one of them by two descriptors, and one has five of its own. */
static void a_shared_connection_is_one_of_a_name(void **state)
{
	static struct proc forks[6], other = { .pid = 20, .comm = "other", .fd_limit = 1000 },
		      elsewhere = { .pid = 21, .comm = "leaky", .unit = "b.service", .fd_limit = 1000 };
	static const struct check_past nothing;
	struct look *look = make_look();
	struct check *k = check_new(look, OLD_MS, &nothing);
	struct check_results all;
	struct check_levels levels;
	struct findings none = { 0 };
	struct host_conn h;

	(void)state;
	make_conn(&h, STATE_CLOSE_WAIT, &leaky, 0);
	h.conn.sock = &h.sock;
	for (size_t i = 0; i < ARRAY_LEN(forks); i++) {
		forks[i] = leaky;
		forks[i].pid = 900 + (pid_t)i;
		h.conn.holders[h.conn.n_holders++] = (struct holder){ .proc = &forks[i], .fd = 5 };
	}
	h.conn.holders[h.conn.n_holders++] = (struct holder){ .proc = &forks[0], .fd = 6 };
	h.conn.holders[h.conn.n_holders++] = (struct holder){ .proc = &other, .fd = 5 };
	h.conn.holders[h.conn.n_holders++] = (struct holder){ .proc = &elsewhere, .fd = 5 };
	for (size_t i = 0; i < 25; i++)
		check_sock(k, &h.conn);
	make_conn(&h, STATE_CLOSE_WAIT, &forks[3], 0);
	h.conn.sock = &h.sock;
	for (size_t i = 0; i < 5; i++)
		check_sock(k, &h.conn);
	check_levels_default(&levels);
	check_end(k, &none, &levels, true, &all);
	assert_int_equal(all.n_owners, 3);
	assert_string_equal(all.owners[0].comm, "leaky");
	assert_int_equal(all.owners[0].n_close_wait, 30);
	assert_string_equal(all.owners[1].comm, "leaky");
	assert_string_equal(all.owners[1].unit, "b.service");
	assert_int_equal(all.owners[1].n_close_wait, 25);
	assert_string_equal(all.owners[2].comm, "other");
	assert_int_equal(all.owners[2].n_close_wait, 25);
	/* Against the limit counts every descriptor. */
	assert_int_equal(result(&all, "close-wait.nofile")->used, 50);
	look_free(look);
}

/* Rows that name a rule name one that exists. */
static void every_row_is_whole(void **state)
{
	(void)state;
	assert_true(check_rows_count() <= MAX_CHECKS);
	for (size_t i = 0; i < check_rows_count(); i++) {
		const struct check_row *r = check_row_at(i);

		assert_true(r->warn.is_set);
		assert_non_null(rules_find(r->rule));
		assert_true(r->says && r->fine && r->next && r->command);
	}
	assert_null(check_row_at(check_rows_count()));
}

static void a_queue_is_full_at_one_more(void **state)
{
	static const struct {
		uint32_t rqueue, wqueue;
		enum check_status status;
	} rows[] = { { 128, 128, CHECK_CRITICAL }, { 129, 128, CHECK_CRITICAL },
		     { 16, 20, CHECK_OK },         { 20, 20, CHECK_WARNING },
		     { 21, 20, CHECK_CRITICAL },   { 2, 1, CHECK_OK },
		     { 3, 2, CHECK_CRITICAL } };
	struct look *look = make_look();
	struct check_results all;
	struct host_conn h;

	(void)state;
	make_conn(&h, STATE_LISTEN, &leaky, 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		h.full.rqueue = rows[i].rqueue;
		h.full.wqueue = rows[i].wqueue;
		check_many(look, &h, 1, true, &all);
		if (all.status != rows[i].status)
			fail_msg("%u of %u: %s", rows[i].rqueue, rows[i].wqueue,
				 check_status_name(all.status));
	}
	look_free(look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leak_is_judged_by_the_limit),
		cmocka_unit_test(fewer_than_ten_are_no_share),
		cmocka_unit_test(age_counts_ten),
		cmocka_unit_test(what_waits_in_one_of_several_queues),
		cmocka_unit_test(what_is_hidden_is_unknown_only_where_it_matters),
		cmocka_unit_test(what_nobody_holds_is_not_hidden),
		cmocka_unit_test(what_is_hidden_may_be_anything),
		cmocka_unit_test(part_of_a_look_is_never_ok),
		cmocka_unit_test(time_wait_has_only_the_buckets),
		cmocka_unit_test(a_table_is_judged_where_there_is_one),
		cmocka_unit_test(a_shared_connection_is_one_of_a_name),
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(a_queue_is_full_at_one_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

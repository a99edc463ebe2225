#include "host.h"
#include "report/columns.h"

/* The row of a connection without its heading, all columns. */
static char *row(const struct conn *c, struct report_options options)
{
	options.kind = REPORT_LIST;
	options.no_header = true;
	options.look = &evil_look;
	return told(&(struct told){ .format = "text", .options = options, .conns = c, .n_conns = 1 });
}

static void assert_row(const struct conn *c, struct report_options options, const char *want)
{
	char *is = row(c, options);

	assert_string_equal(is, want);
	free(is);
}

static int setup(void **state)
{
	(void)state;
	make_evil_host();
	evil_proc.comm = "nginx";
	return 0;
}

static void heading_and_rows(void **state)
{
	char *is = told(&(struct told){ .format = "text",
					.options = { .kind = REPORT_LIST, .look = &evil_look },
					.conns = evil_conns, .n_conns = 2 });

	(void)state;
	assert_string_equal(
		is,
		"State       Recv-Q Send-Q    Local Address:Port     Peer Address:Port "
		"Process                              Age    Ends Why\n"
		"CLOSE-WAIT       1      2           10.0.0.1:80       192.0.2.7:40000 "
		"users:((\"nginx\",pid=812,fd=7))    >5m00s   never a-rule\n"
		"TIME-WAIT        0      0 [::ffff:10.0.0.1]:443   [2001:db8::1]:65535 "
		"                                       ?   59.9s\n");
	free(is);
}

/* What ss's options add. */
static void options(void **state)
{
	(void)state;
	evil_sock.timer = TIMER_KEEPALIVE;
	evil_sock.expires_ms = 7042;
	evil_sock.retrans = 2;
	char *is = row(&evil_conns[0], (struct report_options){ .timers = true, .extended = true });
	assert_non_null(strstr(is, " timer:(keepalive,7.042sec,2) uid:33 ino:4711 sk:abc\n"));
	free(is);
	evil_sock.timer = TIMER_OFF;
	is = row(&evil_conns[0], (struct report_options){ .timers = true, .info = true,
							  .memory = true });
	assert_null(strstr(is, "timer:"));
	assert_null(strstr(is, "rto:"));
	assert_null(strstr(is, "skmem:"));
	free(is);
}

static void owners(void **state)
{
	struct conn c = evil_conns[0];
	char *is;

	(void)state;
	c.owner = OWNER_ATTRIBUTED;
	is = row(&c, (struct report_options){ 0 });
	assert_non_null(strstr(is, " likely:((\"nginx\",pid=812)) "));
	free(is);
	c.holders[1] = c.holders[0];
	c.n_holders = 2;
	is = row(&c, (struct report_options){ 0 });
	assert_non_null(strstr(is, " possible:((\"nginx\",pid=812),(\"nginx\",pid=812)) "));
	free(is);
	c.n_holders = 1;
	c.owner = OWNER_UNACCEPTED;
	is = row(&c, (struct report_options){ 0 });
	assert_non_null(strstr(is, " unaccepted:((\"nginx\",pid=812)) "));
	free(is);
	c.n_holders = 0;
	is = row(&c, (struct report_options){ 0 });
	assert_non_null(strstr(is, " unaccepted "));
	free(is);
	c.owner = OWNER_HIDDEN;
	c.basis = BASIS_NO_PRIVILEGE;
	is = row(&c, (struct report_options){ 0 });
	assert_non_null(strstr(is, " hidden (needs root) "));
	free(is);
}

static void more_holders_than_shown(void **state)
{
	struct conn c = evil_conns[0];
	char *is;

	(void)state;
	for (size_t i = 0; i < MAX_CONN_HOLDERS; i++)
		c.holders[i] = (struct holder){ .proc = &evil_proc, .fd = 7 };
	c.n_holders = 40;
	is = row(&c, (struct report_options){ 0 });
	assert_non_null(strstr(is, ",and 24 more)"));
	free(is);
}

static void ages(void **state)
{
	static const struct {
		uint64_t ms;
		const char *want;
	} rows[] = {
		{ 0, " 0.0s " }, { 59999, " 59.9s " }, { 60000, " 1m00s " }, { 3599999, " 59m59s " },
		{ 3600000, " 1h00m " }, { 86399999, " 23h59m " }, { 86400000, " 1d00h " },
	};
	struct conn c = evil_conns[0];

	(void)state;
	c.age.is_exact = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		c.age.ms = rows[i].ms;
		char *is = row(&c, (struct report_options){ 0 });
		if (!strstr(is, rows[i].want))
			fail_msg("%s is not in %s", rows[i].want, is);
		free(is);
	}
}

/* Every group of digits, and what is written elsewhere than by hand. */
static void addresses(void **state)
{
	static const struct {
		const char *addr;
		uint16_t port;
		bool is_inet6;
		const char *want;
	} rows[] = {
		{ "1.20.255.0", 9, false, " 1.20.255.0:9 " },
		{ "1.20.255.0", 65535, true, " [::ffff:1.20.255.0]:65535 " },
		{ "255.255.255.255", 10000, false, " 255.255.255.255:10000 " },
		{ "2001:db8::1", 443, true, " [2001:db8::1]:443 " },
		{ "10.0.0.1", 0, false, " 10.0.0.1:* " },
		{ "0.0.0.0", 0, false, " *:* " },
	};
	struct sock s = evil_sock;
	struct conn c = evil_conns[0];

	(void)state;
	c.sock = &s;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(addr_parse(rows[i].addr, &s.pair.local.addr));
		s.pair.local.port = rows[i].port;
		s.is_inet6 = rows[i].is_inet6;
		char *is = row(&c, (struct report_options){ 0 });
		if (!strstr(is, rows[i].want))
			fail_msg("%s is not in %s", rows[i].want, is);
		free(is);
	}
}

/* Age and end are of a connection that is being closed. */
static void living_connection(void **state)
{
	struct sock s = evil_sock;
	struct conn c = { .sock = &s, .owner = OWNER_NONE, .netns = &evil_netns };

	(void)state;
	s.state = STATE_ESTABLISHED;
	assert_row(&c, (struct report_options){ 0 },
		   "ESTABLISHED      1      2           10.0.0.1:80       192.0.2.7:40000\n");
}

/* Chosen by name; what has commas, quotes or lines of its own is quoted. */
static void csv(void **state)
{
	struct report_options options = { .kind = REPORT_LIST, .look = &evil_look };

	(void)state;
	assert_true(columns_parse("state,local-port,comm,age,ends,uid", &options.columns));
	evil_proc.comm = "a,\"b\"";
	char *is = told(&(struct told){ .format = "csv", .options = options, .conns = evil_conns,
					.n_conns = 2 });
	evil_proc.comm = "nginx";
	assert_string_equal(is, "state,local-port,comm,age_ms,ends_ms,uid\n"
				"CLOSE-WAIT,80,\"a,\"\"b\"\"\",300000,,33\n"
				"TIME-WAIT,443,,,59900,\n");
	free(is);
}

/* A column of one process: of several that may be it none, of several that hold it the first. */
static void csv_of_several(void **state)
{
	static const struct {
		enum owner_status owner;
		size_t n_holders;
		const char *want;
	} rows[] = {
		{ OWNER_KNOWN, 2, "812,nginx\n" },	 { OWNER_ATTRIBUTED, 1, "812,nginx\n" },
		{ OWNER_ATTRIBUTED, 2, ",\n" },		 { OWNER_UNACCEPTED, 2, ",\n" },
		{ OWNER_UNACCEPTED, 1, "812,nginx\n" }, { OWNER_NONE, 0, ",\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report_options options = { .kind = REPORT_LIST, .look = &evil_look, .no_header = true };
		struct conn c = evil_conns[0];

		c.owner = rows[i].owner;
		c.n_holders = rows[i].n_holders;
		c.holders[1] = c.holders[0];
		assert_true(columns_parse("pid,comm", &options.columns));
		char *is = told(&(struct told){ .format = "csv", .options = options, .conns = &c, .n_conns = 1 });
		assert_string_equal(is, rows[i].want);
		free(is);
	}
}

static void chosen_columns(void **state)
{
	static const char *const wrong[] = { "", "+", "stat", "states", "state,", ",state", "state peer" };
	struct columns list = { 0 }, usual;

	(void)state;
	columns_default(&usual);
	assert_true(columns_parse("+netns,+uid,state", &list));
	assert_int_equal(list.n, usual.n + 2); /* state is there already */
	assert_string_equal(list.at[usual.n]->name, "netns");
	assert_true(columns_parse("peer,state,peer", &list));
	assert_int_equal(list.n, 2);
	assert_string_equal(list.at[0]->name, "peer");
	assert_int_equal(columns_needs(&list), 0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_false(columns_parse(wrong[i], &list));
	assert_int_equal(list.n, 2); /* untouched */
	/* All of them at once. */
	AUTO_BUF all = { 0 };
	for (size_t i = 0; column_at(i); i++)
		buf_printf(&all, "%s%s", i ? "," : "", column_at(i)->name);
	assert_true(columns_parse(buf_text(&all), &list));
	struct report_options options = { .columns = list };
	char *is = row(&evil_conns[0], options);
	assert_non_null(strstr(is, "CLOSE-WAIT"));
	free(is);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(heading_and_rows),
		TEST(options),
		TEST(owners),
		TEST(more_holders_than_shown),
		TEST(ages),
		TEST(addresses),
		TEST(living_connection),
		cmocka_unit_test(csv),
		cmocka_unit_test(csv_of_several),
		cmocka_unit_test(chosen_columns),
	};

	return cmocka_run_group_tests_name("report-table", tests, NULL, NULL);
}

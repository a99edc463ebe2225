#include "live/proctcp.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lines as kernels write them. Words of an address are in the order of the machine: these are of a small
 * endian one, so elsewhere the addresses are not looked at. */

static bool is_little_endian(void)
{
	return htonl(1) != 1;
}

static void assert_endpoint(struct endpoint e, const char *want)
{
	char text[ENDPOINT_TEXT_MAX];

	if (is_little_endian())
		assert_string_equal(endpoint_format(e, text), want);
}

/* 127.0.0.1:8080, peer 127.0.0.2:40002, one byte (a FIN) unread, inode 11234. */
static void close_wait(void **state)
{
	struct sock_full full;
	struct sock s;

	(void)state;
	assert_true(proctcp_parse("   1: 0100007F:1F90 0200007F:9C42 08 00000000:00000001 00:00000000 00000000 "
				  "   33        0 11234 1 0000000000000000 20 4 30 10 -1",
				  false, 100, &s, &full));
	assert_int_equal(s.state, STATE_CLOSE_WAIT);
	assert_endpoint(s.pair.local, "127.0.0.1:8080");
	assert_endpoint(s.pair.peer, "127.0.0.2:40002");
	assert_false(s.is_inet6);
	assert_ptr_equal(s.full, &full);
	assert_int_equal(full.rqueue, 1);
	assert_int_equal(full.wqueue, 0);
	assert_int_equal(full.uid, 33);
	assert_int_equal(full.inode, 11234);
	assert_int_equal(full.info.len, 0);
	assert_int_equal(s.timer, TIMER_OFF);
	assert_int_equal(s.cookie, 0);
}

/* Retransmitting: the fourth time, in 0x1742 ticks of 10 ms. */
static void last_ack(void **state)
{
	struct sock_full full;
	struct sock s;

	(void)state;
	assert_true(proctcp_parse("12345678: B80D0120000000000000000001000000:0050 "
				  "B80D0120000000000000000002000000:FFFF 09 00000A28:00000000 01:00001742 00000004 "
				  "    0        0 0 3 0000000000000000 20 0 0 10 7",
				  true, 100, &s, &full));
	assert_int_equal(s.state, STATE_LAST_ACK);
	assert_endpoint(s.pair.local, "[2001:db8::1]:80");
	assert_endpoint(s.pair.peer, "[2001:db8::2]:65535");
	assert_int_equal(s.timer, TIMER_ON);
	assert_int_equal(s.expires_ms, 59540);
	assert_int_equal(s.retrans, 4);
	assert_int_equal(full.wqueue, 2600);
	assert_true(sock_is_orphan(&s));
}

/* TIME-WAIT, FIN-WAIT-2 after its application, and a request: none of them is a full socket. */
static void minisocks(void **state)
{
	static const struct {
		const char *line;
		uint8_t state;
	} rows[] = {
		{ " 5: 0100007F:1F90 0100007F:9C42 06 00000000:00000000 03:00000001 00000000     0        0 0 3 "
		  "0000000000000000", STATE_TIME_WAIT },
		{ " 5: 0100007F:1F90 0100007F:9C42 05 00000000:00000000 03:00000001 00000000     0        0 0 3 "
		  "0000000000000000", STATE_FIN_WAIT_2 },
		{ " 5: 0100007F:1F90 0100007F:9C42 03 00000000:00000000 01:00000001 00000002     0        0 0 1 "
		  "0000000000000000", STATE_SYN_RECV },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sock_full full;
		struct sock s;

		assert_true(proctcp_parse(rows[i].line, false, 100, &s, &full));
		assert_int_equal(s.state, rows[i].state);
		assert_null(s.full);
		assert_int_equal(s.expires_ms, 10);
	}
}

/* What waits in a listener's queue is written, what it may hold is not. */
static void listener(void **state)
{
	struct sock_full full;
	struct sock s;

	(void)state;
	assert_true(proctcp_parse("   0: 00000000:0016 00000000:0000 0A 00000000:00000003 00:00000000 00000000 "
				  "    0        0 4711 1 0000000000000000 100 0 0 10 0",
				  false, 100, &s, &full));
	assert_int_equal(s.state, STATE_LISTEN);
	assert_int_equal(full.rqueue, 0);
	assert_int_equal(full.wqueue, 0);
	assert_int_equal(full.inode, 4711);
}

static void what_is_no_line(void **state)
{
	static const char *const lines[] = {
		"",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
		"   0:",
		"   0: 0100007F:1F90",
		"   0: 0100007F:1F90 0100007F:9C42 08 00000000:00000001 00:00000000 00000000    33        0 11234",
		"   0: 0100007:1F90 0100007F:9C42 08 00000000:00000001 00:00000000 00000000    33        0 11234 1",
		"   0: 0100007F:1F901 0100007F:9C42 08 00000000:00000001 00:00000000 00000000    33        0 1 1",
		"   0: 0100007F:1F90 0100007F:9C42 0D 00000000:00000001 00:00000000 00000000    33        0 1 1",
		"   0: 0100007F:1F90 0100007F:9C42 08 -0000001:00000001 00:00000000 00000000    33        0 1 1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct sock_full full;
		struct sock s;

		if (proctcp_parse(lines[i], false, 100, &s, &full))
			fail_msg("%s", lines[i]);
	}
}

/* Cut before its inode's end it is none, wherever that is. */
static void cut_short(void **state)
{
	static const char line[] = "   1: 0100007F:1F90 0200007F:9C42 08 00000000:00000001 00:00000000 00000000 "
				   "   33        0 11234 ";

	(void)state;
	for (size_t n = 0; n < sizeof(line); n++) {
		char *cut = strndup(line, n);
		struct sock_full full;
		struct sock s;

		assert_int_equal(proctcp_parse(cut, false, 100, &s, &full), n == sizeof(line) - 1);
		free(cut);
	}
}

/* More than we keep: counts that do not fit are the largest that does, timers nobody knows are off. */
static void numbers_at_their_ends(void **state)
{
	static const struct {
		const char *state_to_retrans;
		int64_t hz;
		uint32_t expires_ms;
		uint8_t state, timer, retrans;
		bool has_full;
	} rows[] = {
		{ "01 00000000:00000000 01:00000064 00000003", 100, 1000, STATE_ESTABLISHED, TIMER_ON, 3, true },
		{ "01 00000000:00000000 01:00000064 00000003", 0, 0, STATE_ESTABLISHED, TIMER_ON, 3, true },
		{ "01 00000000:00000000 09:00000000 00000003", 100, 0, STATE_ESTABLISHED, TIMER_OFF, 3, true },
		{ "01 00000000:00000000 00:00000000 000001FF", 100, 0, STATE_ESTABLISHED, TIMER_OFF, 255, true },
		{ "01 00000000:00000000 02:FFFFFFFE 00000000", 100, UINT32_MAX, STATE_ESTABLISHED, TIMER_KEEPALIVE,
		  0, true },
		{ "01 00000000:00000000 02:FFFFFFFFF 00000000", 100, 0, STATE_ESTABLISHED, TIMER_KEEPALIVE, 0, true },
		{ "0C 00000000:00000000 00:00000000 00000000", 100, 0, STATE_NEW_SYN_RECV, TIMER_OFF, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sock_full full;
		struct sock s;
		char line[200];

		snprintf(line, sizeof(line), "0: 0100007F:1F90 0200007F:9C42 %s 0 0 7 1", rows[i].state_to_retrans);
		assert_true(proctcp_parse(line, false, rows[i].hz, &s, &full));
		assert_int_equal(s.state, rows[i].state);
		assert_int_equal(s.timer, rows[i].timer);
		assert_int_equal(s.retrans, rows[i].retrans);
		assert_int_equal(s.expires_ms, rows[i].expires_ms);
		assert_int_equal(s.full != NULL, rows[i].has_full);
	}
}

/* ---- whole files ---- */

#define HEADING "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n"
#define LINE4(state) " 0: 0100007F:1F90 0200007F:9C42 " state " 00000000:00000000 00:00000000 00000000 0 0 7 1\n"
#define LINE6(state) " 0: B80D0120000000000000000001000000:0050 B80D0120000000000000000002000000:FFFF " state \
		     " 00000000:00000000 00:00000000 00000000 0 0 8 1\n"

struct folder {
	char at[32];
	struct root root;
	struct look *look;
};

static int setup(void **state)
{
	struct folder *h = calloc(1, sizeof(*h));

	snprintf(h->at, sizeof(h->at), "/tmp/proctcp-XXXXXX");
	if (!mkdtemp(h->at))
		return -1;
	h->root = (struct root)ROOT_CLOSED;
	h->root.base_fd = open(h->at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(h->root.base_fd, "netns.0", 0700);
	mkdirat(h->root.base_fd, "netns.0/net", 0700);
	*state = h;
	return h->root.base_fd < 0;
}

static int teardown(void **state)
{
	static const char *const folders[] = { "netns.0/net", "netns.0" };
	struct folder *h = *state;

	unlinkat(h->root.base_fd, "netns.0/net/tcp", 0);
	unlinkat(h->root.base_fd, "netns.0/net/tcp6", 0);
	for (size_t i = 0; i < 2; i++)
		unlinkat(h->root.base_fd, folders[i], AT_REMOVEDIR);
	close(h->root.base_fd);
	rmdir(h->at);
	free(h);
	return 0;
}

static void put(const struct folder *h, const char *name, const char *text, unsigned times)
{
	int fd = openat(h->root.base_fd, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	while (times--)
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static struct look *read_folder(struct folder *h, const struct live_request *req, int error)
{
	struct look *look = look_new();

	look->netns = arena_array(look->arena, 1, sizeof(*look->netns));
	look->n_netns = 1;
	look->host.hz = 100;
	assert_int_equal(proctcp_read(&h->root, req, 0, look), error);
	return look;
}

/* Both families; what is not asked for is counted, not kept. A SYN_RECV is asked for by either name. */
static void both_families(void **state)
{
	static const struct {
		struct live_request req;
		size_t kept;
	} rows[] = {
		{ { .states = STATES_ALL }, 4 },
		{ { .states = STATES_ALL, .only_inet4 = true }, 3 },
		{ { .states = STATES_ALL, .only_inet6 = true }, 1 },
		{ { .states = STATE_BIT(STATE_CLOSE_WAIT) }, 2 },
		{ { .states = STATE_BIT(STATE_NEW_SYN_RECV) }, 1 },
	};
	struct folder *h = *state;

	put(h, "netns.0/net/tcp", HEADING LINE4("08") LINE4("01") LINE4("03"), 1);
	put(h, "netns.0/net/tcp6", HEADING LINE6("08"), 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct look *look = read_folder(h, &rows[i].req, 0);

		assert_int_equal(look->n_socks, rows[i].kept);
		assert_int_equal(look->netns[0].n_sockets, rows[i].kept);
		assert_int_equal(look->states[STATE_CLOSE_WAIT],
				 !rows[i].req.only_inet4 + !rows[i].req.only_inet6);
		assert_int_equal(look->gaps.n, 0);
		look_free(look);
	}
}

static bool take_close_wait(void *arg, const struct look *look, const struct sock *s)
{
	assert_non_null(look);
	*(unsigned *)arg += s->state == STATE_CLOSE_WAIT;
	return s->state == STATE_CLOSE_WAIT;
}

/* More than one read gives at once, so that lines lie across its ends; what is printed is not kept. */
static void many_lines(void **state)
{
	struct folder *h = *state;
	unsigned n = 0;
	const struct live_request req = { .states = STATES_ALL, .on_sock = take_close_wait, .on_sock_arg = &n };

	put(h, "netns.0/net/tcp", HEADING, 1);
	put(h, "netns.0/net/tcp", LINE4("08"), 2000);
	put(h, "netns.0/net/tcp", LINE4("06"), 1000);
	struct look *look = read_folder(h, &req, 0);

	assert_int_equal(n, 2000);
	assert_int_equal(look->n_socks, 1000);
	assert_null(look->socks[999].full);
	assert_int_equal(look->states[STATE_CLOSE_WAIT], 2000);
	assert_int_equal(look->gaps.n, 0);
	look_free(look);
}

/* A line that is none, one without an end, one longer than any: the others count, and a gap says so. */
static void damaged_files(void **state)
{
	static const char *const bad[] = { "nonsense\n", " 0: 0100007F:1F9", "" };
	struct folder *h = *state;
	const struct live_request req = { .states = STATES_ALL };
	char endless[1024];

	memset(endless, '0', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		put(h, "netns.0/net/tcp", HEADING LINE4("08"), 1);
		put(h, "netns.0/net/tcp", *bad[i] ? bad[i] : endless, 1);
		struct look *look = read_folder(h, &req, 0);

		assert_int_equal(look->n_socks, 1);
		assert_int_equal(look->gaps.n, 1);
		look_free(look);
		assert_int_equal(unlinkat(h->root.base_fd, "netns.0/net/tcp", 0), 0);
	}
}

/* A look that is full takes no more, and says so. */
static void no_room(void **state)
{
	const struct live_request req = { .states = STATES_ALL };
	struct look *look = look_new();
	struct folder *h = *state;

	put(h, "netns.0/net/tcp", HEADING LINE4("08"), 1);
	look->netns = arena_array(look->arena, 1, sizeof(*look->netns));
	look->n_netns = 1;
	look->n_socks = UINT32_MAX;
	assert_int_equal(proctcp_read(&h->root, &req, 0, look), 0);
	look->n_socks = 0;
	assert_int_equal(look->gaps.n, 1);
	look_free(look);
}

/* Without IPv6 there is no tcp6; without either there is nothing to read. */
static void missing_files(void **state)
{
	static const struct live_request all = { .states = STATES_ALL };
	static const struct live_request six = { .states = STATES_ALL, .only_inet6 = true };
	struct folder *h = *state;

	look_free(read_folder(h, &all, -ENOENT));
	put(h, "netns.0/net/tcp", HEADING LINE4("08"), 1);
	struct look *look = read_folder(h, &all, 0);

	assert_int_equal(look->n_socks, 1);
	look_free(look);
	look_free(read_folder(h, &six, -ENOENT));
	assert_int_equal(mkdirat(h->root.base_fd, "netns.0/net/tcp6", 0700), 0);
	look = read_folder(h, &all, -EINVAL);
	assert_int_equal(look->states[STATE_CLOSE_WAIT], 0);
	look_free(look);
	assert_int_equal(unlinkat(h->root.base_fd, "netns.0/net/tcp6", AT_REMOVEDIR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_wait), cmocka_unit_test(last_ack),
		cmocka_unit_test(minisocks),  cmocka_unit_test(listener),
		cmocka_unit_test(what_is_no_line), cmocka_unit_test(cut_short),
		cmocka_unit_test(numbers_at_their_ends),
		cmocka_unit_test_setup_teardown(both_families, setup, teardown),
		cmocka_unit_test_setup_teardown(many_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_files, setup, teardown),
		cmocka_unit_test_setup_teardown(no_room, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_files, setup, teardown),
	};

	return cmocka_run_group_tests_name("live-proctcp", tests, NULL, NULL);
}

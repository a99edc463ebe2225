#include "util/attr.h"
#include "wire/capture.h"
#include "wire/flowtab.h"
#include "wire/follow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

/* A device for real: loopback of a namespace that was made for it, and connections that end on it. */

enum { DEADLINE_S = 20 };

static int setup(void **state)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	bool is_there = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
	if (is_there) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		is_there = ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
		close(fd);
	}
	*state = is_there ? (void *)"there" : NULL;
	return 0;
}

static void need(void **state)
{
	if (!*state)
		skip(); /* no namespaces here */
}

/* A connection of which the client closes first, in order or by a reset. */
static void converse(bool by_reset)
{
	const struct linger none = { .l_onoff = 1 };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	char byte;

	assert_int_equal(bind(listener, (void *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (void *)&at, &n), 0);
	assert_int_equal(connect(client, (void *)&at, sizeof(at)), 0);
	int server = accept(listener, NULL, NULL);

	assert_true(server >= 0);
	if (by_reset)
		assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
	close(client);
	assert_int_equal(read(server, &byte, 1), by_reset ? -1 : 0);
	close(server);
	close(listener);
}

struct seen {
	struct followed_segment at[8];
	enum pattern pattern;
	size_t n;
};

static void see(void *ctx, const struct flow *now, const struct followed_segment *s)
{
	struct seen *seen = ctx;

	assert_true(seen->n < ARRAY_LEN(seen->at));
	seen->pattern = now->pattern;
	seen->at[seen->n++] = *s;
}

static void until(struct capture *device, struct follow *f, const struct seen *seen, size_t n)
{
	time_t end = time(NULL) + DEADLINE_S;
	struct pollfd fd = { .fd = capture_fd(device), .events = POLLIN };

	while (seen->n < n && time(NULL) < end) {
		poll(&fd, 1, 100);
		assert_int_equal(follow_some(f), 0);
	}
	assert_int_equal(seen->n, n);
}

/* Each FIN once, with who sent it; then a reset. */
static void follows(void **state)
{
	struct capture *device = NULL;
	struct seen seen = { .n = 0 };
	struct fail fail;

	need(state);
	assert_int_equal(capture_open_live("lo", NULL, &device, &fail), 0);
	struct follow *f = follow_new(device, see, &seen);

	converse(false);
	until(device, f, &seen, 2);
	assert_int_equal(seen.at[0].from, SIDE_CLIENT);
	assert_int_equal(seen.at[1].from, SIDE_SERVER);
	assert_false(seen.at[0].is_rst || seen.at[0].is_again || seen.at[1].is_rst || seen.at[1].is_again);
	converse(true);
	until(device, f, &seen, 3);
	assert_true(seen.at[2].is_rst && !seen.at[2].is_again);
	assert_int_equal(seen.at[2].from, SIDE_CLIENT);
	assert_int_equal(seen.pattern, PATTERN_RESET);
	follow_free(f);
	capture_close(device);
}

static bool keep(void *ctx, const struct flow *f)
{
	((struct seen *)ctx)->pattern = f->pattern;
	((struct seen *)ctx)->n++;
	return true;
}

static void count_report(void *ctx, const struct capture_info *so_far, int percent)
{
	assert_true(so_far->packets > 0 && percent == -1);
	++*(unsigned *)ctx;
}

/* Collected first and read later, from the opening on: its FINs are there, its data was never taken. */
static void collects(void **state)
{
	unsigned n_reports = 0;
	const struct capture_progress progress = { count_report, &n_reports };
	struct capture *device = NULL;
	struct flowtab *t = flowtab_new();
	struct seen seen = { .n = 0 };
	struct fail fail;

	need(state);
	assert_int_equal(capture_open_live("lo", NULL, &device, &fail), 0);
	converse(false);
	assert_int_equal(capture_collect(device, 500, 0, &progress), 0);
	assert_true(n_reports > 0);
	assert_int_equal(capture_read(device, t, 0, NULL), 0);
	flowtab_each(t, keep, &seen);
	assert_int_equal(seen.n, 1);
	assert_true(seen.pattern == PATTERN_THREE_SEGMENT || seen.pattern == PATTERN_FOUR_WAY);
	capture_close(device);
	flowtab_free(t);
}

static void counts_to_a_bound(void **state)
{
	struct capture *device = NULL;
	struct fail fail;

	need(state);
	assert_int_equal(capture_open_live("lo", NULL, &device, &fail), 0);
	converse(false);
	assert_int_equal(capture_collect(device, DEADLINE_S * 1000, 3, NULL), 0);
	assert_int_equal(capture_info(device)->packets, 3);
	assert_int_equal(capture_collect(device, DEADLINE_S * 1000, 3, NULL), 0);
	assert_int_equal(capture_info(device)->packets, 3);
	capture_close(device);
}

static void cannot_be_opened(void **state)
{
	struct capture *device = NULL;
	struct fail fail;

	need(state);
	assert_int_equal(capture_open_live("no-such-dev", NULL, &device, &fail), -ENODEV);
	assert_string_equal(fail.object, "no-such-dev");
	assert_int_equal(capture_open_live("lo", "/nonexistent/x.pcap", &device, &fail), -EIO);
	assert_string_equal(fail.object, "/nonexistent/x.pcap");
	assert_string_equal(fail.what, strerror(ENOENT));
	assert_null(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows), cmocka_unit_test(collects), cmocka_unit_test(counts_to_a_bound),
		cmocka_unit_test(cannot_be_opened),
	};

	return cmocka_run_group_tests_name("netns-device", tests, setup, NULL);
}

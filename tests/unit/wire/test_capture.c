#include "util/attr.h"
#include "wire/capture.h"
#include "wire/flowtab.h"
#include "wire/ladder.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

/* Files of packets: what is said of those that are none, and that those read again, in part and together
 * come to the same connections. The conversation is ten segments a connection, a millisecond apart. */

enum { RAW = 101, PACKET = 40, N_SEGMENTS = 10, START_S = 1700000000 };

struct file {
	int fd;
	char name[32];
};

static struct file file_new(const void *bytes, size_t n)
{
	struct file f = { .fd = memfd_create("capture", MFD_CLOEXEC) };

	assert_true(f.fd >= 0);
	assert_int_equal(write(f.fd, bytes, n), n);
	snprintf(f.name, sizeof(f.name), "/proc/self/fd/%d", f.fd);
	return f;
}

static struct capture *file_open(const struct file *f)
{
	struct capture *c = NULL;
	struct fail fail;

	assert_int_equal(capture_open_file(f->name, &c, &fail), 0);
	return c;
}

static void write_header(int fd, uint32_t magic, uint32_t link)
{
	const uint32_t header[6] = { magic, 4u << 16 | 2, 0, 0, 65535, link };

	assert_int_equal(write(fd, header, sizeof(header)), sizeof(header));
}

/* One segment of 10.0.0.1:PORT (from the client) or of 10.0.0.2:80. */
static void write_segment(int fd, uint64_t at_us, bool is_server, uint16_t port, uint8_t flags, uint32_t seq,
			  uint32_t ack, uint8_t len)
{
	uint8_t p[PACKET + UINT8_MAX] = { 0x45, [3] = (uint8_t)(PACKET + len), [5] = (uint8_t)(at_us / 1000),
					  [6] = 0x40, [8] = 64, [9] = 6,
					  [12] = 10, [15] = is_server ? 2 : 1, [16] = 10, [19] = is_server ? 1 : 2 };
	const uint32_t head[4] = { START_S + (uint32_t)(at_us / 1000000), (uint32_t)(at_us % 1000000),
				   PACKET + len, PACKET + len };
	const uint16_t ports[2] = { __builtin_bswap16(is_server ? 80 : port),
				    __builtin_bswap16(is_server ? port : 80) };
	const uint32_t numbers[2] = { __builtin_bswap32(seq), __builtin_bswap32(ack) };

	memcpy(p + 20, ports, sizeof(ports));
	memcpy(p + 24, numbers, sizeof(numbers));
	p[32] = 0x50;
	p[33] = flags;
	p[34] = 1;
	assert_int_equal(write(fd, head, sizeof(head)), sizeof(head));
	assert_int_equal(write(fd, p, PACKET + len), PACKET + len);
}

/* A handshake, two requests, and the client closes first; segments [from, to) of it. */
static void write_conversation(int fd, uint16_t port, uint64_t at_us, unsigned from, unsigned to)
{
	enum { F = 1, S = 2, A = 16 };
	static const struct { bool is_server; uint8_t flags, len; uint32_t seq, ack; } all[N_SEGMENTS] = {
		{ false, S, 0, 1000, 0 },	  { true, S | A, 0, 5000, 1001 },
		{ false, A, 0, 1001, 5001 },	  { false, A, 100, 1001, 5001 },
		{ true, A, 50, 5001, 1101 },	  { false, A, 100, 1101, 5051 },
		{ true, A, 50, 5051, 1201 },	  { false, F | A, 0, 1201, 5101 },
		{ true, F | A, 0, 5101, 1202 },	  { false, A, 0, 1202, 5102 },
	};

	for (unsigned i = from; i < to; i++)
		write_segment(fd, at_us + 1000 * i, all[i].is_server, port, all[i].flags, all[i].seq, all[i].ack,
			      all[i].len);
}

static struct file conversation(uint16_t port, uint64_t at_us, unsigned from, unsigned to)
{
	struct file f = file_new("", 0);

	write_header(f.fd, 0xa1b2c3d4, RAW);
	write_conversation(f.fd, port, at_us, from, to);
	return f;
}

struct seen {
	struct flow first;
	size_t n;
};

static bool keep(void *ctx, const struct flow *f)
{
	struct seen *seen = ctx;

	if (seen->n++ == 0)
		seen->first = *f;
	return true;
}

static struct seen flows_of(struct flowtab *t)
{
	struct seen seen = { .n = 0 };

	flowtab_each(t, keep, &seen);
	return seen;
}

/* ---- what is no capture ---- */

static void cannot_be_opened(void **state)
{
	struct capture *c = NULL;
	struct fail fail;

	(void)state;
	assert_int_equal(capture_open_file("/nonexistent/x.pcap", &c, &fail), -ENOENT);
	assert_int_equal(capture_open_file("/proc", &c, &fail), -EISDIR);
	assert_null(c);
}

static void says_what_it_is(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		int err;
		const char *says;
	} rows[] = {
		{ "", 0, -EBADMSG, "the file is empty" },
		{ "GET / HTTP/1.1\r\n\r\nxxxxxxxxxxxxxxx", 33, -EBADMSG, "not a capture file" },
		{ "ab", 2, -EBADMSG, "truncated" },
		/* LINKTYPE_USB_LINUX; one that has no name. */
		{ "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\xbd\0\0\0", 24, -EPROTONOSUPPORT, "USB" },
		{ "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x0e\x27\0\0", 24, -EPROTONOSUPPORT, "9998" },
		/* gzip of nothing, gzip that is damaged. */
		{ "\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0", 20, -EBADMSG, "the file is empty" },
		{ "\x1f\x8b\x08\0\0\0\0\0\0\3\xff\xff\xff\xff\xff\xff\xff\xff", 18, -EBADMSG, "damaged" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct file f = file_new(rows[i].bytes, rows[i].n);
		struct flowtab *t = flowtab_new();
		struct capture *c = file_open(&f);

		assert_int_equal(capture_read(c, t, 0, NULL), rows[i].err);
		if (!strstr(capture_info(c)->error, rows[i].says))
			fail_msg("it says: %s", capture_info(c)->error);
		assert_int_equal(flowtab_count(t), 0);
		capture_close(c);
		flowtab_free(t);
		close(f.fd);
	}
	capture_close(NULL);
}

/* ---- what is one ---- */

/* In both byte orders' magic of this machine, microseconds and nanoseconds: the same second. */
static void fractions(void **state)
{
	(void)state;
	for (int is_nano = 0; is_nano < 2; is_nano++) {
		struct file f = file_new("", 0);
		struct flowtab *t = flowtab_new();

		write_header(f.fd, is_nano ? 0xa1b23c4d : 0xa1b2c3d4, RAW);
		write_conversation(f.fd, 40000, 500000, 0, N_SEGMENTS);
		struct capture *c = file_open(&f);

		assert_int_equal(capture_read(c, t, 0, NULL), 0);
		assert_int_equal(capture_info(c)->is_nano, is_nano);
		assert_true(capture_info(c)->first_ns == START_S * INT64_C(1000000000) +
							  (is_nano ? 500000 : 500000000));
		assert_int_equal(capture_info(c)->tcp_packets, N_SEGMENTS);
		assert_string_equal(pattern_name(flows_of(t).first.pattern),
				    pattern_name(PATTERN_THREE_SEGMENT));
		capture_close(c);
		flowtab_free(t);
		close(f.fd);
	}
}

static void count_report(void *ctx, const struct capture_info *so_far, int percent)
{
	assert_true(so_far->packets > 0 && percent >= -1 && percent <= 100);
	++*(unsigned *)ctx;
}

/* Cut in its last packet; the first three only; and how far it is. */
static void part_of_it(void **state)
{
	struct file f = conversation(40000, 0, 0, N_SEGMENTS);
	struct flowtab *t = flowtab_new();
	unsigned n_reports = 0;
	const struct capture_progress progress = { count_report, &n_reports };

	(void)state;
	assert_int_equal(ftruncate(f.fd, lseek(f.fd, 0, SEEK_END) - 7), 0);
	struct capture *c = file_open(&f);

	assert_int_equal(capture_read(c, t, 0, &progress), -EBADMSG);
	assert_true(capture_info(c)->is_cut);
	assert_int_equal(capture_info(c)->tcp_packets, N_SEGMENTS - 1);
	assert_true(n_reports > 0);
	capture_close(c);
	flowtab_free(t);

	t = flowtab_new();
	c = file_open(&f);
	assert_int_equal(capture_read(c, t, 3, NULL), 0);
	assert_int_equal(capture_info(c)->packets, 3);
	assert_int_equal(flows_of(t).first.pattern, PATTERN_OPEN);
	capture_close(c);
	flowtab_free(t);
	close(f.fd);
}

/* From a pipe: the same, but once. */
static void from_a_pipe(void **state)
{
	struct file f = conversation(40000, 0, 0, N_SEGMENTS);
	struct flowtab *t = flowtab_new();
	struct capture *c = NULL, *again = NULL;
	char bytes[4096];
	int ends[2], before = dup(STDIN_FILENO);
	struct fail fail;

	(void)state;
	assert_int_equal(lseek(f.fd, 0, SEEK_SET), 0);
	ssize_t n = read(f.fd, bytes, sizeof(bytes));
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], bytes, (size_t)n), n);
	close(ends[1]);
	assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
	assert_int_equal(capture_open_file("-", &c, &fail), 0);
	assert_int_equal(capture_read(c, t, 0, NULL), 0);
	assert_int_equal(capture_info(c)->tcp_packets, N_SEGMENTS);
	assert_int_equal(capture_open_again(c, &again), -ESPIPE);
	assert_null(again);
	capture_close(c);
	flowtab_free(t);
	dup2(before, STDIN_FILENO);
	close(before);
	close(ends[0]);
	close(f.fd);
}

/* ---- several ---- */

/* A conversation whose segments alternate between two files is one; and only its first four, if no more
 * are wanted. */
static void read_together(void **state)
{
	(void)state;
	for (unsigned max = 0; max <= 4; max += 4) {
		struct file files[2] = { file_new("", 0), file_new("", 0) };
		struct capture *captures[2];
		struct flowtab *t = flowtab_new();
		int results[2] = { 1, 1 };

		for (unsigned i = 0; i < 2; i++)
			write_header(files[i].fd, 0xa1b2c3d4, RAW);
		for (unsigned i = 0; i < N_SEGMENTS; i++)
			write_conversation(files[i % 2].fd, 40000, 0, i, i + 1);
		for (unsigned i = 0; i < 2; i++)
			captures[i] = file_open(&files[i]);
		capture_read_merged(captures, 2, t, max, NULL, results);
		assert_true(results[0] == 0 && results[1] == 0);
		struct seen seen = flows_of(t);

		assert_int_equal(seen.n, 1);
		assert_int_equal(seen.first.end[SIDE_CLIENT].packets + seen.first.end[SIDE_SERVER].packets,
				 max ? max : N_SEGMENTS);
		assert_int_equal(seen.first.pattern, max ? PATTERN_OPEN : PATTERN_THREE_SEGMENT);
		assert_false(seen.first.is_lossy);
		for (unsigned i = 0; i < 2; i++) {
			capture_close(captures[i]);
			close(files[i].fd);
		}
		flowtab_free(t);
	}
}

/* One of them is damaged: the other is read to its end. */
static void one_is_damaged(void **state)
{
	struct file files[2] = { conversation(40000, 0, 0, N_SEGMENTS), conversation(40001, 500, 0, N_SEGMENTS) };
	struct capture *captures[2];
	struct flowtab *t = flowtab_new();
	int results[2];

	(void)state;
	assert_int_equal(ftruncate(files[0].fd, 24 + 5 * 56), 0);
	for (unsigned i = 0; i < 2; i++)
		captures[i] = file_open(&files[i]);
	capture_read_merged(captures, 2, t, 0, NULL, results);
	assert_int_equal(results[0], -EBADMSG);
	assert_int_equal(results[1], 0);
	assert_int_equal(capture_info(captures[1])->tcp_packets, N_SEGMENTS);
	assert_int_equal(flows_of(t).n, 2);
	for (unsigned i = 0; i < 2; i++) {
		capture_close(captures[i]);
		close(files[i].fd);
	}
	flowtab_free(t);
}

/* Pieces of one capture, as tcpdump -C writes them, end together; a capture of an hour later does not. */
static void pieces(void **state)
{
	static const struct { uint64_t second_us; enum pattern first; } rows[] = {
		{ 10000000, PATTERN_SILENT }, { UINT64_C(3600000000), PATTERN_OPEN },
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		/* A SYN that nobody answers is silent if the capture goes on. */
		struct file files[2] = { conversation(40000, 0, 0, 1),
					 conversation(40001, rows[k].second_us, 0, N_SEGMENTS) };
		struct flowtab *t = flowtab_new();

		for (unsigned i = 0; i < 2; i++) {
			struct capture *c = file_open(&files[i]);

			assert_int_equal(capture_read(c, t, 0, NULL), 0);
			capture_close(c);
			close(files[i].fd);
		}
		assert_string_equal(pattern_name(flows_of(t).first.pattern), pattern_name(rows[k].first));
		flowtab_free(t);
	}
}

/* ---- once more ---- */

/* The ladder of one of two connections: its rungs in order, talk in the middle folded. */
static void ladder(void **state)
{
	static const enum rung_kind kinds[] = { RUNG_SYN, RUNG_SYN_ACK, RUNG_FOLDED, RUNG_FIN, RUNG_FIN, RUNG_ACK };
	struct file f = conversation(40000, 0, 0, N_SEGMENTS);
	struct flowtab *t = flowtab_new();
	struct arena *a = arena_new();

	(void)state;
	write_conversation(f.fd, 40001, 20000, 0, N_SEGMENTS);
	struct capture *c = file_open(&f);

	assert_int_equal(capture_read(c, t, 0, NULL), 0);
	struct seen seen = flows_of(t);
	assert_int_equal(seen.n, 2);
	struct ladders *l = ladders_new(a, (const struct flow *[]){ &seen.first }, 1);
	ladders_read(l, (struct capture *[]){ c }, 1);
	const struct ladder *found = ladders_find(l, seen.first.id);

	assert_non_null(found);
	assert_null(ladders_find(l, seen.first.id + 1));
	assert_int_equal(found->n, ARRAY_LEN(kinds));
	for (size_t i = 0; i < found->n; i++)
		assert_int_equal(found->at[i].kind, kinds[i]);
	assert_int_equal(found->at[2].more_bytes, 300);
	assert_true(found->at[4].acks_fin && found->at[5].acks_fin);
	ladders_free(l);
	arena_free(a);
	capture_close(c);
	flowtab_free(t);
	close(f.fd);
}

/* Probes of a connection that fell silent stand each for themselves; of a file that is gone there is nothing. */
static void ladder_of_probes(void **state)
{
	enum { A = 16, UNTIL_FIN = 7 };
	struct file f = conversation(40000, 0, 0, UNTIL_FIN);
	struct flowtab *t = flowtab_new();
	struct arena *a = arena_new();

	(void)state;
	for (unsigned i = 1; i <= 3; i++)
		write_segment(f.fd, i * 1000000, true, 40000, A, 5100, 1201, 0);
	struct capture *c = file_open(&f);

	assert_int_equal(capture_read(c, t, 0, NULL), 0);
	struct seen seen = flows_of(t);
	struct ladders *l = ladders_new(a, (const struct flow *[]){ &seen.first }, 1);

	ladders_read(l, (struct capture *[]){ c }, 1);
	const struct ladder *found = ladders_find(l, seen.first.id);

	assert_non_null(found);
	for (size_t i = 1; i <= 3; i++)
		assert_int_equal(found->at[found->n - i].kind, RUNG_PROBE);
	ladders_free(l);
	assert_int_equal(ftruncate(f.fd, 24), 0);
	l = ladders_new(a, (const struct flow *[]){ &seen.first }, 1);
	ladders_read(l, (struct capture *[]){ c }, 1);
	assert_null(ladders_find(l, seen.first.id));
	ladders_free(l);
	arena_free(a);
	capture_close(c);
	flowtab_free(t);
	close(f.fd);
}

static size_t n_rungs(struct capture *const captures[], size_t n, const struct seen *seen)
{
	struct arena *a = arena_new();
	struct ladders *l = ladders_new(a, (const struct flow *[]){ &seen->first }, 1);

	ladders_read(l, captures, n);
	const struct ladder *found = ladders_find(l, seen->first.id);
	size_t rungs = found ? found->n : 0;

	ladders_free(l);
	arena_free(a);
	return rungs;
}

/* Where the first reading was bounded, a ladder goes no farther. Two SYNs are two rungs. */
static void ladder_of_a_part(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 3; n++) {
		struct file f = conversation(40000, 0, 0, N_SEGMENTS);
		struct flowtab *t = flowtab_new();
		struct capture *c = file_open(&f);

		assert_int_equal(capture_read(c, t, n, NULL), 0);
		struct seen seen = flows_of(t);
		assert_int_equal(n_rungs((struct capture *[]){ c }, 1, &seen), n);
		capture_close(c);
		flowtab_free(t);
		close(f.fd);
	}
}

/* Of several together the bound is for all, be they two connections at once or pieces of one. */
static void ladder_of_parts(void **state)
{
	static const struct { unsigned piece; uint64_t max; size_t rungs; } rows[] = {
		{ 0, 1, 1 }, { 0, 2, 1 }, { 0, 3, 2 }, { 0, 4, 2 }, { 0, 5, 3 }, { 2, 1, 1 }, { 2, 2, 2 }, { 2, 3, 3 },
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		unsigned piece = rows[k].piece;
		struct file files[2] = { conversation(40000, 0, 0, piece ? piece : N_SEGMENTS),
					 conversation(piece ? 40000 : 40001, 1, piece, N_SEGMENTS) };
		struct flowtab *t = flowtab_new();
		struct capture *captures[2];
		int results[2];

		for (unsigned i = 0; i < 2; i++)
			captures[i] = file_open(&files[i]);
		capture_read_merged(captures, 2, t, rows[k].max, NULL, results);
		struct seen seen = flows_of(t);
		assert_int_equal(n_rungs(captures, 2, &seen), rows[k].rungs);
		for (unsigned i = 0; i < 2; i++) {
			capture_close(captures[i]);
			close(files[i].fd);
		}
		flowtab_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cannot_be_opened), cmocka_unit_test(says_what_it_is),
		cmocka_unit_test(fractions),	    cmocka_unit_test(part_of_it),
		cmocka_unit_test(from_a_pipe),	    cmocka_unit_test(read_together),
		cmocka_unit_test(one_is_damaged),   cmocka_unit_test(pieces),
		cmocka_unit_test(ladder),	    cmocka_unit_test(ladder_of_probes),
		cmocka_unit_test(ladder_of_a_part), cmocka_unit_test(ladder_of_parts),
	};

	return cmocka_run_group_tests_name("wire-capture", tests, NULL, NULL);
}

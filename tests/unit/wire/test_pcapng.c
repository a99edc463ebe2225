#include "util/attr.h"
#include "wire/capture.h"
#include "wire/flowtab.h"

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

/* pcapng files made of blocks: a type and a body in bytes; both lengths are put around it. What is read
 * of them, and what is said of those that are damaged. */

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, OLD_PACKET = 2, SIMPLE = 3, NAMES = 4, STATISTICS = 5, PACKET = 6,
       MAX_BLOCKS = 6, MAX_FILE = 1 << 22 };

#define B(t, bytes) { .type = t, .body = bytes }
#define LITTLE B(SECTION, "4d3c2b1a 0100 0000 ffffffffffffffff")
#define BIG B(SECTION, "1a2b3c4d 0001 0000 ffffffffffffffff")
/* Raw IP, no snap length; then options. */
#define RAW(options) B(INTERFACE, "6500 0000 00000000 " options)
/* A FIN of 40 bytes. */
#define FIN "4500 0028 0000 0000 40 06 0000 0a000001 0a000002 9c40 0050 0000044d 0007a24d 50 11 faf0 0000 0000 "
#define AT(high, low) B(PACKET, "00000000 " high " " low " 28000000 28000000 " FIN)
#define AT_1_S AT("00000000", "40420f00") /* of microseconds */
/* What interface `id` dropped, little-endian. */
#define DROPS(id, options) B(STATISTICS, id " 0000000000000000 " options)
#define IFDROP(low) "0500 0800 " low "00000000 "
#define OSDROP(low) "0700 0800 " low "00000000 "
#define SECOND INT64_C(1000000000)

struct block {
	uint32_t type;
	const char *body;   /* NULL: the end */
	uint32_t length;    /* 0: as long as it is */
	uint32_t again;     /* the second length; 0: the same */
};

static const struct row {
	const char *name;
	struct block blocks[MAX_BLOCKS];
	uint64_t packets, segments;
	int64_t at_ns;         /* of the first packet; 0: its stamp is zero */
	const char *error;     /* part of it */
	size_t cut;            /* bytes missing at the end */
	uint64_t dropped;
	bool is_big, is_nano, is_cut;
} rows[] = {
	{ .name = "little-endian", .blocks = { LITTLE, RAW(""), AT_1_S },
	  .packets = 1, .segments = 1, .at_ns = SECOND },
	{ .name = "big-endian", .blocks = { BIG, B(INTERFACE, "0065 0000 00000000"),
		      B(PACKET, "00000000 00000000 000f4240 00000028 00000028 " FIN) },
	  .packets = 1, .segments = 1, .at_ns = SECOND, .is_big = true },
	{ .name = "two sections, the second starts its interfaces anew",
	  .blocks = { LITTLE, RAW(""), AT_1_S, LITTLE, AT_1_S },
	  .packets = 2, .segments = 1, .at_ns = SECOND },
	{ .name = "a block of names between",
	  .blocks = { LITTLE, RAW(""), B(NAMES, "00000000 00000000"), AT_1_S },
	  .packets = 1, .segments = 1, .at_ns = SECOND },
	/* Clocks */
	{ .name = "nanoseconds",
	  .blocks = { LITTLE, RAW("0900 0100 09000000 0000 0000"), AT("00000000", "00ca9a3b") },
	  .packets = 1, .segments = 1, .at_ns = SECOND, .is_nano = true },
	{ .name = "picoseconds", .blocks = { LITTLE, RAW("0900 0100 0c000000"), AT("e8000000", "0010a5d4") },
	  .packets = 1, .segments = 1, .at_ns = SECOND, .is_nano = true },
	{ .name = "1024 ticks a second", .blocks = { LITTLE, RAW("0900 0100 8a000000"), AT("00000000", "00040000") },
	  .packets = 1, .segments = 1, .at_ns = SECOND, .is_nano = true },
	{ .name = "ticks too short to count",
	  .blocks = { LITTLE, RAW("0900 0100 c0000000"), AT("ffffffff", "ffffffff") },
	  .packets = 1, .segments = 1, .is_nano = true },
	{ .name = "an offset of 100 seconds", .blocks = { LITTLE, RAW("0e00 0800 6400000000000000"), AT_1_S },
	  .packets = 1, .segments = 1, .at_ns = 101 * SECOND },
	{ .name = "the same, big-endian",
	  .blocks = { BIG, B(INTERFACE, "0065 0000 00000000 000e 0008 0000000000000064"),
		      B(PACKET, "00000000 00000000 000f4240 00000028 00000028 " FIN) },
	  .packets = 1, .segments = 1, .at_ns = 101 * SECOND, .is_big = true },
	{ .name = "before 1970", .blocks = { LITTLE, RAW("0e00 0800 9cffffffffffffff"), AT_1_S },
	  .packets = 1, .segments = 1 },
	{ .name = "after all that can be counted", .blocks = { LITTLE, RAW(""), AT("ffffffff", "ffffffff") },
	  .packets = 1, .segments = 1, .at_ns = INT64_C(1) << 62 },
	/* Options */
	{ .name = "an option behind the last one", .blocks = { LITTLE, RAW("0000 0000 0900 0100 09000000"), AT_1_S },
	  .packets = 1, .segments = 1, .at_ns = SECOND },
	{ .name = "an option of another kind", .blocks = { LITTLE, RAW("0200 0300 65746800 0900 0100 09000000"),
					 AT("00000000", "00ca9a3b") },
	  .packets = 1, .segments = 1, .at_ns = SECOND, .is_nano = true },
	{ .name = "an option longer than its block", .blocks = { LITTLE, RAW("0900 ff00 09000000"), AT_1_S },
	  .packets = 1, .segments = 1, .at_ns = SECOND },
	{ .name = "an option without its padding", .blocks = { LITTLE, RAW("0200 0100 65"), AT_1_S },
	  .packets = 1, .segments = 1, .at_ns = SECOND },
	{ .name = "a clock of no bytes", .blocks = { LITTLE, RAW("0900 0000 0e00 0800 6400000000000000"), AT_1_S },
	  .packets = 1, .segments = 1, .at_ns = SECOND },
	{ .name = "an offset of four bytes", .blocks = { LITTLE, RAW("0e00 0400 64000000"), AT_1_S },
	  .packets = 1, .segments = 1, .at_ns = SECOND },
	{ .name = "an offset of no bytes", .blocks = { LITTLE, RAW("0e00 0000 0900"), AT_1_S },
	  .packets = 1, .segments = 1, .at_ns = SECOND },
	/* Packets */
	{ .name = "old packets",
	  .blocks = { LITTLE, RAW(""), B(OLD_PACKET, "0000 0000 00000000 40420f00 28000000 28000000 " FIN) },
	  .packets = 1, .segments = 1, .at_ns = SECOND },
	{ .name = "a simple packet has the time of the one before",
	  .blocks = { LITTLE, RAW(""), AT_1_S, B(SIMPLE, "28000000 " FIN) },
	  .packets = 2, .segments = 2, .at_ns = SECOND },
	{ .name = "a simple packet first", .blocks = { LITTLE, RAW(""), B(SIMPLE, "28000000 " FIN) },
	  .packets = 1, .segments = 1 },
	{ .name = "a simple packet behind a snap length", .blocks = { LITTLE, B(INTERFACE, "6500 0000 14000000"),
		      B(SIMPLE, "28000000 " FIN) },
	  .packets = 1 },
	{ .name = "a simple packet below a snap length", .blocks = { LITTLE, B(INTERFACE, "6500 0000 ff000000"),
		      B(SIMPLE, "28000000 " FIN) },
	  .packets = 1, .segments = 1 },
	{ .name = "a simple packet longer than its block", .blocks = { LITTLE, RAW(""), B(SIMPLE, "ff000000 " FIN) },
	  .packets = 1, .segments = 1 },
	{ .name = "a simple packet without interface", .blocks = { LITTLE, B(SIMPLE, "28000000 " FIN) },
	  .packets = 1, .at_ns = TIME_NONE },
	{ "a packet of an interface that was never described",
	  { LITTLE, RAW(""), B(PACKET, "07000000 00000000 40420f00 28000000 28000000 " FIN) },
	  .packets = 1, .at_ns = TIME_NONE },
	{ .name = "a link type that nobody knows", .blocks = { LITTLE, B(INTERFACE, "0f27 0000 00000000"), AT_1_S },
	  .packets = 1, .at_ns = SECOND },
	/* Statistics */
	{ .name = "nothing was dropped",
	  .blocks = { LITTLE, RAW(""), DROPS("00000000", IFDROP("00000000") OSDROP("00000000")) },
	  .at_ns = TIME_NONE },
	{ .name = "an interface dropped", .blocks = { LITTLE, RAW(""), AT_1_S, DROPS("00000000", IFDROP("88130000")) },
	  .packets = 1, .segments = 1, .at_ns = SECOND, .dropped = 5000 },
	{ .name = "so did the system behind it",
	  .blocks = { LITTLE, RAW(""), DROPS("00000000", "0400 0800 ff00000000000000" OSDROP("2a000000") IFDROP("01000000")) },
	  .at_ns = TIME_NONE, .dropped = 43 },
	{ .name = "the same, big-endian", .blocks = { BIG, B(INTERFACE, "0065 0000 00000000"),
		      B(STATISTICS, "00000000 0000000000000000 0005 0008 0000000000000001 0007 0008 0000000100000000") },
	  .at_ns = TIME_NONE, .dropped = (UINT64_C(1) << 32) + 1, .is_big = true },
	{ .name = "counters that grew, one of which is not told again",
	  .blocks = { LITTLE, RAW(""), DROPS("00000000", IFDROP("05000000") OSDROP("02000000")),
		      DROPS("00000000", IFDROP("09000000")), DROPS("00000000", "") },
	  .at_ns = TIME_NONE, .dropped = 11 },
	{ .name = "two interfaces, and one that was never described",
	  .blocks = { LITTLE, RAW(""), RAW(""), DROPS("01000000", IFDROP("05000000")),
		      DROPS("00000000", IFDROP("02000000")), DROPS("02000000", IFDROP("40000000")) },
	  .at_ns = TIME_NONE, .dropped = 7 },
	{ .name = "two sections", .blocks = { LITTLE, RAW(""), DROPS("00000000", IFDROP("05000000")),
		      LITTLE, RAW(""), DROPS("00000000", IFDROP("02000000")) },
	  .at_ns = TIME_NONE, .dropped = 7 },
	{ .name = "more than 64 bits, and than 53",
	  .blocks = { LITTLE, RAW(""), RAW(""), DROPS("00000000", "0500 0800 ffffffffffffffff 0700 0800 ffffffffffffffff"),
		      DROPS("01000000", "0500 0800 ffffffffffffffff") },
	  .at_ns = TIME_NONE, .dropped = UINT64_C(1) << 53 },
	{ .name = "and back again",
	  .blocks = { LITTLE, RAW(""), DROPS("00000000", "0500 0800 ffffffffffffffff 0700 0800 ffffffffffffffff"),
		      DROPS("00000000", "0500 0800 0300000000000000 0700 0800 0000000000000000") },
	  .at_ns = TIME_NONE, .dropped = 3 },
	{ .name = "drops of four bytes, behind the last option and beyond the block",
	  .blocks = { LITTLE, RAW(""), DROPS("00000000", "0500 0400 05000000"),
		      DROPS("00000000", "0000 0000 " IFDROP("05000000")), DROPS("00000000", "0500 ff00 05000000 00000000"),
		      AT_1_S },
	  .packets = 1, .segments = 1, .at_ns = SECOND },
	{ .name = "statistics without a time, and of no bytes",
	  .blocks = { LITTLE, RAW(""), B(STATISTICS, "00000000 00000000"), B(STATISTICS, ""), AT_1_S },
	  .packets = 1, .segments = 1, .at_ns = SECOND },
	/* Damage */
	{ .name = "no byte order", .blocks = { B(SECTION, "00000000 0100 0000 ffffffffffffffff") },
	  .at_ns = TIME_NONE, .error = "no byte order" },
	{ .name = "an interface of no bytes", .blocks = { LITTLE, B(INTERFACE, "") },
	  .at_ns = TIME_NONE, .error = "interface block is too short" },
	{ .name = "an interface of two bytes", .blocks = { LITTLE, B(INTERFACE, "6500") },
	  .at_ns = TIME_NONE, .error = "interface block is too short" },
	{ .name = "an interface without snap length", .blocks = { LITTLE, B(INTERFACE, "6500 0000 ff") },
	  .at_ns = TIME_NONE, .error = "interface block is too short" },
	{ .name = "a packet of no bytes", .blocks = { LITTLE, RAW(""), B(PACKET, "") },
	  .at_ns = TIME_NONE, .error = "packet block is too short" },
	{ .name = "a packet of half a time", .blocks = { LITTLE, RAW(""), B(PACKET, "00000000 00000000") },
	  .at_ns = TIME_NONE, .error = "packet block is too short" },
	{ .name = "a packet without a time", .blocks = { LITTLE, RAW(""), B(PACKET, "00000000") },
	  .at_ns = TIME_NONE, .error = "packet block is too short" },
	{ .name = "a packet without lengths", .blocks = { LITTLE, RAW(""), B(PACKET, "00000000 00000000 40420f00") },
	  .at_ns = TIME_NONE, .error = "packet block is too short" },
	{ .name = "a packet of one length",
	  .blocks = { LITTLE, RAW(""), B(PACKET, "00000000 00000000 40420f00 28000000") },
	  .at_ns = TIME_NONE, .error = "packet block is too short" },
	{ .name = "an old packet of one byte", .blocks = { LITTLE, RAW(""), B(OLD_PACKET, "00") },
	  .at_ns = TIME_NONE, .error = "packet block is too short" },
	{ .name = "an old packet of three bytes", .blocks = { LITTLE, RAW(""), B(OLD_PACKET, "0000 00") },
	  .at_ns = TIME_NONE, .error = "packet block is too short" },
	{ .name = "a simple packet of two bytes", .blocks = { LITTLE, RAW(""), B(SIMPLE, "2800") },
	  .at_ns = TIME_NONE, .error = "packet block is too short" },
	{ .name = "a packet longer than its block", .blocks = { LITTLE, RAW(""), AT_1_S,
		      B(PACKET, "00000000 00000000 40420f00 29000000 29000000 " FIN) },
	  .packets = 1, .segments = 1, .at_ns = SECOND, .error = "a packet is longer than its block" },
	{ .name = "a block shorter than its frame",
	  .blocks = { LITTLE, { .type = INTERFACE, .body = "6500 0000 00000000", .length = 11 } },
	  .at_ns = TIME_NONE, .error = "shorter than its frame" },
	{ .name = "a section shorter than its frame",
	  .blocks = { { .type = SECTION, .body = "4d3c2b1a 0100 0000 ffffffffffffffff", .length = 15 } },
	  .at_ns = TIME_NONE, .error = "shorter than its frame" },
	{ .name = "a block larger than any",
	  .blocks = { LITTLE, { .type = PACKET, .body = "00000000", .length = (16 << 20) + 4 } },
	  .at_ns = TIME_NONE, .error = "larger than 16 MiB" },
	{ .name = "two lengths",
	  .blocks = { LITTLE, RAW(""), { .type = PACKET, .again = 76,
					 .body = "00000000 00000000 40420f00 28000000 28000000 " FIN } },
	  .packets = 1, .segments = 1, .at_ns = SECOND, .error = "the two lengths of a block differ" },
	{ .name = "two lengths of what is passed over",
	  .blocks = { LITTLE, { .type = NAMES, .body = "00000000", .again = 20 } },
	  .at_ns = TIME_NONE, .error = "the two lengths of a block differ" },
	{ .name = "ends in a packet", .blocks = { LITTLE, RAW(""), AT_1_S },
	  .at_ns = TIME_NONE, .error = "middle of a block", .cut = 30, .is_cut = true },
	{ .name = "ends in what is passed over", .blocks = { LITTLE, B(NAMES, "00000000 00000000") },
	  .at_ns = TIME_NONE, .error = "middle of a block", .cut = 6, .is_cut = true },
	{ .name = "ends before a second length", .blocks = { LITTLE, B(NAMES, "00000000") },
	  .at_ns = TIME_NONE, .error = "middle of a block",
	  .cut = 2, .is_cut = true },
	{ .name = "ends in a length", .blocks = { LITTLE, RAW("") },
	  .at_ns = TIME_NONE, .error = "middle of a block", .cut = 15, .is_cut = true },
	{ .name = "ends before its byte order", .blocks = { LITTLE },
	  .at_ns = TIME_NONE, .error = "middle of a block", .cut = 20, .is_cut = true },
};

struct file {
	uint8_t *at;
	size_t n;
	bool is_big;
};

static void put_number(struct file *f, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		f->at[f->n++] = (uint8_t)(v >> (f->is_big ? 24 - 8 * i : 8 * i));
}

static size_t size_of(const char *hex)
{
	size_t n = 0;

	for (; *hex; hex++)
		n += *hex != ' ';
	return n / 2;
}

static void put_block(struct file *f, const struct block *b)
{
	uint32_t length = b->length ? b->length : (uint32_t)size_of(b->body) + 12;
	unsigned byte;

	assert_true(f->n + length < MAX_FILE || b->length);
	put_number(f, b->type);
	put_number(f, length);
	for (const char *hex = b->body; *hex; hex += *hex == ' ' ? 1 : 2)
		if (*hex != ' ' && sscanf(hex, "%2x", &byte) == 1)
			f->at[f->n++] = (uint8_t)byte;
	put_number(f, b->again ? b->again : length);
}

/* Reads the file as the program would; the capture is the caller's to close. */
static struct capture *read_file(const struct file *f, struct flowtab *tab)
{
	int fd = memfd_create("pcapng", MFD_CLOEXEC);
	struct capture *c = NULL;
	struct fail fail;
	char name[32];

	assert_int_equal(write(fd, f->at, f->n), f->n);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	assert_int_equal(capture_open_file(name, &c, &fail), 0);
	int err = capture_read(c, tab, 0, NULL);
	close(fd);
	assert_int_equal(err != 0, capture_info(c)->error != NULL);
	return c;
}

static void reads(void **state)
{
	const struct row *r = *state;
	struct file f = { .at = malloc(MAX_FILE), .is_big = r->is_big };
	struct flowtab *tab = flowtab_new();

	for (const struct block *b = r->blocks; b < r->blocks + MAX_BLOCKS && b->body; b++)
		put_block(&f, b);
	f.n -= r->cut;
	struct capture *c = read_file(&f, tab);
	const struct capture_info *info = capture_info(c);

	if (r->error ? !info->error || !strstr(info->error, r->error) : info->error != NULL)
		fail_msg("it says: %s", info->error ? info->error : "nothing");
	assert_int_equal(info->packets, r->packets);
	assert_int_equal(info->tcp_packets, r->segments);
	/* Stamps that are all zero are none. */
	assert_true(info->first_ns == (r->at_ns ? r->at_ns : TIME_NONE));
	assert_int_equal(info->is_nano, r->is_nano);
	assert_int_equal(info->is_cut, r->is_cut);
	assert_int_equal(info->dropped_by_kernel, r->dropped);
	capture_close(c);
	flowtab_free(tab);
	free(f.at);
}

/* A stranger's file of nothing but interfaces ends where a capture would have ended long before. */
static void too_many_interfaces(void **state)
{
	static const struct block section = LITTLE, interface = RAW("");
	struct file f = { .at = malloc(MAX_FILE) };
	struct flowtab *tab = flowtab_new();

	(void)state;
	put_block(&f, &section);
	for (unsigned i = 0; i <= 1 << 16; i++)
		put_block(&f, &interface);
	struct capture *c = read_file(&f, tab);

	assert_string_equal(capture_info(c)->error, "more interfaces than any capture has");
	capture_close(c);
	flowtab_free(tab);
	free(f.at);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = reads,
						.initial_state = (void *)&rows[i] };
	tests[ARRAY_LEN(rows)] = (struct CMUnitTest)cmocka_unit_test(too_many_interfaces);
	return _cmocka_run_group_tests("wire-pcapng", tests, ARRAY_LEN(tests), NULL, NULL);
}

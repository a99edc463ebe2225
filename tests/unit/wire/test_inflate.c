#include "util/inflate.h"
#include "util/attr.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

enum { N = 300000 };

/* Bytes that repeat now and then, so that both get something to do. */
static void fill(uint8_t *bytes)
{
	uint32_t x = 1;

	for (size_t i = 0; i < N; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = i % 7 ? (uint8_t)(x >> 28) : (uint8_t)(x >> 24);
	}
}

static size_t pack_gzip(const uint8_t *bytes, size_t n, uint8_t *ret, size_t size)
{
	z_stream z = { .next_in = (Bytef *)bytes, .avail_in = (uInt)n, .next_out = ret,
		       .avail_out = (uInt)size };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return size - z.avail_out;
}

/* Reads everything; *ret_error: it ended with an error; *ret_whole: where the packer ended. */
static size_t unpack(const uint8_t *packed, size_t n, uint8_t *ret, bool *ret_error, bool *ret_whole)
{
	FILE *f = fmemopen((void *)packed, n, "rb");
	const struct inflate *inflate;
	FILE *plain = inflate_open(f, inflate_recognise(packed, n), &inflate);

	assert_non_null(plain);
	size_t got = fread(ret, 1, 3 * N, plain);
	*ret_error = ferror(plain);
	*ret_whole = !*ret_error && inflate_is_whole(inflate);
	fclose(plain);
	fclose(f);
	return got;
}

struct buffers {
	uint8_t plain[N], packed[3 * N], again[3 * N];
};

static int setup(void **state)
{
	struct buffers *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	fill(b->plain);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void gzip_in_one_or_two_members(void **state)
{
	struct buffers *b = *state;
	bool failed, whole;
	size_t half = N / 2;
	size_t n = pack_gzip(b->plain, half, b->packed, sizeof(b->packed));

	assert_int_equal(unpack(b->packed, n, b->again, &failed, &whole), half);
	assert_false(failed);
	assert_memory_equal(b->again, b->plain, half);
	n += pack_gzip(b->plain + half, N - half, b->packed + n, sizeof(b->packed) - n);
	assert_int_equal(unpack(b->packed, n, b->again, &failed, &whole), N);
	assert_true(!failed && whole);
	assert_memory_equal(b->again, b->plain, N);
}

static void zstd_in_one_or_two_frames(void **state)
{
	struct buffers *b = *state;
	bool failed, whole;
	size_t n = ZSTD_compress(b->packed, sizeof(b->packed), b->plain, N, 3);

	assert_int_equal(unpack(b->packed, n, b->again, &failed, &whole), N);
	assert_true(!failed && whole);
	assert_memory_equal(b->again, b->plain, N);
	n += ZSTD_compress(b->packed + n, sizeof(b->packed) - n, b->plain, N, 3);
	assert_int_equal(unpack(b->packed, n, b->again, &failed, &whole), 2 * N);
	assert_false(failed);
}

static void what_came_before_the_cut_is_kept(void **state)
{
	struct buffers *b = *state;
	bool failed, whole;
	size_t n = pack_gzip(b->plain, N, b->packed, sizeof(b->packed));
	size_t got = unpack(b->packed, n / 2, b->again, &failed, &whole);

	assert_true(!failed && !whole);
	assert_true(got >= N / 4 && got < N);
	assert_memory_equal(b->again, b->plain, got);
	/* All is there but the checksum, or the end of the last block. */
	assert_int_equal(unpack(b->packed, n - 8, b->again, &failed, &whole), N);
	assert_true(!failed && !whole);
	n = ZSTD_compress(b->packed, sizeof(b->packed), b->plain, N, 3);
	unpack(b->packed, n - 1, b->again, &failed, &whole);
	assert_true(!failed && !whole);
}

static void damage_is_an_error(void **state)
{
	struct buffers *b = *state;
	bool failed, whole;
	size_t n = pack_gzip(b->plain, N, b->packed, sizeof(b->packed));

	memset(b->packed + n / 2, 0xff, 64);
	unpack(b->packed, n, b->again, &failed, &whole);
	assert_true(failed);
	n = ZSTD_compress(b->packed, sizeof(b->packed), b->plain, N, 3);
	memset(b->packed + 4, 0xff, 16);
	assert_int_equal(unpack(b->packed, n, b->again, &failed, &whole), 0);
	assert_true(failed);
}

static void other_files_are_left_alone(void **state)
{
	static const uint8_t pcap[] = { 0xd4, 0xc3, 0xb2, 0xa1 }, short_gzip[] = { 0x1f };

	(void)state;
	assert_int_equal(inflate_recognise(pcap, sizeof(pcap)), PACKED_NOT);
	assert_int_equal(inflate_recognise(short_gzip, sizeof(short_gzip)), PACKED_NOT);
	assert_int_equal(inflate_recognise(NULL, 0), PACKED_NOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gzip_in_one_or_two_members, setup, teardown),
		cmocka_unit_test_setup_teardown(zstd_in_one_or_two_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(what_came_before_the_cut_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_an_error, setup, teardown),
		cmocka_unit_test(other_files_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "util/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { IN_SIZE = 256 * 1024 };

struct inflate {
	FILE *packed;
	enum packing packing;
	z_stream gzip;
	ZSTD_DStream *zstd;
	size_t n, at; /* of in[] */
	bool member_is_over; /* another may follow, or nothing */
	uint8_t in[IN_SIZE];
};

enum packing inflate_recognise(const uint8_t *magic, size_t n)
{
	static const uint8_t gzip[] = { 0x1f, 0x8b }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (n >= sizeof(gzip) && memcmp(magic, gzip, sizeof(gzip)) == 0)
		return PACKED_GZIP;
	if (n >= sizeof(zstd) && memcmp(magic, zstd, sizeof(zstd)) == 0)
		return PACKED_ZSTD;
	return PACKED_NOT;
}

/* false: no more input. */
static bool fill(struct inflate *s)
{
	if (s->at < s->n)
		return true;
	s->at = 0;
	s->n = fread(s->in, 1, sizeof(s->in), s->packed);
	return s->n > 0;
}

/* How many bytes came out; -1: damaged. */
static ssize_t step_gzip(struct inflate *s, char *out, size_t size)
{
	if (s->member_is_over && inflateReset(&s->gzip) != Z_OK)
		return -1;
	s->member_is_over = false;
	s->gzip.next_in = s->in + s->at;
	s->gzip.avail_in = (uInt)(s->n - s->at);
	s->gzip.next_out = (Bytef *)out;
	s->gzip.avail_out = (uInt)size;
	int status = inflate(&s->gzip, Z_NO_FLUSH);
	s->at = s->n - s->gzip.avail_in;
	s->member_is_over = status == Z_STREAM_END;
	if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
		return -1;
	return (ssize_t)(size - s->gzip.avail_out);
}

static ssize_t step_zstd(struct inflate *s, char *out, size_t size)
{
	ZSTD_inBuffer in = { s->in, s->n, s->at };
	ZSTD_outBuffer to = { out, size, 0 };
	size_t status = ZSTD_decompressStream(s->zstd, &to, &in);

	s->at = in.pos;
	s->member_is_over = status == 0;
	return ZSTD_isError(status) ? -1 : (ssize_t)to.pos;
}

static ssize_t read_some(void *cookie, char *out, size_t size)
{
	struct inflate *s = cookie;
	ssize_t n = 0;

	if (size > UINT32_MAX)
		size = UINT32_MAX;
	while (n == 0 && size > 0) {
		if (!fill(s))
			return ferror(s->packed) ? -1 : 0;
		n = s->packing == PACKED_GZIP ? step_gzip(s, out, size) : step_zstd(s, out, size);
	}
	if (n < 0)
		errno = EBADMSG;
	return n;
}

static int end(void *cookie)
{
	struct inflate *s = cookie;

	if (s->packing == PACKED_GZIP)
		inflateEnd(&s->gzip);
	ZSTD_freeDStream(s->zstd);
	free(s);
	return 0;
}

bool inflate_is_whole(const struct inflate *s)
{
	return s->member_is_over;
}

FILE *inflate_open(FILE *packed, enum packing packing, const struct inflate **ret)
{
	static const cookie_io_functions_t functions = { .read = read_some, .close = end };
	enum { GZIP_ONLY = 16 }; /* added to the window's bits, see zlib.h */
	struct inflate *s = calloc(1, sizeof(*s));
	FILE *f;

	if (!s)
		return NULL;
	s->packed = packed;
	s->packing = packing;
	if (packing == PACKED_GZIP ? inflateInit2(&s->gzip, MAX_WBITS + GZIP_ONLY) != Z_OK :
				     !(s->zstd = ZSTD_createDStream())) {
		free(s);
		return NULL;
	}
	f = fopencookie(s, "rb", functions);
	if (!f)
		end(s);
	*ret = s;
	return f;
}

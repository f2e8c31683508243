#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

#include "astray/squeeze.h"
#include "astray/status.h"

static const char line[] =
	"{\"kind\":\"traffic\",\"service\":\"exchange\",\"requests\":120}\n";

static size_t gzip(unsigned char *out, size_t cap, const char *text, size_t len)
{
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)text,
		.avail_in = (uInt)len,
		.next_out = out,
		.avail_out = (uInt)cap};

	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	(void)deflateEnd(&stream);
	return cap - stream.avail_out;
}

static void what_is_packed_comes_back(void **state)
{
	void *packed, *text;
	size_t packed_len, len;

	(void)state;
	assert_int_equal(squeeze_pack(&packed, &packed_len, line, sizeof(line) - 1), 0);
	assert_int_equal(
		squeeze_unpack(&text, &len, SQUEEZE_ZSTD, packed, packed_len, 1 << 20),
		0);
	assert_int_equal(len, sizeof(line) - 1);
	assert_string_equal(text, line);
	free(text);
	free(packed);
}

static void gzip_from_others_is_read(void **state)
{
	unsigned char packed[256];
	size_t packed_len = gzip(packed, sizeof(packed), line, sizeof(line) - 1), len;
	void *text;

	(void)state;
	assert_int_equal(
		squeeze_unpack(&text, &len, SQUEEZE_GZIP, packed, packed_len, 1 << 20),
		0);
	assert_string_equal(text, line);
	free(text);
	for (size_t cut = 0; cut < packed_len; cut++)
		assert_int_equal(
			squeeze_unpack(&text, &len, SQUEEZE_GZIP, packed, cut, 1 << 20),
			STATUS_CORRUPT);
}

static void every_short_prefix_is_corrupt(void **state)
{
	void *packed, *text;
	size_t packed_len, len;

	(void)state;
	assert_int_equal(squeeze_pack(&packed, &packed_len, line, sizeof(line) - 1), 0);
	for (size_t cut = 0; cut < packed_len; cut++)
		assert_int_equal(
			squeeze_unpack(&text, &len, SQUEEZE_ZSTD, packed, cut, 1 << 20),
			STATUS_CORRUPT);
	free(packed);
}

static void a_bomb_is_refused_before_it_is_believed(void **state)
{
	size_t huge = (size_t)8 << 20, packed_len, len;
	char *zeros = calloc(1, huge);
	void *packed, *text;

	(void)state;
	assert_non_null(zeros);
	assert_int_equal(squeeze_pack(&packed, &packed_len, zeros, huge), 0);
	assert_true(packed_len * SQUEEZE_RATIO_MAX < huge);
	assert_int_equal(
		squeeze_unpack(&text, &len, SQUEEZE_ZSTD, packed, packed_len, 64 << 20),
		STATUS_LIMIT);
	assert_null(text);
	free(packed);
	free(zeros);
}

static void the_limit_is_exact(void **state)
{
	void *packed, *text;
	size_t packed_len, len, size = sizeof(line) - 1;

	(void)state;
	assert_int_equal(squeeze_pack(&packed, &packed_len, line, size), 0);
	assert_int_equal(
		squeeze_unpack(&text, &len, SQUEEZE_ZSTD, packed, packed_len, size), 0);
	free(text);
	assert_int_equal(
		squeeze_unpack(&text, &len, SQUEEZE_ZSTD, packed, packed_len, size - 1),
		STATUS_LIMIT);
	assert_int_equal(
		squeeze_unpack(&text, &len, SQUEEZE_IDENTITY, line, size, size), 0);
	free(text);
	assert_int_equal(
		squeeze_unpack(&text, &len, SQUEEZE_IDENTITY, line, size, size - 1),
		STATUS_LIMIT);
	free(packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_comes_back),
		cmocka_unit_test(gzip_from_others_is_read),
		cmocka_unit_test(every_short_prefix_is_corrupt),
		cmocka_unit_test(a_bomb_is_refused_before_it_is_believed),
		cmocka_unit_test(the_limit_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

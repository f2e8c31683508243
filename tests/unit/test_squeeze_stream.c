#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

#include "astray/squeeze_stream.h"
#include "astray/status.h"

#define PLAIN_LEN 200000

static uint8_t plain[PLAIN_LEN];

static int fill_plain(void **state)
{
	uint32_t seed = 2020;

	(void)state;
	for (size_t i = 0; i < PLAIN_LEN; i++) {
		seed = seed * 1664525u + 1013904223u;
		plain[i] = (uint8_t)(seed >> 28);
	}
	return 0;
}

static void *pack(
	enum squeeze_coding coding, const uint8_t *bytes, size_t len, size_t *packed_len)
{
	z_stream gzip = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len};
	void *packed;

	if (coding == SQUEEZE_ZSTD) {
		assert_int_equal(squeeze_pack(&packed, packed_len, bytes, len), 0);
		return packed;
	}
	packed = malloc(len + 1024);
	assert_int_equal(
		deflateInit2(&gzip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	gzip.next_out = packed;
	gzip.avail_out = (uInt)len + 1024;
	assert_int_equal(deflate(&gzip, Z_FINISH), Z_STREAM_END);
	*packed_len = len + 1024 - gzip.avail_out;
	(void)deflateEnd(&gzip);
	return packed;
}

/* Expands all of it by pieces of that size; returns the failure. */
static int expand(
	const void *packed, size_t packed_len, size_t piece, size_t *len, bool *same)
{
	FILE *file = fmemopen((void *)(uintptr_t)packed, packed_len, "rb");
	enum squeeze_coding coding = squeeze_stream_coding(*(const uint8_t *)packed);
	struct squeeze_stream *stream;
	uint8_t bytes[5000];
	size_t have;
	int rc;

	*len = 0;
	*same = true;
	assert_int_equal(squeeze_stream_open(&stream, file, coding), 0);
	while ((have = fread(bytes, 1, piece, squeeze_stream_file(stream))) > 0) {
		for (size_t i = 0; i < have; i++)
			*same = *same && bytes[i] == plain[(*len + i) % PLAIN_LEN];
		*len += have;
	}
	(void)fclose(squeeze_stream_file(stream));
	rc = squeeze_stream_failure(stream);
	squeeze_stream_close(stream);
	(void)fclose(file);
	return rc;
}

static const enum squeeze_coding codings[] = {SQUEEZE_GZIP, SQUEEZE_ZSTD};

static void what_was_packed_comes_out(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t packed_len, len;
		void *packed = pack(codings[i], plain, PLAIN_LEN, &packed_len);
		bool same;

		assert_int_equal(expand(packed, packed_len, 5000, &len, &same), 0);
		assert_int_equal(len, PLAIN_LEN);
		assert_true(same);
		assert_int_equal(expand(packed, packed_len, 7, &len, &same), 0);
		assert_int_equal(len, PLAIN_LEN);
		assert_true(same);
		free(packed);
	}
}

static void pieces_may_stand_behind_each_other(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t first_len, second_len, len;
		uint8_t *first = pack(codings[i], plain, 150000, &first_len);
		uint8_t *second = pack(codings[i], plain + 150000, 50000, &second_len);
		uint8_t *both = calloc(1, first_len + second_len + 100);
		bool same;

		memcpy(both, first, first_len);
		memcpy(both + first_len, second, second_len);
		/* gzip's may be padded. */
		assert_int_equal(expand(both, first_len + second_len + (i ? 0 : 100),
					 5000, &len, &same),
			0);
		assert_int_equal(len, PLAIN_LEN);
		assert_true(same);
		free(first);
		free(second);
		free(both);
	}
}

static void what_is_cut_gives_what_stands_before_the_cut(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t packed_len, len;
		void *packed = pack(codings[i], plain, PLAIN_LEN, &packed_len);
		bool same;

		assert_int_equal(expand(packed, packed_len - 1, 5000, &len, &same),
			STATUS_CORRUPT);
		assert_true(same && len > 0);
		assert_int_equal(expand(packed, packed_len / 2, 5000, &len, &same),
			STATUS_CORRUPT);
		assert_true(same);
		assert_in_range(len, i ? 0 : 1, PLAIN_LEN - 1);
		free(packed);
	}
}

static void what_is_no_such_coding_is_refused(void **state)
{
	size_t len;
	bool same;

	(void)state;
	assert_int_equal(squeeze_stream_coding('('), SQUEEZE_ZSTD);
	assert_int_equal(squeeze_stream_coding(0x1f), SQUEEZE_GZIP);
	assert_int_equal(squeeze_stream_coding(EOF), SQUEEZE_IDENTITY);
	assert_int_equal(squeeze_stream_coding(0xd4), SQUEEZE_IDENTITY);
	assert_int_equal(expand("(what is this", 13, 100, &len, &same), STATUS_CORRUPT);
	assert_int_equal(len, 0);
	assert_int_equal(expand("\x1f\x8b no", 5, 100, &len, &same), STATUS_CORRUPT);
	assert_int_equal(expand("\x1f", 1, 100, &len, &same), STATUS_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_comes_out),
		cmocka_unit_test(pieces_may_stand_behind_each_other),
		cmocka_unit_test(what_is_cut_gives_what_stands_before_the_cut),
		cmocka_unit_test(what_is_no_such_coding_is_refused),
	};

	return cmocka_run_group_tests(tests, fill_plain, NULL);
}

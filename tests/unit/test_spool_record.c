#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "astray/wire.h"
#include "spool_record.h"

#define BOOT "00112233445566778899aabbccddeeff"
#define LINES "packed lines, whatever they are"

struct image {
	uint8_t bytes[SPOOL_RECORD_HEADER + sizeof(LINES)];
	size_t len;
};

static struct spool_record plain(void)
{
	return (struct spool_record){.boot = BOOT,
		.seq = 42,
		.observations = 37,
		.from = {1590854700000000},
		.until = {1590854710000000},
		.packed = (const uint8_t *)LINES,
		.packed_len = strlen(LINES)};
}

static struct image image_of(const struct spool_record *record)
{
	struct image image = {.len = SPOOL_RECORD_HEADER + record->packed_len};

	assert_int_equal(spool_record_encode(image.bytes, record), 0);
	memcpy(image.bytes + SPOOL_RECORD_HEADER, record->packed, record->packed_len);
	return image;
}

static void assert_same(const struct spool_record *a, const struct spool_record *b)
{
	assert_string_equal(a->boot, b->boot);
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->observations, b->observations);
	assert_int_equal(a->lost, b->lost);
	assert_int_equal(a->from.us, b->from.us);
	assert_int_equal(a->until.us, b->until.us);
	assert_int_equal(a->packed_len, b->packed_len);
	assert_memory_equal(a->packed, b->packed, a->packed_len);
}

static void a_record_reads_as_it_was_written(void **state)
{
	struct spool_record written[3] = {plain(), plain(), plain()};
	struct spool_record read;

	(void)state;
	written[1].seq = written[1].lost = written[1].until.us = MOMENT_MAX_US;
	written[1].observations = WIRE_BATCH_OBSERVATIONS;
	written[2] = (struct spool_record){
		.boot = BOOT, .packed = (const uint8_t *)"", .packed_len = 0};
	for (unsigned i = 0; i < 3; i++) {
		struct image image = image_of(&written[i]);

		assert_int_equal(spool_record_decode(&read, image.bytes, image.len), 0);
		assert_same(&read, &written[i]);
	}
}

static void what_stands_behind_a_record_is_not_its_own(void **state)
{
	struct spool_record record = plain(), read;
	struct image image = image_of(&record);

	(void)state;
	assert_int_equal(spool_record_decode(&read, image.bytes, sizeof(image.bytes)), 0);
	assert_same(&read, &record);
	assert_int_equal(spool_record_length(image.bytes), image.len);
}

static void decode_refuses_every_short_prefix(void **state)
{
	struct spool_record record = plain(), read;
	struct image image = image_of(&record);

	(void)state;
	for (size_t len = 0; len < image.len; len++)
		assert_int_equal(
			spool_record_decode(&read, image.bytes, len), STATUS_SHORT);
}

static void no_flipped_bit_is_taken(void **state)
{
	struct spool_record record = plain(), read;
	struct image image = image_of(&record);

	(void)state;
	for (size_t bit = 0; bit < image.len * 8; bit++) {
		image.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_true(spool_record_decode(&read, image.bytes, image.len) < 0);
		image.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(spool_record_decode(&read, image.bytes, image.len), 0);
}

static void zeros_and_other_files_are_corrupt(void **state)
{
	uint8_t zeros[4096] = {0};
	const char *text =
		"{\"kind\":\"batch\",\"v\":1,\"probe\":\"tyo-laptop-17\",\"boot\":"
		"\"9f2c\",\"seq\":42,\"sent_us\":1590854700000000}\n";
	struct spool_record read;

	(void)state;
	assert_int_equal(
		spool_record_decode(&read, zeros, sizeof(zeros)), STATUS_CORRUPT);
	assert_int_equal(spool_record_decode(&read, text, strlen(text)), STATUS_CORRUPT);
	assert_int_equal(spool_record_length(zeros), STATUS_CORRUPT);
}

/* A length that nobody writes must not become an allocation. */
static void a_length_beyond_the_limit_is_corrupt(void **state)
{
	struct spool_record record = plain();
	struct image image = image_of(&record);

	(void)state;
	image.bytes[4] = 0x7f;
	assert_int_equal(spool_record_length(image.bytes), STATUS_CORRUPT);
}

static void encode_refuses_what_does_not_fit(void **state)
{
	struct spool_record wrong[9];
	uint8_t header[SPOOL_RECORD_HEADER];

	(void)state;
	for (unsigned i = 0; i < 9; i++)
		wrong[i] = plain();
	wrong[0].packed_len = SPOOL_RECORD_PACKED_MAX + 1;
	wrong[1].seq = -1;
	wrong[2].seq = MOMENT_MAX_US + 1;
	wrong[3].observations = WIRE_BATCH_OBSERVATIONS + 1;
	wrong[4].lost = -1;
	wrong[5].until.us = wrong[5].from.us - 1;
	wrong[6].from.us = -1;
	(void)strcpy(wrong[7].boot, "00112233445566778899aabbccddeef");
	(void)strcpy(wrong[8].boot, "00112233445566778899aabbccddeeF0");
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(spool_record_encode(header, &wrong[i]), STATUS_RANGE);
}

static void a_report_of_losses_weighs_what_it_reports(void **state)
{
	struct spool_record record = plain();

	(void)state;
	assert_int_equal(spool_record_weight(&record), 37);
	record.observations = 1;
	record.lost = 1234;
	assert_int_equal(spool_record_weight(&record), 1234);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_reads_as_it_was_written),
		cmocka_unit_test(what_stands_behind_a_record_is_not_its_own),
		cmocka_unit_test(decode_refuses_every_short_prefix),
		cmocka_unit_test(no_flipped_bit_is_taken),
		cmocka_unit_test(zeros_and_other_files_are_corrupt),
		cmocka_unit_test(a_length_beyond_the_limit_is_corrupt),
		cmocka_unit_test(encode_refuses_what_does_not_fit),
		cmocka_unit_test(a_report_of_losses_weighs_what_it_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

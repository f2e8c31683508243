#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "archive.h"
#include "astray/status.h"

enum { RED, GREEN, BLUE, COLOURS };

struct thing {
	bool flag;
	uint16_t u16;
	uint32_t u32, count;
	uint64_t u64;
	int32_t i32;
	int64_t i64, index;
	unsigned colour;
	float narrow;
	double wide;
	struct moment at;
	char text[8];
	uint16_t small[600];
	uint32_t row[40];
};

static void thing_keep(struct archive *archive, struct thing *thing)
{
	archive_bool(archive, &thing->flag);
	archive_u16(archive, &thing->u16);
	archive_u32(archive, &thing->u32);
	archive_count(archive, &thing->count, 40);
	archive_u64(archive, &thing->u64);
	archive_i32(archive, &thing->i32);
	archive_i64(archive, &thing->i64);
	archive_index(archive, &thing->index);
	thing->colour = archive_choice(archive, thing->colour, COLOURS);
	archive_float(archive, &thing->narrow);
	archive_double(archive, &thing->wide);
	archive_moment(archive, &thing->at);
	archive_text(archive, thing->text, sizeof(thing->text));
	archive_u16_row(archive, thing->small, 600);
	archive_u32_row(archive, thing->row, 40);
}

static struct thing some_thing(void)
{
	struct thing thing = {.flag = true,
		.u16 = UINT16_MAX,
		.u32 = UINT32_MAX,
		.count = 40,
		.u64 = UINT64_MAX,
		.i32 = INT32_MIN,
		.i64 = -ARCHIVE_MOST,
		.index = ARCHIVE_MOST,
		.colour = BLUE,
		.narrow = -.1f,
		.wide = 1. / 3,
		.at = {1590854700000000},
		.text = "seven77"};

	thing.small[0] = 1;
	thing.small[299] = 2;
	thing.small[300] = UINT16_MAX;
	thing.row[39] = 7;
	return thing;
}

static struct archive *written(struct thing thing)
{
	struct archive *archive;

	assert_int_equal(archive_new(&archive), 0);
	thing_keep(archive, &thing);
	assert_int_equal(archive_rc(archive), 0);
	return archive;
}

static void what_was_written_is_read(void **state)
{
	struct thing thing, before = some_thing();
	struct archive *archive = written(before), *reader;
	size_t len;
	const void *bytes = archive_bytes(archive, &len);

	(void)state;
	memset(&thing, 0x55, sizeof(thing));
	assert_int_equal(archive_open(&reader, bytes, len), 0);
	thing_keep(reader, &thing);
	assert_int_equal(archive_rc(reader), 0);
	assert_true(archive_is_through(reader));
	assert_int_equal(thing.u64, before.u64);
	assert_int_equal(thing.i32, before.i32);
	assert_int_equal(thing.i64, before.i64);
	assert_int_equal(thing.index, before.index);
	assert_true(thing.flag && thing.colour == BLUE && thing.count == 40);
	assert_memory_equal(&thing.narrow, &before.narrow, sizeof(thing.narrow));
	assert_memory_equal(&thing.wide, &before.wide, sizeof(thing.wide));
	assert_int_equal(thing.at.us, before.at.us);
	assert_memory_equal(thing.text, before.text, sizeof(thing.text));
	assert_memory_equal(thing.small, before.small, sizeof(thing.small));
	assert_memory_equal(thing.row, before.row, sizeof(thing.row));
	archive_free(reader);
	archive_free(archive);
}

static void nothing_takes_little(void **state)
{
	struct archive *archive = written((struct thing){0});
	size_t len;

	(void)state;
	(void)archive_bytes(archive, &len);
	assert_true(len < 32);
	archive_free(archive);
}

static void every_short_prefix_is_refused(void **state)
{
	struct archive *archive = written(some_thing());
	size_t len;
	const void *bytes = archive_bytes(archive, &len);

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		void *copy = malloc(cut ? cut : 1);
		struct archive *reader;
		struct thing thing;

		assert_non_null(copy);
		memcpy(copy, bytes, cut);
		assert_int_equal(archive_open(&reader, copy, cut), 0);
		thing_keep(reader, &thing);
		assert_int_equal(archive_rc(reader), STATUS_SHORT);
		archive_free(reader);
		free(copy);
	}
	archive_free(archive);
}

static int rc_of(struct thing thing)
{
	struct archive *archive = written(thing), *reader;
	size_t len;
	const void *bytes = archive_bytes(archive, &len);
	int rc;

	assert_int_equal(archive_open(&reader, bytes, len), 0);
	thing_keep(reader, &thing);
	rc = archive_rc(reader);
	archive_free(reader);
	archive_free(archive);
	return rc;
}

static void what_lies_beyond_its_bounds_is_refused(void **state)
{
	struct thing thing;

	(void)state;
	assert_int_equal(rc_of((struct thing){.count = 41}), STATUS_RANGE);
	assert_int_equal(rc_of((struct thing){.colour = COLOURS}), STATUS_RANGE);
	assert_int_equal(rc_of((struct thing){.i64 = ARCHIVE_MOST + 1}), STATUS_RANGE);
	assert_int_equal(rc_of((struct thing){.index = -1}), STATUS_RANGE);
	assert_int_equal(rc_of((struct thing){.wide = 1e300}), STATUS_RANGE);
	thing = (struct thing){0};
	memset(&thing.narrow, 0xff, sizeof(thing.narrow)); /* not a number */
	assert_int_equal(rc_of(thing), STATUS_RANGE);
	assert_int_equal(rc_of((struct thing){0}), 0);
}

static void a_broken_archive_reads_as_zero(void **state)
{
	struct archive *reader;
	uint64_t value = 5;

	(void)state;
	assert_int_equal(archive_open(&reader, "\x07\x07", 2), 0);
	archive_refuse(reader);
	archive_u64(reader, &value);
	assert_int_equal(value, 0);
	assert_int_equal(archive_rc(reader), STATUS_RANGE);
	archive_free(reader);
}

static void a_number_of_more_than_64_bits_is_refused(void **state)
{
	struct archive *reader;
	uint64_t value;

	(void)state;
	assert_int_equal(
		archive_open(&reader, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10), 0);
	archive_u64(reader, &value);
	assert_int_equal(archive_rc(reader), STATUS_RANGE);
	archive_free(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(nothing_takes_little),
		cmocka_unit_test(every_short_prefix_is_refused),
		cmocka_unit_test(what_lies_beyond_its_bounds_is_refused),
		cmocka_unit_test(a_broken_archive_reads_as_zero),
		cmocka_unit_test(a_number_of_more_than_64_bits_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "obs_maker.h"
#include "sketch_pack.h"

static void an_empty_sketch_takes_no_bytes(void **state)
{
	uint8_t buf[SKETCH_PACK_MAX];
	struct sketch sketch;

	(void)state;
	sketch_init(&sketch);
	assert_int_equal(sketch_pack_write(buf, &sketch), 0);
	assert_int_equal(sketch_pack_read(&sketch, buf, 0), 0);
	assert_true(sketch_is_empty(&sketch));
}

static void what_is_packed_comes_back_but_for_the_scale(void **state)
{
	uint8_t buf[SKETCH_PACK_MAX];
	struct sketch sketch, coarse, back;
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t len;

		sketch_init(&sketch);
		obs_maker_sketch(&seed, &sketch);
		len = sketch_pack_write(buf, &sketch);
		assert_in_range(len, 0, SKETCH_PACK_MAX);
		assert_int_equal(sketch_pack_read(&back, buf, len), 0);
		coarse = sketch;
		sketch_downscale(&coarse, SKETCH_PACK_SCALE);
		assert_int_equal(back.total, coarse.total);
		assert_int_equal(back.zeros, coarse.zeros);
		assert_int_equal(back.used, coarse.used);
		assert_memory_equal(
			back.counts, coarse.counts, coarse.used * sizeof(uint64_t));
		if (coarse.used) {
			assert_int_equal(back.offset, coarse.offset);
			assert_int_equal(back.scale, coarse.scale);
		}
		assert_true(back.sum == coarse.sum && back.min == coarse.min &&
			    back.max == coarse.max);
	}
}

static void a_quantile_stays_good_to_two_in_a_hundred(void **state)
{
	uint8_t buf[SKETCH_PACK_MAX];
	struct sketch sketch, back;

	(void)state;
	sketch_init(&sketch);
	for (int i = 1; i <= 100000; i++)
		(void)sketch_add(&sketch, i);
	assert_int_equal(
		sketch_pack_read(&back, buf, sketch_pack_write(buf, &sketch)), 0);
	for (int q = 5; q <= 95; q += 5)
		assert_true(fabs(sketch_quantile(&back, q / 100.0) / (1000.0 * q) - 1) <
			    0.02);
}

static void a_minute_of_requests_is_small(void **state)
{
	uint8_t buf[SKETCH_PACK_MAX];
	struct sketch sketch;

	(void)state;
	sketch_init(&sketch);
	for (int i = 0; i < 60; i++)
		(void)sketch_add(&sketch, 20000 + 7919 * i % 60000);
	assert_in_range(sketch_pack_write(buf, &sketch), 1, 160);
}

/* A cut may end behind a whole bucket, but then the last one in use is missing. */
static void every_short_prefix_is_refused(void **state)
{
	uint8_t buf[SKETCH_PACK_MAX];
	struct sketch sketch;
	size_t len;

	(void)state;
	sketch_init(&sketch);
	for (int i = 1; i < 500; i++)
		(void)sketch_add(&sketch, i * i);
	len = sketch_pack_write(buf, &sketch);
	for (size_t cut = 1; cut < len; cut++) {
		assert_int_equal(sketch_pack_read(&sketch, buf, cut), STATUS_CORRUPT);
		assert_true(sketch_is_empty(&sketch));
	}
}

static void what_no_writer_makes_is_refused(void **state)
{
	uint8_t buf[SKETCH_PACK_MAX], bad[SKETCH_PACK_MAX];
	struct sketch sketch;
	size_t len;
	uint64_t seed = 3;

	(void)state;
	sketch_init(&sketch);
	for (int i = 1; i < 50; i++)
		(void)sketch_add(&sketch, i * i);
	len = sketch_pack_write(buf, &sketch);
	memcpy(bad, buf, len);
	bad[0] = 9; /* another form */
	assert_int_equal(sketch_pack_read(&sketch, bad, len), STATUS_CORRUPT);
	for (int round = 0; round < 20000; round++) { /* never more than it holds */
		memcpy(bad, buf, len);
		for (int i = 0; i < 3; i++)
			bad[obs_maker_below(&seed, len)] =
				(uint8_t)obs_maker_random(&seed);
		if (sketch_pack_read(&sketch, bad, len) == 0)
			assert_in_range(sketch.used, 0, SKETCH_BUCKETS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_sketch_takes_no_bytes),
		cmocka_unit_test(what_is_packed_comes_back_but_for_the_scale),
		cmocka_unit_test(a_quantile_stays_good_to_two_in_a_hundred),
		cmocka_unit_test(a_minute_of_requests_is_small),
		cmocka_unit_test(every_short_prefix_is_refused),
		cmocka_unit_test(what_no_writer_makes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/sketch.h"
#include "astray/status.h"

/* A seeded generator of our own, so that a failure repeats: xorshift64*. */
static double random_unit(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (double)((*seed * UINT64_C(0x2545f4914f6cdd1d)) >> 11) /
	       9007199254740992.0;
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void assert_near(double value, double want, double share)
{
	if (!(fabs(value - want) <= fabs(want) * share))
		fail_msg("%.17g is not within %g of %.17g", value, share, want);
}

static uint64_t counted(const struct sketch *sketch)
{
	uint64_t total = sketch->zeros;

	for (unsigned i = 0; i < sketch->used; i++)
		total += sketch->counts[i];
	return total;
}

static void an_empty_sketch_answers_zero(void **state)
{
	struct sketch sketch;

	(void)state;
	sketch_init(&sketch);
	assert_true(sketch_is_empty(&sketch));
	assert_true(sketch_quantile(&sketch, 0.5) == 0);
	assert_true(sketch_mean(&sketch) == 0);
	assert_true(sketch_count_above(&sketch, 0) == 0);
}

static void a_bound_belongs_to_the_bucket_below(void **state)
{
	static const int scales[] = {-10, -2, 0, 3, 7, 20};

	(void)state;
	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
		struct sketch sketch;

		for (int power = -20; power < 50; power += 5) {
			double edge = ldexp(1, power);
			double bound;

			sketch_init(&sketch);
			sketch.scale = scales[i];
			assert_true(sketch_add(&sketch, edge));
			bound = exp2(ldexp(sketch.offset + 1.0, -scales[i]));
			assert_true(edge <= bound);
			assert_true(edge > exp2(ldexp(sketch.offset, -scales[i])));
		}
	}
}

static void a_quantile_is_good_to_a_percent(void **state)
{
	enum { COUNT = 20000 };
	double *values = calloc(COUNT, sizeof(*values));
	uint64_t seed = 42;
	struct sketch sketch;

	(void)state;
	assert_non_null(values);
	sketch_init(&sketch);
	for (int i = 0; i < COUNT; i++) {
		values[i] =
			20000 * exp(0.4 * (random_unit(&seed) + random_unit(&seed) - 1));
		assert_true(sketch_add(&sketch, values[i]));
	}
	assert_int_equal(sketch.scale, SKETCH_SCALE_FINEST);
	qsort(values, COUNT, sizeof(*values), by_value);
	for (int percent = 1; percent < 100; percent++)
		assert_near(sketch_quantile(&sketch, percent / 100.0),
			values[percent * COUNT / 100], 0.006);
	assert_true(sketch_quantile(&sketch, 0) >= values[0]);
	assert_true(sketch_quantile(&sketch, 1) <= values[COUNT - 1]);
	free(values);
}

static void wide_values_lower_the_scale_and_lose_nothing(void **state)
{
	struct sketch sketch;

	(void)state;
	sketch_init(&sketch);
	for (int power = -1074; power <= 52; power++)
		assert_true(sketch_add(&sketch, ldexp(1, power)));
	assert_true(sketch_add(&sketch, 0));
	assert_true(sketch.used <= SKETCH_BUCKETS);
	assert_true(sketch.scale < 0);
	assert_int_equal(sketch.total, 1074 + 52 + 2);
	assert_int_equal(counted(&sketch), sketch.total);
	assert_true(sketch.counts[0] && sketch.counts[sketch.used - 1]);
}

static void what_is_no_duration_is_ignored(void **state)
{
	struct sketch sketch;

	(void)state;
	sketch_init(&sketch);
	assert_false(sketch_add(&sketch, -1));
	assert_false(sketch_add(&sketch, NAN));
	assert_false(sketch_add(&sketch, INFINITY));
	assert_false(sketch_add(&sketch, 1e300));
	assert_true(sketch_is_empty(&sketch));
}

static void merging_is_adding(void **state)
{
	struct sketch whole, left, right;
	uint64_t seed = 7;

	(void)state;
	sketch_init(&whole);
	sketch_init(&left);
	sketch_init(&right);
	for (int i = 0; i < 5000; i++) {
		double value = 1000 * exp(8 * random_unit(&seed));

		(void)sketch_add(&whole, value);
		(void)sketch_add(i % 3 ? &left : &right, value);
	}
	sketch_merge(&left, &right);
	assert_int_equal(left.scale, whole.scale);
	assert_int_equal(left.offset, whole.offset);
	assert_int_equal(left.used, whole.used);
	assert_memory_equal(
		left.counts, whole.counts, left.used * sizeof(left.counts[0]));
	assert_int_equal(left.total, whole.total);
	assert_true(left.min == whole.min && left.max == whole.max);
	assert_near(left.sum, whole.sum, 1e-12);
}

static void merging_with_nothing_changes_nothing(void **state)
{
	struct sketch sketch, empty;

	(void)state;
	sketch_init(&sketch);
	sketch_init(&empty);
	empty.scale = -3;
	(void)sketch_add_many(&sketch, 350, 4);
	sketch_merge(&sketch, &empty);
	assert_int_equal(sketch.scale, SKETCH_SCALE_FINEST);
	assert_int_equal(sketch.total, 4);
	sketch_merge(&empty, &sketch);
	assert_int_equal(empty.scale, -3);
	assert_int_equal(empty.total, 4);
	assert_true(empty.min == 350 && empty.max == 350);
}

static void a_coarser_scale_keeps_every_total(void **state)
{
	struct sketch sketch;
	uint64_t seed = 3;

	(void)state;
	sketch_init(&sketch);
	for (int i = 0; i < 1000; i++)
		(void)sketch_add(&sketch, 0.001 * exp(random_unit(&seed)));
	for (int scale = SKETCH_SCALE_FINEST; scale >= SKETCH_SCALE_MIN; scale--) {
		sketch_downscale(&sketch, scale);
		assert_int_equal(sketch.scale, scale);
		assert_int_equal(counted(&sketch), 1000);
	}
	sketch_downscale(&sketch, 5);
	assert_int_equal(sketch.scale, SKETCH_SCALE_MIN);
	sketch_downscale(&sketch, -50);
	assert_int_equal(sketch.scale, SKETCH_SCALE_MIN);
}

static void the_count_above_follows_the_values(void **state)
{
	struct sketch sketch;

	(void)state;
	sketch_init(&sketch);
	(void)sketch_add_many(&sketch, 0, 5);
	for (int i = 1; i <= 1000; i++)
		(void)sketch_add(&sketch, i * 100);
	assert_true(sketch_count_above(&sketch, -1) == 1005);
	assert_true(sketch_count_above(&sketch, 0) == 1000);
	assert_near(sketch_count_above(&sketch, 50000), 500, 0.01);
	assert_near(sketch_count_above(&sketch, 90000), 100, 0.05);
	assert_true(sketch_count_above(&sketch, 100000) == 0);
}

static void totals_end_where_the_wire_does(void **state)
{
	const uint64_t most = (UINT64_C(1) << 53) - 1;
	struct sketch sketch, more;

	(void)state;
	sketch_init(&sketch);
	sketch_init(&more);
	assert_true(sketch_add_many(&sketch, 10, UINT64_MAX));
	assert_int_equal(sketch.total, most);
	assert_true(sketch_add(&sketch, 20));
	assert_int_equal(counted(&sketch), most);
	(void)sketch_add(&more, 5);
	sketch_merge(&sketch, &more);
	assert_int_equal(counted(&sketch), most);
	assert_true(sketch.min == 10);
}

static void a_long_fine_sketch_loads_coarser(void **state)
{
	uint64_t counts[4096];
	struct sketch sketch;
	double low = exp2(ldexp(100000, -13)), high = exp2(ldexp(100000 + 4096, -13));

	(void)state;
	for (size_t i = 0; i < 4096; i++)
		counts[i] = 1;
	assert_int_equal(sketch_load(&sketch, 13, 100000, counts, 4096, 7,
				 4096 * (low + high) / 2, 0, high),
		0);
	assert_int_equal(sketch.total, 4096 + 7);
	assert_int_equal(counted(&sketch), 4096 + 7);
	assert_int_equal(sketch.scale, 9);
	assert_near(sketch_quantile(&sketch, 1), high, 0.003);
}

static void zeros_at_the_ends_are_trimmed(void **state)
{
	const uint64_t counts[] = {0, 0, 3, 0, 9, 0};
	struct sketch sketch;

	(void)state;
	assert_int_equal(
		sketch_load(&sketch, 0, 10, counts, 6, 0, 12 * 9000, 5000, 30000), 0);
	assert_int_equal(sketch.offset, 12);
	assert_int_equal(sketch.used, 3);
	assert_int_equal(sketch_load(&sketch, 0, 10, counts, 2, 0, 0, 0, 0), 0);
	assert_true(sketch_is_empty(&sketch));
}

static int load_one(int scale, int64_t offset, double sum, double min, double max)
{
	const uint64_t one = 1;
	struct sketch sketch;
	int rc = sketch_load(&sketch, scale, offset, &one, 1, 0, sum, min, max);

	if (rc)
		assert_true(sketch_is_empty(&sketch) && sketch.zeros == 0);
	return rc;
}

static void what_cannot_be_a_sketch_is_refused(void **state)
{
	const uint64_t many[] = {(UINT64_C(1) << 53) - 1, 1};
	struct sketch sketch;

	(void)state;
	assert_int_equal(load_one(0, 3, 12, 12, 12), 0);
	assert_int_equal(load_one(21, 3, 12, 12, 12), STATUS_RANGE);
	assert_int_equal(load_one(-11, 3, 12, 12, 12), STATUS_RANGE);
	assert_int_equal(load_one(0, INT64_MAX, 12, 12, 12), STATUS_RANGE);
	assert_int_equal(load_one(0, 3, NAN, 12, 12), STATUS_RANGE);
	assert_int_equal(load_one(0, 3, INFINITY, 12, 12), STATUS_RANGE);
	assert_int_equal(load_one(0, 3, 12, -1, 12), STATUS_RANGE);
	assert_int_equal(load_one(0, 3, 12, 13, 12), STATUS_RANGE);
	assert_int_equal(load_one(0, 3, 12, 12, NAN), STATUS_RANGE);
	assert_int_equal(load_one(0, 3, 5, 12, 12), STATUS_RANGE);
	assert_int_equal(load_one(0, 3, 50, 12, 12), STATUS_RANGE);
	assert_int_equal(
		sketch_load(&sketch, 0, 3, many, 2, 0, 2e17, 12, 24), STATUS_RANGE);
}

/* At each scale the last index that a double reaches loads, and the next one does not; so
 * two sketches from opposite ends of the world can always be merged. */
static void ends_of_the_world_still_merge(void **state)
{
	const uint64_t one = 1;

	(void)state;
	for (int scale = SKETCH_SCALE_MIN; scale <= SKETCH_SCALE_MAX; scale++) {
		int64_t first = (int64_t)floor(ldexp(-1075, scale));
		int64_t last = (int64_t)ceil(ldexp(1024, scale)) - 1;
		struct sketch low, high;

		assert_int_equal(load_one(scale, last + 1, 12, 12, 12), STATUS_RANGE);
		assert_int_equal(load_one(scale, first - 1, 12, 12, 12), STATUS_RANGE);
		assert_int_equal(sketch_load(&low, scale, first, &one, 1, 0, 1, 1, 1), 0);
		assert_int_equal(sketch_load(&high, scale, last, &one, 1, 0, 1, 1, 1), 0);
		sketch_merge(&high, &low);
		assert_true(high.used <= SKETCH_BUCKETS);
		assert_int_equal(counted(&high), 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_sketch_answers_zero),
		cmocka_unit_test(a_bound_belongs_to_the_bucket_below),
		cmocka_unit_test(a_quantile_is_good_to_a_percent),
		cmocka_unit_test(wide_values_lower_the_scale_and_lose_nothing),
		cmocka_unit_test(what_is_no_duration_is_ignored),
		cmocka_unit_test(merging_is_adding),
		cmocka_unit_test(merging_with_nothing_changes_nothing),
		cmocka_unit_test(a_coarser_scale_keeps_every_total),
		cmocka_unit_test(the_count_above_follows_the_values),
		cmocka_unit_test(totals_end_where_the_wire_does),
		cmocka_unit_test(a_long_fine_sketch_loads_coarser),
		cmocka_unit_test(zeros_at_the_ends_are_trimmed),
		cmocka_unit_test(what_cannot_be_a_sketch_is_refused),
		cmocka_unit_test(ends_of_the_world_still_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"

static struct sketch *sketch_of(double from_us, double to_us, unsigned count)
{
	struct sketch *sketch = malloc(sizeof(*sketch));
	sketch_init(sketch);
	for (unsigned i = 0; i < count; i++)
		(void)sketch_add(sketch, from_us + (to_us - from_us) * i / count);
	return sketch;
}

static void quantiles_are_those_of_the_sketch_within_a_bucket(void **state)
{
	struct sketch *sketch = sketch_of(5000, 15000, 1000);
	struct histogram histogram = {0};

	(void)state;
	histogram_add_sketch(&histogram, sketch);
	assert_int_equal(histogram.total, 1000);
	for (double q = .1; q < 1; q += .1)
		assert_true(fabs(log(histogram_quantile(&histogram, q) /
				     sketch_quantile(sketch, q))) < .06);
	free(sketch);
}

static void merging_adds_values_of_other_places(void **state)
{
	struct sketch *fast = sketch_of(5000, 6000, 100),
		      *slow = sketch_of(50000, 60000, 300);
	struct histogram a = {0}, b = {0};

	(void)state;
	histogram_add_sketch(&a, fast);
	histogram_add_sketch(&b, slow);
	histogram_merge(&a, &b);
	assert_int_equal(a.total, 400);
	assert_true(histogram_quantile(&a, .1) < 7000);
	assert_true(histogram_quantile(&a, .7) > 45000);
	free(fast);
	free(slow);
}

static void what_lies_outside_counts_at_the_end(void **state)
{
	struct sketch *sketch = sketch_of(5000, 6000, 100);
	struct histogram histogram = {0};

	(void)state;
	(void)sketch_add_many(sketch, 1e9, 50);
	histogram_add_sketch(&histogram, sketch);
	assert_int_equal(histogram.total, 150);
	assert_true(histogram_quantile(&histogram, .99) > 100000);
	free(sketch);
}

static void an_empty_one_answers_zero(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	assert_true(histogram_quantile(&histogram, .5) == 0);
}

static void a_coarse_sketch_keeps_its_middle(void **state)
{
	struct sketch *sketch = sketch_of(5000, 15000, 1000);
	struct histogram histogram = {0};

	(void)state;
	sketch_downscale(sketch, 1);
	histogram_add_sketch(&histogram, sketch);
	assert_true(fabs(log(histogram_quantile(&histogram, .5) / 10000)) < .3);
	free(sketch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_those_of_the_sketch_within_a_bucket),
		cmocka_unit_test(merging_adds_values_of_other_places),
		cmocka_unit_test(what_lies_outside_counts_at_the_end),
		cmocka_unit_test(an_empty_one_answers_zero),
		cmocka_unit_test(a_coarse_sketch_keeps_its_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

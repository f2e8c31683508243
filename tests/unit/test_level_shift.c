#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "level_shift.h"

/* Noise that is the same everywhere: -1 to 1. */
static double noise(unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (double)(*seed >> 8) / (1 << 23) - 1;
}

static unsigned feed(struct level_shift *shift, double level, double jitter,
	unsigned times, unsigned *seed, struct level_step *step)
{
	unsigned steps = 0;

	for (unsigned i = 0; i < times; i++)
		steps += level_shift_feed(shift, level + jitter * noise(seed), step);
	return steps;
}

static void a_lasting_step_is_a_shift_within_seven_values(void **state)
{
	struct level_shift shift = {0};
	struct level_step step;
	unsigned seed = 1;

	(void)state;
	assert_int_equal(feed(&shift, 80, 2, 200, &seed, &step), 0);
	assert_int_equal(feed(&shift, 120, 2, LEVEL_SHIFT_AFTER, &seed, &step), 1);
	assert_true(fabs(step.before_ms - 80) < 2 && fabs(step.after_ms - 120) < 2);
	assert_true(fabs(level_shift_now(&shift) - 120) < 2);
}

static void the_way_back_is_a_shift_as_well(void **state)
{
	struct level_shift shift = {0};
	struct level_step step;
	unsigned seed = 2;

	(void)state;
	(void)feed(&shift, 120, 2, 60, &seed, &step);
	assert_int_equal(feed(&shift, 80, 2, 40, &seed, &step), 1);
	assert_true(step.after_ms < step.before_ms);
}

static void a_queue_that_drains_is_none(void **state)
{
	struct level_shift shift = {0};
	struct level_step step;
	unsigned seed = 3;

	(void)state;
	(void)feed(&shift, 80, 2, 60, &seed, &step);
	for (unsigned burst = 0; burst < 50; burst++) {
		assert_int_equal(
			feed(&shift, 200, 2, LEVEL_SHIFT_AFTER - 2, &seed, &step), 0);
		assert_int_equal(feed(&shift, 80, 2, 30, &seed, &step), 0);
	}
}

static void the_wave_of_a_day_is_none(void **state)
{
	struct level_shift shift = {0};
	struct level_step step;
	unsigned seed = 4, steps = 0;

	(void)state;
	for (unsigned i = 0; i < 20 * 360; i++)
		steps += level_shift_feed(&shift,
			80 + 5 * sin(i * 2 * M_PI / 360) + 2 * noise(&seed), &step);
	assert_int_equal(steps, 0);
}

static void a_wide_series_needs_a_wide_step(void **state)
{
	struct level_shift shift = {0};
	struct level_step step;
	unsigned seed = 5;

	(void)state;
	(void)feed(&shift, 100, 40, 200, &seed, &step);
	assert_int_equal(feed(&shift, 120, 40, 200, &seed, &step), 0);
	assert_int_equal(feed(&shift, 300, 40, 40, &seed, &step), 1);
}

static void a_step_before_there_is_a_level_says_nothing(void **state)
{
	struct level_shift shift = {0};
	struct level_step step;
	unsigned seed = 6;

	(void)state;
	assert_int_equal(feed(&shift, 80, 1, 10, &seed, &step), 0);
	assert_int_equal(feed(&shift, 160, 1, 10, &seed, &step), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lasting_step_is_a_shift_within_seven_values),
		cmocka_unit_test(the_way_back_is_a_shift_as_well),
		cmocka_unit_test(a_queue_that_drains_is_none),
		cmocka_unit_test(the_wave_of_a_day_is_none),
		cmocka_unit_test(a_wide_series_needs_a_wide_step),
		cmocka_unit_test(a_step_before_there_is_a_level_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "shortfall.h"

#define BUDGET 4e-7

static double noise(unsigned *seed)
{
	double sum = 0;
	for (unsigned i = 0; i < 12; i++) {
		*seed = *seed * 1664525u + 1013904223u;
		sum += (double)(*seed >> 8) / (1 << 24);
	}
	return sum - 6;
}

static struct shortfall learnt(double expected, double scatter)
{
	struct shortfall shortfall = {0};
	unsigned seed = 1;
	for (unsigned i = 0; i < 2000; i++) {
		double seen = expected * (1 + scatter * noise(&seed));
		struct shortfall_judgement judgement =
			shortfall_judge(&shortfall, seen, expected, 1.7, BUDGET);
		assert_true(judgement.z < judgement.threshold);
		shortfall_learn(
			&shortfall, seen, expected, judgement.z, judgement.threshold);
	}
	return shortfall;
}

static void a_fall_by_half_of_a_steady_count_is_beyond_the_budget(void **state)
{
	struct shortfall shortfall = learnt(1000, .05);

	(void)state;
	struct shortfall_judgement judgement =
		shortfall_judge(&shortfall, 500, 1000, 1.7, BUDGET);
	assert_true(judgement.speaks);
	assert_true(judgement.z > judgement.threshold);
	assert_true(judgement.warning <= judgement.threshold);
}

static void the_same_fall_of_a_restless_count_is_not(void **state)
{
	struct shortfall shortfall = learnt(1000, .25);

	(void)state;
	struct shortfall_judgement judgement =
		shortfall_judge(&shortfall, 650, 1000, 1.7, BUDGET);
	assert_true(judgement.z < judgement.threshold);
}

static void more_than_expected_is_never_missing(void **state)
{
	struct shortfall shortfall = learnt(1000, .05);

	(void)state;
	assert_true(shortfall_judge(&shortfall, 5000, 1000, 1.7, BUDGET).z < 0);
}

static void few_expected_say_nothing(void **state)
{
	struct shortfall shortfall = {0};

	(void)state;
	assert_false(shortfall_judge(&shortfall, 0, 7, 1.7, BUDGET).speaks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fall_by_half_of_a_steady_count_is_beyond_the_budget),
		cmocka_unit_test(the_same_fall_of_a_restless_count_is_not),
		cmocka_unit_test(more_than_expected_is_never_missing),
		cmocka_unit_test(few_expected_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "quantile_floor.h"

static void it_follows_a_slow_habit(void **state)
{
	struct quantile_floor floor = {0};

	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		quantile_floor_learn(&floor, 2 + .05 * i / 3000, .25);
	assert_true(fabs(floor.floor - 2.05) < .03);
}

static void it_does_not_learn_a_step_while_it_is_in_doubt(void **state)
{
	struct quantile_floor floor = {0};

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		quantile_floor_learn(&floor, 2 + (i % 2 ? .02 : -.02), .25);
	for (unsigned i = 0; i < 5000; i++)
		quantile_floor_learn(&floor, 2.5, .25);
	assert_true(fabs(quantile_floor_error(&floor, 2.5) - .5) < .05);
}

static void before_anything_was_learnt_nothing_is_wrong(void **state)
{
	struct quantile_floor floor = {0};

	(void)state;
	assert_true(quantile_floor_error(&floor, 9) == 0);
	assert_true(quantile_floor_spread(&floor) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_follows_a_slow_habit),
		cmocka_unit_test(it_does_not_learn_a_step_while_it_is_in_doubt),
		cmocka_unit_test(before_anything_was_learnt_nothing_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

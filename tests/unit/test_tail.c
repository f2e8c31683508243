#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "tail.h"

static const struct tail_bounds bounds = {.floor = 2, .cap = 40, .least_beta = .15};

static double uniform(unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return ((double)(*seed >> 8) + 1) / ((1 << 24) + 1);
}

static void a_young_tail_is_careful(void **state)
{
	struct tail tail = {0};

	(void)state;
	for (unsigned i = 0; i < 499; i++)
		tail_add(&tail, .1);
	assert_true(fabs(tail_threshold(&tail, 1e-6, &bounds) - 3.2) < 1e-9);
	tail_add(&tail, .1);
	assert_true(fabs(tail_threshold(&tail, 1e-6, &bounds) - bounds.floor) < 1e-9);
}

/* Of exponential values the one that is passed once in a million is known: ln(10^6). */
static void the_threshold_is_passed_as_rarely_as_allowed(void **state)
{
	struct tail tail = {0};
	unsigned seed = 1;
	double threshold;

	(void)state;
	for (unsigned i = 0; i < 8000; i++)
		tail_add(&tail, -log(uniform(&seed)));
	threshold = tail_threshold(&tail, 1e-6, &bounds);
	assert_true(threshold > 10 && threshold < 19);
	assert_true(tail_threshold(&tail, 1e-4, &bounds) < threshold);
}

static void a_threshold_stays_within_its_bounds(void **state)
{
	struct tail tail = {0};
	unsigned seed = 2;

	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		tail_add(&tail, 1000 * uniform(&seed));
	assert_true(fabs(tail_threshold(&tail, 1e-6, &bounds) - bounds.cap) < 1e-9);
}

static void a_long_life_does_not_overflow(void **state)
{
	struct tail tail = {0};
	unsigned seed = 3;

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		tail_add(&tail, uniform(&seed));
	assert_true(tail.count <= TAIL_TOP);
	for (unsigned i = 1; i < tail.count; i++)
		assert_true(tail.top[i - 1] <= tail.top[i]);
	assert_true(tail.top[tail.count - 1] <= 1);
}

/* One value in fifty belongs to the tail; what comes between is not among the largest. */
static void a_small_value_never_enters_the_tail_of_a_long_life(void **state)
{
	struct tail tail = {0};
	unsigned seed = 4;
	double before;

	(void)state;
	for (unsigned i = 0; i < 2999; i++)
		tail_add(&tail, -log(uniform(&seed)));
	before = tail_threshold(&tail, 1e-6, &bounds);
	for (unsigned i = 0; i < 60; i++)
		tail_add(&tail, 0);
	assert_true(fabs(tail_threshold(&tail, 1e-6, &bounds) - before) < .5);
}

static void standard_deviations_of_a_chance(void **state)
{
	(void)state;
	assert_true(fabs(tail_deviations(1e-3) - 3.09) < .15);
	assert_true(fabs(tail_deviations(1e-6) - 4.75) < .15);
	assert_true(fabs(tail_deviations(1e-9) - 6.0) < .2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_young_tail_is_careful),
		cmocka_unit_test(the_threshold_is_passed_as_rarely_as_allowed),
		cmocka_unit_test(a_threshold_stays_within_its_bounds),
		cmocka_unit_test(a_long_life_does_not_overflow),
		cmocka_unit_test(a_small_value_never_enters_the_tail_of_a_long_life),
		cmocka_unit_test(standard_deviations_of_a_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

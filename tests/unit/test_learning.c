#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "learning.h"

#define HOUR MOMENT_HOUR_US
#define DAY MOMENT_DAY_US

static const struct moment start = {INT64_C(1590926400000000)};
static const struct learning_terms terms = {
	.paths_us = DAY, .names_us = DAY, .counts_us = 7 * DAY};

/* All senses have looked since the start. */
static struct coverage all_looking(void)
{
	struct coverage coverage = {0};

	for (unsigned i = 0; i < COVERAGE_SENSES; i++)
		coverage.senses[i] = (struct coverage_span){start, start};
	return coverage;
}

static enum learning_state state_after(enum learning_ability ability, int64_t us)
{
	struct coverage coverage = all_looking();

	return learning_of(ability, &coverage, &terms, moment_plus_us(start, us)).state;
}

static void what_nobody_measures_is_never_learnt(void **state)
{
	struct coverage none = {0};

	(void)state;
	for (unsigned i = 0; i < LEARNING_ABILITIES; i++) {
		struct learning learning = learning_of((enum learning_ability)i, &none,
			&terms, moment_plus_us(start, 100 * DAY));

		assert_int_equal(learning.state, LEARNING_BLIND);
		assert_int_equal(learning.ready.us, 0);
	}
}

static void failures_are_judged_from_the_first_minute(void **state)
{
	(void)state;
	assert_int_equal(state_after(LEARNING_FAILURES, 0), LEARNING_READY);
}

static void names_and_paths_take_a_day(void **state)
{
	(void)state;
	assert_int_equal(state_after(LEARNING_PATHS, 23 * HOUR), LEARNING_YOUNG);
	assert_int_equal(state_after(LEARNING_PATHS, DAY), LEARNING_READY);
	assert_int_equal(state_after(LEARNING_NAME_SERVERS, 23 * HOUR), LEARNING_YOUNG);
	assert_int_equal(state_after(LEARNING_NAME_SERVERS, DAY), LEARNING_READY);
}

static void big_drops_take_two_days_and_the_week_a_week(void **state)
{
	(void)state;
	assert_int_equal(state_after(LEARNING_DROPS, 2 * DAY - HOUR), LEARNING_YOUNG);
	assert_int_equal(state_after(LEARNING_DROPS, 2 * DAY), LEARNING_READY);
	assert_int_equal(state_after(LEARNING_WEEK, 7 * DAY - HOUR), LEARNING_YOUNG);
	assert_int_equal(state_after(LEARNING_WEEK, 7 * DAY), LEARNING_READY);
}

static void shorter_settings_are_kept_to(void **state)
{
	struct learning_terms quick = {.counts_us = MOMENT_MINUTE_US};
	struct coverage coverage = all_looking();
	struct moment later = moment_plus_us(start, MOMENT_MINUTE_US);

	(void)state;
	assert_int_equal(learning_of(LEARNING_DROPS, &coverage, &quick, later).state,
		LEARNING_READY);
	assert_int_equal(learning_of(LEARNING_PATHS, &coverage, &quick, start).state,
		LEARNING_READY);
}

static void speed_is_learnt_from_whichever_looked_first(void **state)
{
	struct coverage coverage = {0};
	struct moment later = moment_plus_us(start, HOUR);

	(void)state;
	coverage.senses[COVERAGE_CHECK] = (struct coverage_span){start, start};
	coverage.senses[COVERAGE_TRAFFIC] = (struct coverage_span){later, later};
	assert_int_equal(
		learning_of(LEARNING_SPEED, &coverage, &terms, later).since.us, start.us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nobody_measures_is_never_learnt),
		cmocka_unit_test(failures_are_judged_from_the_first_minute),
		cmocka_unit_test(names_and_paths_take_a_day),
		cmocka_unit_test(big_drops_take_two_days_and_the_week_a_week),
		cmocka_unit_test(shorter_settings_are_kept_to),
		cmocka_unit_test(speed_is_learnt_from_whichever_looked_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "season.h"

#define WEEK_US (7 * MOMENT_DAY_US)
#define START_US (INT64_C(2650) * WEEK_US)

/* Stores whole weeks in which a quarter hour has the value of its hour of the day. */
static void fill(struct season *season, unsigned weeks, double scale)
{
	for (int64_t q = 0; q < (int64_t)weeks * SEASON_QUARTERS; q++)
		season_store(season, (struct moment){START_US + q * SEASON_QUARTER_US},
			scale * (1 + (double)(q / 4 % 24)), false);
}

static struct moment at(unsigned week, unsigned hour)
{
	return (struct moment){START_US + week * WEEK_US + hour * MOMENT_HOUR_US +
			       30 * MOMENT_MINUTE_US};
}

static void an_empty_one_expects_nothing(void **state)
{
	struct season *season = calloc(1, sizeof(*season));
	struct season_expectation out = season_at(season, at(1, 12));

	(void)state;
	assert_int_equal(out.weeks, 0);
	assert_false(out.day);
	free(season);
}

static void an_hour_is_expected_as_in_earlier_weeks(void **state)
{
	struct season *season = calloc(1, sizeof(*season));
	struct season_expectation out;

	(void)state;
	fill(season, 3, 100);
	out = season_at(season, at(3, 12));
	assert_int_equal(out.weeks, 3);
	assert_true(fabs(out.value - 1300) < 10);
	out = season_at(season, at(3, 3));
	assert_true(fabs(out.value - 400) < 10);
	free(season);
}

static void one_surge_among_three_weeks_is_not_expected(void **state)
{
	struct season *season = calloc(1, sizeof(*season));

	(void)state;
	fill(season, 1, 100);
	for (int64_t q = SEASON_QUARTERS; q < 3 * SEASON_QUARTERS; q++)
		season_store(season, (struct moment){START_US + q * SEASON_QUARTER_US},
			q < 2 * SEASON_QUARTERS ? 5000 : 100 * (1 + (double)(q / 4 % 24)),
			false);
	assert_true(fabs(season_at(season, at(3, 12)).value - 1300) < 10);
	free(season);
}

static void a_quarter_that_was_never_measured_is_not_an_old_one(void **state)
{
	struct season *season = calloc(1, sizeof(*season));

	(void)state;
	fill(season, 4, 100);
	/* A silent fifth week, and one value behind it. */
	season_store(season, (struct moment){START_US + 5 * WEEK_US}, 7, false);
	assert_int_equal(season_at(season, at(5, 12)).weeks, 3);
	free(season);
}

static void what_was_replaced_two_days_in_a_row_is_a_habit(void **state)
{
	struct season *season = calloc(1, sizeof(*season));

	(void)state;
	fill(season, 1, 100);
	season_store(season, at(1, 12), 1300, true);
	assert_false(season_was_replaced_daily(season, at(1, 36)));
	season_store(season, at(1, 36), 1300, true);
	assert_true(season_was_replaced_daily(season, at(1, 60)));
	assert_false(season_was_replaced_daily(season, at(1, 61)));
	free(season);
}

static void what_moves_to_another_hour_is_expected_there_after_two_days(void **state)
{
	struct season *season = calloc(1, sizeof(*season));

	(void)state;
	fill(season, 3, 100);
	for (unsigned q = 0; q < 3 * 96; q++)
		season_store(season,
			(struct moment){START_US + 3 * WEEK_US + q * SEASON_QUARTER_US},
			50, true);
	assert_true(season_at(season, at(3, 84)).least < 60);
	assert_true(fabs(season_at(season, at(3, 84)).value - 1300) < 10);
	free(season);
}

/* A job that runs from two to four each night. */
static void what_is_switched_on_and_off_may_be_an_hour_away(void **state)
{
	struct season *season = calloc(1, sizeof(*season));

	(void)state;
	for (int64_t q = 0; q < 3 * SEASON_QUARTERS; q++)
		season_store(season, (struct moment){START_US + q * SEASON_QUARTER_US},
			q % 96 >= 8 && q % 96 < 16 ? 1000 : 10, false);
	assert_true(season_at(season, at(3, 2)).value > 900);
	assert_true(season_at(season, at(3, 2)).least < 20);
	assert_true(season_at(season, at(3, 3)).least < 20);
	assert_true(season_at(season, at(3, 12)).least > 9);
	free(season);
}

/* The same job an hour later, on all days since: two days were replaced, two were not. */
static void a_job_that_has_moved_is_expected_no_more_at_its_old_edge(void **state)
{
	struct season *season = calloc(1, sizeof(*season));

	(void)state;
	for (int64_t q = 0; q < 3 * SEASON_QUARTERS; q++)
		season_store(season, (struct moment){START_US + q * SEASON_QUARTER_US},
			q % 96 >= 8 && q % 96 < 16 ? 1000 : 10, false);
	for (int64_t q = 0; q < 4 * 96; q++)
		season_store(season,
			(struct moment){START_US + 3 * WEEK_US + q * SEASON_QUARTER_US},
			q % 96 >= 12 && q % 96 < 20 ? 1000 : 10, true);
	for (int64_t q = 8; q < 12; q++)
		assert_true(season_at(season,
				    (struct moment){START_US + 3 * WEEK_US +
						    (4 * 96 + q) * SEASON_QUARTER_US})
				    .least < 20);
	assert_true(season_at(season, at(3, 98)).exact > 900);
	free(season);
}

static void a_switch_is_that_of_the_last_week_that_was_measured(void **state)
{
	struct season *season = calloc(1, sizeof(*season));

	(void)state;
	for (int64_t q = 0; q < 3 * SEASON_QUARTERS; q++)
		if (q / 96 != 2 * 7 + 3)
			season_store(season,
				(struct moment){START_US + q * SEASON_QUARTER_US},
				q % 96 >= 8 && q % 96 < 16 ? 1000 : 10, false);
	assert_true(season_at(season, at(3, 3 * 24 + 2)).value > 900);
	assert_true(season_at(season, at(3, 3 * 24 + 2)).least < 20);
	free(season);
}

static void what_was_replaced_at_a_weekend_is_no_habit_of_a_monday(void **state)
{
	struct season *season = calloc(1, sizeof(*season));

	(void)state;
	for (int64_t q = 0; q < 3 * SEASON_QUARTERS; q++) {
		bool weekend = q / 96 % 7 >= 5;

		season_store(season, (struct moment){START_US + q * SEASON_QUARTER_US},
			weekend ? 50 : 1000, weekend && q / 96 > 14);
	}
	assert_false(season_was_replaced_daily(season, at(3, 12)));
	assert_true(season_at(season, at(3, 12)).least > 900);
	free(season);
}

/* With four weeks held, what this week has stored is gone from the oldest. */
static void hours_already_stored_this_week_are_neighbours_too(void **state)
{
	struct season *season = calloc(1, sizeof(*season));
	const int64_t weeks = 5 * SEASON_QUARTERS;

	(void)state;
	for (int64_t q = 0; q < weeks + 8; q++)
		season_store(season, (struct moment){START_US + q * SEASON_QUARTER_US},
			q % 96 >= 8 && q % 96 < 16 ? 1000 : 10, false);
	assert_true(season_at(season,
			    (struct moment){START_US + (weeks + 11) * SEASON_QUARTER_US})
			    .least < 20);
	free(season);
}

static void a_working_week_rests_at_its_end_and_a_public_one_does_not(void **state)
{
	struct season *season = calloc(1, sizeof(*season));

	(void)state;
	fill(season, 1, 100);
	assert_true(season_rest(season) < .01);
	for (int64_t q = 0; q < SEASON_QUARTERS; q++)
		season_store(season,
			(struct moment){START_US + WEEK_US + q * SEASON_QUARTER_US},
			q / 96 >= 5 ? 20 : 500, false);
	assert_true(fabs(season_rest(season) - .96) < .01);
	free(season);
}

static void an_older_quarter_is_passed_over(void **state)
{
	struct season *season = calloc(1, sizeof(*season));

	(void)state;
	fill(season, 2, 100);
	season_store(season, at(0, 12), 999999, false);
	assert_true(season_at(season, at(2, 12)).value < 2000);
	free(season);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_expects_nothing),
		cmocka_unit_test(an_hour_is_expected_as_in_earlier_weeks),
		cmocka_unit_test(one_surge_among_three_weeks_is_not_expected),
		cmocka_unit_test(a_quarter_that_was_never_measured_is_not_an_old_one),
		cmocka_unit_test(what_was_replaced_two_days_in_a_row_is_a_habit),
		cmocka_unit_test(
			what_moves_to_another_hour_is_expected_there_after_two_days),
		cmocka_unit_test(what_is_switched_on_and_off_may_be_an_hour_away),
		cmocka_unit_test(hours_already_stored_this_week_are_neighbours_too),
		cmocka_unit_test(a_switch_is_that_of_the_last_week_that_was_measured),
		cmocka_unit_test(what_was_replaced_at_a_weekend_is_no_habit_of_a_monday),
		cmocka_unit_test(
			a_job_that_has_moved_is_expected_no_more_at_its_old_edge),
		cmocka_unit_test(
			a_working_week_rests_at_its_end_and_a_public_one_does_not),
		cmocka_unit_test(an_older_quarter_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

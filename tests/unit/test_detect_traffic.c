#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "detect_traffic.h"
#include "hearing.h"

static unsigned random_below(unsigned *seed, unsigned limit)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % limit;
}

static double noise(unsigned *seed)
{
	double sum = 0;
	for (unsigned i = 0; i < 12; i++)
		sum += (double)random_below(seed, 1 << 20) / (1 << 20);
	return sum - 6;
}

#define SLOTS_A_DAY 288
#define SLOTS_A_WEEK (7 * SLOTS_A_DAY)

/* Requests of an office: busy by day, quiet at night and at weekends. */
static double usual(struct moment at)
{
	double hour = (double)(at.us % MOMENT_DAY_US) / MOMENT_HOUR_US;
	bool weekend = at.us / MOMENT_DAY_US % 7 >= 5;
	return 30 + (weekend ? 170 : 570) * exp(-(hour - 14) * (hour - 14) / 18);
}

static void tell(
	struct hearing *hearing, const char *gateway, double mean, unsigned *seed)
{
	double requests = mean + sqrt(mean + .0025 * mean * mean) * noise(seed);
	obs_init(hearing->obs, OBS_TRAFFIC, hearing->now);
	hearing->obs->traffic.window_us = DETECTOR_SLOW_US;
	hearing->obs->traffic.requests = hearing->obs->traffic.responses =
		requests > 0 ? (int64_t)requests : 0;
	hearing_traffic(hearing, gateway, DETECTOR_SLOW);
}

static void pass_of(struct hearing *hearing, double mean, unsigned *seed)
{
	tell(hearing, "tyo-gw-1", mean, seed);
	hearing_judge(hearing, DETECTOR_SLOW, hearing->now);
	hearing_pass(hearing, DETECTOR_SLOW_US);
}

static void pass(struct hearing *hearing, double times, unsigned *seed)
{
	pass_of(hearing, usual(hearing->now) * times, seed);
}

static void live(struct hearing *hearing, unsigned slots, double times, unsigned *seed)
{
	for (unsigned i = 0; i < slots; i++)
		pass(hearing, times, seed);
}

static void prepare(struct hearing *hearing, unsigned weeks, unsigned *seed)
{
	hearing_open(hearing, &detect_traffic);
	hearing_introduce(hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	live(hearing, weeks * SLOTS_A_WEEK, 1, seed);
}

static void weeks_of_ordinary_days_and_nights_page_nobody(void **state)
{
	struct hearing hearing;
	unsigned seed = 1;

	(void)state;
	prepare(&hearing, 6, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void four_in_five_missing_at_noon_page_within_twenty_minutes(void **state)
{
	struct hearing hearing;
	unsigned seed = 2;

	(void)state;
	prepare(&hearing, 4, &seed);
	live(&hearing, SLOTS_A_DAY / 2, 1, &seed);
	hearing_forget(&hearing);
	live(&hearing, 4, .2, &seed);
	assert_true(hearing_pages(&hearing) > 0);
	assert_non_null(strstr(hearing.findings[hearing.count - 1].text, "are missing"));
	hearing_close(&hearing);
}

static void a_third_missing_pages_within_the_hour(void **state)
{
	struct hearing hearing;
	unsigned seed = 3;

	(void)state;
	prepare(&hearing, 4, &seed);
	live(&hearing, SLOTS_A_DAY / 2, 1, &seed);
	hearing_forget(&hearing);
	live(&hearing, 12, .65, &seed);
	assert_true(hearing_pages(&hearing) > 0);
	hearing_close(&hearing);
}

static void a_tenth_missing_is_a_quiet_day(void **state)
{
	struct hearing hearing;
	unsigned seed = 4;

	(void)state;
	prepare(&hearing, 4, &seed);
	live(&hearing, 5 * SLOTS_A_DAY, .92, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void a_slow_decay_is_not_learnt_away(void **state)
{
	struct hearing hearing;
	unsigned seed = 5;

	(void)state;
	prepare(&hearing, 4, &seed);
	live(&hearing, SLOTS_A_DAY * 9 / 24, 1, &seed);
	hearing_forget(&hearing);
	for (unsigned i = 0; i < 72; i++)
		pass(&hearing, 1 - .5 * i / 72, &seed);
	assert_true(hearing_pages(&hearing) > 0);
	hearing_close(&hearing);
}

static void an_outage_is_not_next_weeks_habit_nor_its_echo_a_page(void **state)
{
	struct hearing hearing;
	unsigned seed = 6;

	(void)state;
	prepare(&hearing, 3, &seed);
	live(&hearing, SLOTS_A_DAY / 2, 1, &seed);
	live(&hearing, 12, .1, &seed);
	live(&hearing, SLOTS_A_WEEK - 12, 1, &seed);
	hearing_forget(&hearing);
	live(&hearing, 24, 1, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	live(&hearing, 6, .1, &seed);
	assert_true(hearing_pages(&hearing) > 0);
	hearing_close(&hearing);
}

static void a_surge_is_no_trouble_and_leaves_none(void **state)
{
	struct hearing hearing;
	unsigned seed = 7;

	(void)state;
	prepare(&hearing, 3, &seed);
	live(&hearing, SLOTS_A_DAY, 4, &seed);
	live(&hearing, SLOTS_A_WEEK, 1, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

/* Every day alike, and at one hour of two Saturdays twice as much. */
static void what_came_on_two_saturdays_is_not_missing_on_the_third(void **state)
{
	struct hearing hearing;
	unsigned seed = 12;

	(void)state;
	hearing_open(&hearing, &detect_traffic);
	hearing_introduce(&hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	for (unsigned slot = 0; slot < 4 * SLOTS_A_WEEK; slot++) {
		bool campaign = slot < 2 * SLOTS_A_WEEK && slot / SLOTS_A_DAY % 7 == 5 &&
				slot % SLOTS_A_DAY / 12 == 10;

		pass_of(&hearing, campaign ? 1800 : 900, &seed);
	}
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

/* It begins on a Thursday. */
static bool is_weekend(struct moment at)
{
	return at.us / MOMENT_DAY_US % 7 == 2 || at.us / MOMENT_DAY_US % 7 == 3;
}

/* What the staff of an office ask of each service. */
static void pass_of_office(
	struct hearing *hearing, const char *gateway, double there, unsigned *seed)
{
	double hour = (double)(hearing->now.us % MOMENT_DAY_US) / MOMENT_HOUR_US;
	double mean = 10 + (is_weekend(hearing->now) ? 20 : 500 * there) *
				   exp(-(hour - 13) * (hour - 13) / 16);

	for (unsigned i = 0; i < HEARING_SERVICES; i++) {
		hearing->service_number = i;
		tell(hearing, gateway, mean, seed);
	}
}

/* The gateway of the second office is off at weekends: nobody sees that it rests. */
static void pass_of_offices(struct hearing *hearing, double there, unsigned *seed)
{
	pass_of_office(hearing, "tyo-gw-1", 1, seed);
	if (!is_weekend(hearing->now))
		pass_of_office(hearing, "osa-gw-1", there, seed);
	for (unsigned i = 0; i < HEARING_SERVICES; i++) {
		hearing->service_number = i;
		hearing_judge(hearing, DETECTOR_SLOW, hearing->now);
	}
	hearing_pass(hearing, DETECTOR_SLOW_US);
}

static void a_holiday_where_no_weekend_is_measured_pages_nobody(void **state)
{
	struct hearing hearing;
	unsigned seed = 13;

	(void)state;
	hearing_open(&hearing, &detect_traffic);
	hearing_introduce(&hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	hearing_introduce(&hearing, "osa-gw-1", OBS_GATEWAY, "osaka", "JP", 64497);
	for (unsigned slot = 0; slot < 4 * SLOTS_A_WEEK; slot++)
		pass_of_offices(&hearing, 1, &seed);
	for (unsigned slot = 0; slot < SLOTS_A_DAY; slot++)
		pass_of_offices(&hearing, .05, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void the_end_of_two_busy_days_is_no_fall(void **state)
{
	struct hearing hearing;
	unsigned seed = 14;

	(void)state;
	prepare(&hearing, 4, &seed);
	live(&hearing, 2 * SLOTS_A_DAY, 1.27, &seed);
	live(&hearing, SLOTS_A_DAY, 1, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void nothing_pages_before_a_week_is_known(void **state)
{
	struct hearing hearing;
	unsigned seed = 8;

	(void)state;
	hearing_open(&hearing, &detect_traffic);
	hearing_introduce(&hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	live(&hearing, SLOTS_A_DAY, 1, &seed);
	live(&hearing, 12, .5, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static unsigned pages_of_the_third_day(double times)
{
	struct hearing hearing;
	unsigned seed = 12, pages;

	hearing_open(&hearing, &detect_traffic);
	hearing_introduce(&hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	live(&hearing, 2 * SLOTS_A_DAY + SLOTS_A_DAY / 2, 1, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	live(&hearing, 4, times, &seed);
	pages = hearing_pages(&hearing);
	hearing_close(&hearing);
	return pages;
}

static void most_of_it_missing_pages_from_the_third_day_and_half_does_not(void **state)
{
	(void)state;
	assert_true(pages_of_the_third_day(.1) > 0);
	assert_int_equal(pages_of_the_third_day(.5), 0);
}

/* Windows of an hour, of which the last ones hold so much of the usual. */
static unsigned pages_of_hours(double before_last, double last)
{
	struct hearing hearing;
	unsigned seed = 13, pages;
	enum { HOURS = 8 * 7 * 24 + 14 };

	hearing_open(&hearing, &detect_traffic);
	hearing_introduce(&hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	for (unsigned i = 0; i < HOURS; i++) {
		double times = i == HOURS - 1 ? last : i == HOURS - 2 ? before_last : 1;
		double mean = 12 * usual(hearing.now) * times;

		obs_init(hearing.obs, OBS_TRAFFIC, hearing.now);
		hearing.obs->traffic.window_us = MOMENT_HOUR_US;
		hearing.obs->traffic.requests = hearing.obs->traffic.responses =
			(int64_t)(mean * (1 + .05 * noise(&seed)));
		hearing_traffic(&hearing, "tyo-gw-1", DETECTOR_SLOW);
		for (unsigned slot = 0; slot < 12; slot++) {
			hearing_judge(&hearing, DETECTOR_SLOW, hearing.now);
			hearing_pass(&hearing, DETECTOR_SLOW_US);
		}
	}
	pages = hearing_pages(&hearing);
	hearing_close(&hearing);
	return pages;
}

static void one_long_window_a_third_short_is_no_fall_and_two_are(void **state)
{
	(void)state;
	assert_int_equal(pages_of_hours(1, .65), 0);
	assert_true(pages_of_hours(.65, .65) > 0);
}

static void a_gateway_that_falls_silent_is_not_missing_requests(void **state)
{
	struct hearing hearing;
	unsigned seed = 9;

	(void)state;
	prepare(&hearing, 4, &seed);
	hearing_forget(&hearing);
	for (unsigned i = 0; i < 60; i++) {
		hearing_judge(&hearing, DETECTOR_SLOW, hearing.now);
		hearing_pass(&hearing, DETECTOR_SLOW_US);
	}
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void announced_work_may_stop_everything(void **state)
{
	struct hearing hearing;
	unsigned seed = 10;

	(void)state;
	prepare(&hearing, 4, &seed);
	live(&hearing, SLOTS_A_DAY / 2, 1, &seed);
	hearing.announced = true;
	live(&hearing, 12, 0, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static unsigned slots_until_a_page(double pages_per_week, double times)
{
	struct hearing hearing;
	unsigned seed = 11, slots = 0;

	hearing_open(&hearing, &detect_traffic);
	hearing.settings.pages_per_week = pages_per_week;
	hearing_introduce(&hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	live(&hearing, 4 * SLOTS_A_WEEK + SLOTS_A_DAY / 2, 1, &seed);
	hearing_forget(&hearing);
	for (; slots < 36 && hearing_pages(&hearing) == 0; slots++)
		pass(&hearing, times, &seed);
	hearing_close(&hearing);
	return slots;
}

static void more_false_pages_allowed_never_page_later(void **state)
{
	static const double drops[] = {.85, .75, .65, .3};

	(void)state;
	for (unsigned i = 0; i < sizeof(drops) / sizeof(drops[0]); i++) {
		unsigned before = 36;

		for (double pages = .0005; pages < 5; pages *= 10) {
			unsigned now = slots_until_a_page(pages, drops[i]);

			assert_true(now <= before);
			before = now;
		}
	}
}

/* A hundred times what is usual: twelve false pages in twelve weeks, and a quarter of
 * them for traffic. */
static void chance_pages_no_more_often_than_it_is_allowed(void **state)
{
	unsigned pages = 0;

	(void)state;
	for (unsigned seed = 20; seed < 23; seed++) {
		struct hearing hearing;
		unsigned dice = seed;

		hearing_open(&hearing, &detect_traffic);
		hearing.settings.pages_per_week = 1;
		hearing_introduce(
			&hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
		live(&hearing, 2 * SLOTS_A_WEEK, 1, &dice);
		hearing_forget(&hearing);
		live(&hearing, 4 * SLOTS_A_WEEK, 1, &dice);
		pages += hearing_pages(&hearing);
		hearing_close(&hearing);
	}
	assert_true(pages <= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weeks_of_ordinary_days_and_nights_page_nobody),
		cmocka_unit_test(four_in_five_missing_at_noon_page_within_twenty_minutes),
		cmocka_unit_test(a_third_missing_pages_within_the_hour),
		cmocka_unit_test(a_tenth_missing_is_a_quiet_day),
		cmocka_unit_test(a_slow_decay_is_not_learnt_away),
		cmocka_unit_test(an_outage_is_not_next_weeks_habit_nor_its_echo_a_page),
		cmocka_unit_test(a_surge_is_no_trouble_and_leaves_none),
		cmocka_unit_test(what_came_on_two_saturdays_is_not_missing_on_the_third),
		cmocka_unit_test(a_holiday_where_no_weekend_is_measured_pages_nobody),
		cmocka_unit_test(the_end_of_two_busy_days_is_no_fall),
		cmocka_unit_test(nothing_pages_before_a_week_is_known),
		cmocka_unit_test(
			most_of_it_missing_pages_from_the_third_day_and_half_does_not),
		cmocka_unit_test(one_long_window_a_third_short_is_no_fall_and_two_are),
		cmocka_unit_test(a_gateway_that_falls_silent_is_not_missing_requests),
		cmocka_unit_test(announced_work_may_stop_everything),
		cmocka_unit_test(more_false_pages_allowed_never_page_later),
		cmocka_unit_test(chance_pages_no_more_often_than_it_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "detect_failures.h"
#include "hearing.h"

/* One five-minute window of a gateway, and its judgement. */
static void pass(struct hearing *hearing, const char *probe, int64_t requests,
	int64_t errors, int64_t refused)
{
	obs_init(hearing->obs, OBS_TRAFFIC, hearing->now);
	hearing->obs->traffic.window_us = DETECTOR_SLOW_US;
	hearing->obs->traffic.requests = hearing->obs->traffic.responses = requests;
	hearing->obs->traffic.errors = errors;
	hearing->obs->traffic.connections = requests;
	hearing->obs->traffic.refused = refused;
	hearing_traffic(hearing, probe, DETECTOR_SLOW);
	hearing_judge(hearing, DETECTOR_SLOW, hearing->now);
	hearing_pass(hearing, DETECTOR_SLOW_US);
}

static void prepare(struct hearing *hearing)
{
	hearing_open(hearing, &detect_failures);
	hearing_introduce(hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
}

static void half_of_them_failing_pages_from_the_first_minute(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	pass(&hearing, "tyo-gw-1", 100, 50, 0);
	assert_true(hearing_pages(&hearing) > 0);
	assert_non_null(strstr(hearing.findings[0].brief, "50 %"));
	hearing_close(&hearing);
}

/* The fewest of two hundred that page. */
static int64_t errors_that_page(double pages_per_week)
{
	for (int64_t errors = 1; errors <= 200; errors++) {
		struct hearing hearing;
		unsigned pages;

		prepare(&hearing);
		hearing.settings.pages_per_week = pages_per_week;
		pass(&hearing, "tyo-gw-1", 200, errors, 0);
		pages = hearing_pages(&hearing);
		hearing_close(&hearing);
		if (pages)
			return errors;
	}
	return 201;
}

static void more_false_pages_allowed_need_fewer_failures(void **state)
{
	int64_t before = errors_that_page(.0001);

	(void)state;
	assert_true(errors_that_page(10) < before);
	for (double pages = .001; pages < 100; pages *= 10) {
		int64_t now = errors_that_page(pages);

		assert_true(now <= before);
		before = now;
	}
}

static void a_few_in_a_hundred_are_any_day(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 500; i++)
		pass(&hearing, "tyo-gw-1", 200, i % 7, 0);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void a_handful_at_night_pages_nobody(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 50; i++)
		pass(&hearing, "tyo-gw-1", 4, i % 2, 0);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void refused_connections_are_a_series_of_their_own(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	pass(&hearing, "tyo-gw-1", 100, 0, 60);
	assert_true(hearing_pages(&hearing) > 0);
	assert_string_equal(hearing.findings[0].subject, "connections");
	hearing_close(&hearing);
}

static void it_ends_when_they_succeed_again(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	pass(&hearing, "tyo-gw-1", 100, 50, 0);
	pass(&hearing, "tyo-gw-1", 100, 0, 0);
	pass(&hearing, "tyo-gw-1", 100, 0, 0);
	assert_true(hearing_ends(&hearing) > 0);
	hearing_close(&hearing);
}

static void announced_work_may_fail(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	hearing.announced = true;
	pass(&hearing, "tyo-gw-1", 100, 100, 0);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_of_them_failing_pages_from_the_first_minute),
		cmocka_unit_test(more_false_pages_allowed_need_fewer_failures),
		cmocka_unit_test(a_few_in_a_hundred_are_any_day),
		cmocka_unit_test(a_handful_at_night_pages_nobody),
		cmocka_unit_test(refused_connections_are_a_series_of_their_own),
		cmocka_unit_test(it_ends_when_they_succeed_again),
		cmocka_unit_test(announced_work_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "announcements.h"

static struct obs_maintenance work_on(const char *service, const char *site)
{
	struct obs_maintenance work = {
		.from = {10 * MOMENT_HOUR_US}, .until = {11 * MOMENT_HOUR_US}};
	(void)snprintf(work.service, sizeof(work.service), "%s", service);
	(void)snprintf(work.site, sizeof(work.site), "%s", site);
	return work;
}

static void work_covers_its_time_and_a_little_around_it(void **state)
{
	static struct announcements announcements;
	struct obs_maintenance work = work_on("exchange", "");

	(void)state;
	announcements_add(&announcements, &work);
	assert_true(announcements_cover(&announcements, "exchange", "tokyo", work.from));
	assert_true(announcements_cover(&announcements, "exchange", "",
		moment_plus_us(work.until, 40 * MOMENT_MINUTE_US)));
	assert_false(announcements_cover(&announcements, "exchange", "",
		moment_plus_us(work.until, 50 * MOMENT_MINUTE_US)));
	assert_false(announcements_cover(&announcements, "exchange", "",
		moment_plus_us(work.from, -10 * MOMENT_MINUTE_US)));
	assert_false(announcements_cover(&announcements, "wallet", "", work.from));
}

static void work_at_a_site_covers_only_it(void **state)
{
	static struct announcements announcements;
	struct obs_maintenance work = work_on("*", "tokyo");

	(void)state;
	announcements_add(&announcements, &work);
	assert_true(announcements_cover(&announcements, "wallet", "tokyo", work.from));
	assert_false(announcements_cover(&announcements, "wallet", "osaka", work.from));
}

static void with_no_room_what_ended_first_gives_way(void **state)
{
	static struct announcements announcements;
	struct obs_maintenance work = work_on("exchange", "");

	(void)state;
	for (unsigned i = 0; i < ANNOUNCEMENTS_MAX; i++) {
		work.until.us = (100 + i) * MOMENT_HOUR_US;
		announcements_add(&announcements, &work);
	}
	work = work_on("wallet", "");
	announcements_add(&announcements, &work);
	assert_int_equal(announcements.count, ANNOUNCEMENTS_MAX);
	assert_true(announcements_cover(&announcements, "wallet", "", work.from));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_covers_its_time_and_a_little_around_it),
		cmocka_unit_test(work_at_a_site_covers_only_it),
		cmocka_unit_test(with_no_room_what_ended_first_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

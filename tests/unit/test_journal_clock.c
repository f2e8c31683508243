#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "journal_clock.h"

static void it_follows_the_wall_clock(void **state)
{
	struct journal_clock clock =
		journal_clock_after((struct moment){100}, (struct tick){5});

	(void)state;
	assert_int_equal(
		journal_clock_read(&clock, (struct moment){1000}, (struct tick){6}).us,
		1000);
	assert_int_equal(
		journal_clock_read(&clock, (struct moment){2000}, (struct tick){7}).us,
		2000);
}

static void when_the_wall_clock_is_set_back_time_goes_on(void **state)
{
	struct journal_clock clock =
		journal_clock_after((struct moment){5000}, (struct tick){0});

	(void)state;
	assert_int_equal(
		journal_clock_read(&clock, (struct moment){1000}, (struct tick){70}).us,
		5070);
	assert_int_equal(
		journal_clock_read(&clock, (struct moment){1010}, (struct tick){80}).us,
		5080);
	assert_int_equal(
		journal_clock_read(&clock, (struct moment){6000}, (struct tick){90}).us,
		6000);
}

static void a_stamp_is_given_once(void **state)
{
	struct journal_clock clock =
		journal_clock_after((struct moment){1000}, (struct tick){0});
	const struct moment wall = {1000};
	const struct tick now = {0};

	(void)state;
	assert_int_equal(journal_clock_stamp(&clock, wall, now).us, 1001);
	assert_int_equal(journal_clock_stamp(&clock, wall, now).us, 1002);
	assert_int_equal(journal_clock_read(&clock, wall, now).us, 1000);
	assert_int_equal(
		journal_clock_stamp(&clock, (struct moment){2000}, now).us, 2000);
	assert_int_equal(
		journal_clock_stamp(&clock, (struct moment){2000}, now).us, 2001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_follows_the_wall_clock),
		cmocka_unit_test(when_the_wall_clock_is_set_back_time_goes_on),
		cmocka_unit_test(a_stamp_is_given_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pace.h"

static unsigned take_all(struct pace *pace, struct tick now)
{
	unsigned taken = 0;

	while (pace_take(pace, now))
		taken++;
	return taken;
}

static void a_burst_is_bounded(void **state)
{
	struct pace slow, quick;

	(void)state;
	pace_init(&slow, 10, (struct tick){0});
	pace_init(&quick, 100000, (struct tick){0});
	assert_int_equal(take_all(&slow, (struct tick){0}), PACE_BURST_MIN);
	assert_int_equal(take_all(&quick, (struct tick){0}), 2000);
	/* Years of idleness earn no more. */
	assert_int_equal(take_all(&quick, (struct tick){INT64_C(1) << 52}), 2000);
}

static void over_ten_seconds_no_more_than_the_rate_goes(void **state)
{
	struct pace pace;
	unsigned taken = 0;

	(void)state;
	pace_init(&pace, 1000, (struct tick){0});
	for (int64_t us = 0; us <= 10 * MOMENT_SECOND_US; us += 137)
		taken += take_all(&pace, (struct tick){us});
	assert_in_range(taken, 10000, 10000 + PACE_BURST_MIN);
}

static void the_wait_is_as_long_as_it_says(void **state)
{
	struct pace pace;
	int64_t wait_us;

	(void)state;
	pace_init(&pace, 300, (struct tick){0});
	assert_int_equal(pace_wait_us(&pace, (struct tick){0}), 0);
	(void)take_all(&pace, (struct tick){0});
	wait_us = pace_wait_us(&pace, (struct tick){0});
	assert_int_equal(wait_us, 3334);
	assert_false(pace_take(&pace, (struct tick){wait_us - 1}));
	assert_true(pace_take(&pace, (struct tick){wait_us}));
}

static void a_clock_that_steps_back_earns_nothing(void **state)
{
	struct pace pace;

	(void)state;
	pace_init(&pace, 1000, (struct tick){5000000});
	(void)take_all(&pace, (struct tick){5000000});
	assert_false(pace_take(&pace, (struct tick){0}));
	assert_false(pace_take(&pace, (struct tick){5000000}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_bounded),
		cmocka_unit_test(over_ten_seconds_no_more_than_the_rate_goes),
		cmocka_unit_test(the_wait_is_as_long_as_it_says),
		cmocka_unit_test(a_clock_that_steps_back_earns_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

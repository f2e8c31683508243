#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stamp_clock.h"

#define WALL INT64_C(1590854700000000)

static struct stamp_clock clock_at_start(void)
{
	struct stamp_clock clock;

	stamp_clock_init(&clock, (struct moment){WALL}, (struct tick){1000});
	return clock;
}

static void a_stamp_is_as_old_as_it_says(void **state)
{
	struct stamp_clock clock = clock_at_start();

	(void)state;
	stamp_clock_read(&clock, (struct moment){WALL + 9000}, (struct tick){10000});
	assert_int_equal(stamp_clock_tick(&clock, (struct moment){WALL + 4000}).us, 5000);
	assert_int_equal(
		stamp_clock_tick(&clock, (struct moment){WALL + 9000}).us, 10000);
}

static void a_stamp_from_the_future_is_now(void **state)
{
	struct stamp_clock clock = clock_at_start();

	(void)state;
	assert_int_equal(
		stamp_clock_tick(&clock, (struct moment){MOMENT_MAX_US}).us, 1000);
}

static void when_the_wall_clock_was_set_packets_count_as_received_now(void **state)
{
	static const int64_t steps_us[] = {
		-3600 * MOMENT_SECOND_US, -2000, 2000, 3600 * MOMENT_SECOND_US};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct stamp_clock clock = clock_at_start();
		struct moment wall = {WALL + 9000 + steps_us[i]};

		stamp_clock_read(&clock, wall, (struct tick){10000});
		assert_int_equal(
			stamp_clock_tick(&clock, (struct moment){wall.us - 500}).us,
			10000);
		/* Others that were stamped before the step may be read later. */
		stamp_clock_read(
			&clock, moment_plus_us(wall, 1000), (struct tick){11000});
		assert_int_equal(stamp_clock_tick(&clock, wall).us, 11000);
		stamp_clock_read(&clock, moment_plus_us(wall, MOMENT_SECOND_US),
			(struct tick){10000 + MOMENT_SECOND_US});
		assert_int_equal(stamp_clock_tick(&clock, wall).us, 10000);
	}
}

static void a_reading_that_was_interrupted_moves_it_little(void **state)
{
	struct stamp_clock clock = clock_at_start();

	(void)state;
	/* 300 us passed between the two clocks. */
	stamp_clock_read(&clock, (struct moment){WALL + 4000}, (struct tick){5300});
	assert_in_range(
		stamp_clock_tick(&clock, (struct moment){WALL + 3000}).us, 4000, 4005);
	stamp_clock_read(&clock, (struct moment){WALL + 9000}, (struct tick){10000});
	assert_int_equal(stamp_clock_tick(&clock, (struct moment){WALL + 3000}).us, 4000);
	/* A clock that is slewed is followed. */
	for (int64_t ms = 10; ms < 3000; ms++)
		stamp_clock_read(&clock, (struct moment){WALL + ms * 1000 - ms / 2},
			(struct tick){1000 + ms * 1000});
	assert_in_range(
		stamp_clock_tick(&clock, (struct moment){WALL + 2990000 - 1495}).us,
		2991000 - 5, 2991000 + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stamp_is_as_old_as_it_says),
		cmocka_unit_test(a_stamp_from_the_future_is_now),
		cmocka_unit_test(a_reading_that_was_interrupted_moves_it_little),
		cmocka_unit_test(
			when_the_wall_clock_was_set_packets_count_as_received_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "round_trip.h"

static int64_t acknowledge(
	struct round_trip *trip, uint32_t ack, uint32_t len, int64_t at_us)
{
	return round_trip_acknowledged(trip, ack, len, (struct moment){at_us});
}

static void a_lone_small_segment_proves_nothing(void **state)
{
	struct round_trip trip;

	(void)state;
	round_trip_init(&trip);
	round_trip_sent(&trip, 200, 100, (struct moment){1000000});
	assert_int_equal(acknowledge(&trip, 200, 0, 1040000), -1);
}

static void two_full_segments_are_acknowledged_at_once(void **state)
{
	struct round_trip trip;

	(void)state;
	round_trip_init(&trip);
	round_trip_sent(&trip, 1500, 1400, (struct moment){1000000});
	round_trip_sent(&trip, 2900, 1400, (struct moment){1000100});
	assert_int_equal(acknowledge(&trip, 1500, 0, 1009000), -1); /* not the last */
	assert_int_equal(acknowledge(&trip, 2900, 0, 1010100), 10000);
	assert_int_equal(trip.least_us, 10000);
	assert_int_equal(acknowledge(&trip, 2900, 0, 1020100), -1); /* once */
}

static void what_comes_within_the_least_counts(void **state)
{
	struct round_trip trip;

	(void)state;
	round_trip_init(&trip);
	round_trip_note(&trip, 10000);
	round_trip_sent(&trip, 200, 100, (struct moment){1000000});
	assert_int_equal(acknowledge(&trip, 200, 500, 1010900), 10900);
	round_trip_sent(&trip, 300, 100, (struct moment){2000000});
	assert_int_equal(acknowledge(&trip, 300, 500, 2011001), -1);
	round_trip_sent(&trip, 400, 100, (struct moment){3000000});
	assert_int_equal(acknowledge(&trip, 400, 0, 2999999), -1);
	assert_int_equal(trip.least_us, 10000);
}

static void what_was_sent_twice_is_not_timed(void **state)
{
	struct round_trip trip;

	(void)state;
	round_trip_init(&trip);
	round_trip_sent(&trip, 3000, 2900, (struct moment){1000000});
	round_trip_forget(&trip);
	assert_int_equal(acknowledge(&trip, 3000, 0, 1010000), -1);
	assert_int_equal(trip.least_us, ROUND_TRIP_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lone_small_segment_proves_nothing),
		cmocka_unit_test(two_full_segments_are_acknowledged_at_once),
		cmocka_unit_test(what_comes_within_the_least_counts),
		cmocka_unit_test(what_was_sent_twice_is_not_timed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "round_timing.h"

static void rounds_lie_a_fifth_around_their_interval_and_differ(void **state)
{
	uint64_t least = UINT64_MAX, most = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t wait = round_timing_wait_ms(60000000, 0);

		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
	}
	assert_in_range(least, 48000, 50000);
	assert_in_range(most, 70000, 72000);
}

static void silence_makes_them_rarer_up_to_five_minutes(void **state)
{
	(void)state;
	assert_in_range(round_timing_wait_ms(60000000, 1), 108000, 132000);
	assert_in_range(round_timing_wait_ms(60000000, 2), 228000, 252000);
	for (unsigned silence = 3; silence < 100; silence++)
		assert_in_range(round_timing_wait_ms(60000000, silence), 288000, 312000);
	/* Whoever asks more rarely than that goes on so. */
	assert_in_range(round_timing_wait_ms(900000000, 9), 720000, 1080000);
}

static void the_first_is_soon(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		assert_in_range(round_timing_first_ms(60000000), 0, 5000);
		assert_in_range(round_timing_first_ms(1000000), 0, 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounds_lie_a_fifth_around_their_interval_and_differ),
		cmocka_unit_test(silence_makes_them_rarer_up_to_five_minutes),
		cmocka_unit_test(the_first_is_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

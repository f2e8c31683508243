#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backoff.h"

#define SECOND INT64_C(1000000)

static void each_failure_doubles_the_bound_up_to_the_limit(void **state)
{
	static const int64_t bounds[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct backoff backoff = {.first_us = SECOND, .limit_us = 60 * SECOND};

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct backoff same = backoff;
		uint64_t most = (uint64_t)(bounds[i] * SECOND);

		assert_int_equal(backoff_next_us(&same, 0, most), most);
		same = backoff;
		assert_int_equal(backoff_next_us(&same, 0, most + 1), 0);
		(void)backoff_next_us(&backoff, 0, 0);
	}
}

static void waits_are_spread_over_the_whole_bound(void **state)
{
	unsigned quarter[4] = {0};

	(void)state;
	for (uint64_t i = 0; i < 4000; i++) {
		struct backoff backoff = {SECOND, 60 * SECOND, 9};
		uint64_t random = i * UINT64_C(0x9e3779b97f4a7c15);

		quarter[backoff_next_us(&backoff, 0, random) * 4 / (60 * SECOND + 1)]++;
	}
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(quarter[i], 800, 1200);
}

static void what_was_asked_for_is_waited_at_least(void **state)
{
	struct backoff backoff = {.first_us = SECOND, .limit_us = 60 * SECOND};

	(void)state;
	assert_int_equal(backoff_next_us(&backoff, 30 * SECOND, 0), 30 * SECOND);
	assert_int_equal(backoff_next_us(&backoff, 30 * SECOND, 2 * SECOND), 32 * SECOND);
}

static void a_success_begins_anew_and_many_failures_do_not_overflow(void **state)
{
	struct backoff backoff = {.first_us = SECOND, .limit_us = 60 * SECOND};

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		assert_in_range(backoff_next_us(&backoff, 0, UINT64_MAX), 0, 60 * SECOND);
	backoff_reset(&backoff);
	assert_int_equal(backoff_next_us(&backoff, 0, SECOND), SECOND);
	assert_int_equal(backoff.failures, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failure_doubles_the_bound_up_to_the_limit),
		cmocka_unit_test(waits_are_spread_over_the_whole_bound),
		cmocka_unit_test(what_was_asked_for_is_waited_at_least),
		cmocka_unit_test(a_success_begins_anew_and_many_failures_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

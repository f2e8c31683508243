#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "slot_clock.h"

static void a_slot_is_due_a_while_after_its_end(void **state)
{
	struct slot_clock clock = {.slot_us = 300, .late_us = 60};

	(void)state;
	assert_int_equal(slot_clock_next(&clock), 0);
	slot_clock_note(&clock, 10);
	assert_int_equal(slot_clock_next(&clock), 10);
	assert_int_equal(slot_clock_deadline(&clock).us, 11 * 300 + 60);
	slot_clock_done(&clock);
	assert_int_equal(slot_clock_next(&clock), 0);
	assert_int_equal(slot_clock_deadline(&clock).us, 0);
}

static void slots_are_judged_in_order(void **state)
{
	struct slot_clock clock = {.slot_us = 300, .late_us = 60};

	(void)state;
	slot_clock_note(&clock, 10);
	slot_clock_note(&clock, 12);
	for (int64_t slot = 10; slot <= 12; slot++) {
		assert_int_equal(slot_clock_next(&clock), slot);
		slot_clock_done(&clock);
	}
}

static void a_long_silence_is_not_judged_slot_by_slot(void **state)
{
	struct slot_clock clock = {.slot_us = 300, .late_us = 60};

	(void)state;
	slot_clock_note(&clock, 10);
	slot_clock_done(&clock);
	slot_clock_note(&clock, 100000);
	assert_true(slot_clock_next(&clock) > 100000 - 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slot_is_due_a_while_after_its_end),
		cmocka_unit_test(slots_are_judged_in_order),
		cmocka_unit_test(a_long_silence_is_not_judged_slot_by_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

static void what_comes_late_is_judged_again_once(void **state)
{
	struct slot_clock clock = {.slot_us = 5 * MOMENT_MINUTE_US, .judged = 100};
	struct moment at = {1590854700000000};

	(void)state;
	slot_clock_change(&clock, 101, at); /* not judged yet: in time */
	assert_int_equal(clock.changed, 0);
	slot_clock_change(&clock, 99, at);
	slot_clock_change(&clock, 98, moment_plus_us(at, MOMENT_SECOND_US));
	assert_int_equal(slot_clock_take_changed(&clock, at), 0);
	at = moment_plus_us(at, 10 * MOMENT_SECOND_US);
	assert_int_equal(slot_clock_take_changed(&clock, at), 98);
	assert_int_equal(slot_clock_take_changed(&clock, at), 0);
}

static void what_is_older_than_half_an_hour_opens_nothing(void **state)
{
	struct slot_clock slow = {.slot_us = 5 * MOMENT_MINUTE_US, .judged = 100};
	struct slot_clock fast = {.slot_us = 10 * MOMENT_SECOND_US, .judged = 100};
	struct moment at = {1590854700000000}, later = {1590854710000000};

	(void)state;
	slot_clock_change(&slow, 80, at);
	slot_clock_change(&fast, 80, at);
	assert_int_equal(slot_clock_take_changed(&slow, later), 95);
	assert_int_equal(slot_clock_take_changed(&fast, later), 83);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slot_is_due_a_while_after_its_end),
		cmocka_unit_test(slots_are_judged_in_order),
		cmocka_unit_test(a_long_silence_is_not_judged_slot_by_slot),
		cmocka_unit_test(what_comes_late_is_judged_again_once),
		cmocka_unit_test(what_is_older_than_half_an_hour_opens_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

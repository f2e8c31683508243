#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "roster.h"

static struct tick at_second(int64_t second)
{
	return (struct tick){second * MOMENT_SECOND_US};
}

static void a_probe_keeps_its_place_while_the_roster_grows(void **state)
{
	struct roster_probe *first;
	struct roster *roster;
	char name[16];

	(void)state;
	assert_int_equal(roster_new(&roster, 1000, 0), 0);
	first = roster_probe(roster, "0", at_second(0));
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		assert_string_equal(roster_probe(roster, name, at_second(0))->name, name);
	}
	assert_ptr_equal(roster_probe(roster, "0", at_second(0)), first);
	assert_int_equal(roster_count(roster), 1000);
	assert_null(roster_probe(roster, "one more", at_second(0)));
	roster_free(roster);
}

static void a_probe_may_send_a_minutes_worth_at_once(void **state)
{
	struct roster_probe *probe;
	struct roster *roster;

	(void)state;
	assert_int_equal(roster_new(&roster, 10, 6000), 0);
	probe = roster_probe(roster, "a", at_second(0));
	for (int i = 0; i < 6; i++)
		assert_int_equal(roster_charge(roster, probe, 1000, at_second(0)), 0);
	assert_int_equal(roster_charge(roster, probe, 1000, at_second(0)), 11);
	assert_int_equal(roster_charge(roster, probe, 1000, at_second(5)), 6);
	assert_int_equal(roster_charge(roster, probe, 1000, at_second(10)), 0);
	assert_true(roster_charge(roster, probe, 1000, at_second(10)) > 0);
	assert_int_equal(roster_charge(roster, probe, 6000, at_second(3600)), 0);
	roster_free(roster);
}

static void asking_often_loses_nothing(void **state)
{
	struct roster_probe *probe;
	struct roster *roster;
	int64_t passed = 0;

	(void)state;
	assert_int_equal(roster_new(&roster, 10, 60), 0);
	probe = roster_probe(roster, "a", at_second(0));
	assert_int_equal(roster_charge(roster, probe, 60, at_second(0)), 0);
	for (int64_t us = 0; us <= 30 * MOMENT_SECOND_US; us += 10000)
		passed += roster_charge(roster, probe, 1, (struct tick){us}) == 0;
	assert_in_range(passed, 29, 31);
	roster_free(roster);
}

static void a_batch_beyond_the_quota_passes_when_nothing_is_owed(void **state)
{
	struct roster_probe *probe;
	struct roster *roster;

	(void)state;
	assert_int_equal(roster_new(&roster, 10, 1000), 0);
	probe = roster_probe(roster, "a", at_second(0));
	assert_int_equal(roster_charge(roster, probe, 3000, at_second(0)), 0);
	assert_true(roster_charge(roster, probe, 1, at_second(30)) > 0);
	roster_free(roster);
}

static void without_a_quota_nothing_is_counted(void **state)
{
	struct roster *roster;

	(void)state;
	assert_int_equal(roster_new(&roster, 10, 0), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(
			roster_charge(roster, roster_probe(roster, "a", at_second(0)),
				1 << 20, at_second(0)),
			0);
	roster_free(roster);
}

static void the_log_hears_of_a_probe_once_a_minute(void **state)
{
	struct roster *roster;
	struct roster_probe *probe;

	(void)state;
	assert_int_equal(roster_new(&roster, 10, 0), 0);
	probe = roster_probe(roster, "a", at_second(1));
	assert_true(roster_may_complain(probe, at_second(1)));
	assert_false(roster_may_complain(probe, at_second(60)));
	assert_true(roster_may_complain(probe, at_second(61)));
	assert_false(roster_may_complain(probe, at_second(62)));
	roster_free(roster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_probe_keeps_its_place_while_the_roster_grows),
		cmocka_unit_test(a_probe_may_send_a_minutes_worth_at_once),
		cmocka_unit_test(asking_often_loses_nothing),
		cmocka_unit_test(a_batch_beyond_the_quota_passes_when_nothing_is_owed),
		cmocka_unit_test(without_a_quota_nothing_is_counted),
		cmocka_unit_test(the_log_hears_of_a_probe_once_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "names_report.h"
#include "names_report_maker.h"

static void answers_stand_by_role_name_type_and_server(void **state)
{
	struct names_report report = {.zone = ZONE};

	(void)state;
	add(&report, OBS_PARENT, "198.51.100.55", "NS", "NOERROR", GENUINE);
	add(&report, OBS_RESOLVER, "192.0.2.53", "A", "NOERROR", "203.0.113.10");
	add(&report, OBS_PARENT, "198.51.100.54", "NS", "NOERROR", GENUINE);
	add(&report, OBS_PARENT, "198.51.100.55", "DS", "NOERROR", "");
	names_report_sort(&report);
	assert_int_equal(report.answers[0]->role, OBS_RESOLVER);
	assert_string_equal(report.answers[1]->type, "DS");
	assert_int_equal(report.answers[2]->server.bytes[3], 54);
	assert_int_equal(report.answers[3]->server.bytes[3], 55);
	names_report_free(&report);
	assert_int_equal(report.count, 0);
}

static void what_finds_no_room_is_counted(void **state)
{
	struct names_report report = {.zone = ZONE};

	(void)state;
	for (unsigned i = 0; i < NAMES_REPORT_ANSWERS + 3; i++)
		add(&report, OBS_PARENT, "198.51.100.55", "NS", "NOERROR", "");
	assert_int_equal(report.count, NAMES_REPORT_ANSWERS);
	assert_int_equal(report.left_out, 3);
	names_report_free(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_stand_by_role_name_type_and_server),
		cmocka_unit_test(what_finds_no_room_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

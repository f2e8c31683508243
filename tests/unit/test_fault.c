#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/fault.h"
#include "astray/status.h"

static void a_fault_reads_as_input_line_field_and_reason(void **state)
{
	struct fault fault = {.input = "services.json", .line = 12};
	char buf[512];
	int rc = fault_at(
		&fault, STATUS_RANGE, "services[0].ports", "%d is too large", 99999);

	(void)state;
	assert_int_equal(rc, STATUS_RANGE);
	assert_string_equal(fault_text(&fault, buf, sizeof(buf)),
		"services.json:12: services[0].ports: 99999 is too large");
}

static void parts_that_are_empty_are_left_out(void **state)
{
	struct fault fault = {0};
	char buf[512];

	(void)state;
	(void)fault_at(&fault, STATUS_SYNTAX, NULL, "is not JSON");
	assert_string_equal(fault_text(&fault, buf, sizeof(buf)), "is not JSON");
	(void)strcpy(fault.input, "stdin");
	assert_string_equal(fault_text(&fault, buf, sizeof(buf)), "stdin: is not JSON");
	fault = (struct fault){.line = 3};
	(void)fault_at(&fault, STATUS_MISSING, "kind", "is missing");
	assert_string_equal(fault_text(&fault, buf, sizeof(buf)), "3: kind: is missing");
}

static void what_comes_from_outside_cannot_forge_a_line(void **state)
{
	struct fault fault = {0};

	(void)state;
	(void)fault_at(
		&fault, STATUS_UNKNOWN, "ki\nnd", "\x1b[2J is \xff no %s", "word\r");
	assert_string_equal(fault.field, "ki\\x0and");
	assert_string_equal(fault.why, "\\x1b[2J is \\xff no word\\x0d");
}

static void a_long_reason_is_cut_between_characters(void **state)
{
	struct fault fault = {0};
	char text[600];
	size_t len;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	(void)fault_at(&fault, STATUS_LIMIT, text, "%s", text);
	len = strlen(fault.field);
	assert_int_equal(len % 2, 0);
	assert_in_range(len, sizeof(fault.field) - 4, sizeof(fault.field) - 1);
	assert_in_range(strlen(fault.why), sizeof(fault.why) - 8, sizeof(fault.why) - 1);
}

static void nobody_needs_to_ask_for_the_fault(void **state)
{
	(void)state;
	assert_int_equal(fault_at(NULL, STATUS_LIMIT, "hops", "too many"), STATUS_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_reads_as_input_line_field_and_reason),
		cmocka_unit_test(parts_that_are_empty_are_left_out),
		cmocka_unit_test(what_comes_from_outside_cannot_forge_a_line),
		cmocka_unit_test(a_long_reason_is_cut_between_characters),
		cmocka_unit_test(nobody_needs_to_ask_for_the_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

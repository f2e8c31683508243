#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <cmocka.h>

#include "astray/status.h"

static void every_own_status_has_its_own_text(void **state)
{
	(void)state;
	for (int rc = STATUS_SHORT; rc >= STATUS_CORRUPT; rc--) {
		assert_string_not_equal(status_text(rc), "unknown failure");
		for (int other = rc - 1; other >= STATUS_CORRUPT; other--)
			assert_string_not_equal(status_text(rc), status_text(other));
	}
}

static void errno_and_the_loops_values_are_known(void **state)
{
	(void)state;
	assert_string_equal(status_text(0), "success");
	assert_string_equal(status_text(-ENOENT), "No such file or directory");
	assert_string_equal(status_text(-4095), "the other side closed");
	assert_string_equal(status_text(-999999), "unknown failure");
	assert_string_equal(status_text(INT32_MIN + 1), "unknown failure");
}

static void exit_codes_follow_sysexits(void **state)
{
	(void)state;
	assert_int_equal(status_exit_code(0), EX_OK);
	assert_int_equal(status_exit_code(STATUS_SYNTAX), EX_DATAERR);
	assert_int_equal(status_exit_code(-ENOENT), EX_NOINPUT);
	assert_int_equal(status_exit_code(-EACCES), EX_NOPERM);
	assert_int_equal(status_exit_code(-3008), EX_NOHOST);
	assert_int_equal(status_exit_code(-EIO), EX_IOERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_own_status_has_its_own_text),
		cmocka_unit_test(errno_and_the_loops_values_are_known),
		cmocka_unit_test(exit_codes_follow_sysexits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

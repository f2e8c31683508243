#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "h2_lengths.h"

static void what_opens_http2_is_known_by_its_length(void **state)
{
	(void)state;
	assert_true(h2_lengths_is_preface(24 + 9 + 12 + 13));
	assert_true(h2_lengths_is_preface(24 + 9));
	assert_false(h2_lengths_is_preface(24));
	assert_false(h2_lengths_is_preface(120));
	assert_true(h2_lengths_is_settings(9 + 18 + 13, 0));
	assert_true(h2_lengths_is_settings(9 + 18 + 9, 0));
	assert_false(h2_lengths_is_settings(900, 0));
	assert_true(h2_lengths_is_acknowledgement(9));
	assert_false(h2_lengths_is_acknowledgement(3));
}

static void control_frames_are_told_from_requests(void **state)
{
	static const int controls[] = {9, 13, 14, 17, 26, 30};
	static const int others[] = {12, 15, 16, 18, 25, 27, 31, 39, 52, 100};

	(void)state;
	for (unsigned i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		assert_true(h2_lengths_is_control(controls[i]));
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(h2_lengths_is_control(others[i]));
}

/* A record may be shorter than what encryption adds to one. */
static void nothing_and_less_is_nothing(void **state)
{
	(void)state;
	for (int content = -300; content < 0; content++) {
		assert_false(h2_lengths_is_preface(content));
		assert_false(h2_lengths_is_settings(content, 0));
		assert_false(h2_lengths_is_acknowledgement(content));
	}
}

static void windows_are_updated_beside_settings_and_together(void **state)
{
	(void)state;
	assert_false(h2_lengths_is_settings(9 + 18 + 13 + 9 + 3 * 13, 2));
	assert_true(h2_lengths_is_settings(9 + 18 + 13 + 9 + 3 * 13, 3));
	assert_true(h2_lengths_is_windows(3 * 13, 3));
	assert_false(h2_lengths_is_windows(3 * 13, 2));
	assert_false(h2_lengths_is_windows(3 * 13 + 1, 9));
	assert_false(h2_lengths_is_windows(0, 9));
	assert_false(h2_lengths_is_windows(-13, 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_opens_http2_is_known_by_its_length),
		cmocka_unit_test(control_frames_are_told_from_requests),
		cmocka_unit_test(nothing_and_less_is_nothing),
		cmocka_unit_test(windows_are_updated_beside_settings_and_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

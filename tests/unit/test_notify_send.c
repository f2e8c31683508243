#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "notify_send.h"

static enum notify_send_result result_of(int rc, long status)
{
	return notify_send_result(&(struct fetch_answer){.rc = rc, .status = status});
}

static void only_two_hundreds_take_it(void **state)
{
	(void)state;
	assert_int_equal(result_of(0, 200), NOTIFY_SEND_TAKEN);
	assert_int_equal(result_of(0, 202), NOTIFY_SEND_TAKEN);
	assert_int_equal(result_of(0, 204), NOTIFY_SEND_TAKEN);
	assert_int_equal(result_of(0, 302), NOTIFY_SEND_FAILED);
	assert_int_equal(result_of(-ETIMEDOUT, 0), NOTIFY_SEND_FAILED);
	assert_int_equal(result_of(-ECONNRESET, 200), NOTIFY_SEND_FAILED);
}

static void what_an_operator_can_mend_is_tried_again(void **state)
{
	static const long again[] = {401, 403, 404, 408, 410, 429, 500, 502, 503};
	static const long never[] = {400, 413, 415, 422};

	(void)state;
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		assert_int_equal(result_of(0, again[i]), NOTIFY_SEND_FAILED);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(result_of(0, never[i]), NOTIFY_SEND_REFUSED);
}

static void an_answer_cannot_forge_a_line(void **state)
{
	char text[NOTIFY_SEND_TEXT];

	(void)state;
	assert_string_equal(notify_send_text(&(struct fetch_answer){.status = 400,
						     .body = "bad\nts=1 level=info"},
				    text),
		"status 400: bad\\x0ats=1 level=info");
	assert_string_equal(
		notify_send_text(&(struct fetch_answer){.status = 204, .body = ""}, text),
		"status 204");
	assert_string_equal(
		notify_send_text(&(struct fetch_answer){.rc = -ETIMEDOUT,
					 .error_text = "no answer within 10 s"},
			text),
		"no answer within 10 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_two_hundreds_take_it),
		cmocka_unit_test(what_an_operator_can_mend_is_tried_again),
		cmocka_unit_test(an_answer_cannot_forge_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

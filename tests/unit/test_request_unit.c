#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "request_unit.h"

static struct request_unit learnt(int content)
{
	struct request_unit unit = {0};

	for (unsigned i = 0; i < 3; i++)
		(void)request_unit_note(&unit, content);
	return unit;
}

static void a_length_that_comes_three_times_is_the_usual_one(void **state)
{
	struct request_unit unit = {0};

	(void)state;
	assert_int_equal(request_unit_note(&unit, 40), REQUEST_UNIT_SAME);
	assert_int_equal(request_unit_note(&unit, 41), REQUEST_UNIT_SAME);
	assert_false(request_unit_is_known(&unit));
	assert_int_equal(request_unit_note(&unit, 40), REQUEST_UNIT_LEARNT);
	assert_true(request_unit_is(&unit, 41));
	assert_false(request_unit_is(&unit, 42));
}

static void what_is_too_short_or_too_long_for_a_request_teaches_nothing(void **state)
{
	static const int lengths[] = {-5, 0, 13, 257, 16384};
	struct request_unit unit = {0};

	(void)state;
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (unsigned k = 0; k < 5; k++)
			assert_int_equal(
				request_unit_note(&unit, lengths[i]), REQUEST_UNIT_SAME);
	assert_false(request_unit_is_known(&unit));
}

static void multiples_speak_for_the_least_of_them(void **state)
{
	struct request_unit unit = {0};

	(void)state;
	(void)request_unit_note(&unit, 80);
	(void)request_unit_note(&unit, 120);
	(void)request_unit_note(&unit, 40);
	assert_int_equal(request_unit_note(&unit, 40), REQUEST_UNIT_LEARNT);
	assert_int_equal(unit.length, 40);
	unit = learnt(80);
	assert_int_equal(request_unit_note(&unit, 40), REQUEST_UNIT_LEARNT);
	assert_int_equal(unit.length, 40);
}

static void a_rival_takes_over_when_it_comes_as_often(void **state)
{
	struct request_unit unit = learnt(40);

	(void)state;
	assert_int_equal(request_unit_note(&unit, 51), REQUEST_UNIT_SAME);
	assert_int_equal(request_unit_note(&unit, 51), REQUEST_UNIT_SAME);
	assert_int_equal(unit.length, 40);
	assert_int_equal(request_unit_note(&unit, 51), REQUEST_UNIT_REPLACED);
	assert_int_equal(unit.length, 51);
}

static void requests_in_a_record_are_counted_among_window_updates(void **state)
{
	struct request_unit none = {0}, unit = learnt(40);

	(void)state;
	assert_int_equal(request_unit_count(&none, 120, true), 0);
	assert_int_equal(request_unit_count(&unit, 120, false), 3);
	assert_int_equal(request_unit_count(&unit, 120 + 13, false), 3);
	assert_int_equal(request_unit_count(&unit, 120 + 9, false), 0);
	assert_int_equal(request_unit_count(&unit, 120 + 9, true), 3);
	assert_int_equal(request_unit_count(&unit, 60, false), 0);
	assert_int_equal(request_unit_count(&unit, -7, true), 0);
	assert_int_equal(request_unit_count_bytes(&unit, 400), 10);
	assert_int_equal(request_unit_count_bytes(&unit, 415), 0);
	assert_int_equal(request_unit_count_bytes(&none, 400), 0);
}

static void a_body_is_no_row_of_requests_whatever_its_length(void **state)
{
	struct request_unit unit = learnt(27);

	(void)state;
	assert_int_equal(request_unit_count(&unit, 100 * 27 + 4, false), 100);
	assert_int_equal(request_unit_count(&unit, 600 * 27, false), 0);
}

static void requests_as_short_as_can_be_show_by_their_multiples(void **state)
{
	struct request_unit unit = learnt(28);

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)request_unit_note(&unit, 42 + 14 * i);
	assert_int_equal(request_unit_note(&unit, 70), REQUEST_UNIT_LEARNT);
	assert_int_equal(unit.length, 14);

	unit = learnt(28); /* one length alone says nothing */
	for (int i = 0; i < 10; i++)
		(void)request_unit_note(&unit, 28);
	assert_int_equal(unit.length, 28);
}

static void what_was_of_several_is_divided_only_where_it_can_be(void **state)
{
	struct request_unit unit = learnt(122);

	(void)state;
	assert_false(request_unit_divide(&unit, 0));
	assert_false(request_unit_divide(&unit, 1));
	assert_false(request_unit_divide(&unit, 4));  /* 30, and two over */
	assert_false(request_unit_divide(&unit, 10)); /* too short for a request */
	assert_int_equal(unit.length, 122);
	assert_true(request_unit_divide(&unit, 2));
	assert_int_equal(unit.length, 61);
	assert_true(request_unit_divide(&unit, 3)); /* one over: numbers differ */
	assert_int_equal(unit.length, 20);
	unit = (struct request_unit){0};
	assert_false(request_unit_divide(&unit, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_length_that_comes_three_times_is_the_usual_one),
		cmocka_unit_test(
			what_is_too_short_or_too_long_for_a_request_teaches_nothing),
		cmocka_unit_test(multiples_speak_for_the_least_of_them),
		cmocka_unit_test(a_rival_takes_over_when_it_comes_as_often),
		cmocka_unit_test(requests_in_a_record_are_counted_among_window_updates),
		cmocka_unit_test(a_body_is_no_row_of_requests_whatever_its_length),
		cmocka_unit_test(requests_as_short_as_can_be_show_by_their_multiples),
		cmocka_unit_test(what_was_of_several_is_divided_only_where_it_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

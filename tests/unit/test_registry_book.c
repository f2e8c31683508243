#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "registry_book.h"

#define BASE "https://rdap.example/"

static void the_list_is_due_once_a_day(void **state)
{
	struct registry_book book = {0};

	(void)state;
	assert_true(registry_book_list_is_due(&book, (struct tick){1}));
	assert_int_equal(registry_book_keep_list(&book, "{}", 2, (struct tick){1}), 0);
	assert_false(registry_book_list_is_due(&book, (struct tick){MOMENT_DAY_US}));
	assert_true(registry_book_list_is_due(&book, (struct tick){1 + MOMENT_DAY_US}));
	assert_string_equal(book.list, "{}");
	registry_book_free(&book);
}

static void an_old_list_holds_while_a_new_one_cannot_be_had(void **state)
{
	struct registry_book book = {0};
	struct tick later = {2 * MOMENT_DAY_US};

	(void)state;
	assert_int_equal(registry_book_keep_list(&book, "old", 3, (struct tick){1}), 0);
	registry_book_put_off_list(&book, 10 * MOMENT_MINUTE_US, later);
	assert_false(registry_book_list_is_due(&book, later));
	assert_string_equal(book.list, "old");
	later.us += 10 * MOMENT_MINUTE_US;
	assert_true(registry_book_list_is_due(&book, later));
	registry_book_free(&book);
}

static void whoever_wants_to_be_left_alone_is_for_a_minute_to_a_day(void **state)
{
	struct registry_book book = {0};

	(void)state;
	assert_int_equal(registry_book_wait_us(&book, BASE, (struct tick){1}), 0);
	assert_int_equal(registry_book_leave_alone(&book, BASE, 0, (struct tick){1}),
		MOMENT_MINUTE_US);
	assert_int_equal(
		registry_book_wait_us(&book, BASE, (struct tick){1}), MOMENT_MINUTE_US);
	assert_int_equal(
		registry_book_wait_us(&book, BASE, (struct tick){1 + MOMENT_MINUTE_US}),
		0);
	assert_int_equal(
		registry_book_leave_alone(&book, BASE, INT64_MAX, (struct tick){1}),
		MOMENT_DAY_US);
	assert_int_equal(
		registry_book_wait_us(&book, "https://other.example/", (struct tick){1}),
		0);
	assert_int_equal(registry_book_wait_us(&book, "", (struct tick){1}), 0);
}

static void of_too_many_the_first_is_forgotten(void **state)
{
	struct registry_book book = {0};
	char base[OBS_TEXT];

	(void)state;
	for (unsigned i = 0; i <= REGISTRY_BOOK_BASES; i++) {
		(void)snprintf(base, sizeof(base), "https://%u.example/", i);
		(void)registry_book_leave_alone(&book, base, 0, (struct tick){1});
	}
	assert_int_equal(
		registry_book_wait_us(&book, "https://0.example/", (struct tick){1}), 0);
	assert_true(
		registry_book_wait_us(&book, "https://1.example/", (struct tick){1}) > 0);
	assert_true(registry_book_wait_us(&book, base, (struct tick){1}) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_is_due_once_a_day),
		cmocka_unit_test(an_old_list_holds_while_a_new_one_cannot_be_had),
		cmocka_unit_test(whoever_wants_to_be_left_alone_is_for_a_minute_to_a_day),
		cmocka_unit_test(of_too_many_the_first_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

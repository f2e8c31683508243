#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "known.h"

static void what_was_seen_is_found_with_its_times(void **state)
{
	struct known known = {0};
	const struct known_item *item;

	(void)state;
	(void)known_see(&known, 7, (struct moment){100}, 3);
	item = known_see(&known, 7, (struct moment){200}, 65);
	assert_int_equal(item->times, 2);
	assert_int_equal(item->first.us, 100);
	assert_int_equal(item->last.us, 200);
	assert_int_equal(item->witnesses, 1 << 3 | 1 << 1);
	assert_null(known_find(&known, 8));
}

static void when_full_the_longest_unseen_gives_way(void **state)
{
	struct known known = {0};

	(void)state;
	for (unsigned i = 0; i < KNOWN_ITEMS; i++)
		(void)known_see(&known, i + 1, (struct moment){1000 + i}, 0);
	(void)known_see(&known, 1, (struct moment){5000}, 0);
	(void)known_see(&known, 999, (struct moment){6000}, 0);
	assert_non_null(known_find(&known, 1));
	assert_null(known_find(&known, 2));
	assert_non_null(known_find(&known, 999));
	assert_int_equal(known.forgotten, 1);
	assert_int_equal(known.count, KNOWN_ITEMS);
}

static void what_is_old_is_forgotten(void **state)
{
	struct known known = {0};

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		(void)known_see(&known, i + 1, (struct moment){1000 + i}, 0);
	known_forget(&known, (struct moment){1005});
	assert_int_equal(known.count, 5);
	assert_null(known_find(&known, 5));
	assert_non_null(known_find(&known, 6));
	known_remove(&known, 6);
	assert_null(known_find(&known, 6));
}

static void names_that_differ_by_one_letter_have_other_keys(void **state)
{
	(void)state;
	assert_true(known_key("ns-1515.awsdns-61.org") !=
		    known_key("ns-1515.awsdns-061.org"));
	assert_true(known_key("a") == known_key("a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_seen_is_found_with_its_times),
		cmocka_unit_test(when_full_the_longest_unseen_gives_way),
		cmocka_unit_test(what_is_old_is_forgotten),
		cmocka_unit_test(names_that_differ_by_one_letter_have_other_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dns_lookups.h"

static struct moment second(int64_t number)
{
	return (struct moment){1 + number * MOMENT_SECOND_US};
}

static void what_is_added_is_found_until_it_is_dropped(void **state)
{
	struct dns_lookups *lookups;
	struct dns_lookup *lookup;

	(void)state;
	assert_int_equal(dns_lookups_new(&lookups, 100), 0);
	for (uint64_t number = 1; number <= 100; number++)
		assert_non_null(dns_lookups_add(lookups, number << 20, second(1)));
	assert_int_equal(dns_lookups_count(lookups), 100);
	for (uint64_t number = 1; number <= 100; number++) {
		lookup = dns_lookups_find(lookups, number << 20);
		assert_non_null(lookup);
		dns_lookups_drop(lookups, lookup);
		assert_null(dns_lookups_find(lookups, number << 20));
	}
	assert_int_equal(dns_lookups_count(lookups), 0);
	assert_null(dns_lookups_oldest(lookups));
	dns_lookups_free(lookups);
}

static void a_full_table_offers_the_one_asked_longest_ago(void **state)
{
	struct dns_lookups *lookups;

	(void)state;
	assert_int_equal(dns_lookups_new(&lookups, 3), 0);
	for (uint64_t number = 1; number <= 3; number++) {
		assert_null(dns_lookups_victim(lookups));
		(void)dns_lookups_add(lookups, number, second((int64_t)number));
	}
	assert_null(dns_lookups_add(lookups, 4, second(4)));
	dns_lookups_touch(lookups, dns_lookups_find(lookups, 1), second(4));
	assert_int_equal(dns_lookups_victim(lookups)->number, 2);
	dns_lookups_drop(lookups, dns_lookups_victim(lookups));
	assert_non_null(dns_lookups_add(lookups, 4, second(5)));
	assert_int_equal(dns_lookups_oldest(lookups)->number, 3);
	assert_int_equal(dns_lookups_find(lookups, 1)->asked.us, second(1).us);
	assert_int_equal(dns_lookups_find(lookups, 1)->again.us, second(4).us);
	dns_lookups_free(lookups);
}

static void who_is_renamed_keeps_its_place(void **state)
{
	struct dns_lookups *lookups;
	struct dns_lookup *lookup;

	(void)state;
	assert_int_equal(dns_lookups_new(&lookups, 4), 0);
	lookup = dns_lookups_add(lookups, 1, second(1));
	(void)dns_lookups_add(lookups, 2, second(2));
	dns_lookups_rename(lookups, lookup, 7);
	assert_null(dns_lookups_find(lookups, 1));
	assert_ptr_equal(dns_lookups_find(lookups, 7), lookup);
	assert_ptr_equal(dns_lookups_oldest(lookups), lookup);
	dns_lookups_free(lookups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_is_found_until_it_is_dropped),
		cmocka_unit_test(a_full_table_offers_the_one_asked_longest_ago),
		cmocka_unit_test(who_is_renamed_keeps_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

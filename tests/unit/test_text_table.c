#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "astray/status.h"
#include "text_table.h"

static const char *name_of(int i, char buf[static 32])
{
	(void)snprintf(buf, 32, "service-%d", i);
	return buf;
}

static void what_was_put_is_found_and_nothing_else(void **state)
{
	struct text_table *table;
	char name[32];
	int64_t value;

	(void)state;
	assert_int_equal(text_table_new(&table, 5000), 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(text_table_put(table, name_of(i, name), i), 0);
	assert_int_equal(text_table_count(table), 5000);
	for (int i = 0; i < 5000; i++) {
		assert_true(text_table_find(table, name_of(i, name), &value));
		assert_int_equal(value, i);
	}
	assert_false(text_table_find(table, "service-5000", &value));
	assert_false(text_table_find(table, "", &value));
	text_table_free(table);
}

static void a_full_table_still_replaces(void **state)
{
	struct text_table *table;
	int64_t value;

	(void)state;
	assert_int_equal(text_table_new(&table, 2), 0);
	assert_int_equal(text_table_put(table, "a", 1), 0);
	assert_int_equal(text_table_put(table, "b", 2), 0);
	assert_int_equal(text_table_put(table, "c", 3), STATUS_LIMIT);
	assert_int_equal(text_table_put(table, "a", 4), 0);
	assert_true(text_table_find(table, "a", &value));
	assert_int_equal(value, 4);
	text_table_free(table);
}

static void a_cleared_table_is_empty_and_can_be_filled(void **state)
{
	struct text_table *table;
	int64_t value;

	(void)state;
	assert_int_equal(text_table_new(&table, 1), 0);
	assert_int_equal(text_table_put(table, "a", 1), 0);
	text_table_clear(table);
	assert_false(text_table_find(table, "a", &value));
	assert_int_equal(text_table_put(table, "b", 2), 0);
	text_table_free(table);
	text_table_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found_and_nothing_else),
		cmocka_unit_test(a_full_table_still_replaces),
		cmocka_unit_test(a_cleared_table_is_empty_and_can_be_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pace_table.h"

static struct address numbered(unsigned number)
{
	uint8_t bytes[4] = {198, 18, (uint8_t)(number >> 8), (uint8_t)number};

	return address_v4(bytes);
}

/* As many as may go now. */
static unsigned take_all(
	struct pace_table *table, const struct address *address, struct tick now)
{
	unsigned taken = 0;

	for (; pace_table_wait_us(table, address, now) == 0; taken++)
		pace_table_take(table, address, now);
	return taken;
}

static void each_address_has_its_own_bucket(void **state)
{
	struct pace_table *table;
	struct tick now = {0};

	(void)state;
	assert_int_equal(pace_table_new(&table, 10, 6, 300), 0);
	for (unsigned i = 0; i < 300; i++) {
		struct address address = numbered(i);

		assert_int_equal(take_all(table, &address, now), 6);
	}
	for (unsigned i = 0; i < 300; i++) {
		struct address address = numbered(i);

		assert_int_equal(pace_table_wait_us(table, &address, now), 100000);
	}
	assert_int_equal(pace_table_forgotten(table), 0);
	pace_table_free(table);
}

static void what_went_too_soon_is_waited_for_later(void **state)
{
	struct address address = numbered(1);
	struct pace_table *table;
	struct tick now = {0};

	(void)state;
	assert_int_equal(pace_table_new(&table, 10, 6, 16), 0);
	for (unsigned i = 0; i < 9; i++)
		pace_table_take(table, &address, now);
	assert_int_equal(pace_table_wait_us(table, &address, now), 400000);
	/* However much it was, no more than a burst is owed. */
	for (unsigned i = 0; i < 1000; i++)
		pace_table_take(table, &address, now);
	assert_int_equal(pace_table_wait_us(table, &address, now), 700000);
	pace_table_free(table);
}

static void what_was_counted_for_one_moves_to_another(void **state)
{
	struct address from = numbered(1), to = numbered(2);
	struct pace_table *table;
	struct tick now = {0};

	(void)state;
	assert_int_equal(pace_table_new(&table, 10, 6, 16), 0);
	assert_int_equal(take_all(table, &from, now), 6);
	pace_table_move(table, &from, &to, now);
	assert_int_equal(pace_table_wait_us(table, &to, now), 100000);
	/* It does not take away what the other owes already. */
	pace_table_take(table, &to, now);
	pace_table_move(table, &from, &to, now);
	assert_int_equal(pace_table_wait_us(table, &to, now), 200000);
	pace_table_free(table);
}

static void without_room_the_rested_go_first_and_others_are_counted(void **state)
{
	struct address first = numbered(0);
	struct pace_table *table;
	struct tick now = {0};

	(void)state;
	assert_int_equal(pace_table_new(&table, 10, 6, 16), 0);
	for (unsigned i = 0; i < 1000; i++) {
		struct address address = numbered(i);

		now.us += 10 * MOMENT_SECOND_US; /* all before have rested */
		pace_table_take(table, &address, now);
	}
	assert_int_equal(pace_table_forgotten(table), 0);
	for (unsigned i = 0; i < 1000; i++) {
		struct address address = numbered(i);

		pace_table_take(table, &address, now);
	}
	assert_in_range(pace_table_forgotten(table), 1000 - 128, 1000);
	/* One that was forgotten begins anew. */
	assert_int_equal(take_all(table, &first, now), 6);
	pace_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_address_has_its_own_bucket),
		cmocka_unit_test(what_went_too_soon_is_waited_for_later),
		cmocka_unit_test(what_was_counted_for_one_moves_to_another),
		cmocka_unit_test(without_room_the_rested_go_first_and_others_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "copy_table.h"

#define START INT64_C(1590854700000000)

static bool knows(struct copy_table *table, uint64_t owner, uint32_t seq, uint32_t mark,
	int64_t after_us)
{
	struct tcp_segment segment = {.seq = seq, .len = 100, .mark = mark};

	return copy_table_knows(
		table, owner, &segment, (struct moment){START + after_us});
}

static void a_copy_is_known_behind_others(void **state)
{
	struct copy_table *table;

	(void)state;
	assert_int_equal(copy_table_new(&table, 42), 0);
	for (uint32_t i = 0; i < 20; i++)
		assert_false(knows(table, 7, i, i + 1, i));
	for (uint32_t i = 0; i < 20; i++)
		assert_true(knows(table, 7, i, i + 1, 2000 + i));
	assert_true(knows(table, 7, 3, 4, 2)); /* queues change places */
	copy_table_free(table);
}

static void what_is_sent_again_is_no_copy(void **state)
{
	struct copy_table *table;

	(void)state;
	assert_int_equal(copy_table_new(&table, 42), 0);
	assert_false(knows(table, 7, 1, 1, 0));
	assert_false(knows(table, 7, 1, 2, 10));     /* another identification */
	assert_false(knows(table, 7, 1, 2, 200000)); /* the same much later */
	assert_false(knows(table, 8, 1, 1, 0));      /* another connection */
	assert_false(knows(table, 7, 1, 0, 0));      /* nothing tells */
	assert_false(knows(table, 7, 1, 0, 0));
	copy_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_known_behind_others),
		cmocka_unit_test(what_is_sent_again_is_no_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
